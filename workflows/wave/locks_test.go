package wave_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
	"github.com/patchtide/patchtide/workflows/service"
)

// twoPlans gives the group api a plan of its own, whose production serves that service; neither plan has staging.
func twoPlans(service string) func([]byte) []byte {
	return wavetest.ProductionOnly(func(file []byte) []byte {
		file = wavetest.PlanWith("approval: {required: true, timeout: 24h}", "approval: {required: false}")(file)
		from, to := bytes.Index(file, []byte("  - name: web\n")), bytes.Index(file, []byte("# Who is told."))
		api := string(file[from:to])
		for was, is := range map[string]string{
			"name: web": "name: api", "auto_scaling_group: web": "auto_scaling_group: api",
			"service: web": "service: " + service,
		} {
			api = strings.ReplaceAll(api, was, is)
		}
		return append(file[:to:to], append([]byte(api), file[to:]...)...)
	})
}

func TestTwoWavesOnGroupsOfOneService(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: wavetest.TwoGroups, Config: twoPlans("web")})
	scene.Locks["patch-service/web"] = "wave-1"
	scene.Play(func(story wavetest.Story) {
		first := story.Begin("wave-1", "web")
		story.Later(10 * time.Minute)
		story.Refuses(story.Begin("wave-2", "api"), workflows.ErrServiceLocked, "service web is being patched by wave wave-1",
			"patch-service/web", "wait until it has ended, or abort it")
		require.Equal(t, patch.Succeeded, story.Ends(first).Outcome)
		// Both locks are free now, also that of the group which the refused wave had taken already.
		require.Equal(t, patch.Succeeded, story.Ends(story.Begin("wave-3", "api")).Outcome)
	})
	require.False(t, overlap(scene, "web", "api"))
	scene.RequireInvariants(nil, wavetest.Except{})
}

// The lock of a service outlives a terminated roll back for as long as it takes what that had under way to end, and its
// groups' locks are free before: one that is sent again waits for both, and does not refuse itself.
func TestARollBackWaitsForTheServiceOfItsEarlierRun(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: wavetest.TwoGroups, Config: twoPlans("web")})
	scene.Play(func(story wavetest.Story) {
		first := story.Ends(story.Begin("wave-1", "web"))
		if first.Outcome != patch.Succeeded {
			t.Errorf("%+v", first)
		}
		holds := story.Begin("wave-2", "api") // in the earlier run's place
		story.Later(time.Minute)
		scene.Hold("patch-service/web", names.RollBack("wave-1"))
		workflow.Go(story.Ctx, func(ctx workflow.Context) {
			if holds.Get(ctx, nil) != nil {
				t.Error("what holds the lock failed")
			}
			scene.Hold("patch-service/web", "")
		})
		result, err := story.RollBack("wave-1", true)
		if err != nil || result.Outcome != patch.RolledBack {
			t.Errorf("%v %+v", err, result)
		}
	})
	require.Equal(t, 4, restored(scene))
	require.False(t, overlap(scene, "web", "api"))
}

// An abort ends the wait for an earlier run, and nothing is put back after it was accepted.
func TestAnAbortEndsTheWaitForAnEarlierRun(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: wavetest.TwoGroups, Config: twoPlans("web")})
	id := names.RollBack("wave-1")
	scene.Play(func(story wavetest.Story) {
		if first := story.Ends(story.Begin("wave-1", "web")); first.Outcome != patch.Succeeded {
			t.Errorf("%+v", first)
		}
		holds := story.Begin("wave-2", "api") // in the earlier run's place
		story.Later(time.Minute)
		scene.Hold("patch-service/web", id)
		workflow.Go(story.Ctx, func(ctx workflow.Context) {
			says := func() bool {
				var status patch.WaveStatus
				value, err := scene.Env.QueryWorkflowByID(id, names.QueryStatus)
				return err == nil && value.Get(&status) == nil &&
					strings.HasPrefix(status.Awaiting, "An earlier run of this roll back was ended")
			}
			_ = workflow.Sleep(ctx, 2*time.Minute)
			for tries := 0; tries < 60 && !says(); tries++ {
				_ = workflow.Sleep(ctx, 10*time.Second)
			}
			if !says() {
				t.Error("it does not say for what it waits")
			}
			if err := scene.Env.UpdateWorkflowByID(id, string(patch.Abort), "", silentUpdate{}, workflows.VerbRequest{
				Actor: "tester", Reason: "not now",
			}); err != nil {
				t.Errorf("the abort: %v", err)
			}
		})
		result, err := story.RollBack("wave-1", true)
		if err != nil || result.Outcome != patch.Aborted || !strings.Contains(result.Reason, "this run has put nothing back") {
			t.Errorf("%v %+v", err, result)
		}
		if restored(scene) > 0 {
			t.Error("it was put back all the same")
		}
		if holds.IsReady() {
			t.Error("it was not waited for")
		}
		scene.Hold("patch-service/web", "")
		story.Ends(holds)
	})
}

