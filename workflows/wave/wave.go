package wave

import (
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
	"github.com/patchtide/patchtide/workflows/service"
)

// wave is one run of a plan.
type wave struct {
	request      Request
	plan         patch.Plan
	hash         string
	run          string // of a RollBackWave: see GroupInput.Run
	status       patch.WaveStatus
	groups       []*lockedGroup  // in the plan's fixed order
	services     service.Locks   // by name
	news         int             // reports heard so far
	carried      int             // failures with which the current stage went on by itself
	decision     *patch.Decision // the last verb not yet acted on
	paused       *patch.Decision // a person's pause, until resume; it outlives holds and gates
	resumed      *patch.Decision // the last resume after a pause
	parked       *patch.Parked   // while it does
	parking      bool            // it parks, or is parked, and keeps what it is told meanwhile
	parkedAt     time.Time       // when it let everything go last; zero: never
	rounds       int             // windows in which it went on
	unkept       bool            // a decision that the evidence has is no longer as it is there
	parallel     map[string]int  // set_concurrency, by stage
	window       bool            // it was extended: every order brings it
	toldWindow   *patch.Window   // the extended window that running groups have heard of
	kept         int             // decisions that the evidence has
	keeping      bool            // they are being written
	reason       string
	notifies     bool                    // the worker has a channel for notices
	told         int                     // notices so far
	toldFailures int                     // of them, of failed instances
	toldFailed   []patch.NoticedInstance // those instances
	unended      string                  // of a RollBackWave: what its wave's evidence does not tell
	caveat       string                  // of a RollBackWave: which machines may lose more than their patches
}

// PatchWave runs a plan: resolve, preflight, scan, then the stages in order with their gates and holds. It takes the
// operators' verbs as Updates and answers `status`. With dry_run it only tells what it would do. A plan or request that is wrong, and a preflight that refuses, fail it
// before anything was changed; a wave that changed anything always ends with a result.
func PatchWave(ctx workflow.Context, request Request) (*patch.WaveResult, error) {
	w := &wave{request: request, parallel: map[string]int{}}
	w.status = patch.WaveStatus{WaveID: workflow.GetInfo(ctx).WorkflowExecution.ID, Plan: request.Plan, Stages: []patch.StageStatus{}}
	if err := request.Validate(); err != nil {
		return nil, err
	}
	if err := w.answer(ctx); err != nil {
		return nil, err
	}
	w.enter(ctx, patch.StateResolving, "")
	if err := w.resolve(ctx); err != nil {
		return nil, err
	}
	w.keepDecisions(ctx)
	w.enter(ctx, patch.StatePreflight, "")
	outcomes := make([]patch.Outcome, len(w.plan.Stages))
	if err := w.preflight(ctx); err != nil {
		w.reason = run.Reason(err)
		w.groups = lockedOnly(w.groups)
		w.release(ctx)
		w.finish(ctx, patch.Failed, nil)
		return nil, err
	}
	w.tell(ctx, patch.NoticeStarted, by(request.Actor, request.Reason))
	for i := range w.plan.Stages {
		outcomes[i] = w.runStage(ctx, i)
		if outcomes[i] != patch.Succeeded && outcomes[i] != patch.SucceededWithSkips {
			break
		}
	}
	stages := w.close(ctx, outcomes)
	outcome := waveOutcome(outcomes)
	result := w.finish(ctx, outcome, stages)
	if ctx.Err() != nil {
		// Cancelled: everything under way has been put back and the evidence tells it; the UI shows Canceled.
		return nil, temporal.NewCanceledError(*result)
	}
	return result, nil
}

// waveOutcome judges a wave by its stages; those it never reached do not count once it ended for another reason.
func waveOutcome(stages []patch.Outcome) patch.Outcome {
	reached := slices.DeleteFunc(slices.Clone(stages), func(o patch.Outcome) bool { return o == "" || o == patch.NotStarted })
	return patch.CombinedOutcome(reached)
}

// resolve reads the plan, and refuses one that says who may approve where nobody knows who started the wave.
func (w *wave) resolve(ctx workflow.Context) error {
	resolved, err := resolvePlan(ctx, w.request.Plan)
	if err != nil {
		return err
	}
	w.plan, w.hash, w.notifies = resolved.Plan, resolved.Hash, resolved.Notifies
	for _, stage := range w.plan.Stages {
		if stage.Approval != nil && stage.Approval.FourEyes && strings.TrimSpace(w.request.Actor) == "" {
			return run.Invalid("actor: is missing, and stage "+stage.Name+
				" demands four eyes: it must be known who started the wave", waveExample)
		}
	}
	w.status.Stages = stagesOf(w.plan)
	return nil
}

// resolvePlan reads the plan from the worker's configuration into history: a replay depends on no file.
func resolvePlan(ctx workflow.Context, plan string) (resolved activities.ResolvedPlan, err error) {
	err = workflow.ExecuteActivity(run.Controlling(ctx, "what the plan says"), control.ResolvePlan,
		activities.ResolvePlanInput{Plan: plan, At: workflow.Now(ctx)}).Get(ctx, &resolved)
	return resolved, err
}

// stagesOf are a plan's stages before anything is known of their groups.
func stagesOf(plan patch.Plan) []patch.StageStatus {
	stages := make([]patch.StageStatus, len(plan.Stages))
	for i, stage := range plan.Stages {
		stages[i] = patch.StageStatus{Name: stage.Name, Groups: []patch.GroupCounts{}}
	}
	return stages
}

// enter changes the state and shows it where people look: status, search attributes, current details.
func (w *wave) enter(ctx workflow.Context, state patch.WaveState, awaiting string) {
	w.status.State, w.status.Awaiting, w.status.Since = state, awaiting, workflow.Now(ctx)
	w.status.Verbs = w.verbsIn(state)
	w.status.Window = w.plan.Window
	w.show(ctx)
	index(ctx, w.status)
}

// index writes the search attributes by which waves are found. A failure to must not stop a wave; the status query still
// tells where it stands.
func index(ctx workflow.Context, status patch.WaveStatus) {
	if err := workflow.UpsertTypedSearchAttributes(ctx,
		temporal.NewSearchAttributeKeyKeyword(names.AttributePlan).ValueSet(status.Plan),
		temporal.NewSearchAttributeKeyKeyword(names.AttributeState).ValueSet(string(status.State)),
		temporal.NewSearchAttributeKeyKeyword(names.AttributeStage).ValueSet(status.Stage),
		temporal.NewSearchAttributeKeyKeyword(names.AttributeOutcome).ValueSet(string(status.Outcome)),
	); err != nil {
		workflow.GetLogger(ctx).Warn("search attributes not written", "error", err)
	}
}

// stranded is all that is left so far, by what the groups report and, of those that ended, by their results: whoever decides at a
// hold must know of it.
func (w *wave) stranded() []patch.Stranded {
	var left []patch.Stranded
	for _, held := range w.groups {
		if held.result != nil {
			left = append(left, held.result.Stranded...)
		} else {
			left = append(left, held.counts.Stranded...)
		}
	}
	return left
}
