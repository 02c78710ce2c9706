package workflows_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows"
)

// isolates is a plan that gives a quarantined instance another security group.
var isolates = []string{"restore: root_volume", "restore: root_volume\n    quarantine: {ttl: 72h, isolate: quarantined}"}

// withIsolation has the isolating security group in every region.
func withIsolation(fleet func(*world.Scenario)) func(*world.Scenario) {
	return func(s *world.Scenario) {
		if fleet != nil {
			fleet(s)
		}
		for a := range s.Accounts {
			for r := range s.Accounts[a].Regions {
				s.Accounts[a].Regions[r].SecurityGroups = []string{"quarantined"}
			}
		}
	}
}

// unrestorable fails the first install of an account and every restore there.
func unrestorable(account string, fleet func(*world.Scenario)) func(*world.Scenario) {
	return also(fleet, world.WorldFault{Kind: world.FaultInstallFails, Account: account}, world.WorldFault{Kind: world.FaultRootReplaceFails, Account: account})
}

// quarantineOne runs a wave that quarantines one instance of production, or of staging, and returns its id. It has a second
// network interface.
func quarantineOne(t *testing.T, account string, fleet func(*world.Scenario)) (*bench, string) {
	t.Helper()
	b := newBench(t, benchOptions{scenario: "healthy", fleet: withIsolation(unrestorable(account, fleet)), config: plan(isolates...)})
	b.eachRegion(func(region *world.Region) {
		for _, instance := range region.Instances() {
			instance.AddInterface(instance.SecurityGroups)
		}
	})
	b.decide = []patch.Verb{patch.Abort}
	result, err := b.run(theWeb)
	require.NoError(t, err)
	require.Empty(t, result.Stranded)
	for _, stage := range result.Stages {
		for _, instance := range stage.Groups[0].Instances {
			if instance.Outcome == patch.Quarantined {
				return b, instance.ID
			}
		}
	}
	t.Fatal("nothing was quarantined")
	return nil, ""
}

// find lets do look at an instance, or change it.
func (b *bench) find(id string, do func(*world.Instance)) {
	found := false
	b.eachRegion(func(region *world.Region) {
		if instance := region.Instance(id); instance != nil {
			found = true
			do(instance)
		}
	})
	require.True(b.t, found, id)
}

// groupsOf are the security groups of an instance's interfaces, by their names.
func (b *bench) groupsOf(id string) []string {
	var all []string
	b.find(id, func(instance *world.Instance) {
		for _, one := range instance.Interfaces() {
			for _, group := range one.Groups() {
				all = append(all, instance.Region.SecurityGroupName(group))
			}
		}
	})
	return all
}

func (b *bench) quarantineTag(id string) string {
	tag := ""
	b.find(id, func(instance *world.Instance) { tag = instance.Tags[names.TagQuarantine] })
	return tag
}

// settle runs Quarantine in a fresh Temporal.
func (b *bench) settle(request any) (*workflows.QuarantineResult, error) {
	b.t.Helper()
	b.newEnv(b.env.Now().Add(time.Hour))
	b.register()
	b.env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: "quarantine-test", TaskQueue: names.TaskQueue})
	if b.mortal {
		b.env.SetWorkflowRunTimeout(patience)
		b.env.SetDetachedChildWait(false)
	}
	b.env.ExecuteWorkflow(names.Quarantine, request)
	require.True(b.t, b.env.IsWorkflowCompleted())
	if err := b.env.GetWorkflowError(); err != nil {
		return nil, err
	}
	var result workflows.QuarantineResult
	require.NoError(b.t, b.env.GetWorkflowResult(&result))
	return &result, nil
}

func release(id string) workflows.QuarantineRequest {
	return workflows.QuarantineRequest{Verb: patch.QuarantineRelease, Instance: id, Actor: "tester", Reason: "it is well"}
}

