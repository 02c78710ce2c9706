// Package wave is one run of a plan: PatchWave, what it would do (PreviewWave), and what puts back a closed one
// (RollBackWave). It decides nothing: patch.NextMove says what comes next.
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
)

// wave is one run of a plan, in parts.
type wave struct {
	request   Request
	plan      patch.Plan
	hash      string   // the plan's
	over      []string // exceptions of its baselines whose day is over
	run       string   // of a RollBackWave: see group.Input.Run
	began     time.Time
	status    patch.WaveStatus
	asks      string   // what its state asks of people
	alike     []string // of the hold: who failed with the same difference, and what came of it
	suspects  bool     // some failed their health checks: what they got is kept
	blocked   patch.AlikeBlocked
	question  *question // while they are asked what they decide; nil: they are not
	reason    string    // why it ended as it did
	turn      turn      // the stage under way
	roster    roster    // the groups whose locks it holds
	inbox     inbox     // what people said
	parking   parking   // the time between two windows
	announcer announcer // what people were told
	evidence  evidence  // what is written down

	imageTry int // of making images for root volumes: a retry makes another

	shares []activities.ImageShare         // images that another account is let copy, and may still be
	unkept []activities.KeepRootImageInput // images of which it could not be marked when they expire

	hooked bool // the hooks of before_wave are through: those of after_wave run as it ends

	unknown bool // of a RollBackWave: something that the wave did is not known, or not put back yet
	// of a RollBackWave: whom the wave quarantined, and who of them is back and holds what it held then
	quarantined []activities.Instance
	released    []patch.Stranded
}

// PatchWave runs a plan: resolve, preflight, scan, then the stages in order with their gates and holds. It takes the
// operators' verbs as Updates and answers `status`. A plan or request that is wrong, and a preflight that refuses, fail
// it before anything was changed; a wave that changed anything always ends with a result.
func PatchWave(ctx workflow.Context, request Request) (*patch.WaveResult, error) {
	return unlessReset(ctx, func(ctx workflow.Context) (*patch.WaveResult, error) { return patchWave(ctx, request) })
}

func patchWave(ctx workflow.Context, request Request) (*patch.WaveResult, error) {
	w := &wave{request: request, began: workflow.Now(ctx)}
	w.status = patch.WaveStatus{
		WaveID: workflow.GetInfo(ctx).WorkflowExecution.ID, Plan: request.Plan, Stages: []patch.StageStatus{},
	}
	if err := request.Validate(); err != nil {
		return nil, err
	}
	if err := names.CheckNewWaveID(w.status.WaveID); err != nil {
		return nil, run.Invalid(err.Error(), waveExample)
	}
	if err := w.answer(ctx); err != nil {
		return nil, err
	}
	w.enter(ctx, patch.StateResolving, "")
	if err := w.resolve(ctx); err != nil {
		return nil, w.refuse(ctx, err)
	}
	w.keepDecisions(ctx)
	w.enter(ctx, patch.StatePreflight, "")
	if !w.awaitPlan(ctx) {
		return w.end(ctx, patch.Aborted, notStarted(w.plan))
	}
	if w.asks != "" {
		w.enter(ctx, patch.StatePreflight, "")
	}
	if err := w.preflight(ctx); err != nil {
		w.endRefused(ctx, err)
		return nil, err
	}
	w.tell(ctx, patch.NoticeStarted, by(request.Actor, startWords(request, w.over)))
	outcomes := notStarted(w.plan)
	if !w.hooksBefore(ctx) {
		return w.end(ctx, patch.Failed, outcomes)
	}
	for stage := range w.plan.Stages {
		outcome := w.runStage(ctx, stage)
		outcomes[stage] = outcome
		goesOn := outcome.EndsWell()
		if goesOn {
			if outcome, goesOn = w.soak(ctx, stage); !goesOn {
				outcomes[stage+1] = outcome
			}
		}
		if w.turn.rolledBack { // the stage's own outcome, and those of the stages before it, which the same verb put back
			copy(outcomes, notStarted(w.plan))
			for i := range stage + 1 {
				outcomes[i] = w.status.Stages[i].Outcome
			}
		}
		if !goesOn {
			break
		}
	}
	return w.end(ctx, patch.CombinedOutcome(outcomes), outcomes)
}

// notStarted is how each stage of a plan stands before it was begun.
func notStarted(plan patch.Plan) []patch.Outcome {
	return slices.Repeat([]patch.Outcome{patch.NotStarted}, len(plan.Stages))
}

// refuse closes what never became a wave: its plan cannot be read, or its id was another's, of whom evidence and
// notices tell. Whoever asks it is told how it ended and why. Its search attributes stay: by them the list of waves
// leaves it out.
func (w *wave) refuse(ctx workflow.Context, err error) error {
	w.reason = run.CodedReason(err)
	w.status.Outcome, w.status.Reason = notBegun(err), w.reason
	w.turnTo(ctx, patch.StateClosed, "")
	return err
}

