package workflows

import (
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// wave is one run of a plan.
type wave struct {
	request      WaveRequest
	plan         patch.Plan
	hash         string
	run          string // of a RollBackWave: see GroupInput.Run
	status       patch.WaveStatus
	groups       []*heldGroup    // in the plan's fixed order
	services     serviceLocks    // by name
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

// heldGroup is a group whose lock this wave holds.
type heldGroup struct {
	group        patch.Group
	stage        int
	workflowID   string
	members      []string               // in order, as preflight found them
	targetGroups []string               // ARNs of those that serve it; nil: not read yet
	results      []patch.InstanceResult // of a RollBackWave: what the wave did, and what is to become of it
	child        workflow.ChildWorkflowFuture
	runbook      activities.Runbook
	baselineID   string
	missing      int       // patches missing in all, by the scan before
	compliant    int       // instances that have nothing to do, by the same scan
	expected               // how long it is likely to take
	since        time.Time // when it was told to go or go on, or told its counts last
	started      bool
	lost         bool // its workflow ended before it was released
	counts       patch.GroupCounts
	now          *patch.InstanceNow // what its instance under way is doing, as far as it was told
	result       *patch.GroupResult // nil while the lock is held
	kept         *patch.GroupResult // what it had done when the wave was parked last; nil: it was not, or had no lock yet
	carried      *Carried           // what a parked group goes on with
}

// PatchWave runs a plan: resolve, preflight, scan, then the stages in order with their gates and holds. It takes the
// operators' verbs as Updates and answers `status`. With dry_run it only tells what it would do. A plan or request that is wrong, and a preflight that refuses, fail it
// before anything was changed; a wave that changed anything always ends with a result.
func PatchWave(ctx workflow.Context, request WaveRequest) (*patch.WaveResult, error) {
	w := &wave{request: request, parallel: map[string]int{}}
	w.status = patch.WaveStatus{WaveID: workflow.GetInfo(ctx).WorkflowExecution.ID, Plan: request.Plan, Stages: []patch.StageStatus{}}
	if err := request.Validate(); err != nil {
		return nil, err
	}
	if request.DryRun {
		return w.previewed(ctx)
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
		w.reason = reason(err)
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

// resolve reads the plan from the worker's configuration into history: a replay depends on no file.
func (w *wave) resolve(ctx workflow.Context) error {
	var resolved activities.ResolvedPlan
	if err := workflow.ExecuteActivity(controlling(ctx, "what the plan says"), control.ResolvePlan, activities.ResolvePlanInput{Plan: w.request.Plan, At: workflow.Now(ctx)}).Get(ctx, &resolved); err != nil {
		return err
	}
	w.plan, w.hash, w.notifies = resolved.Plan, resolved.Hash, resolved.Notifies
	for _, stage := range w.plan.Stages {
		if !w.request.DryRun && stage.Approval != nil && stage.Approval.FourEyes && strings.TrimSpace(w.request.Actor) == "" {
			return invalid("actor: is missing, and stage "+stage.Name+" demands four eyes: it must be known who started the wave", waveExample)
		}
		w.status.Stages = append(w.status.Stages, patch.StageStatus{Name: stage.Name, Groups: []patch.GroupCounts{}})
	}
	return nil
}

// enter changes the state and shows it where people look: status, search attributes, current details.
func (w *wave) enter(ctx workflow.Context, state patch.WaveState, awaiting string) {
	w.status.State, w.status.Awaiting, w.status.Since = state, awaiting, workflow.Now(ctx)
	w.status.Verbs = w.verbsIn(state)
	w.status.Window = w.plan.Window
	w.show(ctx)
	// A failure to index the state must not stop a wave; the status query still tells it.
	if err := workflow.UpsertTypedSearchAttributes(ctx,
		temporal.NewSearchAttributeKeyKeyword(names.AttributePlan).ValueSet(w.request.Plan),
		temporal.NewSearchAttributeKeyKeyword(names.AttributeState).ValueSet(string(state)),
		temporal.NewSearchAttributeKeyKeyword(names.AttributeStage).ValueSet(w.status.Stage),
		temporal.NewSearchAttributeKeyKeyword(names.AttributeOutcome).ValueSet(string(w.status.Outcome)),
	); err != nil {
		workflow.GetLogger(ctx).Warn("search attributes not written", "error", err)
	}
}

// close releases every group, collects the results and judges the stages.
func (w *wave) close(ctx workflow.Context, outcomes []patch.Outcome) []patch.StageResult {
	w.release(ctx)
	clean, _ := workflow.NewDisconnectedContext(ctx)
	stages := make([]patch.StageResult, len(w.plan.Stages))
	for i, stage := range w.plan.Stages {
		stages[i] = patch.StageResult{Name: stage.Name, Outcome: outcomes[i], Groups: []patch.GroupResult{}}
		if outcomes[i] == "" {
			stages[i].Outcome = patch.NotStarted
		}
		w.status.Stages[i].Outcome = stages[i].Outcome
	}
	for _, held := range w.groups {
		if held.result != nil {
			stages[held.stage].Groups = append(stages[held.stage].Groups, *held.result)
		}
	}
	w.status.Stranded = w.stranded()
	w.expireBackups(clean)
	return stages
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

// expireBackups deletes what is past its retention; failing to is told in the log only, the next wave tries again.
func (w *wave) expireBackups(ctx workflow.Context) {
	seen := map[string]bool{}
	for _, held := range w.groups {
		queue := names.ActivityQueue(held.group.Account, held.group.Region)
		if seen[queue] {
			continue
		}
		seen[queue] = true
		if _, err := expireBackups(reading(ctx, held.group, w.plan.Timing), activities.ExpireInput{Group: held.group}); err != nil {
			workflow.GetLogger(ctx).Warn("expired backups not deleted", "queue", queue, "error", reason(err))
		}
	}
}

// finish writes the evidence and the last state.
func (w *wave) finish(ctx workflow.Context, outcome patch.Outcome, stages []patch.StageResult) *patch.WaveResult {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	result := &patch.WaveResult{
		WaveID: w.status.WaveID, Plan: w.plan.Name, PutsBack: w.status.PutsBack, Outcome: outcome, Reason: w.reason, Stages: stages, Stranded: w.status.Stranded,
	}
	if result.Stages == nil {
		result.Stages = []patch.StageResult{}
	}
	if result.Stranded == nil {
		result.Stranded = []patch.Stranded{}
	}
	w.status.Outcome = outcome
	w.enter(clean, patch.StateClosed, "")
	// Its only error is a cancel, which this context does not have. Two writers would race for the last version.
	_ = workflow.Await(clean, func() bool { return !w.keeping })
	w.save(clean, *result)
	w.tellEnd(clean, *result)
	return result
}

// keepDecisions writes what people decide to the evidence as they decide it: a wave that is terminated tells at least that.
func (w *wave) keepDecisions(ctx workflow.Context) {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	workflow.Go(clean, func(c workflow.Context) {
		for {
			if err := workflow.Await(c, func() bool {
				return (w.unkept || len(w.status.Decisions) > w.kept) && w.status.State != patch.StateClosed
			}); err != nil {
				return
			}
			w.kept, w.keeping, w.unkept = len(w.status.Decisions), true, false
			w.save(c, w.soFar())
			w.keeping = false
		}
	})
}

// save writes the wave's document; a store that stays away does not undo what was patched, but it is told.
func (w *wave) save(ctx workflow.Context, result patch.WaveResult) {
	document := activities.WaveDocument{Version: 1, Status: w.status, Result: result, Plan: w.plan, Hash: w.hash, Runbooks: map[string]activities.Runbook{}}
	for _, held := range w.groups {
		document.Runbooks[held.group.Account.ID+"/"+held.group.Region] = held.runbook
	}
	if err := workflow.ExecuteActivity(controlling(ctx, "the wave's evidence"), control.SaveWave, activities.SaveWaveInput{WaveID: w.status.WaveID, Document: document}).Get(ctx, nil); err != nil {
		workflow.GetLogger(ctx).Error("evidence not written", "wave", w.status.WaveID, "error", reason(err))
	}
}