func TestAQuarantinedInstanceIsIsolatedTaggedAndKeptForItsTime(t *testing.T) {
	b, id := quarantineOne(t, "production", nil)
	b.requireInvariants(nil, after{newcomers: 1, out: []string{id}})
	require.Equal(t, []string{"quarantined", "quarantined"}, b.groupsOf(id), "every interface is isolated")
	require.True(t, strings.HasPrefix(b.quarantineTag(id), "wave-test "+accountProduction+"/"+tokyoRegion+"/"+id+" 2036-11-25T"), b.quarantineTag(id))

	list, err := b.settle(map[string]string{})
	require.NoError(t, err)
	require.Len(t, list.Instances, 1)
	require.Equal(t, []any{"production", "web", id, "wave-test", true}, []any{
		list.Instances[0].Account, list.Instances[0].Group, list.Instances[0].Instance, list.Instances[0].WaveID, list.Instances[0].Isolated,
	})
	require.Contains(t, list.Instances[0].Why, "restore not proven")
	require.Equal(t, 72*time.Hour, list.Instances[0].Until.Sub(list.Instances[0].Since))
	require.Empty(t, list.Problems)

	within := b.reconcile(workflows.ReconcileRequest{}, time.Hour)
	require.Equal(t, []string{"instance " + id}, resources(within.Quarantined))
	require.Empty(t, slices.Concat(within.Healed, within.Expired))

	dry := b.reconcile(workflows.ReconcileRequest{DryRun: true}, 80*time.Hour)
	require.Equal(t, []string{"instance " + id}, resources(dry.Expired))
	require.Empty(t, b.effects("TerminateInstances"))
	past := b.reconcile(workflows.ReconcileRequest{}, time.Minute)
	require.Equal(t, []string{"instance " + id}, resources(past.Expired))
	require.Empty(t, past.Left)
	require.Len(t, b.effects("TerminateInstances"), 1)
	b.requireInvariants(nil, after{newcomers: 1, out: []string{id}})
	require.Empty(t, b.reconcile(workflows.ReconcileRequest{}, time.Hour).Quarantined)
}

func TestReleaseReturnsAnInstance(t *testing.T) {
	for _, c := range []struct {
		name    string
		account string
		sized   [3]int
		giveWay bool // the one launched in its place goes first
		desired int
	}{
		{"there is room", "production", [3]int{2, 4, 6}, false, 5},
		{"no room: the one in its place goes", "production", [3]int{2, 4, 4}, true, 4},
		{"chosen by tags", "staging", [3]int{2, 4, 6}, false, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, id := quarantineOne(t, c.account, sized(c.sized[0], c.sized[1], c.sized[2]))
			if c.account == "staging" {
				require.True(t, strings.HasSuffix(b.quarantineTag(id), " -"), "nothing replaces it, so nothing ends it by itself: %s", b.quarantineTag(id))
			}
			result, err := b.settle(release(id))
			require.NoError(t, err)
			require.Equal(t, patch.Released, result.Settled.Outcome, "%+v", result.Settled)
			require.Empty(t, result.Problems)
			require.Equal(t, []string{"default", "default"}, b.groupsOf(id))
			require.Empty(t, b.quarantineTag(id))
			require.Empty(t, b.marks())
			b.sim.Inspect(func(w *world.World) { w.Advance(w.Now().Add(settled)) })
			b.production(func(g *world.ScalingGroup) {
				require.Equal(t, c.desired, g.Desired)
				require.Empty(t, g.Suspended)
				require.Len(t, g.Members(), c.desired)
				if c.account == "production" {
					require.NotNil(t, g.Member(id))
					require.Equal(t, world.LifecycleInService, g.Member(id).State)
				}
			})
			require.Len(t, b.effects("TerminateInstanceInAutoScalingGroup"), map[bool]int{true: 1}[c.giveWay])
			again, err := b.settle(release(id))
			require.ErrorContains(t, err, "is not in quarantine")
			require.Nil(t, again)
			require.Empty(t, b.reconcile(workflows.ReconcileRequest{}, time.Hour).Quarantined)
		})
	}
}

