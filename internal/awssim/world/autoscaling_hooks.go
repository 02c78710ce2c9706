package world

import (
	"slices"
	"time"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// Transitions that a lifecycle hook may hold up.
const (
	HookLaunching   = "autoscaling:EC2_INSTANCE_LAUNCHING"
	HookTerminating = "autoscaling:EC2_INSTANCE_TERMINATING"
)

// Hook is a lifecycle hook: instances wait for somebody to complete the action, or for the heartbeat to time out.
type Hook struct {
	Name       string
	Transition string
	Heartbeat  time.Duration
	Default    string // what a time-out means: CONTINUE or ABANDON
	Metadata   string
	Target     string // ARN that is notified; nobody is
	Role       string

	standby bool // it holds up instances that leave Standby too
}

// GlobalTimeout is how long an instance waits at most, heartbeats or not: a hundred heartbeats or 48 hours.
func (h *Hook) GlobalTimeout() time.Duration { return min(100*h.Heartbeat, 48*time.Hour) }

// hookWait is one hook's hold on one member.
type hookWait struct {
	hook    *Hook
	token   string
	until   time.Time // no heartbeat goes beyond
	timeout *Event
}

const defaultHeartbeat = time.Hour

// PutHook creates a hook or replaces the one of that name.
func (g *ScalingGroup) PutHook(hook Hook) error {
	if hook.Transition != HookLaunching && hook.Transition != HookTerminating {
		return api.Errorf("ValidationError", "Lifecycle transition %q is not valid.", hook.Transition)
	}
	if hook.Heartbeat == 0 {
		hook.Heartbeat = defaultHeartbeat
	}
	if hook.Heartbeat < 30*time.Second || hook.Heartbeat > 2*time.Hour {
		return api.Errorf("ValidationError", "Heartbeat timeout %s is not between 30 and 7200 seconds.", hook.Heartbeat)
	}
	if hook.Default == "" {
		hook.Default = "ABANDON"
	}
	if hook.Default != "ABANDON" && hook.Default != "CONTINUE" {
		return api.Errorf("ValidationError", "Default result %q is neither CONTINUE nor ABANDON.", hook.Default)
	}
	g.hooks = slices.DeleteFunc(g.hooks, func(h *Hook) bool { return h.Name == hook.Name })
	g.hooks = append(g.hooks, &hook)
	g.Region.Changed("group", g.Name, "lifecycle hook "+hook.Name)
	return nil
}

// DeleteHook removes a hook; what waits for it goes on.
func (g *ScalingGroup) DeleteHook(name string) error {
	hook, err := g.Hook(name)
	if err != nil {
		return err
	}
	for _, member := range g.Members() {
		if wait := member.wait(hook.Name); wait != nil {
			member.completeHook(wait, "CONTINUE")
		}
	}
	g.hooks = slices.DeleteFunc(g.hooks, func(h *Hook) bool { return h == hook })
	g.Region.resettle()
	return nil
}

// Hook finds a hook by name; the error is AWS's ValidationError.
func (g *ScalingGroup) Hook(name string) (*Hook, error) {
	for _, hook := range g.hooks {
		if hook.Name == name {
			return hook, nil
		}
	}
	return nil, api.Errorf(
		"ValidationError", "No Lifecycle Hook found with name %s in Auto Scaling group %s.", name, g.Name,
	)
}

// Hooks lists the group's lifecycle hooks.
func (g *ScalingGroup) Hooks() []*Hook { return slices.Clone(g.hooks) }

func (m *Member) wait(hook string) *hookWait {
	for _, wait := range m.waits {
		if wait.hook.Name == hook {
			return wait
		}
	}
	return nil
}

// Waiting finds the hold that a hook has on an instance, named by id or by the action's token.
func (g *ScalingGroup) waiting(hook, instance, token string) (*Member, *hookWait, error) {
	if _, err := g.Hook(hook); err != nil {
		return nil, nil, err
	}
	for _, member := range g.members {
		wait := member.wait(hook)
		if wait != nil && (token != "" && wait.token == token || token == "" && member.Instance.ID == instance) {
			return member, wait, nil
		}
	}
	if token == "" {
		token = "with instance ID " + instance
	}
	return nil, nil, api.Errorf("ValidationError", "No active Lifecycle Action found with token %s", token)
}

// CompleteAction ends a hook's hold with CONTINUE or ABANDON.
func (g *ScalingGroup) CompleteAction(hook, instance, token, outcome string) error {
	if outcome != "CONTINUE" && outcome != "ABANDON" {
		return api.Errorf("ValidationError", "Lifecycle action result %q is neither CONTINUE nor ABANDON.", outcome)
	}
	member, wait, err := g.waiting(hook, instance, token)
	if err != nil {
		return err
	}
	member.completeHook(wait, outcome)
	g.Region.resettle()
	return nil
}

// Heartbeat lets a hook's time-out begin anew.
func (g *ScalingGroup) Heartbeat(hook, instance, token string) error {
	member, wait, err := g.waiting(hook, instance, token)
	if err != nil {
		return err
	}
	member.arm(wait)
	return nil
}

// hold begins the waits for a transition and reports whether there are any.
func (m *Member) hold(transition string, state Lifecycle, leavesStandby bool) bool {
	g := m.Group
	for _, hook := range g.hooks {
		if hook.Transition != transition || leavesStandby && !hook.standby {
			continue
		}
		wait := &hookWait{hook: hook, token: g.Region.NewUUID("hook"), until: g.Region.World.now.Add(hook.GlobalTimeout())}
		m.waits = append(m.waits, wait)
		m.arm(wait)
	}
	if len(m.waits) > 0 {
		m.become(state)
	}
	return len(m.waits) > 0
}

func (m *Member) arm(wait *hookWait) {
	w := m.Group.Region.World
	wait.timeout.Stop()
	wait.timeout = w.After(min(wait.hook.Heartbeat, wait.until.Sub(w.now)), func() {
		m.completeHook(wait, wait.hook.Default)
		m.Group.Region.resettle()
	})
}

// completeHook ends one hold. ABANDON ends the others too, and a launch with it; a termination goes on either way.
func (m *Member) completeHook(wait *hookWait, outcome string) {
	wait.timeout.Stop()
	m.waits = slices.DeleteFunc(m.waits, func(other *hookWait) bool { return other == wait })
	if outcome == "ABANDON" {
		m.dropWaits()
	}
	switch {
	case len(m.waits) > 0:
	case m.State == LifecycleTerminatingWait:
		m.become(LifecycleTerminatingProceed)
	case outcome == "ABANDON":
		m.Group.endFor(m.Instance.ID, "Cancelled")
		m.Group.terminate(m, "a lifecycle action was abandoned")
	default:
		m.become(LifecyclePendingProceed)
	}
}

func (m *Member) dropWaits() {
	for _, wait := range m.waits {
		wait.timeout.Stop()
	}
	m.waits = nil
}
