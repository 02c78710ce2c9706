package workflows_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
)

// whenAt runs do once, when the first production instance is at the step.
func (b *bench) whenAt(step patch.Step, do func(instance string)) {
	var look func()
	look = func() {
		if b.env.IsWorkflowCompleted() {
			return
		}
		if at := b.atStep(step); len(at) > 0 {
			do(at[0].status.ID)
			return
		}
		b.env.RegisterDelayedCallback(look, time.Second)
	}
	b.env.RegisterDelayedCallback(look, time.Second)
}

func TestAnInstanceThatSomebodyTerminatesIsGone(t *testing.T) {
	for _, step := range []patch.Step{patch.StepStandby, patch.StepInstall, patch.StepReturn, patch.StepBake} {
		t.Run(string(step), func(t *testing.T) {
			b := newBench(t, benchOptions{scenario: "healthy"})
			b.decide = []patch.Verb{patch.Skip, patch.Skip}
			victim := ""
			b.whenAt(step, func(instance string) {
				victim = instance
				b.sim.Inspect(func(w *world.World) { w.Account(accountProduction).Region(tokyoRegion).Instance(instance).Terminate() })
			})
			result, err := b.run(theWeb)
			require.NoError(t, err)
			require.NotEmpty(t, victim)
			group := result.Stages[1].Groups[0]
			at := slices.IndexFunc(group.Instances, func(i patch.InstanceResult) bool { return i.ID == victim })
			require.Equal(t, patch.Gone, group.Instances[at].Outcome, "%+v", group.Instances[at])
			b.requireInvariants(result, after{newcomers: 1, out: []string{victim}})
		})
	}
}

func TestAGroupThatSomebodyDeletes(t *testing.T) {
	for _, step := range []patch.Step{patch.StepStandby, patch.StepInstall, patch.StepBake} {
		t.Run(string(step), func(t *testing.T) {
			b := newBench(t, benchOptions{scenario: "healthy"})
			b.whenAt(step, func(string) {
				b.sim.Inspect(func(w *world.World) {
					require.NoError(b.t, w.Account(accountProduction).Region(tokyoRegion).DeleteScalingGroup("web"))
				})
			})
			result, err := b.run(theWeb)
			require.NoError(t, err)
			require.NotEqual(t, patch.Succeeded, result.Outcome, "%+v", result)
			require.Equal(t, patch.Gone, production(result)[0], "%+v", result.Stages[1])
			var members []string
			for _, group := range b.photo.groups {
				members = append(members, group.members...)
			}
			b.requireInvariants(result, after{deleted: []string{"production/ap-northeast-1/web"}, out: members})
		})
	}
}

func TestRefusalsAtPreflightNameWhatAndChangeNothing(t *testing.T) {
	for _, c := range []struct {
		name   string
		fleet  func(*world.Scenario)
		config func([]byte) []byte
		before func(*bench)
		want   []string // parts of the error
	}{
		{
			name: "instance refresh running",
			before: func(b *bench) {
				b.production(func(g *world.ScalingGroup) {
					_, err := g.StartRefresh()
					require.NoError(b.t, err)
				})
			},
			want: []string{"InstanceRefreshRunning", "production/ap-northeast-1/web", "wait until it has ended"},
		},
		{name: "Launch suspended", before: suspends("Launch"), want: []string{"ProcessSuspended", "Launch", "find out who"}},
		{name: "Terminate suspended", before: suspends("Terminate"), want: []string{"ProcessSuspended", "Terminate"}},
		{name: "AddToLoadBalancer suspended", before: suspends("AddToLoadBalancer"), want: []string{"ProcessSuspended", "AddToLoadBalancer"}},
		{name: "HealthCheck suspended", before: suspends("HealthCheck"), want: []string{"ProcessSuspended", "HealthCheck"}},
		{
			name:   "no instance matches",
			config: plan("tags: {Role: web}", "tags: {Role: wob}"),
			want:   []string{"NoInstances", "staging/ap-northeast-1/Role=wob", "no instances matched"},
		},
		{
			name:   "a group that does not exist",
			config: plan("auto_scaling_group: web", "auto_scaling_group: wob"),
			want:   []string{"production/ap-northeast-1/wob", "nothing was changed"},
		},
		{
			name:   "tags that find members of an Auto Scaling group",
			config: plan("account: staging\n            region: ap-northeast-1\n            tags: {Role: web}", "account: production\n            region: ap-northeast-1\n            tags: {Role: web}"),
			want:   []string{"MemberOfAutoScalingGroup", "belongs to Auto Scaling group web"},
		},
		{
			name:   "decrement asked for at min",
			fleet:  sized(4, 4, 6),
			config: plan("capacity: auto", "capacity: decrement"),
			want:   []string{"NoRoom", "below min 4", "surge"},
		},
		{
			name: "an account that refuses: its role is not there",
			fleet: func(s *world.Scenario) {
				s.Accounts[1].Roles = slices.DeleteFunc(s.Accounts[1].Roles, func(r world.RoleSpec) bool { return r.Name == "patchtide" })
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
			b := newBench(t, benchOptions{scenario: "healthy", fleet: c.fleet, config: c.config})
			if c.before != nil {
				c.before(b)
			}
			b.photo = b.photograph()
			result, err := b.run(theWeb)
			require.Nil(t, result)
			for _, part := range c.want {
				require.ErrorContains(t, err, part)
			}
			require.Empty(t, b.mutations(accountStaging))
			require.Empty(t, b.mutations(accountProduction))
		})
	}
}

