package wave_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

func TestRefusalsAtPreflightNameWhatAndChangeNothing(t *testing.T) {
	for _, c := range []struct {
		name   string
		fleet  func(*world.Scenario)
		config func([]byte) []byte
		before func(*wavetest.Scene)
		want   []string // parts of the error
	}{
		{
			name: "instance refresh running",
			before: func(scene *wavetest.Scene) {
				scene.Production(func(g *world.ScalingGroup) {
					_, err := g.StartRefresh()
					require.NoError(scene.T, err)
				})
			},
			want: []string{"InstanceRefreshRunning", "production/ap-northeast-1/web", "wait until it has ended"},
		},
		{name: "Launch suspended", before: suspends("Launch"), want: []string{"ProcessSuspended", "Launch", "find out who"}},
		{name: "Terminate suspended", before: suspends("Terminate"), want: []string{"ProcessSuspended", "Terminate"}},
		{
			name: "AddToLoadBalancer suspended", before: suspends("AddToLoadBalancer"), want: []string{
				"ProcessSuspended", "AddToLoadBalancer",
			},
		},
		{name: "HealthCheck suspended", before: suspends("HealthCheck"), want: []string{"ProcessSuspended", "HealthCheck"}},
		{
			name:   "no instance matches",
			config: wavetest.PlanWith("tags: {Role: web}", "tags: {Role: wob}"),
			want:   []string{"NoInstances", "staging/ap-northeast-1/Role=wob", "no instances matched"},
		},
		{
			name:   "a group that does not exist",
			config: wavetest.PlanWith("auto_scaling_group: web", "auto_scaling_group: wob"),
			want:   []string{"production/ap-northeast-1/wob", "nothing was changed"},
		},
		{
			name: "tags that find members of an Auto Scaling group",
			config: wavetest.PlanWith("account: staging\n            region: ap-northeast-1\n            tags: {Role: web}",
				"account: production\n            region: ap-northeast-1\n            tags: {Role: web}"),
			want: []string{"MemberOfAutoScalingGroup", "belongs to Auto Scaling group web"},
		},
		{
			name:   "decrement asked for at min",
			fleet:  wavetest.Sized(4, 4, 6),
			config: wavetest.PlanWith("capacity: auto", "capacity: decrement"),
			want:   []string{"NoRoom", "below min 4", "surge"},
		},
		{
			name: "an account that refuses: its role is not there",
			fleet: func(s *world.Scenario) {
				s.Accounts[1].Roles = slices.DeleteFunc(s.Accounts[1].Roles, func(r world.RoleSpec) bool {
					return r.Name == "patchtide"
				})
			},
			want: []string{"production/ap-northeast-1/web", "111122223333", "nothing was changed"},
		},
		{
			name: "an account that refuses: another external id",
			fleet: func(s *world.Scenario) {
				for i := range s.Accounts[1].Roles {
					s.Accounts[1].Roles[i].ExternalID = "another"
				}
			},
			want: []string{"production/ap-northeast-1/web", "111122223333", "nothing was changed"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: c.fleet, Config: c.config})
			if c.before != nil {
				c.before(scene)
			}
			scene.Before = scene.Snapshot()
			result, err := scene.Run(wavetest.WebWave)
			require.Nil(t, result)
			for _, part := range c.want {
				require.ErrorContains(t, err, part)
			}
			require.Empty(t, scene.Mutations(wavetest.Staging))
			require.Empty(t, scene.Mutations(wavetest.Production))
		})
	}
}

func suspends(process string) func(*wavetest.Scene) {
	return func(scene *wavetest.Scene) {
		scene.Production(func(g *world.ScalingGroup) { require.NoError(scene.T, g.Suspend([]string{process})) })
	}
}

func TestARegionThatDeniesNamesItself(t *testing.T) {
	for _, operation := range []string{
		"DescribeAutoScalingGroups", "DescribeInstances", "DescribeInstanceInformation", "DescribeTargetHealth",
	} {
		t.Run(operation, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
			scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
				if call.Account == wavetest.Production && call.Operation == operation {
					return awssim.Fault{
						Kind: awssim.FaultError, Code: "AccessDenied", Message: "not authorized to perform: " + operation,
					}
				}
				return awssim.Fault{}
			})
			_, err := scene.Run(wavetest.WebWave)
			for _, part := range []string{"AccessDenied", "production/ap-northeast-1/web", "nothing was changed"} {
				require.ErrorContains(t, err, part)
			}
			require.Empty(t, scene.Mutations(wavetest.Staging))
			require.Empty(t, scene.Mutations(wavetest.Production))
		})
	}
}

func TestMoreGroupsThanAHistoryHolds(t *testing.T) {
	many := strings.Builder{}
	for n := range 1000 {
		fmt.Fprintf(&many,
			"          - account: production\n            region: ap-northeast-1\n            auto_scaling_group: web-%d\n", n)
	}
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy",
		Config: wavetest.PlanWith("            auto_scaling_group: web\n",
			"            auto_scaling_group: web\n"+many.String()),
	})
	_, err := scene.Run(wavetest.WebWave)
	require.ErrorContains(t, err, "TooManyGroups")
	require.ErrorContains(t, err, "split the plan")
	require.Empty(t, scene.Sim.Calls())
}

// What reads and scans for a wave is named while it does, so that its page is found, and no longer.
func TestWhoWorksForAWaveIsNamed(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
	var during []patch.Helper
	scene.When(func(s patch.WaveStatus) bool { return len(s.Helpers) > 0 }, func(s patch.WaveStatus) { during = s.Helpers })
	_, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Len(t, during, 1)
	require.NotEmpty(t, during[0].WorkflowID)
	require.Equal(t, "scans 2 groups, from staging/ap-northeast-1/Role=web on", during[0].Does)
	status, answered := scene.Status()
	require.True(t, answered)
	require.Empty(t, status.Helpers)
}
