package instance

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// preflight is step 0: it reads the group again and refuses with the reason. Having no room is waited out, for a group that
// has just scaled heals by itself; everything else is final. An outcome of "" means go.
func (s *saga) preflight(ctx workflow.Context) (patch.Outcome, string) {
	deadline := workflow.Now(ctx).Add(s.in.Policy.Timing.InService.D())
	for {
		if late := patch.TooLate(s.in.Policy.Window, s.instance().String(), workflow.Now(ctx), patch.Budget{}); late != nil && s.in.PutBack == nil {
			return s.closed(late)
		}
		var state patch.GroupState
		if err := workflow.ExecuteActivity(run.Reading(ctx, s.in.Group, s.in.Policy.Timing), aws.InspectGroup,
			activities.InspectGroupInput{Group: s.in.Group}).Get(ctx, &state); err != nil {
			if ctx.Err() != nil {
				return patch.NotStarted, "cancelled before anything was changed"
			}
			return patch.Failed, "preflight: " + run.Reason(err)
		}
		member, found := state.Member(s.in.Instance)
		if !found || !member.Present() {
			return patch.Gone, "the instance no longer exists"
		}
		refusal := s.refusal(ctx, state, member)
		if refusal == nil {
			if s.in.PutBack == nil {
				late := s.in.Policy.TooLate(s.instance().String(), workflow.Now(ctx), state.TargetGroups)
				if late != nil {
					return s.closed(late)
				}
			}
			s.before, s.member = state, member
			if s.looked {
				return "", ""
			}
			s.looked = true
			return s.checkInterference(ctx, state)
		}
		if refusal.Code != patch.RefusedCapacity || workflow.Now(ctx).After(deadline) {
			return patch.Failed, "refused: " + refusal.Error()
		}
		if err := workflow.NewTimerWithOptions(ctx, s.in.Policy.Timing.HealthPoll.D(),
			workflow.TimerOptions{Summary: "waiting for room: " + refusal.What}).Get(ctx, nil); err != nil {
			return patch.NotStarted, "cancelled before anything was changed"
		}
	}
}

// closed is the outcome where a window or a calendar lets no instance begin: none was changed, and none has failed.
func (s *saga) closed(refusal *patch.Refusal) (patch.Outcome, string) {
	s.status.Result.Refused = refusal.Code
	return patch.NotStarted, refusal.Error()
}

// refusal asks the pure decisions. An instance that is to be put back may be ill: that is why it is put back.
func (s *saga) refusal(ctx workflow.Context, state patch.GroupState, member patch.Member) *patch.Refusal {
	refusal := patch.MayTakeOut(s.in.Group, state, s.in.Ours, s.in.Policy.StageView(), s.in.Instance)
	if refusal == nil {
		refusal = patch.RoomInTargetGroups(s.in.Group, state, s.in.Ours, s.in.Policy.StageView(), s.in.Instance)
	}
	if s.in.PutBack != nil {
		if refusal != nil && (refusal.Code == patch.RefusedUnhealthyBefore || refusal.Code == patch.RefusedAgentOffline) {
			return nil
		}
		return refusal
	}
	if refusal == nil {
		refusal = patch.MayOutlive(s.in.Group, state, s.in.Policy.Budget(state.TargetGroups).OnItsWay())
	}
	if refusal != nil {
		return refusal
	}
	return patch.MayRestore(s.in.Group, s.in.Policy.PlanView(), member)
}

// outProcesses are suspended while an instance is out: AZRebalance and InstanceRefresh would launch or terminate around
// it, ReplaceUnhealthy would terminate it while it comes back.
var outProcesses = []string{"AZRebalance", "InstanceRefresh", "ReplaceUnhealthy"}

// mark writes the journal's record, then puts its pointer on the instance.
func (s *saga) mark(ctx workflow.Context) error {
	s.suspended = s.toSuspend()
	s.record = journal.Record{
		WaveID: s.in.WaveID, Plan: s.in.Policy.Plan, Group: s.in.Group, Policy: s.in.Policy, Instance: s.in.Instance, Try: s.in.Try,
		Before: journal.BeforeOf(s.before), Targets: s.member.Targets, RootVolume: s.member.RootVolumeID, PutBack: s.in.PutBack,
		Intended: journal.Intended{
			Suspend: s.suspended, Standby: s.in.Group.IsAutoScaling(), Deregister: s.own(),
			SnapshotToken: s.attempt("snapshot").Token, InstallToken: s.attempt("install-1").Token, RestoreToken: s.attempt("restore").Token,
		},
	}
	clean, _ := workflow.NewDisconnectedContext(ctx)
	if err := s.carryOver(clean); err != nil {
		return err
	}
	if err := run.WriteRecord(clean, &s.record); err != nil {
		return err
	}
	return workflow.ExecuteActivity(s.act(ctx), aws.MarkInstance, s.journal()).Get(clean, nil)
}

// unmark takes the mark off. What is stranded keeps it, with its record, so that Reconcile finds it again.
func (s *saga) unmark(ctx workflow.Context) error {
	if s.room != nil {
		s.status.Result.Stranded = append(s.status.Result.Stranded, s.room.GiveBack(ctx)...)
	}
	if len(s.status.Result.Stranded) > 0 {
		return nil
	}
	return workflow.ExecuteActivity(s.undoAct(ctx), aws.UnmarkInstance, s.journal()).Get(ctx, nil)
}
