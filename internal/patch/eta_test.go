package patch_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

const minute = patch.Duration(time.Minute)

func TestLikely(t *testing.T) {
	timing := patch.DefaultTiming() // an instance: 20 minutes
	drains := []patch.TargetGroup{{DeregistrationDelay: minute}, {DeregistrationDelay: 5 * minute, SlowStart: 2 * minute}}
	measured := func(patchTakes patch.Duration, n int) *patch.Estimates {
		return &patch.Estimates{Patch: patchTakes, Patches: n}
	}
	for _, c := range []struct {
		name      string
		estimates *patch.Estimates
		bake      patch.Duration
		groups    []patch.TargetGroup
		want      patch.Duration
		from      string
	}{
		{"a plan without estimates", nil, 10 * minute, drains, 37 * minute, "the usual time"},
		{"the plan's estimate holds the bake", measured(30*minute, 0), 10 * minute, nil, 30 * minute, "estimates.patch"},
		{"draining and slow start are added", measured(30*minute, 0), 10 * minute, drains, 37 * minute, "estimates.patch"},
		{"too few were measured", measured(30*minute, 4), 10 * minute, drains, 37 * minute, "estimates.patch"},
		{
			"what was measured holds the draining", measured(12*minute, 5), 10 * minute, drains, 12 * minute,
			"5 instances measured",
		},
		{"a bake that outlasts the estimate", measured(20*minute, 0), 60 * minute, nil, 80 * minute, "the usual time"},
		{
			"a bake that outlasts what stages with a shorter one took", measured(12*minute, 50), 60 * minute, drains,
			87 * minute, "the usual time",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, from := patch.Plan{Estimates: c.estimates, Timing: timing}.Likely(patch.Stage{Bake: c.bake}, c.groups)
			require.Equal(t, c.want.String(), got.String())
			require.Contains(t, from, c.from)
		})
	}
}

func TestLaunchTime(t *testing.T) {
	timing := patch.DefaultTiming()
	require.Zero(t, patch.Strategy{}.LaunchTime(timing), "instances chosen by tags")
	require.Zero(t, patch.Strategy{Mode: patch.CapacityDecrement}.LaunchTime(timing))
	require.Equal(t, "5m0s", patch.Strategy{Mode: patch.CapacitySurge}.LaunchTime(timing).String())
}

func TestSchedule(t *testing.T) {
	work := func(instances int, shares ...string) patch.Work {
		return patch.Work{Instances: instances, Each: 10 * minute, Shares: shares}
	}
	begun := func(instances int, spent patch.Duration) patch.Work {
		return patch.Work{Instances: instances, Each: 10 * minute, Begun: true, Spent: spent}
	}
	for _, c := range []struct {
		name     string
		groups   []patch.Work
		parallel int
		begins   []int // minutes
		takes    int
	}{
		{"nothing to do", nil, 1, []int{}, 0},
		{"one after another", []patch.Work{work(2), work(1), work(3)}, 1, []int{0, 20, 30}, 60},
		{"no limit written is one", []patch.Work{work(2), work(1)}, 0, []int{0, 20}, 30},
		{"two at once", []patch.Work{work(2), work(1), work(3)}, 2, []int{0, 0, 10}, 40},
		{"more room than groups", []patch.Work{work(2), work(1)}, 9, []int{0, 0}, 20},
		{
			"who shares a target group waits, others pass",
			[]patch.Work{work(3, "a"), work(1, "b", "a"), work(1, "c")},
			2,
			[]int{0, 30, 0},
			40,
		},
		{"groups without target groups share none", []patch.Work{work(1), work(1)}, 2, []int{0, 0}, 10},
		{
			"those begun go on, also when fewer may run than do",
			[]patch.Work{begun(2, 5*minute), begun(1, 0), work(1)},
			1,
			[]int{0, 0, 15},
			25,
		},
		{"one that is overdue ends now", []patch.Work{begun(1, 90*minute), work(1)}, 1, []int{0, 0}, 10},
		{"of one that is overdue the rest is still to come", []patch.Work{begun(2, 90*minute), work(1)}, 1, []int{0, 10}, 20},
		{"nothing to patch takes no time", []patch.Work{work(0), work(1)}, 1, []int{0, 0}, 10},
		{
			"a launch comes first",
			[]patch.Work{{Instances: 1, Each: 10 * minute, First: 5 * minute}, work(1)},
			1,
			[]int{0, 15},
			25,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			begins, takes := patch.Schedule(c.groups, c.parallel)
			got := []int{}
			for _, at := range begins {
				got = append(got, int(at.D().Minutes()))
			}
			require.Equal(t, c.begins, got)
			require.Equal(t, c.takes, int(takes.D().Minutes()))
		})
	}
}

