package reconcile_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

// quarantineOne runs a wave that quarantines one instance of production, or of staging, and returns its id. It has a
// second network interface.
func quarantineOne(t *testing.T, account string, fleet func(*world.Scenario)) (*wavetest.Scene, string) {
	t.Helper()
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Fleet: wavetest.WithIsolation(wavetest.Unrestorable(account, fleet)),
		Config: wavetest.PlanWith(wavetest.Isolates...),
	})
	scene.EachRegion(func(region *world.Region) {
		for _, instance := range region.Instances() {
			instance.AddInterface(instance.SecurityGroups)
		}
	})
	scene.Decide = []patch.Verb{patch.Abort}
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Empty(t, result.Stranded)
	for _, stage := range result.Stages {
		for _, instance := range stage.Groups[0].Instances {
			if instance.Outcome == patch.Quarantined {
				return scene, instance.ID
			}
		}
	}
	t.Fatal("nothing was quarantined")
	return nil, ""
}

// findInstance lets do look at an instance, or change it.
func findInstance(scene *wavetest.Scene, id string, do func(*world.Instance)) {
	found := false
	scene.EachRegion(func(region *world.Region) {
		if instance := region.Instance(id); instance != nil {
			found = true
			do(instance)
		}
	})
	require.True(scene.T, found, id)
}

// groupsOf are the security groups of an instance's interfaces, by their names.
func groupsOf(scene *wavetest.Scene, id string) []string {
	var all []string
	findInstance(scene, id, func(instance *world.Instance) {
		for _, one := range instance.Interfaces() {
			for _, group := range one.Groups() {
				all = append(all, instance.Region.SecurityGroupName(group))
			}
		}
	})
	return all
}

func quarantineTag(scene *wavetest.Scene, id string) string {
	tag := ""
	findInstance(scene, id, func(instance *world.Instance) { tag = instance.Tags[names.TagQuarantine] })
	return tag
}

func TestAQuarantinedInstanceIsIsolatedTaggedAndKeptForItsTime(t *testing.T) {
	scene, id := quarantineOne(t, "production", nil)
	scene.RequireInvariants(nil, wavetest.Except{Newcomers: 1, Out: []string{id}})
	require.Equal(t, []string{"quarantined", "quarantined"}, groupsOf(scene, id), "every interface is isolated")
	require.True(t,
		strings.HasPrefix(quarantineTag(scene, id), "wave-test "+wavetest.Production+"/"+wavetest.Tokyo+"/"+id+
			" 2036-11-25T"), quarantineTag(scene, id))

	list, err := scene.EndQuarantine(map[string]string{})
	require.NoError(t, err)
	require.Len(t, list.Instances, 1)
	require.Equal(t, []any{"production", "web", id, "wave-test", true}, []any{
		list.Instances[0].Account, list.Instances[0].Group, list.Instances[0].Instance, list.Instances[0].WaveID,
		list.Instances[0].Isolated,
	})
	require.Regexp(t, `^install: .*; unfit to serve: restore not proven`, list.Instances[0].Why, "what failed first")
	require.Equal(t, 72*time.Hour, list.Instances[0].Until.Sub(list.Instances[0].Since))
	require.Empty(t, list.Problems)

	within := scene.Reconcile(workflows.ReconcileRequest{}, time.Hour)
	require.Equal(t, []string{"instance " + id}, wavetest.Resources(within.Quarantined))
	require.Empty(t, slices.Concat(within.Healed, within.Expired))

	dry := scene.Reconcile(workflows.ReconcileRequest{DryRun: true}, 80*time.Hour)
	require.Equal(t, []string{"instance " + id}, wavetest.Resources(dry.Expired))
	require.Empty(t, scene.Effects("TerminateInstances"))
	past := scene.Reconcile(workflows.ReconcileRequest{}, time.Minute)
	require.Equal(t, []string{"instance " + id}, wavetest.Resources(past.Expired))
	require.Empty(t, past.Failed)
	require.Len(t, scene.Effects("TerminateInstances"), 1)
	scene.RequireInvariants(nil, wavetest.Except{Newcomers: 1, Out: []string{id}})
	require.Empty(t, scene.Reconcile(workflows.ReconcileRequest{}, time.Hour).Quarantined)
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
			scene, id := quarantineOne(t, c.account, wavetest.Sized(c.sized[0], c.sized[1], c.sized[2]))
			if c.account == "staging" {
				require.True(t, strings.HasSuffix(quarantineTag(scene, id), " -"),
					"nothing replaces it, so nothing ends it by itself: %s", quarantineTag(scene, id))
			}
			result, err := scene.EndQuarantine(wavetest.ReleaseRequest(id))
			require.NoError(t, err)
			require.Equal(t, patch.Released, result.Ended.Outcome, "%+v", result.Ended)
			require.Empty(t, result.Problems)
			told := strings.Join(result.Ended.Notes, "\n")
			require.Contains(t, told, "it serves with what is on it: wave-test had begun to patch it")
			require.Equal(t, c.name == "there is room", strings.Contains(told, "its group's desired capacity is 5 with it, 4 without"))
			require.Equal(t, []string{"default", "default"}, groupsOf(scene, id))
			require.Empty(t, quarantineTag(scene, id))
			require.Empty(t, scene.Marks())
			scene.Sim.Inspect(func(w *world.World) { w.Advance(w.Now().Add(wavetest.Settled)) })
			scene.Production(func(g *world.ScalingGroup) {
				require.Equal(t, c.desired, g.Desired)
				require.Empty(t, g.Suspended)
				require.Len(t, g.Members(), c.desired)
				if c.account == "production" {
					require.NotNil(t, g.Member(id))
					require.Equal(t, world.LifecycleInService, g.Member(id).State)
				}
			})
			require.Len(t, scene.Effects("TerminateInstanceInAutoScalingGroup"), map[bool]int{true: 1}[c.giveWay])
			again, err := scene.EndQuarantine(wavetest.ReleaseRequest(id))
			require.ErrorContains(t, err, "is not in quarantine")
			require.Nil(t, again)
			require.Empty(t, scene.Reconcile(workflows.ReconcileRequest{}, time.Hour).Quarantined)
		})
	}
}

