package instance_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// theirs is what the group must be after a wave that somebody worked beside: the zero value is as it was.
type theirs struct {
	min, max, desired int // 0: as before
	suspended         []string
	standby           bool // the other instance stays there
	registered        bool // our instance and the other one stay registered in "other"
}

// What others do while a wave runs is theirs: no wave undoes it, whether it ends well or puts everything back. What is
// ours is always undone.
func TestWhatOthersDoMeanwhileStays(t *testing.T) {
	for i, c := range []struct {
		name  string
		fleet func(*world.Scenario) // nil: min 2, desired 4, max 6, so that room is made by decrement
		at    patch.Step            // of the first production instance
		do    func(t *testing.T, group *world.ScalingGroup, ours, other *world.Instance)
		want  theirs
		fails bool // the wave stops for it, after the first instance: with a patch that breaks things it never gets there
	}{
		{
			name: "suspends what we would suspend, before we do", at: patch.StepScan,
			do:   suspend("AZRebalance"),
			want: theirs{suspended: []string{"AZRebalance"}},
		},
		{
			name: "suspends all that we would suspend, before we do", at: patch.StepScan,
			do:   suspend("AZRebalance", "InstanceRefresh", "ReplaceUnhealthy"),
			want: theirs{suspended: []string{"AZRebalance", "InstanceRefresh", "ReplaceUnhealthy"}},
		},
		{
			name: "suspends other processes while one is out", at: patch.StepInstall,
			do:   suspend("AlarmNotification", "ScheduledActions"),
			want: theirs{suspended: []string{"AlarmNotification", "ScheduledActions"}},
		},
		{
			name: "suspends every process while one is baking", at: patch.StepBake,
			do: suspend("AlarmNotification", "ScheduledActions", "Launch", "Terminate", "HealthCheck", "AddToLoadBalancer"),
			want: theirs{
				suspended: []string{
					"AddToLoadBalancer", "AlarmNotification", "HealthCheck", "Launch", "ScheduledActions", "Terminate",
				},
			},
			fails: true,
		},
		{
			name: "resumes what we suspended", at: patch.StepInstall,
			do: func(t *testing.T, group *world.ScalingGroup, _, _ *world.Instance) {
				require.NoError(t, group.Resume([]string{"AZRebalance"}))
			},
		},
		{
			name: "raises desired while one is out", at: patch.StepInstall, do: desire(+1), want: theirs{desired: 5},
		},
		{
			name: "lowers desired while one is out", at: patch.StepInstall, fleet: wavetest.Sized(1, 4, 6), do: desire(-1),
			want: theirs{desired: 3},
		},
		{
			name: "raises desired beside a surge", at: patch.StepInstall, fleet: wavetest.Sized(4, 4, 8), do: desire(+1),
			want: theirs{desired: 5},
		},
		{
			name: "lowers min and desired beside a surge", at: patch.StepInstall, fleet: wavetest.Sized(4, 4, 4),
			do: func(t *testing.T, group *world.ScalingGroup, _, _ *world.Instance) {
				group.Min = 3
				require.NoError(t, group.SetDesired(group.Desired-1))
			},
			want: theirs{min: 3, desired: 3},
		},
		{
			name: "raises max while one is out", at: patch.StepInstall, do: limit(9), want: theirs{max: 9},
		},
		{
			name: "raises max over our raise", at: patch.StepInstall, fleet: wavetest.Sized(4, 4, 4), do: limit(9),
			want: theirs{max: 9},
		},
		{
			name: "lowers max to what desired is with everybody in", at: patch.StepInstall, do: limit(4), want: theirs{max: 4},
		},
		{
			name: "lowers min while one is out", at: patch.StepInstall,
			do:   func(_ *testing.T, group *world.ScalingGroup, _, _ *world.Instance) { group.Min = 1 },
			want: theirs{min: 1},
		},
		{
			name: "puts another instance on standby", at: patch.StepBake, fleet: wavetest.Sized(1, 4, 6),
			do: func(t *testing.T, group *world.ScalingGroup, _, other *world.Instance) {
				_, err := group.EnterStandby([]string{other.ID}, true)
				require.NoError(t, err)
			},
			want: theirs{desired: 3, standby: true}, fails: true,
		},
		{
			name: "registers instances elsewhere", at: patch.StepInstall,
			do: func(t *testing.T, group *world.ScalingGroup, ours, other *world.Instance) {
				elsewhere := targetGroup(t, group.Region, "other")
				require.NoError(t, elsewhere.Register(ours, 80))
				require.NoError(t, elsewhere.Register(other, 80))
			},
			want: theirs{registered: true},
		},
		{
			name: "attaches a target group", at: patch.StepInstall,
			do: func(t *testing.T, group *world.ScalingGroup, _, _ *world.Instance) {
				group.AttachTargetGroups([]*world.TargetGroup{targetGroup(t, group.Region, "other")})
			},
			want: theirs{registered: true},
		},
		{
			name: "takes our marks off", at: patch.StepInstall,
			do: func(_ *testing.T, group *world.ScalingGroup, ours, _ *world.Instance) {
				delete(ours.Tags, names.TagJournal)
				group.Untag(names.TagJournal, nil)
			},
		},
	} {
		if wavetest.SkipInShort(i) {
			continue
		}
		for _, scenario := range []string{"healthy", "bad-patch"} {
			if c.fails && scenario != "healthy" {
				continue
			}
			t.Run(c.name+"/"+scenario, func(t *testing.T) {
				scene := wavetest.New(t, wavetest.Options{Scenario: scenario, Fleet: withElsewhere(c.fleet)})
				scene.Decide = []patch.Verb{patch.Abort}
				var was, want wavetest.Numbers
				scene.Production(func(group *world.ScalingGroup) {
					was = wavetest.NumbersOf(group)
					want = wavetest.Numbers{
						Min: orElse(c.want.min, was.Min), Max: orElse(c.want.max, was.Max), Desired: orElse(c.want.desired, was.Desired),
					}
				})
				ours, other := "", ""
				scene.WhenAtStep(c.at, func(instance string) {
					scene.Production(func(group *world.ScalingGroup) {
						at := slices.IndexFunc(group.Members(), func(m *world.Member) bool {
							return m.Instance.ID != instance && m.State == world.LifecycleInService
						})
						ours, other = instance, group.Members()[at].Instance.ID
						c.do(t, group, group.Region.Instance(ours), group.Region.Instance(other))
					})
				})
				result, err := scene.Run(wavetest.WebWave)
				require.NoError(t, err)
				require.NotEmpty(t, ours)
				if scenario == "healthy" && !c.fails {
					require.Equal(t, patch.Succeeded, result.Outcome, "%s", result.Reason)
				} else {
					require.Equal(t, patch.Aborted, result.Outcome)
				}
				require.Empty(t, result.Stranded)
				scene.Sim.Inspect(func(w *world.World) { w.Advance(w.Now().Add(time.Hour)) })
				scene.Production(func(group *world.ScalingGroup) {
					require.Equal(t, want, wavetest.NumbersOf(group), "they were %v", was)
					require.Equal(t, slices.Sorted(slices.Values(c.want.suspended)), slices.Sorted(maps.Keys(group.Suspended)))
					for _, member := range group.Members() {
						id := member.Instance.ID
						if c.want.standby && id == other {
							require.Equal(t, world.LifecycleStandby, member.State, id)
						} else {
							require.Equal(t, world.LifecycleInService, member.State, id)
						}
						require.Empty(t, member.Instance.Tags[names.TagJournal], id)
					}
					elsewhere := targetGroup(t, group.Region, "other")
					for _, id := range []string{ours, other} {
						if c.want.registered && group.Member(id) != nil {
							require.NotNil(t, elsewhere.Find(id, 80), id)
						}
					}
					require.False(t, slices.ContainsFunc(group.Tags, func(tag world.GroupTag) bool {
						return strings.HasPrefix(tag.Key, "patchtide:")
					}))
				})
			})
		}
	}
}

