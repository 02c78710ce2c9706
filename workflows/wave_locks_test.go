package workflows_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows"
)

// twoPlans gives the group api a plan of its own, whose production serves that service; neither plan has staging.
func twoPlans(service string) func([]byte) []byte {
	return productionOnly(func(file []byte) []byte {
		file = plan("approval: {required: true, timeout: 24h}", "approval: {required: false}")(file)
		from, to := bytes.Index(file, []byte("  - name: web\n")), bytes.Index(file, []byte("# Who is told."))
		api := string(file[from:to])
		for was, is := range map[string]string{"name: web": "name: api", "auto_scaling_group: web": "auto_scaling_group: api", "service: web": "service: " + service} {
			api = strings.ReplaceAll(api, was, is)
		}
		return append(file[:to:to], append([]byte(api), file[to:]...)...)
	})
}

// begin starts a wave of a plan without waiting for it.
func (h history) begin(id, plan string) workflow.ChildWorkflowFuture {
	child := workflow.WithChildOptions(h.ctx, workflow.ChildWorkflowOptions{WorkflowID: id})
	return workflow.ExecuteChildWorkflow(child, names.PatchWave, workflows.WaveRequest{Plan: plan, Actor: "tester", Reason: "the test says so"})
}

// ends waits for a wave to end well.
func (h history) ends(wave workflow.Future) *patch.WaveResult {
	h.b.t.Helper()
	var result patch.WaveResult
	require.NoError(h.b.t, wave.Get(h.ctx, &result))
	return &result
}

// refuses requires that a wave was refused with that type and those words.
func (h history) refuses(wave workflow.Future, errorType string, words ...string) {
	h.b.t.Helper()
	err := wave.Get(h.ctx, nil)
	var failure *temporal.ApplicationError
	require.True(h.b.t, errors.As(err, &failure), "%v", err)
	require.Equal(h.b.t, errorType, failure.Type(), failure.Message())
	for _, part := range words {
		require.Contains(h.b.t, failure.Message(), part)
	}
}

func TestTwoWavesOnGroupsOfOneService(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy", fleet: twoGroups, config: twoPlans("web")})
	b.locks["patch-service/web"] = "wave-1"
	b.play(func(h history) {
		first := h.begin("wave-1", "web")
		h.later(10 * time.Minute)
		h.refuses(h.begin("wave-2", "api"), workflows.ErrServiceLocked, "service web is being patched by wave wave-1", "patch-service/web", "wait until it has ended, or abort it")
		require.Equal(t, patch.Succeeded, h.ends(first).Outcome)
		// Both locks are free now, also that of the group which the refused wave had taken already.
		require.Equal(t, patch.Succeeded, h.ends(h.begin("wave-3", "api")).Outcome)
	})
	require.False(t, b.overlap("web", "api"))
	b.requireInvariants(nil, after{})
}

// Waves that share neither a group nor a service go at the same time.
func TestTwoWavesOnDifferentGroups(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy", fleet: twoGroups, config: twoPlans("api")})
	b.play(func(h history) {
		first, second := h.begin("wave-1", "web"), h.begin("wave-2", "api")
		require.Equal(t, patch.Succeeded, h.ends(first).Outcome)
		require.Equal(t, patch.Succeeded, h.ends(second).Outcome)
	})
	require.True(t, b.overlap("web", "api"), "they went at the same time")
	b.requireInvariants(nil, after{})
}

// sharingTargets puts both groups behind one target group.
func sharingTargets(s *world.Scenario) {
	twoGroups(s)
	s.Accounts[1].Regions[0].Groups[1].TargetGroups = s.Accounts[1].Regions[0].Groups[0].TargetGroups
}

func TestGroupsBehindOneTargetGroupAreLockedAsOne(t *testing.T) {
	b := newBench(t, benchOptions{
		scenario: "healthy", fleet: sharingTargets, config: productionOnly(plan("approval: {required: true, timeout: 24h}", "approval: {required: false}", "service: web", "max_failures: 0", webOnly, webAndAPI)),
	})
	var asked workflows.ServiceInput
	b.instead(names.HoldService, func(ctx workflow.Context, in workflows.ServiceInput) error {
		asked = in
		return workflows.HoldService(ctx, in)
	})
	b.play(func(h history) { require.Equal(t, patch.Succeeded, h.ends(h.begin("wave-1", "web")).Outcome) })
	require.Contains(t, asked.Service.Name, "arn:aws:elasticloadbalancing:")
	require.Len(t, asked.Service.Groups, 2)
}

