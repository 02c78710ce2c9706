package activities

import (
	"testing"
	"time"

	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/names"
)

func TestMayExpire(t *testing.T) {
	now := time.Date(2026, 11, 8, 2, 0, 0, 0, time.UTC)
	tag := func(key, value string) ec2types.Tag { return ec2types.Tag{Key: &key, Value: &value} }
	wave := tag(names.TagWave, "wave-1")
	for _, test := range []struct {
		name string
		tags []ec2types.Tag
		want bool
	}{
		{"past", []ec2types.Tag{wave, tag(names.TagExpires, "2026-11-08T01:59:59Z")}, true},
		{"past, in another zone's time", []ec2types.Tag{wave, tag(names.TagExpires, "2026-11-08T10:00:00+09:00")}, true},
		{"to come", []ec2types.Tag{wave, tag(names.TagExpires, "2026-11-08T02:00:01Z")}, false},
		{"somebody else's expiry", []ec2types.Tag{tag(names.TagExpires, "2020-01-01T00:00:00Z")}, false},
		{"unreadable", []ec2types.Tag{wave, tag(names.TagExpires, "yesterday")}, false},
		{"none", []ec2types.Tag{wave}, false},
		{
			"past, and of an open wave",
			[]ec2types.Tag{tag(names.TagWave, "wave-2"), tag(names.TagExpires, "2026-11-08T01:59:59Z")},
			false,
		},
	} {
		t.Run(test.name, func(t *testing.T) { require.Equal(t, test.want, mayExpire(test.tags, now, []string{"wave-2"})) })
	}
}
