package wave

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

// Whoever is told that a wave has begun reads sentences, whichever of them there are to say.
func TestWhatIsToldOfAWaveThatBegins(t *testing.T) {
	only := &patch.Only{Zones: []string{"ap-northeast-1a"}}
	for _, c := range []struct {
		name    string
		request Request
		over    []string
		want    string
	}{
		{"nothing", Request{}, nil, ""},
		{"why", Request{Reason: "monthly."}, nil, "monthly."},
		{
			"an exception whose day is over",
			Request{Reason: "monthly."},
			[]string{"baseline ours has an exception"},
			"monthly. The baseline ours has an exception",
		},
		{
			"one, and nobody said why",
			Request{},
			[]string{"baseline ours has an exception"},
			"The baseline ours has an exception",
		},
		{
			"several, of a wave that takes a part",
			Request{Reason: "monthly", Only: only},
			[]string{"baseline ours has an exception", "baseline theirs has another"},
			"monthly. It takes only " + only.String() + ". The baseline ours has an exception. The baseline theirs has another",
		},
		{"a part, and nobody said why", Request{Only: only}, nil, "It takes only " + only.String()},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, startWords(c.request, c.over)) })
	}
}
