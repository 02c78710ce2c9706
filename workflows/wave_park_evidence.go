package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/patch"
)

// keepParked leaves the results so far in the evidence: a wave that is terminated while it is parked can be rolled back.
func (w *wave) keepParked(ctx workflow.Context) {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	// Its only error is a cancel, which this context does not have.
	_ = workflow.Await(clean, func() bool { return !w.keeping })
	w.save(clean, w.soFar())
}

// soFar is the wave's result while it is under way: groups that have ended, or are parked, are in it, and those that go on in a later
// window with what is known of them.
func (w *wave) soFar() patch.WaveResult {
	result := patch.WaveResult{WaveID: w.status.WaveID, Plan: w.plan.Name, Stages: []patch.StageResult{}, Stranded: []patch.Stranded{}}
	if w.parkedAt.IsZero() {
		return result
	}
	for i, stage := range w.plan.Stages {
		result.Stages = append(result.Stages, patch.StageResult{Name: stage.Name, Outcome: patch.NotStarted, Groups: []patch.GroupResult{}})
		for _, held := range w.stageGroups(i) {
			if known := held.soFar(); known != nil {
				result.Stages[i].Groups = append(result.Stages[i].Groups, *known)
			}
		}
	}
	return result
}

// soFar is what is known of a group: its result, or of one that goes on in a later window what it had done before, with the failures that
// it has told since. Nil: nothing.
func (h *heldGroup) soFar() *patch.GroupResult {
	if h.result != nil || h.kept == nil {
		return h.result
	}
	known := *h.kept
	known.Instances = patch.Newest(h.kept.Instances, h.counts.Failed)
	known.Stranded = h.counts.Stranded
	return &known
}
