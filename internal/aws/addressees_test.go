package aws_test

import (
	"testing"

	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/aws"
)

func TestWhoIsNamedInARefusalIsLeftOut(t *testing.T) {
	short, long, other := "i-0123abcd", "i-0123abcd456789012", "i-0fedcba9876543210"
	refusal := func(code, text string) error { return &smithy.GenericAPIError{Code: code, Message: text} }
	for name, c := range map[string]struct {
		err   error
		named bool
		left  []string
	}{
		"one": {
			refusal("InvalidInstanceId", "Instances [["+other+"]] not in a valid state for account 111122223333"),
			true,
			[]string{short, long},
		},
		"an id that begins as another one": {refusal("InvalidInstanceId", "Instances [["+long+"]]"), true, []string{short, other}},
		"nobody by name":                   {refusal("InvalidInstanceId", ""), false, []string{short, long, other}},
		"another refusal":                  {refusal("AccessDeniedException", "on "+other), false, []string{short, long, other}},
	} {
		t.Run(name, func(t *testing.T) {
			to := &aws.Addressees{Online: []string{short, long, other}, Left: map[string]string{}}
			require.Equal(t, c.named, to.Drop(c.err))
			require.Equal(t, c.left, to.Online)
			require.Len(t, to.Left, 3-len(c.left))
		})
	}
}
