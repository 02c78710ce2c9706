package wave

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/payload"
	"github.com/patchtide/patchtide/workflows/internal/run"
	"github.com/patchtide/patchtide/workflows/service"
)

// RollBackRequest asks RollBackWave to put back what a closed wave patched.
type RollBackRequest struct {
	WaveID string `json:"wave_id"` // the wave's workflow id
	Actor  string `json:"actor"`   // who asks
	Reason string `json:"reason"`  // why
	// AcceptLoss goes on although more than the patches would be lost; without it that is refused and the loss listed.
	AcceptLoss bool `json:"accept_loss,omitempty"`
	// Blame names packages, with commas between, or all of what the wave's instances got: they are blocked first.
	Blame string `json:"blame,omitempty"`

	broken error
}

const rollBackExample = `{"wave_id": "wave-web-20261122-020000", "actor": "you", ` +
	`"reason": "the new openssl breaks logins"}`

// UnmarshalJSON decodes strictly and keeps the error for Validate.
func (r *RollBackRequest) UnmarshalJSON(data []byte) error {
	type plain RollBackRequest
	r.broken = run.Strict(data, (*plain)(r))
	return nil
}

// Validate answers with InvalidInput what is wrong and shows a right example.
func (r RollBackRequest) Validate() error {
	switch {
	case r.broken != nil:
		return run.Invalid(r.broken.Error(), rollBackExample)
	case strings.TrimSpace(r.WaveID) == "":
		return run.Invalid("wave_id: is missing; it is the wave's workflow id", rollBackExample)
	}
	if err := names.CheckRollsBack(r.WaveID); err != nil {
		return run.Invalid("wave_id: "+err.Error(), rollBackExample)
	}
	if err := patch.Answered(r.Actor, r.Reason); err != nil {
		return run.Invalid(err.Error(), rollBackExample)
	}
	return nil
}

// Types of errors that end a RollBackWave before anything was changed.
const (
	ErrWaveRunning         = "WaveRunning"         // send the wave the verb roll_back instead
	ErrDataLoss            = "DataLoss"            // more than the patches would be lost; the message lists what
	ErrNotRestorable       = "NotRestorable"       // nothing of what the wave patched can be put back
	ErrUnsupportedEvidence = "UnsupportedEvidence" // the evidence is of another version of Patchtide
)

// RollBackWave puts back every instance that a closed wave patched, from the wave's evidence: the groups under their
// locks, one instance at a time, with health checks. Instances gone since are told apart, and those put back already
// are left alone, so that it may be run again. It shows itself as a wave does, takes the verb abort (give up on what
// cannot be put back), and leaves a document of its own.
func RollBackWave(ctx workflow.Context, request RollBackRequest) (*patch.WaveResult, error) {
	return unlessReset(ctx, func(ctx workflow.Context) (*patch.WaveResult, error) { return rollBackWave(ctx, request) })
}

func rollBackWave(ctx workflow.Context, request RollBackRequest) (*patch.WaveResult, error) {
	w := &wave{run: "-" + workflow.Now(ctx).UTC().Format(time.RFC3339Nano) + "-", began: workflow.Now(ctx)}
	w.status = patch.WaveStatus{
		WaveID: workflow.GetInfo(ctx).WorkflowExecution.ID, PutsBack: request.WaveID, Stages: []patch.StageStatus{},
	}
	if err := request.Validate(); err != nil {
		return nil, err
	}
	if err := names.CheckWaveID(w.status.WaveID); err != nil {
		return nil, run.Invalid(err.Error(), rollBackExample)
	}
	if err := w.answer(ctx); err != nil {
		return nil, err
	}
	w.enter(ctx, patch.StateResolving, "")
	unended, err := w.readWave(ctx, request.WaveID)
	if err != nil {
		return nil, w.refuse(ctx, err)
	}
	w.enter(ctx, patch.StatePreflight, "")
	decision := patch.Decision{
		Verb: patch.RollBack, Scope: patch.ScopeWave, Actor: request.Actor, Reason: request.Reason, At: workflow.Now(ctx),
		Blame: request.Blame,
	}
	w.status.Decisions = append(w.status.Decisions, decision)
	caveat, err := w.mayRollBack(ctx, request)
	if w.inbox.aborts() && (err == nil || temporal.IsCanceledError(err)) {
		return w.endUnbegun(ctx), nil
	}
	if err != nil {
		w.endRefused(ctx, err)
		return nil, err
	}
	if request.Blame != "" {
		if err := w.blameNow(ctx, decision); err != nil {
			w.endRefused(ctx, err)
			return nil, err
		}
	}
	w.tell(ctx, patch.NoticeStarted, by(request.Actor, request.Reason))
	outcome := w.rollBack(ctx, len(w.plan.Stages)-1, decision)
	w.tellReleased(ctx)
	switch {
	case !w.wantsAny():
		w.reason += "; nothing was left to put back"
		if before := w.status.PutBackBefore; before != "" {
			w.reason += ": already put back by " + before
		}
		outcome = patch.NothingPutBack
	case caveat != "":
		w.reason += "; " + caveat
	}
	w.reason += unended
	for _, one := range w.released[:min(len(w.released), run.MostListed)] {
		w.reason += "; " + one.Resource + ": " + one.State
	}
	if w.unknown || len(w.released) > 0 {
		outcome = patch.Failed
	}
	outcomes := notStarted(w.plan)
	for stage := range outcomes {
		if len(w.roster.of(stage)) > 0 {
			outcomes[stage] = w.status.Stages[stage].Outcome
		}
	}
	return w.end(ctx, outcome, outcomes)
}

