package wave

import (
	"fmt"
	"slices"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
	"github.com/patchtide/patchtide/workflows/notice"
)

// mostFailureNotices bounds what a wave tells of failed instances one by one: whoever got that many reads no more of
// them, and each hold and the wave's end tell the rest.
const mostFailureNotices = 20

// announcer is what people were told by notices.
type announcer struct {
	notifies bool                    // the worker has a channel for notices
	told     int                     // notices so far
	failures int                     // of them, of failed instances
	failed   []patch.NoticedInstance // those instances
}

// number gives a notice a key of its own.
func (a *announcer) number(runID string, of patch.Notice) string {
	a.told++
	return fmt.Sprintf("%s/%s/%s-%d", of.WaveID, runID, of.Kind, a.told)
}

// fresh are the failed instances of groups that nobody was told of; none once enough was told.
func (a *announcer) fresh(groups []*lockedGroup) []patch.NoticedInstance {
	var fresh []patch.NoticedInstance
	for _, held := range groups {
		failed := held.counts.Failed
		if held.putsBack() { // what it failed at was told before, and is why
			failed = slices.DeleteFunc(slices.Clone(failed), func(instance patch.InstanceResult) bool {
				return instance.Outcome == patch.RolledBack
			})
		}
		fresh = append(fresh, noticed(held.group.String(), failed)...)
	}
	fresh = slices.DeleteFunc(fresh, func(one patch.NoticedInstance) bool { return slices.Contains(a.failed, one) })
	if len(fresh) == 0 || a.failures >= mostFailureNotices {
		return nil
	}
	a.failures++
	a.failed = append(a.failed, fresh...)
	return fresh
}

// tell tells people where the wave stands now. A worker without channels tells nobody and asks Temporal for nothing:
// ResolvePlan's answer, which is in the history, decides it.
func (w *wave) tell(ctx workflow.Context, kind patch.NoticeKind, more ...func(*patch.Notice)) {
	if !w.announcer.notifies {
		return
	}
	runID := workflow.GetInfo(ctx).WorkflowExecution.RunID
	told := patch.Notice{
		Kind: kind, At: workflow.Now(ctx), WaveID: w.status.WaveID, RunID: runID, PutsBack: w.status.PutsBack,
		Plan: w.plan.Name, Stage: w.status.Stage, Step: w.status.Current().Step(), Hold: w.status.Point().Hold,
		Why: w.asks, RollsBack: w.status.RollsBack,
		NotBy: w.status.NotBy,
		Verbs: slices.DeleteFunc(slices.Clone(w.status.Verbs), func(v patch.Verb) bool { return !v.Decides() }),
	}
	if w.plan.Window != nil {
		told.Cutoff = &w.plan.Window.Cutoff
	}
	told.Key = w.announcer.number(runID, told)
	for _, fill := range more {
		fill(&told)
	}
	sent := notice.Tell(ctx, told)
	clean, _ := workflow.NewDisconnectedContext(ctx)
	workflow.Go(clean, func(ctx workflow.Context) {
		if err := sent.Get(ctx, nil); err != nil && !temporal.IsWorkflowExecutionAlreadyStartedError(err) {
			w.status.NotTold = append(w.status.NotTold, fmt.Sprintf("%s: %s", kind.Words(), run.Reason(err)))
			w.show(ctx)
		}
	})
}

// by says who did it and why.
func by(actor, why string) func(*patch.Notice) {
	return func(n *patch.Notice) { n.Actor, n.Why = actor, why }
}

// unless says what is decided when nobody answers within the timeout; 0: nothing, ever.
func unless(ctx workflow.Context, timeout patch.Duration, otherwise patch.Verb) func(*patch.Notice) {
	until := workflow.Now(ctx).Add(timeout.D())
	return func(n *patch.Notice) {
		if timeout > 0 {
			n.Otherwise, n.Until = otherwise, &until
		}
	}
}

// failing names the failed instances of groups.
func failing(groups []*lockedGroup) func(*patch.Notice) {
	return func(n *patch.Notice) {
		for _, held := range groups {
			n.Instances = append(n.Instances, noticed(held.group.String(), held.counts.Failed)...)
		}
		n.Instances = n.Instances[:min(len(n.Instances), run.MostListed)]
	}
}

func noticed(group string, instances []patch.InstanceResult) []patch.NoticedInstance {
	list := make([]patch.NoticedInstance, len(instances))
	for i, instance := range instances {
		list[i] = patch.NoticedInstance{
			Group: group, ID: instance.ID, Outcome: instance.Outcome, Reason: instance.Reason,
		}
	}
	return list
}

// tellFailures tells of the failed instances of groups that were not told of before.
func (w *wave) tellFailures(ctx workflow.Context, groups ...*lockedGroup) {
	fresh := w.announcer.fresh(groups)
	if len(fresh) == 0 {
		return
	}
	w.tell(ctx, patch.NoticeFailedInstance, func(n *patch.Notice) {
		n.Why, n.Instances = "", fresh[:min(len(fresh), run.MostListed)]
	})
}

// tellEnd tells how the wave ended.
func (w *wave) tellEnd(ctx workflow.Context, result patch.WaveResult) {
	kind := patch.NoticeFinished
	if result.Outcome == patch.RolledBack {
		kind = patch.NoticeRolledBack
	}
	w.tell(ctx, kind, func(n *patch.Notice) {
		n.Stage, n.Hold = "", 0
		w.tellAlike(n)
		n.Why, n.Outcome, n.Tally = result.Reason, result.Outcome, patch.Tally{}
		n.Stranded = result.Stranded[:min(len(result.Stranded), run.MostListed)]
		for _, stage := range result.Stages {
			for _, group := range stage.Groups {
				for _, instance := range group.Instances {
					n.Tally[instance.Outcome]++
				}
			}
		}
	})
}
