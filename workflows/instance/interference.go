package instance

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// checkInterference asks what others do to this instance, then the machine itself: a fresh command proves its agent, and tells
// whether its root volume is all of it. A closed calendar is no failure: what has not begun begins another time. Who is to be
// put back is put back whatever calendars say, but not into a deployment, and not without its key.
func (s *saga) checkInterference(ctx workflow.Context, state patch.GroupState) (patch.Outcome, string) {
	in := activities.ReadInterferenceInput{
		Group: s.in.Group, Instances: []string{s.in.Instance}, Restore: s.in.Policy.Restore, Within: s.in.Policy.Budget(state.TargetGroups).OnItsWay(),
	}
	if s.in.PutBack == nil {
		in.Calendars = s.in.Policy.Calendars
	}
	around, err := run.ReadInterference(ctx, in, s.in.Policy.Timing)
	if err != nil {
		return s.unread(ctx, err)
	}
	if s.in.PutBack != nil {
		around.StopAlarms, around.Patchers = nil, nil
		around.Deployments = slices.DeleteFunc(around.Deployments, func(d patch.Deployment) bool { return d.Instance == "" })
	}
	refusal := patch.MayDisturb(s.in.Group, around)
	if refusal == nil {
		refusal = patch.MayUnlock(s.in.Group, s.in.Policy.Restore, around)
	}
	switch {
	case refusal != nil && refusal.Code == patch.RefusedCalendar:
		return s.closed(refusal)
	case refusal != nil:
		return patch.Failed, "refused: " + refusal.Error()
	case s.in.PutBack != nil:
		return "", ""
	}
	var facts patch.MachineFacts
	if err := s.await(ctx, s.in.Policy.Timing.Agent, aws.CollectMachineFacts, s.ask("facts-first"), &facts); err != nil {
		if run.IsType(err, activities.ErrNotReady) && ctx.Err() == nil {
			refusal = &patch.Refusal{
				Code: patch.RefusedAgentOffline, Where: s.instance().String(), What: "its SSM agent did not answer a fresh command within " + s.in.Policy.Timing.Agent.String(),
				WhatToDo: "check the agent, its instance profile and its route to the SSM endpoints",
			}
			return patch.Failed, "refused: " + refusal.Error()
		}
		return s.unread(ctx, err)
	}
	if refusal := patch.MayTrust(s.in.Group, s.in.Policy.Restore, s.in.Instance, facts); refusal != nil {
		return patch.Failed, "refused: " + refusal.Error()
	}
	return "", ""
}

// unread is the outcome of an instance that could not be looked at.
func (s *saga) unread(ctx workflow.Context, err error) (patch.Outcome, string) {
	switch {
	case ctx.Err() != nil:
		return patch.NotStarted, "cancelled before anything was changed"
	case run.IsType(err, activities.ErrGone):
		return patch.Gone, "the instance no longer exists"
	}
	return patch.Failed, "preflight: " + run.Reason(err)
}