// What ends a quarantine is no wave, and is not to be aborted.
func TestTheLockOfAQuarantineIsCalledSo(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: wavetest.TwoGroups, Config: twoPlans("web")})
	scene.Locks["patch-service/web"] = names.QuarantineID("i-1")
	scene.Play(func(story wavetest.Story) {
		first := story.Begin("wave-1", "web")
		story.Later(10 * time.Minute)
		story.Refuses(story.Begin("wave-2", "api"), workflows.ErrServiceLocked, "service web is at work for quarantine-i-1",
			"`patchtide quarantine list` tells")
		story.Ends(first)
	})
}

// Waves that share neither a group nor a service go at the same time.
func TestTwoWavesOnDifferentGroups(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: wavetest.TwoGroups, Config: twoPlans("api")})
	scene.Play(func(story wavetest.Story) {
		first, second := story.Begin("wave-1", "web"), story.Begin("wave-2", "api")
		require.Equal(t, patch.Succeeded, story.Ends(first).Outcome)
		require.Equal(t, patch.Succeeded, story.Ends(second).Outcome)
	})
	require.True(t, overlap(scene, "web", "api"), "they went at the same time")
	scene.RequireInvariants(nil, wavetest.Except{})
}

// sharingTargets puts both groups behind one target group.
func sharingTargets(s *world.Scenario) {
	wavetest.TwoGroups(s)
	s.Accounts[1].Regions[0].Groups[1].TargetGroups = s.Accounts[1].Regions[0].Groups[0].TargetGroups
}

func TestGroupsBehindOneTargetGroupAreLockedAsOne(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Fleet: sharingTargets,
		Config: wavetest.ProductionOnly(wavetest.PlanWith("approval: {required: true, timeout: 24h}",
			"approval: {required: false}", "service: web", "max_failures: 0", wavetest.WebOnly, wavetest.WebAndAPI)),
	})
	var asked workflows.ServiceInput
	scene.InPlaceOf(names.HoldService, func(ctx workflow.Context, in workflows.ServiceInput) error {
		asked = in
		return service.HoldService(ctx, in)
	})
	scene.Play(func(story wavetest.Story) {
		require.Equal(t, patch.Succeeded, story.Ends(story.Begin("wave-1", "web")).Outcome)
	})
	require.Contains(t, asked.Service.Name, "arn:aws:elasticloadbalancing:")
	require.Len(t, asked.Service.Groups, 2)
}

// Another plan's wave may take instances of a group that is behind the same target group. Whichever of the two comes
// second is refused, also when it only puts back.
func TestATargetGroupThatHoldsOthersIsLocked(t *testing.T) {
	for _, c := range []struct {
		name  string
		fleet func(*world.Scenario)
		want  int
	}{
		{"shared with a group of no plan", sharingTargets, 1},
		{"its own", wavetest.TwoGroups, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Fleet: c.fleet,
				Config: wavetest.ProductionOnly(wavetest.PlanWith("approval: {required: true, timeout: 24h}",
					"approval: {required: false}", "service: web", "max_failures: 0")),
			})
			var asked []workflows.ServiceInput
			scene.InPlaceOf(names.HoldService, func(ctx workflow.Context, in workflows.ServiceInput) error {
				asked = append(asked, in)
				return service.HoldService(ctx, in)
			})
			scene.Play(func(story wavetest.Story) {
				require.Equal(t, patch.Succeeded, story.Ends(story.Begin("wave-1", "web")).Outcome)
				require.Len(t, asked, c.want)
				asked = nil
				back, err := story.RollBack("wave-1", true)
				require.NoError(t, err)
				require.Equal(t, patch.RolledBack, back.Outcome)
				require.Len(t, asked, c.want)
			})
			scene.RequireInvariants(nil, wavetest.Except{})
		})
	}
}

// While another wave has its only instance behind a target group out, nothing of it is seen there.
func TestATargetGroupThatAnotherWaveHoldsIsNotTouched(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: wavetest.Unattended})
	var arn string
	scene.Production(func(g *world.ScalingGroup) { arn = g.Region.TargetGroups()[0].ARN })
	scene.Locks[names.ServiceLock(arn)] = "wave-of-others"
	scene.Play(func(story wavetest.Story) {
		story.Refuses(story.Begin("wave-1", "web"), workflows.ErrServiceLocked, "target group web",
			"is being patched by wave wave-of-others")
	})
	require.Empty(t, scene.Effects("EnterStandby"))
}

