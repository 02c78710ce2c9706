package patch

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSamePartition(t *testing.T) {
	for _, c := range []struct {
		name, one, other string
		want             bool
	}{
		{"commercial regions", "ap-northeast-1", "us-east-1", true},
		{"China and the rest", "cn-north-1", "ap-northeast-1", false},
		{"China's two", "cn-north-1", "cn-northwest-1", true},
		{"GovCloud and the rest", "us-gov-west-1", "us-west-1", false},
		{"two isolated ones", "us-iso-east-1", "us-isob-east-1", false},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, SamePartition(c.one, c.other)) })
	}
}