// endUnbegun ends a roll back that was aborted before it has put anything back.
func (w *wave) endUnbegun(ctx workflow.Context) *patch.WaveResult {
	w.reason = "aborted: " + w.whoAborted(ctx) + "; this run has put nothing back"
	w.roster.keepLocked()
	w.release(ctx)
	w.roster.groups = nil // how they stand it has not looked at
	return w.finish(ctx, patch.Aborted, nil)
}

// readWave reads what the wave left, and keeps of it the groups where instances are patched still. It says what the
// wave's evidence does not tell; "" where it tells all.
func (w *wave) readWave(ctx workflow.Context, id string) (unended string, err error) {
	read, err := readLeft(ctx, id)
	if err != nil {
		return "", err
	}
	if len(read.UnderWay) > 0 { // what it had under way puts itself back, and tells then what it left
		if err := service.AwaitClosed(ctx, id, read.UnderWay); err != nil {
			return "", err
		}
		if read, err = readLeft(ctx, id); err != nil {
			return "", err
		}
	}
	document := read.Document
	if len(read.Pages) > 0 {
		if document, err = readPages(ctx, id, read.Pages); err != nil {
			return "", err
		}
	}
	switch {
	case read.Running:
		return "", temporal.NewNonRetryableApplicationError(fmt.Sprintf(
			"wave %s still runs: send it the Update roll_back with scope wave (patchtide wave roll-back %s --scope wave), "+
				"which it takes while it patches and on hold; if it awaits an approval, reject that, then ask again",
			id, id), ErrWaveRunning, nil)
	case document.Version != 1 || document.Result.WaveID != id:
		return "", temporal.NewNonRetryableApplicationError(fmt.Sprintf("the evidence of wave %s is of version %d and "+
			"tells of %q; this Patchtide reads version 1: use the one that wrote it",
			id, document.Version, document.Result.WaveID), ErrUnsupportedEvidence, nil)
	case read.Left, document.Status.State != patch.StateClosed:
		unended = fmt.Sprintf("; wave %s did not end by itself: what it had patched is known from its journal", id)
	}
	if len(read.Unsettled) > 0 {
		unended += fmt.Sprintf("; what was under way then is not put back yet: %s: run `patchtide reconcile`, then roll back "+
			"again", listed(read.Unsettled))
	}
	if len(read.Unproven) > 0 {
		unended += fmt.Sprintf("; records of its journal cannot be believed, and what they tell of is not put back: %s",
			listed(read.Unproven))
	}
	w.status.PutBackBefore = read.PutBackBefore
	w.unknown = len(read.Unsettled)+len(read.Unproven) > 0
	w.plan, w.hash, w.announcer.notifies = document.Plan, document.Hash, read.Notifies
	w.plan.Window = nil // putting back is allowed at any time
	w.status.Plan, w.status.Stages = document.Plan.Name, stagesOf(document.Plan)
	for _, stage := range document.Result.Stages {
		for _, group := range stage.Groups {
			w.keepPatched(stage.Name, group)
			w.keepQuarantined(group)
		}
	}
	return unended, nil
}

func readLeft(ctx workflow.Context, id string) (read activities.WaveRead, err error) {
	err = workflow.ExecuteActivity(run.Controlling(ctx, "what the wave's evidence says"), control.ReadWave,
		activities.ReadWaveInput{WaveID: id}).Get(ctx, &read)
	return read, err
}

// readPages reads a document that is too large for one activity. A page that is not as it was listed was written since.
func readPages(ctx workflow.Context, id string, sums []string) (document activities.WaveDocument, err error) {
	pages := make([][]byte, len(sums))
	for i, sum := range sums {
		var page activities.WavePage
		if err := workflow.ExecuteActivity(run.Controlling(ctx, "what the wave's evidence says"), control.ReadWavePage,
			activities.ReadWavePageInput{WaveID: id, Page: i}).Get(ctx, &page); err != nil {
			return document, err
		}
		if payload.Sum(page.Content) != sum {
			return document, temporal.NewNonRetryableApplicationError("the evidence of wave "+id+
				" was written while it was read: ask again", activities.ErrEvidence, nil)
		}
		pages[i] = page.Content
	}
	return document, payload.Unpack(pages, &document)
}

// keepPatched makes a group of the wave one of ours, if the wave left instances of it patched, or its launch template
// with another image.
func (w *wave) keepPatched(stage string, was patch.GroupResult) {
	var patched []patch.InstanceResult
	for _, instance := range was.Instances {
		if !instance.WantsRollBack() {
			continue
		}
		patched = append(patched, instance.ForRollBack())
	}
	if len(patched) == 0 && !was.Image.Undoes() {
		return
	}
	for i := range w.plan.Stages {
		if w.plan.Stages[i].Name != stage {
			continue
		}
		for _, group := range w.plan.Stages[i].Groups {
			if group.Account.Name == was.Account && group.Region == was.Region && group.Name() == was.Name {
				held := &lockedGroup{group: group, stage: i, workflowID: names.GroupLock(group)}
				held.results, held.started, held.image = patched, true, was.Image
				held.counts.Total, held.counts.Patched = len(patched), len(patched)
				held.counts.Tally = patch.TallyOf(patched)
				w.roster.groups = append(w.roster.groups, held)
			}
		}
	}
}

// listed names a few, and counts the others.
func listed(all []string) string {
	if more := len(all) - run.MostListed; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(all[:run.MostListed], ", "), more)
	}
	return strings.Join(all, ", ")
}

// wantsAny reports whether anything was to be put back.
func (w *wave) wantsAny() bool {
	for _, held := range w.roster.groups {
		if held.image.Undoes() || slices.ContainsFunc(held.results, patch.InstanceResult.WantsRollBack) {
			return true
		}
	}
	return false
}