// A wave holds its locks while it waits for a person and while it puts back.
func TestLocksOutliveHoldsAndRollBacks(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy",
		Config: wavetest.ProductionOnly(wavetest.PlanWith("approval: {required: true, timeout: 24h}",
			"approval: {required: false}", "timeout: 30m", "timeout: 2h")),
		Fleet: wavetest.WithFaults(nil, world.WorldFault{Kind: world.FaultInstallFails, Account: "production", Nth: 3}),
	})
	scene.Locks[wavetest.ProductionLock] = "wave-1"
	states := map[patch.WaveState]bool{}
	scene.Play(func(story wavetest.Story) {
		first := story.Begin("wave-1", "web")
		for try := 0; !first.IsReady(); try++ {
			story.Later(5 * time.Minute)
			value, err := scene.Env.QueryWorkflowByID("wave-1", names.QueryStatus)
			var status patch.WaveStatus
			require.NoError(t, err)
			require.NoError(t, value.Get(&status))
			if first.IsReady() || states[status.State] {
				continue
			}
			states[status.State] = true
			beside := "beside-" + string(status.State)
			story.Refuses(story.Begin(beside, "web"), workflows.ErrGroupLocked, "is being patched by wave wave-1")
		}
		require.Equal(t, patch.RolledBack, story.Ends(first).Outcome)
		delete(scene.Locks, wavetest.ProductionLock)
	})
	require.True(t, states[patch.StateRunning] && states[patch.StateOnHold] &&
		states[patch.StateRollingBack], "%v", states)
	scene.RequireInvariants(nil, wavetest.Except{})
}

// What became of a group whose workflow somebody terminated is not known: nothing else of the stage is begun, the wave
// says so, and the service stays locked while an instance of it may be under way.
func TestAGroupThatIsTerminatedStopsItsStage(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Fleet: wavetest.TwoGroups,
		Config: wavetest.ProductionOnly(wavetest.PlanWith("approval: {required: true, timeout: 24h}",
			"approval: {required: false}", wavetest.WebOnly, wavetest.WebAndAPI)),
	})
	scene.TerminatedGroup("web")
	// web comes first, and something of it is under way still when its wave has ended.
	scene.Locks[wavetest.ProductionLock] = ""
	scene.Play(func(story wavetest.Story) {
		result := story.Ends(story.Begin("wave-1", "web"))
		require.Equal(t, patch.Failed, result.Outcome, "%+v", result)
		require.Contains(t, result.Stranded[0].Resource, "group web")
		require.Empty(t, scene.Effects("EnterStandby"), "no other group is begun")
		story.Refuses(story.Begin("wave-2", "web"), workflows.ErrServiceLocked)
		delete(scene.Locks, wavetest.ProductionLock)
		story.Later(time.Minute)
		// Nothing of wave-1 runs any more: the next one may begin, and comes to the same end.
		require.Equal(t, patch.Failed, story.Ends(story.Begin("wave-3", "web")).Outcome)
	})
}

// The service's lock of a wave that is gone ends when everything the wave left has ended, and not before.
func TestAServiceStaysLockedUntilWhatIsUnderWayHasEnded(t *testing.T) {
	group := patch.Group{
		Account: patch.Account{Name: "production", ID: wavetest.Production}, Region: wavetest.Tokyo, AutoScalingGroup: "web",
	}
	in := workflows.ServiceInput{WaveID: "wave-1", Service: patch.Service{Name: "web", Groups: []patch.Group{group}}}
	lock := names.ServiceLock("web")
	for _, c := range []struct {
		name   string
		end    func(*wavetest.Scene)
		within time.Duration
		least  time.Duration
	}{
		{"released at rest: at once", func(scene *wavetest.Scene) {
			require.NoError(t, scene.Env.SignalWorkflowByID(
				lock, names.SignalRelease, workflows.ServiceRelease{AtRest: true}))
		}, time.Second, 0},
		{"released with a group that was terminated", func(scene *wavetest.Scene) {
			require.NoError(t, scene.Env.SignalWorkflowByID(lock, names.SignalRelease, workflows.ServiceRelease{}))
		}, 2 * time.Minute, time.Hour},
		{"its wave is terminated", func(scene *wavetest.Scene) { scene.Env.CancelWorkflow() }, 2 * time.Minute, time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
			scene.Locks[names.GroupLock(group)] = "wave-1"
			told := scene.Env.Now().Add(time.Hour)
			scene.Env.RegisterDelayedCallback(func() { c.end(scene) }, time.Hour)
			scene.Env.RegisterDelayedCallback(func() {
				value, err := scene.Env.QueryWorkflowByID(lock, names.QueryStatus)
				require.NoError(t, err)
				var status workflows.ServiceStatus
				require.NoError(t, value.Get(&status))
				require.Equal(t, c.least > 0, status.Releasing)
			}, time.Hour+time.Minute)
			scene.Env.RegisterDelayedCallback(func() { delete(scene.Locks, names.GroupLock(group)) }, 2*time.Hour)
			scene.AsParent(in.WaveID, lock, names.HoldService, in, nil)
			took := scene.Env.Now().Sub(told)
			require.GreaterOrEqual(t, took, c.least)
			require.LessOrEqual(t, took, c.least+c.within)
		})
	}
}
