package workflows

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
)

// looksAround tells whether this run asks what others do before it changes anything. Runs of before that was built go on
// without.
func looksAround(ctx workflow.Context) bool {
	return workflow.GetVersion(ctx, "looks-around-first", workflow.DefaultVersion, 1) != workflow.DefaultVersion
}

// lookAround asks what others do to a group and some of its instances.
func lookAround(ctx workflow.Context, in activities.ReadInterferenceInput, t patch.Timing) (patch.Interference, error) {
	var around patch.Interference
	options := summed(reading(ctx, in.Group, t), "what others do to "+in.Group.String())
	err := workflow.ExecuteActivity(options, aws.ReadInterference, in).Get(ctx, &around)
	return around, err
}

// gates are the alarms that are to judge.
func gates(health []patch.HealthCheck) []string {
	var alarms []string
	for _, check := range health {
		if check.Alarm != "" {
			alarms = append(alarms, check.Alarm)
		}
	}
	return alarms
}

// lookAround asks what others do to this instance, then the machine itself: a fresh command proves its agent, and tells
// whether its root volume is all of it. A closed calendar is no failure: what has not begun begins another time. Who is to be
// put back is put back whatever calendars say, but not into a deployment, and not without its key.
func (s *saga) lookAround(ctx workflow.Context, state patch.GroupState) (patch.Outcome, string) {
	in := activities.ReadInterferenceInput{
		Group: s.in.Group, Instances: []string{s.in.Instance}, Restore: s.in.Policy.Restore, Within: s.in.Policy.budget(ctx, state.TargetGroups).OnItsWay(),
	}
	if s.in.PutBack == nil {
		in.Calendars = s.in.Policy.Calendars
	}
	around, err := lookAround(ctx, in, s.in.Policy.Timing)
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
		if isType(err, activities.ErrNotReady) && ctx.Err() == nil {
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
	case isType(err, activities.ErrGone):
		return patch.Gone, "the instance no longer exists"
	}
	return patch.Failed, "preflight: " + reason(err)
}

// look asks before a group begins what concerns it as a whole. What ends a window or a calendar closes the group, which is no
// failure.
func (g *group) look(ctx workflow.Context, state patch.GroupState) string {
	policy := g.in.Policy
	if late := policy.tooLate(ctx, g.in.Group.String(), state.TargetGroups, askedBefore{end: true}); late != nil {
		g.close(late)
		return late.Error()
	}
	estimate := policy.budget(ctx, state.TargetGroups).OnItsWay()
	if refusal := patch.MayOutlive(g.in.Group, state, estimate*patch.Duration(len(state.Members))); refusal != nil {
		return refusal.Error()
	}
	around, err := lookAround(ctx, activities.ReadInterferenceInput{
		Group: g.in.Group, Calendars: policy.Calendars, Restore: policy.Restore, Within: estimate, Alarms: gates(policy.Health),
	}, policy.Timing)
	if err != nil {
		return reason(err)
	}
	refusal := patch.MayDisturb(g.in.Group, around)
	if refusal == nil {
		refusal = patch.MayJudge(g.in.Group, policy.Bake, around.GateAlarms)
	}
	if refusal == nil {
		return ""
	}
	if refusal.Code == patch.RefusedCalendar {
		g.close(refusal)
	}
	return refusal.Error()
}

// look asks before anything is changed anywhere what others do to a group and each of its instances.
func (w *wave) look(ctx workflow.Context, group patch.Group, state patch.GroupState, stage int) error {
	policy := policyOf(w.plan, w.plan.Stages[stage])
	if late := policy.tooLate(ctx, group.String(), state.TargetGroups, askedBefore{end: true}); late != nil {
		late.WhatToDo = "start the wave earlier in the window, or widen it"
		return refused(late)
	}
	estimate := policy.budget(ctx, state.TargetGroups).OnItsWay()
	if refusal := patch.MayOutlive(group, state, estimate*patch.Duration(len(state.Members))); refusal != nil {
		return refused(refusal)
	}
	around, err := lookAround(ctx, activities.ReadInterferenceInput{
		Group: group, Instances: memberIDs(state), Calendars: policy.Calendars, Alarms: gates(policy.Health), Restore: policy.Restore, Within: estimate,
	}, policy.Timing)
	if err != nil {
		return preflightError(group, err)
	}
	for _, refusal := range []*patch.Refusal{
		patch.MayDisturb(group, around), patch.MayUnlock(group, policy.Restore, around), patch.MayJudge(group, policy.Bake, around.GateAlarms),
	} {
		if refusal != nil {
			return refused(refusal)
		}
	}
	return nil
}

// sharesService tells whether a group of the stage that is under way serves through one of the same target groups: to those who
// use it they are one service, whose instances are taken one at a time in all.
func (w *wave) sharesService(number int, held *heldGroup) bool {
	return w.oneService && slices.ContainsFunc(w.stageGroups(number), func(other *heldGroup) bool {
		return other != held && other.started && !settled(other) && patch.ShareTargets(other.targetGroups, held.targetGroups)
	})
}

// asOneService tells whether this wave takes groups that share a target group one at a time.
func asOneService(ctx workflow.Context) bool {
	return workflow.GetVersion(ctx, "shared-target-groups-are-one-service", workflow.DefaultVersion, 1) != workflow.DefaultVersion
}
