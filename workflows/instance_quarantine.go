package workflows

import (
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
)

// QuarantineRecord is what keeping an unfit instance out of its group changes, and what releasing it needs.
type QuarantineRecord struct {
	Why           string
	At            time.Time
	Until         time.Time // zero: until a person decides
	DesiredWanted int       // of its Auto Scaling group: the capacity it gets back
	Members       []string  // of its Auto Scaling group, without it: one launched since stands in its place
	Isolation     *activities.Isolation
}

// keepsQuarantine tells a run that journals a quarantine, tags the instance and isolates it. One that began before only
// detached it.
func keepsQuarantine(ctx workflow.Context) bool {
	return workflow.GetVersion(ctx, "quarantine-is-kept", workflow.DefaultVersion, 1) != workflow.DefaultVersion
}

// quarantine takes an unfit instance out of its group, gives the group its capacity back and isolates the machine, which is
// kept for forensics until its time is over; unless the plan replaces what fails.
func (s *saga) quarantine(ctx workflow.Context) error {
	s.enter(ctx, patch.StepQuarantine)
	s.note("%s", s.unfit)
	kept := keepsQuarantine(ctx)
	if !s.in.Group.IsAutoScaling() && !kept {
		s.status.Result.Outcome = patch.Quarantined
		return nil
	}
	quarantine := s.record.Quarantine
	if quarantine == nil {
		var err error
		if quarantine, err = s.planQuarantine(ctx); err != nil {
			return err
		}
	}
	replaces := s.in.Policy.Restore == patch.RestoreReplace && s.in.Group.IsAutoScaling()
	if kept && !replaces {
		s.record.Quarantine = quarantine
		if err := s.record.write(ctx); err != nil {
			return err
		}
		if err := s.undone(ctx, aws.TagQuarantined, activities.QuarantineTagInput{
			Instance: s.instance(), Journal: s.journal().Journal, Until: quarantine.Until,
		}); err != nil {
			return err
		}
	}
	if s.in.Group.IsAutoScaling() {
		var detached activities.DetachResult
		if err := s.read(ctx, aws.Detach, activities.DetachInput{
			Instance: s.instance(), DesiredWanted: quarantine.DesiredWanted, WaveID: s.in.WaveID, Pace: s.pace(),
		}, &detached); err != nil {
			return err
		}
		s.leftForGood(detached)
	}
	s.status.Result.Outcome = patch.Quarantined
	switch {
	case replaces:
		return s.replace(ctx, quarantine)
	case kept:
		s.noteQuarantine(quarantine)
		s.isolate(ctx)
	}
	return nil
}

// planQuarantine reads what the quarantine will change. Standby had lowered desired by one; detaching gives that one back.
func (s *saga) planQuarantine(ctx workflow.Context) (*QuarantineRecord, error) {
	now := workflow.Now(ctx)
	planned := &QuarantineRecord{Why: s.unfit, At: now, Until: s.in.Policy.Quarantine.Until(now)}
	if !s.in.Group.IsAutoScaling() {
		planned.Until = time.Time{} // nothing takes its place: a person decides
		return planned, nil
	}
	var state patch.GroupState
	if err := s.read(ctx, aws.InspectGroup, activities.InspectGroupInput{Group: s.in.Group}, &state); err != nil {
		return nil, err
	}
	planned.DesiredWanted = state.Desired + 1
	planned.Members = slices.DeleteFunc(memberIDs(state), func(id string) bool { return id == s.in.Instance })
	return planned, nil
}

func (s *saga) noteQuarantine(quarantine *QuarantineRecord) {
	until := "until a person decides"
	if !quarantine.Until.IsZero() {
		until = "until " + quarantine.Until.UTC().Format("2006-01-02 15:04 MST") + ", then it is terminated"
	}
	s.note("quarantined %s: patchtide quarantine release, or terminate, %s", until, s.in.Instance)
}

// replace terminates what the group has let go and waits for the one it launches instead.
func (s *saga) replace(ctx workflow.Context, quarantine *QuarantineRecord) error {
	if err := s.undone(ctx, aws.Terminate, s.instance()); err != nil {
		return err
	}
	s.status.Result.Replaced = true
	if s.status.Result.NoRoomForAnother {
		s.status.Result.Outcome = patch.RolledBack
		s.note("terminated; no other was launched in its place, since somebody has scaled the group to its max meanwhile")
		return nil
	}
	var fresh activities.SurgeInstance
	if err := s.await(ctx, s.in.Policy.Timing.Surge, aws.AwaitSurge, activities.AwaitSurgeInput{
		Group: s.in.Group, Known: append(slices.Clone(quarantine.Members), s.in.Instance), Pace: s.pace(),
	}, &fresh); err != nil {
		return err
	}
	s.status.Result.Outcome = patch.RolledBack
	s.note("replaced by %s", fresh.ID)
	return nil
}

// isolate gives the quarantined instance the plan's isolating security group, its own being journalled first. It is out of its
// group already: where it cannot be isolated that is told, and Reconcile tries again.
func (s *saga) isolate(ctx workflow.Context) {
	if s.in.Policy.Quarantine.Isolate == "" {
		return
	}
	s.enter(ctx, patch.StepIsolate)
	if err := s.isolated(ctx); err != nil {
		s.strand(patch.StepIsolate, err)
	}
}

func (s *saga) isolated(ctx workflow.Context) error {
	if s.record.Quarantine.Isolation == nil {
		var found activities.Isolation
		if err := s.read(ctx, aws.FindIsolation, activities.FindIsolationInput{
			Instance: s.instance(), SecurityGroup: s.in.Policy.Quarantine.Isolate,
		}, &found); err != nil {
			return err
		}
		s.record.Quarantine.Isolation = &found
		if err := s.record.write(ctx); err != nil {
			return err
		}
	}
	return s.undone(ctx, aws.SetSecurityGroups, activities.SecurityGroupsInput{Instance: s.instance(), Isolation: *s.record.Quarantine.Isolation})
}

// pushQuarantine puts the undo on the stack of a quarantine, or of a release from it, that was under way.
func (s *saga) pushQuarantine() {
	s.undo.push(step{patch.StepMark, nil, s.unmarkHealed})
	s.undo.push(step{patch.StepSuspend, nil, s.resume})
	if s.record.Intended.RaiseMax {
		s.undo.push(step{patch.StepFinish, nil, s.lowerMax})
	}
	if s.record.Release != nil {
		s.status.Result.Reason = "its release from quarantine was under way"
		s.undo.push(step{patch.StepRelease, nil, s.finishRelease})
		return
	}
	s.status.Result.Reason = "its quarantine was under way"
	s.unfit = s.record.Quarantine.Why
	s.undo.push(step{patch.StepQuarantine, nil, func(ctx workflow.Context) error {
		err := s.quarantine(ctx)
		if isType(err, activities.ErrGone, activities.ErrGroupNotFound) {
			return s.vanished(ctx, err)
		}
		return err
	}})
}
