package instance

import (
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// notBegun is how an instance ends that was looked at and not touched.
type notBegun struct {
	outcome patch.Outcome
	why     string
	code    patch.RefusalCode // of a check that refused; "" where none did
	told    bool              // the result tells the end already
}

// cancelledBefore is the end of one that was cancelled while it was looked at.
var cancelledBefore = notBegun{outcome: patch.NotStarted, why: "cancelled before anything was changed"}

// gone is the end of one that is not there any more.
var gone = notBegun{outcome: patch.Gone, why: "the instance no longer exists"}

// refusedBy is the end by a check. What ends the group's turn, as a window does, is no failure: what has not begun
// begins another time.
func refusedBy(refusal *patch.Refusal) *notBegun {
	if refusal.Code.Ends() {
		return &notBegun{outcome: patch.NotStarted, why: refusal.Error(), code: refusal.Code}
	}
	return &notBegun{outcome: patch.Failed, why: "refused: " + refusal.Error(), code: refusal.Code}
}

// preflight is step 0: it reads in phases and asks the table of checks after each, at the level of what is to be done.
// What is likely to pass is waited out, as a group that has just scaled heals by itself; everything else is final. Nil
// means that the instance may go out of service.
func (s *saga) preflight(ctx workflow.Context, level patch.Level) *notBegun {
	deadline, doubted := workflow.Now(ctx).Add(s.in.Policy.Timing.InService.D()), false
	for {
		view := patch.View{
			Group: s.in.Group, Policy: s.in.Policy, Now: workflow.Now(ctx), Instance: s.in.Instance, Holdings: s.in.Ours,
			Beside: s.in.Turns && !s.turn.mine,
		}
		if refusal := patch.First(level, view); refusal != nil { // a window that has closed needs no reading
			return refusedBy(refusal)
		}
		var state patch.GroupState
		if err := workflow.ExecuteActivity(run.Reading(ctx, s.in.Group, s.in.Policy.Timing), aws.InspectGroup,
			s.inspect()).Get(ctx, &state); err != nil {
			return s.unread(ctx, err)
		}
		if s.turn.mine {
			state = state.Showing(s.in.Group, s.in.Ours)
		}
		member, found := state.Member(s.in.Instance)
		if !found || !member.Present() {
			return &gone
		}
		if s.rest.was { // the mark is this very saga's
		} else if healed, end := s.takeUp(ctx, level, member); end != nil {
			return end
		} else if healed {
			continue
		}
		view.Now, view.State = workflow.Now(ctx), &state
		refusal := patch.First(level, view)
		if refusal == nil {
			// A list that lacks a registration for once would have the instance rebooted under its traffic.
			if lost := patch.LostTargets(s.member.Targets, member.Targets); len(lost) > 0 && !doubted {
				doubted = true
				if end := waitFor(ctx, s.in.Policy.Timing.ReadLag,
					"to see again whether it has left "+strings.Join(lost, ", ")); end != nil {
					return end
				}
				continue
			}
			unseen := s.member.ID == ""
			s.before, s.member = state, member
			if unseen && level == patch.LevelPutBack { // patching looks again after its scan
				if end := waitFor(ctx, s.in.Policy.Timing.HealthPoll, "to see its target groups twice"); end != nil {
					return end
				}
				continue
			}
			var end *notBegun
			if refusal, end = s.askOthers(ctx, level, &view); end != nil {
				return end
			}
		}
		if refusal == nil {
			return s.askMachine(ctx, level, view)
		}
		if s.besideOthers(refusal) {
			deadline = workflow.Now(ctx).Add(s.in.Policy.Timing.InService.D())
		}
		if end := s.waitOut(ctx, refusal, deadline); end != nil {
			return end
		}
	}
}

// besideOthersPolls is how many polls apart it is asked again what may be for the sake of others of the group: an undo
// of one of them may take a day, and each look adds some twenty events to a history.
const besideOthersPolls = 4

// waitOut waits a moment for a refusal to pass; it is the end where none is waited for, or no longer.
func (s *saga) waitOut(ctx workflow.Context, refusal *patch.Refusal, deadline time.Time) *notBegun {
	if !s.besideOthers(refusal) && (!refusal.Code.Waits() || workflow.Now(ctx).After(deadline)) {
		return refusedBy(refusal)
	}
	mine, span := s.turn.mine, s.in.Policy.Timing.HealthPoll
	if s.besideOthers(refusal) {
		span *= besideOthersPolls
	}
	if mine { // what it waits for may be another's way back
		s.endTurn(ctx)
	}
	end := waitFor(ctx, span, "until this has passed: "+refusal.What)
	if end == nil && mine {
		end = s.takeTurn(ctx)
	}
	return end
}

func waitFor(ctx workflow.Context, span patch.Duration, why string) *notBegun {
	err := workflow.NewTimerWithOptions(ctx, span.D(), workflow.TimerOptions{Summary: why}).Get(ctx, nil)
	if err != nil {
		return &cancelledBefore
	}
	return nil
}

// askOthers reads what others do to this instance, and asks again. Calendars and alarms, which change within minutes,
// are read at each look.
func (s *saga) askOthers(ctx workflow.Context, level patch.Level, view *patch.View) (*patch.Refusal, *notBegun) {
	in := activities.ReadInterferenceInput{
		Group: s.in.Group, Restore: s.in.Policy.Restore,
		Within: s.in.Policy.Budget(view.State.TargetGroups).OnItsWay(),
	}
	if !s.asked {
		in.Instances = []string{s.in.Instance}
	}
	if level == patch.LevelInstance { // neither calendars nor alarms keep anybody from being put back
		in.Calendars, in.Alarms = s.in.Policy.Calendars, run.Gates(s.in.Policy.Health)
		in.Baseline = s.in.Policy.Baseline
		if s.in.Policy.Root != nil {
			in.Image = s.in.Policy.Root.ID
		}
	}
	around, err := run.ReadInterference(ctx, in, s.in.Policy.Timing)
	if err != nil {
		return nil, s.unread(ctx, err)
	}
	view.Now, view.Around = workflow.Now(ctx), &around
	if around.Blocks != nil && around.Blocks.Unknown == "" {
		s.patching.blocked = around.Blocks.Digest
	}
	for _, untried := range around.Untried() {
		if !slices.Contains(s.status.Result.Notes, untried) { // what passes is waited for, and read again
			s.note("%s", untried)
		}
	}
	return patch.First(level, *view), nil
}

// askMachine asks the machine itself, once, before it is patched: a fresh command proves its agent, and tells whether
// its root volume is all of it.
func (s *saga) askMachine(ctx workflow.Context, level patch.Level, view patch.View) *notBegun {
	// What is put back may be unable to answer: that may be why. What is stopped is asked once it runs.
	if level != patch.LevelInstance || s.asked || s.member.Starts {
		return nil
	}
	s.asked = true
	answer := patch.MachineAnswer{Within: s.in.Policy.Timing.Agent}
	var facts patch.MachineFacts
	err := s.await(ctx, s.in.Policy.Timing.Agent, aws.CollectMachineFacts, s.ask(ctx, "facts-first"), &facts)
	switch {
	case err == nil:
		answer.Facts = &facts
	case run.IsType(err, activities.ErrNotReady) && ctx.Err() == nil: // nobody's answer is an answer, too
	default:
		return s.unread(ctx, err)
	}
	if answer.Facts != nil && !s.rest.was { // one that was stopped serves nobody
		if end := s.askChecks(ctx, &answer); end != nil {
			return end
		}
	}
	view.Machine, s.patching.first = &answer, facts
	if refusal := patch.First(level, view); refusal != nil {
		return refusedBy(refusal)
	}
	return nil
}

// askChecks asks the checks that are to judge the instance once it has returned, while it still serves: they only read.
// One bad answer is confirmed by another, as in a bake.
func (s *saga) askChecks(ctx workflow.Context, answer *patch.MachineAnswer) *notBegun {
	look := s.observe()
	look.Checks = slices.DeleteFunc(slices.Clone(s.in.Policy.Health), func(check patch.HealthCheck) bool {
		return !check.Asks() && check.Metric == nil
	})
	look.Metrics = s.metricLook()
	if len(look.Checks) == 0 {
		return nil
	}
	look.TargetGroups = nil // the group's state has told of them
	for looks := 1; ; looks++ {
		var seen patch.HealthObservation
		err := s.await(ctx, s.in.Policy.Timing.Agent, aws.ObserveHealth, look, &seen)
		switch {
		case err == nil:
		case run.IsType(err, activities.ErrNotReady) && ctx.Err() == nil:
			for _, check := range look.Checks {
				if check.Metric != nil {
					seen.Metrics = append(seen.Metrics, patch.MetricObservation{Check: *check.Metric, Why: run.Reason(err)})
					continue
				}
				seen.Answers = append(seen.Answers, check.Unanswered(run.Reason(err)))
			}
		default:
			return s.unread(ctx, err)
		}
		answer.Answers, answer.Metrics = seen.Answers, seen.Metrics
		if patch.AllGood(seen.Answers) && patch.AllTold(seen.Metrics) || looks >= looksToBelieve {
			return nil
		}
		if end := waitFor(ctx, s.in.Policy.Timing.HealthPoll, "to ask its health checks again"); end != nil {
			return end
		}
	}
}

// unread is the end of an instance that could not be looked at.
func (s *saga) unread(ctx workflow.Context, err error) *notBegun {
	switch {
	case ctx.Err() != nil:
		return &cancelledBefore
	case run.IsType(err, activities.ErrGone):
		return &gone
	}
	return &notBegun{outcome: patch.Failed, why: "preflight: " + run.Reason(err)}
}