// Every mutating call of a release loses its first reply: nothing happens twice.
func TestAReleaseSurvivesLostReplies(t *testing.T) {
	b, id := quarantineOne(t, "production", sized(2, 4, 4))
	lost := map[string]bool{}
	b.sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		for _, read := range []string{"Describe", "Get", "List", "Assume", "Send"} {
			if strings.HasPrefix(call.Operation, read) {
				return awssim.Fault{}
			}
		}
		key := call.Operation + " " + call.Resource
		if lost[key] {
			return awssim.Fault{}
		}
		lost[key] = true
		return awssim.Fault{Kind: awssim.FaultLostReply}
	})
	result, err := b.settle(release(id))
	require.NoError(t, err)
	require.Equal(t, patch.Released, result.Settled.Outcome, "%+v", result.Settled)
	require.Len(t, b.effects("AttachInstances"), 1)
	require.Len(t, b.effects("TerminateInstanceInAutoScalingGroup"), 1)
	b.production(func(g *world.ScalingGroup) { require.Equal(t, 4, g.Desired) })
	require.Equal(t, []string{"default", "default"}, b.groupsOf(id))
}

func TestAReleasedInstanceThatIsIllGoesBackIntoQuarantine(t *testing.T) {
	for _, c := range []struct {
		account string
		sized   [3]int
	}{
		{"production", [3]int{2, 4, 6}}, {"production", [3]int{2, 4, 4}}, {"staging", [3]int{2, 4, 6}},
	} {
		t.Run(c.account, func(t *testing.T) {
			b, id := quarantineOne(t, c.account, sized(c.sized[0], c.sized[1], c.sized[2]))
			// Its application may still be starting after the boot of its install: what has not begun cannot be stopped.
			b.sim.Inspect(func(w *world.World) { w.Advance(w.Now().Add(settled)) })
			b.find(id, func(instance *world.Instance) {
				require.NotZero(t, instance.HTTPStatus(80, "/healthz"), "it runs")
				instance.StopApp()
			})
			result, err := b.settle(release(id))
			require.NoError(t, err)
			require.Equal(t, patch.Quarantined, result.Settled.Outcome)
			require.Contains(t, result.Settled.Reason, "it stays in quarantine: release")
			require.Empty(t, result.Problems, "%+v", result.Problems)
			require.Equal(t, []string{"quarantined", "quarantined"}, b.groupsOf(id))
			require.NotEmpty(t, b.quarantineTag(id))
			require.Empty(t, b.marks())
			b.sim.Inspect(func(w *world.World) { w.Advance(w.Now().Add(settled)) })
			b.production(func(g *world.ScalingGroup) {
				require.Equal(t, 4, g.Desired)
				require.Len(t, g.Members(), 4)
				require.Nil(t, g.Member(id))
				require.Empty(t, g.Suspended)
			})
			again := b.reconcile(workflows.ReconcileRequest{}, time.Hour)
			require.Equal(t, []string{"instance " + id}, resources(again.Quarantined))
		})
	}
}

func TestTerminateEndsAQuarantine(t *testing.T) {
	for _, account := range []string{"production", "staging"} {
		b, id := quarantineOne(t, account, nil)
		request := release(id)
		request.Verb = patch.QuarantineTerminate
		result, err := b.settle(request)
		require.NoError(t, err)
		require.Equal(t, patch.Terminated, result.Settled.Outcome, "%+v", result.Settled)
		require.Len(t, b.effects("TerminateInstances"), 1)
	}
}

