package instance

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// quarantine takes an unfit instance out of its group, gives the group its capacity back and isolates the machine,
// which is kept for forensics until its time is over; unless the plan replaces what fails.
func (s *saga) quarantine(ctx workflow.Context) error {
	s.enter(ctx, patch.StepQuarantine)
	quarantine := s.record.Quarantine
	if quarantine == nil {
		var err error
		if quarantine, err = s.planQuarantine(ctx); err != nil {
			return err
		}
	}
	replaces := s.in.Policy.Restore == patch.RestoreReplace && s.in.Group.IsAutoScaling()
	if replaces {
		s.note("%s", s.unfitReason)
	} else {
		s.tellUnfit()
		quarantine.Told = cmp.Or(quarantine.Told, s.status.Result.Reason)
		s.record.Quarantine = quarantine
		if err := run.WriteRecord(ctx, &s.record); err != nil {
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
		if err := s.withNumbers(ctx, func() error {
			if err := s.keepOthers(ctx); err != nil {
				return err
			}
			return s.read(ctx, aws.Detach, activities.DetachInput{
				Instance: s.instance(), DesiredWanted: quarantine.DesiredWanted, WaveID: s.in.WaveID,
				Weight: quarantine.Weight, Pace: s.pace(),
			}, &detached)
		}); err != nil {
			return err
		}
		s.leftForGood(detached, max(quarantine.Weight, 1))
	}
	s.status.Result.Outcome = patch.Quarantined
	if replaces {
		return s.replace(ctx, quarantine)
	}
	s.noteQuarantine(quarantine)
	s.isolate(ctx)
	return nil
}

// tellUnfit adds to why it failed why it must not serve. Where that is for the same, it says only what it is.
func (s *saga) tellUnfit() {
	result, unfit := &s.status.Result, s.unfitReason
	if strings.Contains(result.Reason, unfitToServe) {
		return
	}
	if what, why, found := strings.Cut(unfit, ": "); found && strings.Contains(result.Reason, why) {
		unfit = what
	}
	if result.Reason != "" {
		result.Reason += "; "
	}
	result.Reason += unfitToServe + unfit
}

const unfitToServe = "unfit to serve: "

// keepOthers has the group terminate nobody while a member of it is detached: of one that is in Standby the guide on
// detaching says that it may cause others to terminate unexpectedly. A group that is gone has nobody.
func (s *saga) keepOthers(ctx workflow.Context) error {
	err := s.suspendAlso(ctx, patch.ProcessTerminate)
	if run.IsType(err, activities.ErrGroupNotFound) {
		return nil
	}
	return err
}

// planQuarantine reads what the quarantine will change. Standby had lowered desired by one, or by the instance's
// weight; detaching gives that back.
func (s *saga) planQuarantine(ctx workflow.Context) (*journal.Quarantine, error) {
	now := workflow.Now(ctx)
	planned := &journal.Quarantine{Why: s.unfitReason, At: now, Until: s.in.Policy.Quarantine.Until(now)}
	if !s.in.Group.IsAutoScaling() {
		planned.Until = time.Time{} // nothing takes its place: a person decides
		return planned, nil
	}
	var state patch.GroupState
	if err := s.read(ctx, aws.InspectGroup, s.inspect(), &state); err != nil {
		return nil, err
	}
	planned.DesiredWanted, planned.Weight = state.Desired+s.weightIn(state), s.weighed(state)
	planned.Members = slices.DeleteFunc(state.IDs(), func(id string) bool { return id == s.in.Instance })
	return planned, nil
}

func (s *saga) noteQuarantine(quarantine *journal.Quarantine) {
	until := "until a person decides"
	if !quarantine.Until.IsZero() {
		until = "until " + quarantine.Until.UTC().Format("2006-01-02 15:04 MST") + ", then it is terminated"
	}
	if s.in.Group.IsNodes() {
		s.note("quarantined %s: mend it by hand, then patchtide quarantine release %s", until, s.in.Instance)
		return
	}
	s.note("quarantined %s: patchtide quarantine release, or terminate, %s", until, s.in.Instance)
}

// replace terminates what the group has let go and waits for the one it launches instead.
func (s *saga) replace(ctx workflow.Context, quarantine *journal.Quarantine) error {
	if err := s.undone(ctx, aws.Terminate, s.instance()); err != nil {
		return err
	}
	s.status.Result.Replaced = true
	if s.status.Result.NoRoomForAnother {
		s.status.Result.Outcome = patch.RolledBack
		s.note("terminated; no other was launched in its place, since somebody has scaled the group to its max meanwhile")
		return nil
	}
	var fresh activities.SurgeInstances
	if err := s.await(ctx, s.in.Policy.Timing.Surge, aws.AwaitSurge, activities.AwaitSurgeInput{
		Group: s.in.Group, Known: append(slices.Clone(quarantine.Members), s.in.Instance), By: 1, Pace: s.pace(),
	}, &fresh); err != nil {
		return err
	}
	s.status.Result.Outcome = patch.RolledBack
	s.note("replaced by %s", fresh.IDs[0])
	return nil
}

// isolate gives the quarantined instance the plan's isolating security group, its own being journalled first. It is out
// of its group already: where it cannot be isolated that is told, and Reconcile tries again.
func (s *saga) isolate(ctx workflow.Context) {
	if s.in.Policy.Quarantine.Isolate == "" || s.in.Group.IsNodes() { // which has no security groups
		return
	}
	s.enter(ctx, patch.StepIsolate)
	if err := s.isolated(ctx); err != nil {
		s.strand(patch.StepIsolate, err)
	}
}

func (s *saga) isolated(ctx workflow.Context) error {
	if s.record.Quarantine.Isolation == nil {
		var found journal.Isolation
		if err := s.read(ctx, aws.FindIsolation, activities.FindIsolationInput{
			Instance: s.instance(), SecurityGroup: s.in.Policy.Quarantine.Isolate,
		}, &found); err != nil {
			return err
		}
		s.record.Quarantine.Isolation = &found
		if err := run.WriteRecord(ctx, &s.record); err != nil {
			return err
		}
	}
	return s.undone(ctx, aws.SetSecurityGroups, activities.SecurityGroupsInput{
		Instance: s.instance(), Isolation: *s.record.Quarantine.Isolation,
	})
}