func suspends(process string) func(*bench) {
	return func(b *bench) {
		b.production(func(g *world.ScalingGroup) { require.NoError(b.t, g.Suspend([]string{process})) })
	}
}

func TestARegionThatDeniesNamesItself(t *testing.T) {
	for _, operation := range []string{"DescribeAutoScalingGroups", "DescribeInstances", "DescribeInstanceInformation", "DescribeTargetHealth"} {
		t.Run(operation, func(t *testing.T) {
			b := newBench(t, benchOptions{scenario: "healthy"})
			b.sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
				if call.Account == accountProduction && call.Operation == operation {
					return awssim.Fault{Kind: awssim.FaultError, Code: "AccessDenied", Message: "not authorized to perform: " + operation}
				}
				return awssim.Fault{}
			})
			_, err := b.run(theWeb)
			for _, part := range []string{"AccessDenied", "production/ap-northeast-1/web", "nothing was changed"} {
				require.ErrorContains(t, err, part)
			}
			require.Empty(t, b.mutations(accountStaging))
			require.Empty(t, b.mutations(accountProduction))
		})
	}
}

// What is found out only when an instance's turn comes holds the wave, and the instance is left as it was.
func TestRefusalsBeforeAnInstance(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(*world.ScalingGroup)
		want string
	}{
		{"Launch suspended meanwhile", func(g *world.ScalingGroup) { _ = g.Suspend([]string{"Launch"}) }, "ProcessSuspended"},
		{"instance refresh begun meanwhile", func(g *world.ScalingGroup) { _, _ = g.StartRefresh() }, "InstanceRefreshRunning"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, benchOptions{scenario: "healthy"})
			b.decide = []patch.Verb{patch.Abort}
			b.whenAt(patch.StepBake, func(string) { b.production(c.do) })
			reasons := ""
			b.onHold = func(status patch.WaveStatus) { reasons = status.Awaiting }
			result, err := b.run(theWeb)
			require.NoError(t, err)
			require.Contains(t, reasons, c.want)
			require.Equal(t, patch.Aborted, result.Outcome)
			require.Equal(t, 1, count(production(result), patch.Patched), "%v", production(result))
			b.requireNobodyOut()
		})
	}
}

// requireNobodyOut is for fleets that somebody else has changed as well: of ours nothing may be left.
func (b *bench) requireNobodyOut() {
	b.t.Helper()
	b.production(func(g *world.ScalingGroup) {
		for _, member := range g.Members() {
			require.NotContains(b.t, string(member.State), "Standby")
		}
		for _, ours := range []string{"AZRebalance", "InstanceRefresh", "ReplaceUnhealthy"} {
			require.NotContains(b.t, g.Suspended, ours)
		}
		for _, tag := range g.Tags {
			require.False(b.t, strings.HasPrefix(tag.Key, "patchtide:"), tag.Key)
		}
	})
}