func TestRough(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0s": 0, "40s": 40*time.Second + 300*time.Millisecond, "1m59s": 119 * time.Second, "2m": 2 * time.Minute,
		"25m": 25*time.Minute + 20*time.Second,
		"1h":  time.Hour - 10*time.Second, "1h 20m": 80 * time.Minute, "23h 59m": 24*time.Hour - time.Minute,
		"1d": 24 * time.Hour, "2d 3h": 51*time.Hour + 10*time.Minute,
	} {
		require.Equal(t, want, patch.Duration(d).Rough())
	}
}

func TestAnETAInOneSentence(t *testing.T) {
	at := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	require.Equal(
		t, "about 1h 20m left, done about 03:20 UTC",
		patch.ETA{At: at, Left: 80 * minute, Done: at.Add(80 * time.Minute)}.String(),
	)
	require.Equal(t, "about 25m left; not counted: the approval of production, a freeze",
		patch.ETA{Left: 25 * minute, NotCounted: []string{"the approval of production", "a freeze"}}.String())
}

// Whoever looks is told how it stands then, and not how it stood when something happened last.
func TestAnETAForWhoeverReadsItLater(t *testing.T) {
	at := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	due := patch.ETA{At: at, Left: 20 * minute, UnderWay: 20 * minute, Done: at.Add(20 * time.Minute)}
	oneOfTwo := patch.ETA{At: at, Left: 20 * minute, UnderWay: 10 * minute, Done: at.Add(20 * time.Minute)}
	for _, c := range []struct {
		name  string
		eta   patch.ETA
		after time.Duration
		says  string
	}{
		{"as it was", due, 0, "about 20m left, done about 02:20 UTC"},
		{"some of it has passed", due, 12 * time.Minute, "about 8m left, done about 02:20 UTC"},
		{"a clock that is behind", due, -time.Minute, "about 20m left, done about 02:20 UTC"},
		{"just due", due, 20*time.Minute + 30*time.Second, "about 0s left, done about 02:20 UTC"},
		{"overdue", due, 32 * time.Minute, "overdue by 12m"},
		{"what has not begun is still to come", oneOfTwo, 9 * time.Minute, "about 11m left, done about 02:20 UTC"},
		{
			"and takes as long however late the one before is", oneOfTwo, 25 * time.Minute,
			"overdue by 15m, and about 10m left after that",
		},
		{
			"a little late is not overdue, and all after it is later", oneOfTwo, 11 * time.Minute,
			"about 10m left, done about 02:21 UTC",
		},
		{
			"nothing has begun",
			patch.ETA{At: at, Left: 20 * minute, Done: at.Add(20 * time.Minute)},
			15 * time.Minute,
			"about 20m left, done about 02:35 UTC",
		},
		{
			"its first was overdue by then",
			patch.ETA{At: at, Left: 20 * minute, Done: at.Add(20 * time.Minute), Overdue: 5 * minute},
			30 * time.Minute, "overdue by 35m, and about 20m left after that",
		},
		{
			"what hangs on a person has no end to be late for",
			patch.ETA{At: at, Left: 20 * minute, NotCounted: []string{"the pause"}},
			time.Hour, "about 20m left; not counted: the pause",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.says, c.eta.Told(at.Add(c.after), func(at time.Time) string { return at.Format("15:04 MST") }))
		})
	}
}

func TestWhatIsOverdue(t *testing.T) {
	work := patch.Work{Instances: 3, Each: 10 * minute, First: 5 * minute, Begun: true, Patching: true}
	for _, c := range []struct {
		name                    string
		spent                   patch.Duration
		counted                 int
		left, underWay, overdue patch.Duration
	}{
		{"in time", 8 * minute, 0, 27 * minute, 7 * minute, 0},
		{"a little longer", 17 * minute, 0, 20 * minute, 0, 0},
		{"overdue", 25 * minute, 0, 20 * minute, 0, 10 * minute},
		{"counted after every two", 25 * minute, 2, 10 * minute, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			work.Spent, work.Counted = c.spent, c.counted
			require.Equal(t, c.left, work.Left())
			require.Equal(t, c.underWay, work.UnderWay())
			require.Equal(t, c.overdue, work.Overdue())
		})
	}
}