// notBegun is how a wave ends that its preflight did not let begin: refused is our own verdict only.
func notBegun(err error) patch.Outcome {
	switch {
	case temporal.IsCanceledError(err):
		return patch.Aborted
	case patch.IsVerdict(run.ErrorType(err)):
		return patch.Refused
	}
	return patch.Failed
}

// endRefused ends a wave that was refused, or failed, before it changed anything.
func (w *wave) endRefused(ctx workflow.Context, err error) {
	w.reason = run.CodedReason(err)
	w.roster.keepLocked()
	w.release(ctx)
	if w.status.PutsBack != "" { // an earlier run may have put some of it back: how it stands nobody has looked at
		w.roster.groups = nil
	}
	w.finish(ctx, notBegun(err), nil)
}

// end lets everything go and tells how the wave ended.
func (w *wave) end(ctx workflow.Context, outcome patch.Outcome, stages []patch.Outcome) (*patch.WaveResult, error) {
	w.hooksAfter(ctx, outcome)
	closed := w.close(ctx, stages)
	w.blockAlike(ctx)
	result := w.finish(ctx, w.judgePutBack(w.judgeLatecomers(outcome, closed), closed), closed)
	if ctx.Err() != nil {
		// Cancelled: everything under way has been put back and the evidence tells it; the UI shows Canceled.
		return nil, temporal.NewCanceledError(*result)
	}
	return result, nil
}

// resolve reads the plan, and refuses one that says who may approve where nobody knows who started the wave.
func (w *wave) resolve(ctx workflow.Context) error {
	resolved, err := resolvePlan(ctx, w.request.Plan, w.status.WaveID)
	if err != nil {
		return err
	}
	w.plan, w.hash, w.announcer.notifies = resolved.Plan.Taking(w.request.Only), resolved.Hash, resolved.Notifies
	w.status.Only, w.over = w.request.Only, resolved.Over
	for _, stage := range w.plan.Stages {
		if stage.WantsFourEyes() && strings.TrimSpace(w.request.Actor) == "" {
			return run.Invalid("actor: is missing, and stage "+stage.Name+
				" demands four eyes: it must be known who started the wave", waveExample)
		}
	}
	w.status.Stages = stagesOf(w.plan)
	return nil
}

// startWords are why a wave was started, whom it takes, and which exceptions' day is over, for whoever is told that it
// has begun; "": there is nothing to say.
func startWords(request Request, over []string) string {
	var said []string
	if request.Reason != "" {
		said = append(said, request.Reason)
	}
	if only := strings.TrimPrefix(takesOnly(request.Only), ". "); only != "" {
		said = append(said, only)
	}
	for _, exception := range over {
		said = append(said, "The "+exception)
	}
	if len(said) > 1 {
		said[0] = strings.TrimSuffix(said[0], ".")
	}
	return strings.Join(said, ". ")
}

// resolvePlan reads the plan from the worker's configuration into history: a replay depends on no file.
func resolvePlan(ctx workflow.Context, plan, wave string) (resolved activities.ResolvedPlan, err error) {
	err = workflow.ExecuteActivity(run.Controlling(ctx, "what the plan says"), control.ResolvePlan,
		activities.ResolvePlanInput{
			Plan: plan, At: workflow.Now(ctx), WaveID: wave,
			Run: run.First(ctx),
		}).Get(ctx, &resolved)
	return resolved, err
}

// stagesOf are a plan's stages before anything is known of their groups.
func stagesOf(plan patch.Plan) []patch.StageStatus {
	stages := make([]patch.StageStatus, len(plan.Stages))
	for i, stage := range plan.Stages {
		stages[i] = patch.StageStatus{Name: stage.Name, Groups: []patch.GroupCounts{}, Steps: patch.StepsOf(stage)}
	}
	return stages
}

// enter changes the state and shows it where people look: status, search attributes, current details.
func (w *wave) enter(ctx workflow.Context, state patch.WaveState, awaiting string) {
	w.turnTo(ctx, state, awaiting)
	index(ctx, w.status)
}

// turnTo changes the state in status and current details.
func (w *wave) turnTo(ctx workflow.Context, state patch.WaveState, awaiting string) {
	if patch.NewHold(w.status.State, state) {
		w.status.Hold++
	}
	w.status.State, w.asks, w.status.Since = state, awaiting, workflow.Now(ctx)
	w.status.Verbs = w.currentStage().Offered(w.verbsIn(state))
	w.status.NotBy = ""
	if slices.Contains(w.status.Verbs, patch.Approve) {
		w.status.NotBy = w.currentStage().NotBy(w.request.Actor)
	}
	w.inbox.offer(w.status.Verbs, w.status.Point())
	w.status.Window = w.plan.Window
	w.log(ctx)
	w.show(ctx)
}

// index writes the search attributes by which waves are found. A failure to must not stop a wave; the status query
// still tells where it stands.
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
