package patch_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

func TestExpectTargets(t *testing.T) {
	in := func(arn string) patch.Target {
		return patch.Target{TargetGroupARN: arn, ID: "i-1", Port: 80, Health: patch.TargetHealthy}
	}
	other := in("other")
	other.Health = patch.TargetUnhealthy
	unused := in("other")
	unused.Health = patch.TargetUnused
	for _, c := range []struct {
		name     string
		before   []patch.Target
		attached []string
		now      patch.Serving
		is       []patch.Target
		expected []patch.Target
		changes  []string
	}{
		{
			"as it was",
			[]patch.Target{in("web"), in("own")},
			[]string{"web"},
			patch.Serving{Attached: []string{"web"}},
			nil,
			[]patch.Target{in("web"), in("own")},
			nil,
		},
		{
			"one registered by hand was deleted",
			[]patch.Target{in("web"), in("own")},
			[]string{"web"},
			patch.Serving{Attached: []string{"web"}, Gone: []string{"own"}},
			nil,
			[]patch.Target{in("web")},
			[]string{"own was deleted meanwhile"},
		},
		{
			"one of two of a group chosen by tags was deleted",
			[]patch.Target{in("a"), in("b")},
			nil,
			patch.Serving{Gone: []string{"b"}},
			nil,
			[]patch.Target{in("a")},
			[]string{"b was deleted meanwhile"},
		},
		{
			"the attached one was detached",
			[]patch.Target{in("web")},
			[]string{"web"},
			patch.Serving{},
			nil,
			nil,
			[]string{"web was detached from the group meanwhile"},
		},
		{
			"swapped, and not registered yet",
			[]patch.Target{in("web")},
			[]string{"web"},
			patch.Serving{Attached: []string{"other"}},
			nil,
			[]patch.Target{{TargetGroupARN: "other", Health: patch.TargetHealthy}},
			[]string{"web was detached from the group meanwhile", "other was attached to the group meanwhile"},
		},
		{
			"swapped, and ill in the new one",
			[]patch.Target{in("web")},
			[]string{"web"},
			patch.Serving{Attached: []string{"other"}},
			[]patch.Target{other},
			[]patch.Target{in("other")},
			[]string{"web was detached from the group meanwhile", "other was attached to the group meanwhile"},
		},
		{
			"attached to one that no load balancer uses",
			[]patch.Target{in("web")},
			[]string{"web"},
			patch.Serving{Attached: []string{"web", "other"}},
			[]patch.Target{unused},
			[]patch.Target{in("web")},
			[]string{"other was attached to the group meanwhile"},
		},
		{
			"attached to one that it was in by hand",
			[]patch.Target{in("web"), in("own")},
			[]string{"web"},
			patch.Serving{Attached: []string{"own", "web"}},
			nil,
			[]patch.Target{in("web"), in("own")},
			nil,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			expected, changes := patch.ExpectTargets(c.before, c.attached, c.now, c.is)
			require.Equal(t, c.expected, expected)
			require.Equal(t, c.changes, changes)
		})
	}
}
