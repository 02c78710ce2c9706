package console

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/patch"
)

var looked = time.Date(2026, 11, 22, 2, 20, 0, 0, time.UTC)

const refused = "read the group (production/r/web): AWS was not reached: connect: connection refused"

// away is a wave whose preflight does not get through to AWS, and one that waits for an instance.
func away(attempt int) patch.Waits {
	return patch.Waits{At: looked, On: []patch.Wait{{
		WorkflowID: "wave-web-1-examine-0", Activity: "InspectGroup", Attempt: attempt, Failure: refused,
		Since: looked.Add(-20 * time.Second), Next: looked.Add(10 * time.Second),
	}}}
}

func unhealthy(lasts time.Duration, says string) patch.Waits {
	return patch.Waits{At: looked, On: []patch.Wait{{
		WorkflowID: "patch-instance/111122223333/r/i-1", Activity: "AwaitInService", Attempt: 36, Polls: true, Failure: says,
		Since: looked.Add(-lasts),
	}}}
}

func utc(at time.Time) string { return at.UTC().Format("15:04:05 MST") }

func TestWhatAWaveWaitsForIsSaid(t *testing.T) {
	status := patch.WaveStatus{WaveID: "wave-web-1", Plan: "web", State: patch.StateRunning, Stages: []patch.StageStatus{{
		Groups: []patch.GroupCounts{{Group: "production/r/web", WorkflowID: "patch-group/111122223333/r/web"}},
	}}}
	untaken := patch.Waits{At: looked, On: []patch.Wait{{
		WorkflowID: "patch-group/111122223333/r/web", Activity: "RaiseDesired", Attempt: 1, Since: looked.Add(-time.Minute),
		Untaken: looked.Add(-time.Minute),
	}}}
	many := away(2)
	for range 19 {
		many.On = append(many.On, many.On[0])
	}
	many.NotAsked = 40
	for name, c := range map[string]struct {
		waits patch.Waits
		want  []string
	}{
		"AWS is away": {away(4), []string{
			"the wave: inspect group, attempt 4, since 02:19:40 UTC: " + refused + ". Tried again at 02:20:10 UTC",
		}},
		"an instance is not healthy yet": {unhealthy(time.Second, "it is unhealthy in web"), []string{
			"i-1: await in service, attempt 36, since 02:19:59 UTC: it is unhealthy in web",
		}},
		"no worker takes it": {untaken, []string{
			"production/r/web: raise desired, attempt 1, since 02:19:00 UTC. No worker takes it since 02:19:00 UTC: see that " +
				"one runs whose configuration has the account and region",
		}},
		"it has just begun": {patch.Waits{At: looked, On: []patch.Wait{{Attempt: 1, Since: looked, Untaken: looked}}}, nil},
		"its first attempt takes long": {
			patch.Waits{At: looked, On: []patch.Wait{{Activity: "InspectGroup", Attempt: 1, Since: looked.Add(-3 * time.Second)}}},
			[]string{"the wave: inspect group, attempt 1, since 02:19:57 UTC"},
		},
		"many": {many, append(slices.Repeat([]string{brief.WaitedFor(status, away(2), utc)[0].String()}, 10),
			"and for 10 more", "40 groups or instances below it were not asked")},
	} {
		t.Run(name, func(t *testing.T) {
			var said []string
			for _, wait := range brief.WaitedFor(status, c.waits, utc) {
				said = append(said, wait.String())
			}
			require.Equal(t, c.want, said)
			for _, wait := range brief.WaitedFor(status, c.waits, Clock) {
				require.Contains(t, Status(status, c.waits, Page{}), "\n  "+wait.String()+"\n")
			}
		})
	}
	require.NotContains(t, Status(status, patch.Waits{}, Page{}), "It waits for")
}

// Where lines stay, a failure is told once and not at each attempt, and a poll once it has lasted.
func TestPlainLinesTellWhatLasts(t *testing.T) {
	for name, c := range map[string]struct {
		looks []patch.Waits
		lines []string
	}{
		"a failure": {
			[]patch.Waits{{}, away(2), away(3), {}, away(4)},
			[]string{"the wave  waits: inspect group, attempt 2", "the wave  waits: inspect group, attempt 4"},
		},
		"what is under way": {[]patch.Waits{{At: looked, On: []patch.Wait{{Attempt: 1, Since: looked.Add(-time.Hour)}}}}, nil},
		"a poll": {
			[]patch.Waits{unhealthy(time.Second, "initial"), unhealthy(2*time.Minute, "unhealthy"), unhealthy(3*time.Minute, "x")},
			[]string{"i-1  waits: await in service, attempt 36"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			lines := New(&out, nil, func() time.Time { return looked })
			for _, waits := range c.looks {
				lines.Update(View(patch.WaveStatus{}, Details{Waits: waits}))
			}
			require.Equal(t, len(c.lines), strings.Count(out.String(), "waits:"), out.String())
			for _, line := range c.lines {
				require.Contains(t, out.String(), line)
			}
		})
	}
}