func suspend(processes ...string) func(*testing.T, *world.ScalingGroup, *world.Instance, *world.Instance) {
	return func(t *testing.T, group *world.ScalingGroup, _, _ *world.Instance) {
		require.NoError(t, group.Suspend(processes))
	}
}

func desire(more int) func(*testing.T, *world.ScalingGroup, *world.Instance, *world.Instance) {
	return func(t *testing.T, group *world.ScalingGroup, _, _ *world.Instance) {
		require.NoError(t, group.SetDesired(group.Desired+more))
	}
}

func limit(most int) func(*testing.T, *world.ScalingGroup, *world.Instance, *world.Instance) {
	return func(t *testing.T, group *world.ScalingGroup, _, _ *world.Instance) {
		require.NoError(t, group.Resize(world.Sizes{Max: &most}))
	}
}

// withElsewhere adds a target group that nobody is registered in.
func withElsewhere(fleet func(*world.Scenario)) func(*world.Scenario) {
	return withElsewhereIn(1, fleet)
}

// withElsewhereIn is withElsewhere in the account of that index.
func withElsewhereIn(account int, fleet func(*world.Scenario)) func(*world.Scenario) {
	return func(s *world.Scenario) {
		if fleet != nil {
			fleet(s)
		}
		region := &s.Accounts[account].Regions[0]
		elsewhere := region.TargetGroups[0]
		elsewhere.Name, elsewhere.LoadBalancer = "other", "other"
		region.TargetGroups = append(region.TargetGroups, elsewhere)
	}
}

func targetGroup(t *testing.T, region *world.Region, name string) *world.TargetGroup {
	at := slices.IndexFunc(region.TargetGroups(), func(g *world.TargetGroup) bool { return g.Name == name })
	require.GreaterOrEqual(t, at, 0)
	return region.TargetGroups()[at]
}

func orElse(value, other int) int {
	if value == 0 {
		return other
	}
	return value
}