// Every mutating call of a release loses its first reply: nothing happens twice.
func TestAReleaseSurvivesLostReplies(t *testing.T) {
	scene, id := quarantineOne(t, "production", wavetest.Sized(2, 4, 4))
	lost := map[string]bool{}
	scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
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
	result, err := scene.EndQuarantine(wavetest.ReleaseRequest(id))
	require.NoError(t, err)
	require.Equal(t, patch.Released, result.Ended.Outcome, "%+v", result.Ended)
	require.Len(t, scene.Effects("AttachInstances"), 1)
	require.Len(t, scene.Effects("TerminateInstanceInAutoScalingGroup"), 1)
	scene.Production(func(g *world.ScalingGroup) { require.Equal(t, 4, g.Desired) })
	require.Equal(t, []string{"default", "default"}, groupsOf(scene, id))
}

func TestAReleasedInstanceThatIsIllGoesBackIntoQuarantine(t *testing.T) {
	for _, c := range []struct {
		account string
		sized   [3]int
	}{
		{"production", [3]int{2, 4, 6}}, {"production", [3]int{2, 4, 4}}, {"staging", [3]int{2, 4, 6}},
	} {
		t.Run(c.account, func(t *testing.T) {
			scene, id := quarantineOne(t, c.account, wavetest.Sized(c.sized[0], c.sized[1], c.sized[2]))
			// Its application may still be starting after the boot of its install: what has not begun cannot be stopped.
			scene.Sim.Inspect(func(w *world.World) { w.Advance(w.Now().Add(wavetest.Settled)) })
			findInstance(scene, id, func(instance *world.Instance) {
				require.NotZero(t, instance.HTTPStatus(80, "/healthz"), "it runs")
				instance.StopApp()
			})
			result, err := scene.EndQuarantine(wavetest.ReleaseRequest(id))
			require.NoError(t, err)
			require.Equal(t, patch.Quarantined, result.Ended.Outcome)
			require.Contains(t, result.Ended.Reason, "it stays in quarantine: release")
			require.Empty(t, result.Problems, "%+v", result.Problems)
			require.Equal(t, []string{"quarantined", "quarantined"}, groupsOf(scene, id))
			require.NotEmpty(t, quarantineTag(scene, id))
			require.Empty(t, scene.Marks())
			scene.Sim.Inspect(func(w *world.World) { w.Advance(w.Now().Add(wavetest.Settled)) })
			scene.Production(func(g *world.ScalingGroup) {
				require.Equal(t, 4, g.Desired)
				require.Len(t, g.Members(), 4)
				require.Nil(t, g.Member(id))
				require.Empty(t, g.Suspended)
			})
			again := scene.Reconcile(workflows.ReconcileRequest{}, time.Hour)
			require.Equal(t, []string{"instance " + id}, wavetest.Resources(again.Quarantined))
		})
	}
}

func TestTerminateEndsAQuarantine(t *testing.T) {
	for _, account := range []string{"production", "staging"} {
		scene, id := quarantineOne(t, account, nil)
		request := wavetest.ReleaseRequest(id)
		request.Verb = patch.QuarantineTerminate
		result, err := scene.EndQuarantine(request)
		require.NoError(t, err)
		require.Equal(t, patch.Terminated, result.Ended.Outcome, "%+v", result.Ended)
		require.Len(t, scene.Effects("TerminateInstances"), 1)
	}
}

