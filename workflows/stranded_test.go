package workflows_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows"
)

// denies refuses an operation in an account for good, from its nth call on.
func (b *bench) denies(account, operation string, from int) {
	seen := 0
	b.sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		if call.Account != account || call.Operation != operation {
			return awssim.Fault{}
		}
		if seen++; seen < from {
			return awssim.Fault{}
		}
		return awssim.Fault{Kind: awssim.FaultError, Code: "AccessDenied", Message: "the role lost it", Status: 403}
	})
}

// marks lists what carries the journal's tag, with the tag's value.
func (b *bench) marks() map[string]string {
	found := map[string]string{}
	b.eachRegion(func(region *world.Region) {
		for _, group := range region.ScalingGroups() {
			for _, tag := range group.Tags {
				if tag.Key == names.TagJournal {
					found[group.Name] = tag.Value
				}
			}
		}
		for _, instance := range region.Instances() {
			if mark := instance.Tags[names.TagJournal]; mark != "" && instance.State != world.Terminated {
				found[instance.ID] = mark
			}
		}
	})
	return found
}

func TestWhatAWaveStrandsKeepsItsMarkAndReconcileHealsIt(t *testing.T) {
	four := [3]int{2, 4, 6}
	full := [3]int{4, 4, 4}
	for _, c := range []struct {
		left      string // what the operator gave up on
		sized     [3]int
		account   string
		operation string
		from      int
		group     bool // an Auto Scaling group keeps its mark, too
		instance  bool
	}{
		{"standby", four, accountProduction, "ExitStandby", 1, true, true},
		{"suspended processes", four, accountProduction, "ResumeProcesses", 1, true, true},
		{"a surge instance", full, accountProduction, "TerminateInstanceInAutoScalingGroup", 1, true, false},
		{"raised max", full, accountProduction, "UpdateAutoScalingGroup", 2, true, false},
		{"deregistered targets", four, accountStaging, "RegisterTargets", 1, false, true},
		{"the marks themselves", four, accountProduction, "DeleteTags", 1, true, true},
	} {
		t.Run(c.left, func(t *testing.T) {
			b := newBench(t, benchOptions{scenario: "healthy", fleet: sized(c.sized[0], c.sized[1], c.sized[2])})
			b.denies(c.account, c.operation, c.from)
			b.impatient = true
			result, err := b.run(theWeb)
			require.NoError(t, err)
			require.NotEmpty(t, result.Stranded)
			b.sim.SetInterceptor(nil)

			marked := b.marks()
			require.Equal(t, c.group, marked["web"] != "", "%v", marked)
			instances := slices.DeleteFunc(slices.Collect(maps.Keys(marked)), func(id string) bool { return !strings.HasPrefix(id, "i-") })
			require.Equal(t, c.instance, len(instances) > 0, "%v", marked)

			healed := b.reconcile(workflows.ReconcileRequest{}, time.Hour)
			require.Empty(t, healed.Left, "%+v", result.Stranded)
			require.Empty(t, healed.Untrusted)
			require.Len(t, healed.Healed, len(marked))
			b.requireInvariants(nil, after{})
		})
	}
}

// Somebody scales the group to its max while an instance is out: max has to be raised for it to come back, and stays so until
// desired allows it. The second saga of the instance writes its record anew and must not forget what the first one raised.
func TestARetryRemembersTheMaxThatTheFirstTryRaised(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy", fleet: failsOnce(nil)})
	b.decide = []patch.Verb{patch.Retry}
	b.whenAt(patch.StepInstall, func(string) {
		b.production(func(g *world.ScalingGroup) { require.NoError(t, g.SetDesired(6)) })
	})
	result, err := b.run(theWeb)
	require.NoError(t, err)
	require.NotZero(t, count(production(result), patch.Patched), "%v", production(result))
	victim := result.Stages[1].Groups[0].Instances[0]
	require.Equal(t, patch.Patched, victim.Outcome)
	require.Len(t, victim.Stranded, 1, "%+v", victim)
	require.Contains(t, victim.Stranded[0].State, "max was raised from 6 to 7")
	marked := b.marks()
	require.Len(t, marked, 2, "%v", marked)
	require.NotEmpty(t, marked[victim.ID])

	left := b.reconcile(workflows.ReconcileRequest{}, time.Hour).Left
	require.NotEmpty(t, left, "desired stands at the raised max")
	require.Contains(t, left[0].State, "its max is still raised")
	b.production(func(g *world.ScalingGroup) { require.NoError(t, g.SetDesired(4)) })
	require.Empty(t, b.reconcile(workflows.ReconcileRequest{}, time.Hour).Left)
	require.Empty(t, b.marks())
	b.production(func(g *world.ScalingGroup) { require.Equal(t, 6, g.Max) })
}
