package wave

import (
	"fmt"
	"slices"
	"strings"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// verdicts is what stands against rolling a wave back, an instance a line.
type verdicts struct {
	able    int            // instances that can be put back
	begins  bool           // a group of such may begin
	refusal *patch.Refusal // why the first group of such may not; it keeps no other from it, and says so itself
	losses  []string       // what would be lost beyond the patches
	unable  []string       // what cannot be put back at all
	joined  []string       // to a domain, which may no longer trust it
	unknown []string       // nobody knows whether it is joined
}

// mayRollBack takes the locks, then looks at every instance and judges it, before anything is changed. What would be
// lost, or cannot be put back, refuses the whole unless the loss is accepted; then those that can be put back are. It
// says which machines may lose more than their patches; "" where none does.
func (w *wave) mayRollBack(ctx workflow.Context, request RollBackRequest) (caveat string, err error) {
	if err := w.lock(ctx); err != nil {
		return "", err
	}
	var found verdicts
	for _, held := range w.roster.groups {
		state, views, err := w.viewGroup(ctx, held)
		if err != nil {
			return "", run.PreflightError(held.group, err)
		}
		before := found.able
		for i, view := range views {
			found.judge(held, i, view, w.plan)
		}
		if found.able > before {
			found.ask(patch.View{
				Group: held.group, Policy: patch.PolicyOf(w.plan, w.plan.Stages[held.stage]), Now: workflow.Now(ctx),
				State: &state,
			})
		}
	}
	caveat = patch.DomainCaveat(found.joined, found.unknown)
	switch {
	case found.able == 0 && len(found.unable) > 0:
		return "", temporal.NewNonRetryableApplicationError(fmt.Sprintf(
			"nothing of wave %s can be put back; nothing was changed:\n%s", request.WaveID, named(found.unable)),
			ErrNotRestorable, nil)
	case found.refusal != nil && !found.begins:
		return "", run.Refused(found.refusal)
	case !request.AcceptLoss && len(found.losses)+len(found.unable) > 0:
		return "", temporal.NewNonRetryableApplicationError(found.text(request.WaveID, caveat), ErrDataLoss, nil)
	}
	return caveat, nil
}

// ask asks the table of checks whether a group may begin to put back.
func (v *verdicts) ask(view patch.View) {
	refusal := patch.First(patch.LevelPutBack, view)
	v.begins = v.begins || refusal == nil
	if v.refusal == nil {
		v.refusal = refusal
	}
}

// judge judges the group's i-th instance, and keeps the verdict in its results.
func (v *verdicts) judge(held *lockedGroup, i int, view patch.RollBackView, plan patch.Plan) {
	judged := patch.JudgeRollBack(view, plan.Timing.RollbackMaxAge)
	was := &held.results[i]
	was.Outcome, was.Reason = judged.Verdict.Ends(), judged.Reason
	name := fmt.Sprintf("%s/%s", held.group, was.ID)
	switch judged.Verdict {
	case patch.PutBackCan:
		v.able++
		switch domain := view.DomainJoined(); {
		case plan.Platform != patch.Windows:
		case domain == nil:
			v.unknown = append(v.unknown, name)
		case *domain:
			v.joined = append(v.joined, name)
		}
	case patch.PutBackCannot:
		was.StillPatched = true
		v.unable = append(v.unable, name+": "+judged.Reason)
	}
	for _, loss := range judged.Losses {
		v.losses = append(v.losses, name+": "+loss)
	}
}

// text says what would be lost, and how to go on all the same.
func (v *verdicts) text(waveID, caveat string) string {
	var text strings.Builder
	fmt.Fprintf(&text, "rolling back wave %s was refused, and nothing was changed.", waveID)
	if len(v.losses) > 0 {
		fmt.Fprintf(&text, " It would lose, beyond the patches:\n%s", named(v.losses))
	}
	if len(v.unable) > 0 {
		fmt.Fprintf(&text, " These cannot be put back at all and would stay patched:\n%s", named(v.unable))
	}
	if caveat != "" {
		text.WriteString(caveat + ". ")
	}
	fmt.Fprintf(&text, "Ask again with accept_loss (patchtide wave roll-back %s --accept-loss) to go on all the same",
		waveID)
	return text.String()
}

// named lists what is said of instances, one a line.
func named(lines []string) string {
	var text strings.Builder
	for i, line := range lines {
		if i == run.MostListed {
			fmt.Fprintf(&text, "- and %d more\n", len(lines)-i)
			break
		}
		text.WriteString("- " + line + "\n")
	}
	return text.String()
}

// viewGroup reads what is needed to judge a group and its instances, in the order of its results.
func (w *wave) viewGroup(
	ctx workflow.Context, held *lockedGroup,
) (state patch.GroupState, views []patch.RollBackView, err error) {
	views = make([]patch.RollBackView, len(held.results))
	for i, was := range held.results {
		views[i].Was = was
	}
	state, err = w.readGroup(ctx, held.group)
	if err != nil || len(state.Members) == 0 { // it is gone, and its instances with it
		return state, views, err
	}
	for part := range slices.Chunk(views, run.Batch) {
		for i := range part {
			part[i].Member, _ = state.Member(part[i].Was.ID)
		}
		if err := w.viewBatch(ctx, held.group, part); err != nil {
			return state, nil, err
		}
	}
	return state, views, nil
}

// viewBatch reads the backups of some instances at once and asks those that are there for their packages. One that does
// not answer is no error: a patch that went wrong may be why it is to be put back.
func (w *wave) viewBatch(ctx workflow.Context, group patch.Group, views []patch.RollBackView) error {
	t := w.plan.Timing
	var ids []string
	answers := make([]workflow.Future, len(views))
	for i, view := range views {
		if view.Was.Backup != nil && view.Was.Backup.SnapshotID != "" {
			ids = append(ids, view.Was.Backup.SnapshotID)
		}
		if !view.Member.Present() {
			continue
		}
		options := run.Summed(run.Waiting(ctx, group, t, t.Agent), "what changed since the wave: "+view.Was.ID)
		answers[i] = workflow.ExecuteActivity(options, aws.CollectMachineFacts, activities.CollectMachineFactsInput{
			Instance: activities.Instance{Group: group, ID: view.Was.ID}, Platform: w.plan.Platform,
			Attempt: run.Anew(ctx, run.Attempt(w.status.WaveID, view.Was.ID, "facts-now"+w.run, 0)), Budget: t.Agent,
			Pace: run.Pace(t),
		})
	}
	slices.Sort(ids)
	var backups activities.Backups
	if err := workflow.ExecuteActivity(run.Reading(ctx, group, t), aws.ReadBackups, activities.ReadBackupsInput{
		Group: group, SnapshotIDs: slices.Compact(ids),
	}).Get(ctx, &backups); err != nil {
		return err
	}
	for i := range views {
		views[i].At = backups.At
		if views[i].Was.Backup != nil {
			views[i].Snapshot = backups.States[views[i].Was.Backup.SnapshotID]
		}
		if answers[i] == nil {
			continue
		}
		var facts patch.MachineFacts
		err := answers[i].Get(ctx, &facts)
		switch {
		case err == nil:
			views[i].Facts = &facts
		case ctx.Err() != nil:
			return ctx.Err()
		case run.IsType(err, activities.ErrGone):
			views[i].Member = patch.Member{}
		case !run.IsType(err, activities.ErrNotReady):
			return err
		}
	}
	return nil
}
