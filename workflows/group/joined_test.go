package group_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// withSpare has one more machine in production, which is in no group.
func withSpare(fleet func(*world.Scenario)) func(*world.Scenario) {
	return func(s *world.Scenario) {
		if fleet != nil {
			fleet(s)
		}
		region := &s.Accounts[1].Regions[0]
		region.Instances = append(region.Instances, world.InstanceSpec{
			Name: "spare", Count: 1, Image: "web-2.4", Zone: "ap-northeast-1a",
			Tags: map[string]string{"PatchGroup": "amazon-linux-2023"},
		})
	}
}

func attachSpare(t *testing.T, group *world.ScalingGroup, _ *world.Instance) {
	for _, instance := range group.Region.Instances() {
		if instance.Tags["Name"] == "spare" {
			require.NoError(t, group.Attach([]string{instance.ID}))
		}
	}
}

// Whoever joins a group while its wave runs is patched in it, or named: a wave that says succeeded left no member of
// its groups, as they are at its end, without what was due.
func TestWhoeverJoinsIsPatchedOrNamed(t *testing.T) {
	for _, c := range []struct {
		name    string
		fleet   func(*world.Scenario)
		do      func(t *testing.T, group *world.ScalingGroup, it *world.Instance) // when the first instance installs
		want    patch.Outcome
		members int // at the end, all of them patched but the gaps
		gap     string
	}{
		{
			"somebody scales out", nil, func(t *testing.T, group *world.ScalingGroup, _ *world.Instance) {
				require.NoError(t, group.SetDesired(group.Desired+1))
			}, patch.Succeeded, 5, "",
		},
		{
			"another is launched in the place of one that somebody terminated", nil,
			func(_ *testing.T, group *world.ScalingGroup, it *world.Instance) {
				at := slices.IndexFunc(group.Members(), func(m *world.Member) bool { return m.Instance != it })
				group.Members()[at].Instance.Terminate()
			}, patch.Succeeded, 4, "",
		},
		{
			"somebody attaches one that was not of the group", withSpare(nil), attachSpare, patch.Succeeded, 5, "",
		},
		{
			"somebody attaches one while another makes room", withSpare(wavetest.Sized(4, 4, 6)), attachSpare,
			patch.Succeeded, 5, "",
		},
		{
			"one is launched whose hook is never answered", wavetest.Sized(0, 1, 3),
			func(t *testing.T, group *world.ScalingGroup, _ *world.Instance) {
				require.NoError(t, group.PutHook(world.Hook{
					Name: "never", Transition: "autoscaling:EC2_INSTANCE_LAUNCHING", Heartbeat: 2 * time.Hour, Default: "CONTINUE",
				}))
				require.NoError(t, group.SetDesired(group.Desired+1))
			}, patch.SucceededWithGaps, 3, "is still Pending:Wait",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: c.fleet})
			scene.WhenAtStep(patch.StepInstall, func(instance string) {
				scene.Production(func(group *world.ScalingGroup) { c.do(t, group, group.Region.Instance(instance)) })
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, c.want, result.Outcome, result.Reason)
			production := result.Stages[1].Groups[0]
			require.Equal(t, c.want, production.Outcome)
			scene.Production(func(group *world.ScalingGroup) {
				require.Len(t, group.Members(), c.members)
				patched := group.Region.Instance(production.Instances[0].ID).Disk().PackageList()
				for _, member := range group.Members() {
					id := member.Instance.ID
					named := slices.ContainsFunc(production.Gaps, func(gap patch.Gap) bool { return gap.Instance == id })
					at := slices.IndexFunc(production.Instances, func(i patch.InstanceResult) bool { return i.ID == id })
					require.NotEqual(t, named, at >= 0, "%s is patched or named", id)
					if !named {
						require.Equal(t, patch.Patched, production.Instances[at].Outcome, id)
						require.Equal(t, patched, member.Instance.Disk().PackageList(), id)
					}
				}
			})
			if c.gap == "" {
				require.Empty(t, production.Gaps)
				return
			}
			require.NotEmpty(t, production.Gaps)
			for _, gap := range production.Gaps {
				require.Contains(t, gap.Why, c.gap)
			}
			require.Contains(t, result.Reason, c.gap)
		})
	}
}