func TestASettlementThatIsRefusedChangesNothing(t *testing.T) {
	for _, c := range []struct {
		name   string
		before func(*bench, string)
		change func(*workflows.QuarantineRequest)
		says   string
	}{
		{"it is stopped", func(b *bench, id string) { b.find(id, func(i *world.Instance) { require.NoError(b.t, i.Stop()) }) }, nil, "start it, then release it"},
		{"another wave's mark is on the group", func(b *bench, _ string) {
			b.production(func(g *world.ScalingGroup) { g.Tag(world.GroupTag{Key: names.TagJournal, Value: "wave-other x"}) })
		}, nil, "patchtide reconcile"},
		{"an instance of another group shall give way", nil, func(r *workflows.QuarantineRequest) { r.GiveWay = "i-0123456789abcdef0" }, "is no member of the group"},
		{"the group is being refreshed", func(b *bench, _ string) {
			b.production(func(g *world.ScalingGroup) { _, err := g.StartRefresh(); require.NoError(b.t, err) })
		}, nil, "InstanceRefreshRunning"},
		{"nobody stands in its place and there is no room", func(b *bench, _ string) {
			b.production(func(g *world.ScalingGroup) {
				require.NoError(b.t, g.Resize(world.Sizes{Min: number(4), Max: number(4)}))
			})
		}, nil, "NoRoom"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, id := quarantineOne(t, "production", nil)
			b.sim.Inspect(func(w *world.World) { w.Advance(w.Now().Add(settled)) })
			if c.before != nil {
				c.before(b, id)
			}
			request := release(id)
			if c.change != nil {
				c.change(&request)
			}
			tag, attached := b.quarantineTag(id), len(b.effects("AttachInstances"))
			result, err := b.settle(request)
			require.NoError(t, err)
			require.Equal(t, patch.Quarantined, result.Settled.Outcome)
			require.Contains(t, result.Settled.Reason, c.says)
			require.Equal(t, tag, b.quarantineTag(id))
			require.Len(t, b.effects("AttachInstances"), attached)
			require.Equal(t, []string{"quarantined", "quarantined"}, b.groupsOf(id))
		})
	}
}

func number(n int) *int { return &n }

func TestAWrongSettlementIsRefused(t *testing.T) {
	for _, c := range []struct {
		name    string
		request any
		says    string
	}{
		{"unknown field", map[string]string{"verbb": "list"}, `unknown field`},
		{"unknown verb", map[string]string{"verb": "free"}, `neither list, release nor terminate`},
		{"no instance", map[string]string{"verb": "release", "actor": "me", "reason": "x"}, "is no instance's id"},
		{"no actor", map[string]string{"verb": "release", "instance": "i-1", "reason": "x"}, "actor: is missing"},
		{"no reason", map[string]string{"verb": "terminate", "instance": "i-1", "actor": "me"}, "reason: is missing"},
		{"give_way of terminate", map[string]string{"verb": "terminate", "instance": "i-1", "actor": "me", "reason": "x", "give_way": "i-2"}, "only release has one"},
		{"an instance for list", map[string]string{"instance": "i-1"}, "list takes none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, benchOptions{scenario: "healthy"})
			_, err := b.settle(c.request)
			require.ErrorContains(t, err, c.says)
			require.ErrorContains(t, err, "a right input looks like")
			require.Empty(t, b.sim.Events())
		})
	}
}

func TestAQuarantineTagThatCannotBeTrustedIsNotActedUpon(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy"})
	var id string
	b.production(func(g *world.ScalingGroup) {
		id = g.Members()[0].Instance.ID
		g.Members()[0].Instance.Tags[names.TagQuarantine] = "wave-other " + accountProduction + "/" + tokyoRegion + "/" + id + " 2020-01-01T00:00:00Z"
	})
	result := b.reconcile(workflows.ReconcileRequest{}, time.Hour)
	require.Equal(t, []string{"instance " + id}, resources(result.Untrusted))
	require.Empty(t, b.effects("TerminateInstances"))
	_, err := b.settle(release(id))
	require.ErrorContains(t, err, "there is no")
	require.Empty(t, b.effects("AttachInstances"))
}
