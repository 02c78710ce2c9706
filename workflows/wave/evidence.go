package wave

import (
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/payload"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// evidence is what of a wave's decisions is written down.
type evidence struct {
	kept    int  // decisions that the store has
	keeping bool // they are being written
	unkept  bool // a decision that the store has is no longer as it is there
}

// due reports whether the store knows less than people decided.
func (e *evidence) due(decisions int) bool { return e.unkept || decisions > e.kept }

// begin notes that so many decisions are being written.
func (e *evidence) begin(decisions int) { e.kept, e.keeping, e.unkept = decisions, true, false }

// idle waits until nothing is being written. Two writers would race for the last version.
func (e *evidence) idle(clean workflow.Context) {
	// Its only error is a cancel, which this context does not have.
	_ = workflow.Await(clean, func() bool { return !e.keeping })
}

// close releases every group, collects the results and judges the stages.
func (w *wave) close(ctx workflow.Context, outcomes []patch.Outcome) []patch.StageResult {
	w.release(ctx)
	clean, _ := workflow.NewDisconnectedContext(ctx)
	stages := make([]patch.StageResult, len(w.plan.Stages))
	for i, stage := range w.plan.Stages {
		stages[i] = patch.StageResult{
			Name: stage.Name, Outcome: outcomes[i], Groups: []patch.GroupResult{}, Steps: w.status.Stages[i].Steps,
			Pinned: w.status.Stages[i].Pinned, Images: w.status.Stages[i].Images,
		}
		w.status.Stages[i].Outcome = outcomes[i]
	}
	for _, held := range w.roster.groups {
		if held.result != nil {
			stages[held.stage].Groups = append(stages[held.stage].Groups, held.result.Recalled())
		}
	}
	w.status.Stranded = w.stranded()
	w.expireBackups(clean)
	return stages
}

// judgeLatecomers takes in who joined a group after its stage had been judged, and tells how the wave ends with them.
func (w *wave) judgeLatecomers(outcome patch.Outcome, stages []patch.StageResult) patch.Outcome {
	outcomes := make([]patch.Outcome, len(stages))
	for i, stage := range stages {
		for _, group := range stage.Groups {
			judged := stage.Outcome.Judged(group.Gaps)
			if judged == stage.Outcome {
				continue
			}
			stages[i].Outcome, w.status.Stages[i].Outcome = judged, judged
			if name := group.Account + "/" + group.Region + "/" + group.Name; outcome.EndsWell() {
				w.reason = strings.TrimPrefix(w.reason+"; "+patch.Missed(name, group.Gaps), "; ")
			}
		}
		outcomes[i] = stages[i].Outcome
	}
	if !outcome.EndsWell() {
		return outcome
	}
	return patch.CombinedOutcome(outcomes)
}

// judgePutBack tells stages, and a wave, of which something was put back from those of which nothing was patched.
func (w *wave) judgePutBack(outcome patch.Outcome, stages []patch.StageResult) patch.Outcome {
	var outcomes []patch.Outcome
	for i, stage := range stages {
		var groups []patch.Outcome
		for _, group := range stage.Groups {
			groups = append(groups, group.Outcome)
		}
		stages[i].Outcome = stage.Outcome.JudgePutBack(groups)
		w.status.Stages[i].Outcome = stages[i].Outcome
		outcomes = append(outcomes, stages[i].Outcome)
	}
	return outcome.JudgePutBack(outcomes)
}

// expireBackups deletes what is past its retention; failing to is told in the log only, the next wave tries again.
func (w *wave) expireBackups(ctx workflow.Context) {
	seen := map[string]bool{}
	for _, held := range w.roster.groups {
		queue := names.ActivityQueue(held.group.Account, held.group.Region)
		if seen[queue] {
			continue
		}
		seen[queue] = true
		reads := run.Reading(ctx, held.group, w.plan.Timing)
		if _, err := run.ExpireBackups(reads, activities.ExpireInput{Group: held.group}); err != nil {
			workflow.GetLogger(ctx).Warn("expired backups not deleted", "queue", queue, "error", run.Reason(err))
		}
	}
}

// finish writes the evidence and the last state.
func (w *wave) finish(ctx workflow.Context, outcome patch.Outcome, stages []patch.StageResult) *patch.WaveResult {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	result := &patch.WaveResult{
		WaveID: w.status.WaveID, Plan: w.plan.Name, PutsBack: w.status.PutsBack, Outcome: outcome, Reason: w.reason,
		Stages: stages, Stranded: w.status.Stranded, Hooks: w.status.Hooks,
	}
	if result.Stages == nil {
		result.Stages = []patch.StageResult{}
	}
	if result.Stranded == nil {
		result.Stranded = []patch.Stranded{}
	}
	w.status.Outcome, w.status.Reason = outcome, w.reason
	w.enter(clean, patch.StateClosed, "")
	w.evidence.idle(clean)
	w.save(clean, *result)
	w.tellEnd(clean, *result)
	told := result.Told()
	return &told
}

// keepDecisions writes what people decide to the evidence as they decide it: a wave that is terminated tells at least
// that.
func (w *wave) keepDecisions(ctx workflow.Context) {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	workflow.Go(clean, func(c workflow.Context) {
		for {
			if err := workflow.Await(c, func() bool {
				return w.evidence.due(len(w.status.Decisions)) && w.status.State != patch.StateClosed
			}); err != nil {
				return
			}
			w.evidence.begin(len(w.status.Decisions))
			w.save(c, w.soFar())
			w.evidence.keeping = false
		}
	})
}

// save writes the wave's document; a store that stays away does not undo what was patched, but it is told.
func (w *wave) save(ctx workflow.Context, result patch.WaveResult) {
	document := activities.WaveDocument{
		Version: 1, Run: run.First(ctx), Status: w.status, Result: result, Plan: w.plan, Hash: w.hash,
		Runbooks: map[string]activities.Runbook{},
	}
	for _, held := range w.roster.groups {
		document.Runbooks[held.group.Account.ID+"/"+held.group.Region] = held.runbook
	}
	if err := saveDocument(ctx, document); err != nil {
		workflow.GetLogger(ctx).Error("evidence not written", "wave", w.status.WaveID, "error", run.Reason(err))
	}
}

// saveDocument hands a wave's document over: as it is, or in pages where it is too large for one activity.
func saveDocument(ctx workflow.Context, document activities.WaveDocument) error {
	input := activities.SaveWaveInput{WaveID: document.Status.WaveID, Of: run.Itself(ctx)}
	options := run.Controlling(ctx, "the wave's evidence")
	pages, err := payload.Pages(document)
	if err != nil {
		return err
	}
	if len(pages) == 0 {
		input.Document = &document
	}
	for i, page := range pages {
		if err := workflow.ExecuteActivity(options, control.SavePage, activities.SavePageInput{
			WaveID: input.WaveID, Page: i, Content: page, Of: input.Of,
		}).Get(ctx, nil); err != nil {
			return err
		}
		input.Pages = append(input.Pages, payload.Sum(page))
	}
	return workflow.ExecuteActivity(options, control.SaveWave, input).Get(ctx, nil)
}

// keepParked leaves the results so far in the evidence: a wave that is terminated while it is parked can be rolled
// back.
func (w *wave) keepParked(ctx workflow.Context) {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	w.evidence.idle(clean)
	w.save(clean, w.soFar())
}

// soFar is the wave's result while it is under way: groups that have ended, or are parked, are in it, and those that go
// on in a later window with what is known of them.
func (w *wave) soFar() patch.WaveResult {
	result := patch.WaveResult{
		WaveID: w.status.WaveID, Plan: w.plan.Name, Stages: []patch.StageResult{}, Stranded: []patch.Stranded{},
	}
	if w.parking.since.IsZero() {
		return result
	}
	for i, stage := range w.plan.Stages {
		so := patch.StageResult{Name: stage.Name, Outcome: patch.NotStarted, Groups: []patch.GroupResult{}}
		for _, held := range w.roster.of(i) {
			if known := held.soFar(); known != nil {
				so.Groups = append(so.Groups, known.Recalled())
			}
		}
		result.Stages = append(result.Stages, so)
	}
	return result
}

// soFar is what is known of a group: its result, or of one that goes on in a later window what it had done before, with
// the failures that it has told since. Nil: nothing.
func (h *lockedGroup) soFar() *patch.GroupResult {
	if h.result != nil || h.kept == nil {
		return h.result
	}
	known := *h.kept
	known.Instances = patch.Newest(h.kept.Instances, h.counts.Failed)
	known.Stranded = h.counts.Stranded
	return &known
}