// Whoever joins late is waited for until it serves, is patched like any other, and is named where the wave has gone on
// without it.
func TestWhoeverJoinsLate(t *testing.T) {
	production := func(result *patch.WaveResult) patch.GroupResult { return result.Stages[1].Groups[0] }
	grow := func(t *testing.T, group *world.ScalingGroup) {
		require.NoError(t, group.SetDesired(group.Desired+1))
	}
	t.Run("as the last instance ends", func(t *testing.T) {
		for _, paused := range []bool{false, true} {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
			if paused { // and the pause is lifted while the instance is under way
				scene.WhenAtStep(patch.StepInstall, func(string) {
					scene.Tell(patch.Pause, patch.Scope(""))
					scene.Env.RegisterDelayedCallback(func() { scene.Tell(patch.Resume, patch.Scope("")) }, 30*time.Second)
				})
			}
			unmarked := 0
			scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
				if call.Account == wavetest.Production && call.Operation == "DeleteTags" && call.Service == "ec2" {
					if unmarked++; unmarked == 4 {
						scene.Env.RegisterDelayedCallback(func() {
							scene.Production(func(group *world.ScalingGroup) { grow(t, group) })
						}, 0)
					}
				}
				return awssim.Fault{}
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, patch.Succeeded, result.Outcome, result.Reason)
			require.Len(t, production(result).Instances, 5)
		}
	})
	t.Run("when the wave has gone on to another stage", func(t *testing.T) {
		scene := wavetest.New(t, wavetest.Options{
			Scenario: "healthy", Fleet: wavetest.TwoGroups,
			Config: wavetest.PlanWith(wavetest.WebOnly, "auto_scaling_group: api\n", "      - name: production\n",
				`      - name: earlier
        groups:
          - account: production
            region: ap-northeast-1
            auto_scaling_group: web
      - name: production
`),
		})
		out := 0
		scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
			if call.Account == wavetest.Production && call.Operation == "EnterStandby" {
				if out++; out == 5 { // the second stage has begun
					scene.Env.RegisterDelayedCallback(func() {
						scene.Production(func(group *world.ScalingGroup) { grow(t, group) })
					}, 0)
				}
			}
			return awssim.Fault{}
		})
		result, err := scene.Run(wavetest.WebWave)
		require.NoError(t, err)
		require.Equal(t, patch.SucceededWithGaps, result.Outcome, result.Reason)
		require.Equal(t, patch.SucceededWithGaps, result.Stages[1].Outcome)
		require.Equal(t, patch.Succeeded, result.Stages[2].Outcome)
		require.Contains(t, result.Reason, "when the wave had gone on")
		require.Contains(t, result.Reason, production(result).Gaps[0].Instance)
	})
	t.Run("again and again, in a group that begins its history anew", func(t *testing.T) {
		scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: wavetest.Sized(1, 2, 30)})
		scene.Decide = []patch.Verb{patch.Abort}
		out := 0
		scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
			if call.Account == wavetest.Production && call.Operation == "EnterStandby" {
				if out++; out >= 2 && out < 14 {
					scene.Env.RegisterDelayedCallback(func() {
						scene.Production(func(group *world.ScalingGroup) { grow(t, group) })
					}, 0)
				}
			}
			return awssim.Fault{}
		})
		request := wavetest.WebWave
		request.ContinueAfter = 2
		result, err := scene.Run(request)
		require.NoError(t, err)
		require.Equal(t, patch.SucceededWithGaps, result.Outcome, result.Reason)
		require.Less(t, out, 14)
		require.Contains(t, production(result).Gaps[0].Why, "again and again")
	})
}

// What waits in a warm pool is no member, is not patched, and is told: a scale-out after the wave brings it into
// service.
func TestWhatWaitsInAWarmPoolIsTold(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: func(scenario *world.Scenario) {
		scenario.Accounts[1].Regions[0].Groups[0].WarmPool = &world.WarmPoolSpec{MinSize: 1}
	}})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.SucceededWithGaps, result.Outcome, result.Reason)
	production := result.Stages[1].Groups[0]
	require.Len(t, production.Notes, 1)
	const waits = "2 instances in its warm pool (Stopped) are not patched, and serve as they were prepared"
	require.Contains(t, production.Notes[0], waits+"; renew the pool by an instance refresh")
	require.Equal(t, []patch.Gap{{Why: waits}}, production.Gaps)
	require.Contains(t, result.Reason, waits)
	scene.Production(func(group *world.ScalingGroup) { require.NotEmpty(t, group.Warm()) })
}

// A group at its min is given one from its warm pool, which was prepared long before and is started for it.
func TestRoomComesFromAWarmPool(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: func(scenario *world.Scenario) {
		wavetest.Sized(2, 2, 2)(scenario)
		scenario.Accounts[1].Regions[0].Groups[0].WarmPool = &world.WarmPoolSpec{MinSize: 1}
	}})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.SucceededWithGaps, result.Outcome, result.Reason)
	for _, instance := range result.Stages[1].Groups[0].Instances {
		require.Equal(t, patch.Patched, instance.Outcome, "%+v", instance)
	}
	scene.Production(func(group *world.ScalingGroup) {
		require.Equal(t, wavetest.Numbers{Min: 2, Max: 2, Desired: 2}, wavetest.NumbersOf(group))
	})
	require.Len(t, scene.Effects("TerminateInstanceInAutoScalingGroup"), 1)
}
