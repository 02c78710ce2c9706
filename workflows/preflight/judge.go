package preflight

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// JudgeInput starts JudgeGroups.
type JudgeInput struct {
	WaveID string
	Run    string                   // the roll back's: a second one of the same wave makes attempts of its own
	Plan   patch.Plan               // the wave's, with the batch's groups only
	Was    [][]patch.InstanceResult // of each of these groups, what the wave left patched
}

// Judged is what stands against putting back a group's instances.
type Judged struct {
	Instances []JudgedInstance // in the order they were given in
	Refusal   *patch.Refusal   // why the group may not begin; nil: it may, or has nothing that can be put back
}

// JudgedInstance is a verdict of one instance.
type JudgedInstance struct {
	patch.RollBackJudgement
	Joined *bool // to a domain; nil: nobody knows
}

// JudgeGroups looks at every instance that a closed wave left patched, and judges whether it can be put back. It
// changes nothing.
func JudgeGroups(ctx workflow.Context, in JudgeInput) ([]Judged, error) {
	var groups []judging
	for _, stage := range in.Plan.Stages {
		for _, group := range stage.Groups {
			groups = append(groups, judging{in, group, stage, in.Was[len(groups)]})
		}
	}
	return ofEach(ctx, in.WaveID, groups, func(ctx workflow.Context, group judging) (Judged, error) {
		return group.judge(ctx)
	})
}

// judging is one group of a batch.
type judging struct {
	JudgeInput
	group patch.Group
	stage patch.Stage
	was   []patch.InstanceResult
}

func (j judging) judge(ctx workflow.Context) (judged Judged, err error) {
	state, err := read(ctx, j.group, j.Plan.Timing)
	if err != nil {
		return judged, run.PreflightError(j.group, err)
	}
	views := make([]patch.RollBackView, len(j.was))
	for i, was := range j.was {
		views[i].Was = was
		views[i].Member, _ = state.Member(was.ID)
	}
	if len(state.Members) > 0 { // else it is gone, and its instances with it
		for part := range slices.Chunk(views, run.Batch) {
			if err := j.view(ctx, part); err != nil {
				return judged, run.PreflightError(j.group, err)
			}
		}
	}
	able := false
	for _, view := range views {
		verdict := patch.JudgeRollBack(view, j.Plan.Timing.RollbackMaxAge)
		able = able || verdict.Verdict == patch.PutBackCan
		judged.Instances = append(judged.Instances, JudgedInstance{verdict, view.DomainJoined()})
	}
	if able {
		judged.Refusal = patch.First(patch.LevelPutBack, patch.View{
			Group: j.group, Policy: patch.PolicyOf(j.Plan.Of(j.group), j.stage), Now: workflow.Now(ctx), State: &state,
		})
	}
	return judged, nil
}

// view reads the backups of some instances at once and asks those that are there for their packages. One that does not
// answer is no error: a patch that went wrong may be why it is to be put back.
func (j judging) view(ctx workflow.Context, views []patch.RollBackView) error {
	t := j.Plan.Timing
	var ids []string
	answers := make([]workflow.Future, len(views))
	for i, view := range views {
		if view.Was.Backup != nil && view.Was.Backup.SnapshotID != "" {
			ids = append(ids, view.Was.Backup.SnapshotID)
		}
		if !view.Member.Present() {
			continue
		}
		options := run.Summed(run.Waiting(ctx, j.group, t, t.Agent), "what changed since the wave: "+view.Was.ID)
		answers[i] = workflow.ExecuteActivity(options, aws.CollectMachineFacts, activities.CollectMachineFactsInput{
			Instance: activities.Instance{Group: j.group, ID: view.Was.ID}, Platform: j.Plan.Of(j.group).Platform,
			Attempt: run.Anew(ctx, run.Attempt(j.WaveID, view.Was.ID, "facts-now"+j.Run, 0)), Budget: t.Agent,
			Pace: run.Pace(t),
		})
	}
	slices.Sort(ids)
	var backups activities.Backups
	if err := workflow.ExecuteActivity(run.Reading(ctx, j.group, t), aws.ReadBackups, activities.ReadBackupsInput{
		Group: j.group, SnapshotIDs: slices.Compact(ids),
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