// A wave holds its locks while it waits for a person and while it puts back.
func TestLocksOutliveHoldsAndRollBacks(t *testing.T) {
	b := newBench(t, benchOptions{
		scenario: "healthy", config: productionOnly(plan("approval: {required: true, timeout: 24h}", "approval: {required: false}", "timeout: 30m", "timeout: 2h")),
		fleet: also(nil, world.WorldFault{Kind: world.FaultInstallFails, Account: "production", Nth: 3}),
	})
	b.locks[productionLock] = "wave-1"
	states := map[patch.WaveState]bool{}
	b.play(func(h history) {
		first := h.begin("wave-1", "web")
		for try := 0; !first.IsReady(); try++ {
			h.later(5 * time.Minute)
			value, err := b.env.QueryWorkflowByID("wave-1", names.QueryStatus)
			var status patch.WaveStatus
			require.NoError(t, err)
			require.NoError(t, value.Get(&status))
			if first.IsReady() || states[status.State] {
				continue
			}
			states[status.State] = true
			h.refuses(h.begin("wave-other", "web"), workflows.ErrGroupLocked, "is being patched by wave wave-1")
		}
		require.Equal(t, patch.RolledBack, h.ends(first).Outcome)
		delete(b.locks, productionLock)
	})
	require.True(t, states[patch.StateRunning] && states[patch.StateOnHold] && states[patch.StateRollingBack], "%v", states)
	b.requireInvariants(nil, after{})
}

// instead puts a workflow of the test's in another's place.
func (b *bench) instead(name string, other any) {
	b.env.RegisterWorkflowWithOptions(other, workflow.RegisterOptions{Name: name, DisableAlreadyRegisteredCheck: true})
}

// terminatedGroup makes the group's workflow end in the middle without a result, as one that somebody terminates.
func (b *bench) terminatedGroup(name string) {
	b.instead(names.PatchGroup, func(ctx workflow.Context, in workflows.GroupInput) (*workflows.GroupEnd, error) {
		if in.Group.AutoScalingGroup != name {
			return workflows.PatchGroup(ctx, in)
		}
		if err := workflow.Sleep(ctx, 10*time.Minute); err != nil {
			return nil, err
		}
		return nil, errors.New("terminated")
	})
}

// What became of a group whose workflow somebody terminated is not known: nothing else of the stage is begun, the wave says so,
// and the service stays locked while an instance of it may be under way.
func TestAGroupThatIsTerminatedStopsItsStage(t *testing.T) {
	b := newBench(t, benchOptions{
		scenario: "healthy", fleet: twoGroups, config: productionOnly(plan("approval: {required: true, timeout: 24h}", "approval: {required: false}", webOnly, webAndAPI)),
	})
	b.terminatedGroup("web")
	// web comes first, and something of it is under way still when its wave has ended.
	b.locks[productionLock] = ""
	b.play(func(h history) {
		result := h.ends(h.begin("wave-1", "web"))
		require.Equal(t, patch.Failed, result.Outcome, "%+v", result)
		require.Contains(t, result.Stranded[0].Resource, "group web")
		require.Empty(t, b.effects("EnterStandby"), "no other group is begun")
		h.refuses(h.begin("wave-2", "web"), workflows.ErrServiceLocked)
		delete(b.locks, productionLock)
		h.later(time.Minute)
		// Nothing of wave-1 runs any more: the next one may begin, and comes to the same end.
		require.Equal(t, patch.Failed, h.ends(h.begin("wave-3", "web")).Outcome)
	})
}

// The service's lock of a wave that is gone ends when everything the wave left has ended, and not before.
func TestAServiceStaysLockedUntilWhatIsUnderWayHasEnded(t *testing.T) {
	group := patch.Group{Account: patch.Account{Name: "production", ID: accountProduction}, Region: tokyoRegion, AutoScalingGroup: "web"}
	in := workflows.ServiceInput{WaveID: "wave-1", Service: patch.Service{Name: "web", Groups: []patch.Group{group}}}
	for _, c := range []struct {
		name   string
		end    func(*bench)
		within time.Duration
		least  time.Duration
	}{
		{"released at rest: at once", func(b *bench) { b.env.SignalWorkflow(names.SignalRelease, workflows.ServiceRelease{AtRest: true}) }, time.Second, 0},
		{"released with a group that was terminated", func(b *bench) { b.env.SignalWorkflow(names.SignalRelease, workflows.ServiceRelease{}) }, 2 * time.Minute, time.Hour},
		{"its wave is terminated", func(b *bench) { b.env.CancelWorkflow() }, 2 * time.Minute, time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, benchOptions{scenario: "healthy"})
			b.locks[names.GroupLock(group)] = "wave-1"
			told := b.env.Now().Add(time.Hour)
			b.env.RegisterDelayedCallback(func() { c.end(b) }, time.Hour)
			b.env.RegisterDelayedCallback(func() {
				value, err := b.env.QueryWorkflow(names.QueryStatus)
				require.NoError(t, err)
				var status workflows.ServiceStatus
				require.NoError(t, value.Get(&status))
				require.Equal(t, c.least > 0, status.Releasing)
			}, time.Hour+time.Minute)
			b.env.RegisterDelayedCallback(func() { delete(b.locks, names.GroupLock(group)) }, 2*time.Hour)
			b.env.ExecuteWorkflow(names.HoldService, in)
			require.True(t, b.env.IsWorkflowCompleted())
			require.NoError(t, b.env.GetWorkflowError())
			took := b.env.Now().Sub(told)
			require.GreaterOrEqual(t, took, c.least)
			require.LessOrEqual(t, took, c.least+c.within)
		})
	}
}