func without(all []string, one string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(each string) bool { return each == one })
}

func TestASettlementThatIsRefusedChangesNothing(t *testing.T) {
	for _, c := range []struct {
		name   string
		before func(*wavetest.Scene, string)
		change func(*workflows.QuarantineRequest)
		says   string
	}{
		{"it is stopped", func(scene *wavetest.Scene, id string) {
			findInstance(scene, id, func(i *world.Instance) { require.NoError(scene.T, i.Stop()) })
		}, nil, "start it, then release it"},
		{"its image was deregistered, as a newer one was baked", func(scene *wavetest.Scene, id string) {
			findInstance(scene, id, func(i *world.Instance) { require.NoError(scene.T, i.Region.DeregisterImage(i.Image.ID)) })
		}, nil, "does not exist any more, and Auto Scaling attaches no instance of such; have the image back"},
		{"the group has left its zone", func(scene *wavetest.Scene, id string) {
			findInstance(scene, id, func(i *world.Instance) {
				group, err := i.Region.ScalingGroup("web")
				require.NoError(scene.T, err)
				group.Zones = without(group.Zones, i.Zone)
			})
		}, nil, "add that zone to the group, or terminate it"},
		{"another wave's mark is on the group", func(scene *wavetest.Scene, _ string) {
			scene.Production(func(g *world.ScalingGroup) { g.Tag(world.GroupTag{Key: names.TagJournal, Value: "wave-other x"}) })
		}, nil, "patchtide reconcile"},
		{"an instance of another group shall give way", nil, func(r *workflows.QuarantineRequest) {
			r.GiveWay = "i-0123456789abcdef0"
		}, "is no member of the group"},
		{"the group is being refreshed", func(scene *wavetest.Scene, _ string) {
			scene.Production(func(g *world.ScalingGroup) { _, err := g.StartRefresh(); require.NoError(scene.T, err) })
		}, nil, "InstanceRefreshRunning"},
		{"nobody stands in its place and there is no room", func(scene *wavetest.Scene, _ string) {
			scene.Production(func(g *world.ScalingGroup) {
				require.NoError(scene.T, g.Resize(world.Sizes{Min: number(4), Max: number(4)}))
			})
		}, nil, "NoRoom"},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene, id := quarantineOne(t, "production", nil)
			scene.Sim.Inspect(func(w *world.World) { w.Advance(w.Now().Add(wavetest.Settled)) })
			if c.before != nil {
				c.before(scene, id)
			}
			request := wavetest.ReleaseRequest(id)
			if c.change != nil {
				c.change(&request)
			}
			tag, attached := quarantineTag(scene, id), len(scene.Effects("AttachInstances"))
			result, err := scene.EndQuarantine(request)
			require.NoError(t, err)
			require.Equal(t, patch.Quarantined, result.Ended.Outcome)
			require.Contains(t, result.Ended.Reason, c.says)
			require.Equal(t, tag, quarantineTag(scene, id))
			require.Len(t, scene.Effects("AttachInstances"), attached)
			require.Equal(t, []string{"quarantined", "quarantined"}, groupsOf(scene, id))
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
		{
			"give_way of terminate", map[string]string{
				"verb": "terminate", "instance": "i-1", "actor": "me", "reason": "x", "give_way": "i-2",
			}, "only release has one",
		},
		{"an instance for list", map[string]string{"instance": "i-1"}, "list takes none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
			_, err := scene.EndQuarantine(c.request)
			require.ErrorContains(t, err, c.says)
			require.ErrorContains(t, err, "a right input looks like")
			require.Empty(t, scene.Sim.Events())
		})
	}
}

func TestAQuarantineTagThatCannotBeTrustedIsNotActedUpon(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
	var id string
	scene.Production(func(g *world.ScalingGroup) {
		id = g.Members()[0].Instance.ID
		g.Members()[0].Instance.Tags[names.TagQuarantine] = "wave-other " + wavetest.Production + "/" + wavetest.Tokyo +
			"/" + id + " 2020-01-01T00:00:00Z"
	})
	result := scene.Reconcile(workflows.ReconcileRequest{}, time.Hour)
	require.Equal(t, []string{"instance " + id}, wavetest.Resources(result.Untrusted))
	require.Empty(t, scene.Effects("TerminateInstances"))
	_, err := scene.EndQuarantine(wavetest.ReleaseRequest(id))
	require.ErrorContains(t, err, "there is no")
	require.Empty(t, scene.Effects("AttachInstances"))
}
