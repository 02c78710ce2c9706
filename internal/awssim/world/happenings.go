package world

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Kinds of WorldFault that happen at a moment: at a time, at a call, or when an instance reaches Standby.
const (
	FaultSpotInterruption = "spot_interruption"       // an instance is taken back by EC2
	FaultTerminated       = "terminated"              // somebody terminates an instance
	FaultDiesInStandby    = "terminated_in_standby"   // somebody terminates an instance that reached Standby
	FaultScaleOut         = "scale_out"               // desired and, where needed, max go up by `by`
	FaultScaleIn          = "scale_in"                // desired goes down by `by`, to min at most
	FaultLimits           = "limits_changed"          // somebody sets min, max or desired
	FaultGroupDeleted     = "group_deleted"           // somebody deletes the group with its instances
	FaultForeignRefresh   = "instance_refresh"        // somebody starts an instance refresh
	FaultSuspended        = "suspended"               // somebody suspends `processes`
	FaultSuspendedByAWS   = "launch_suspended_by_aws" // AWS suspends Launch
)

var (
	instanceHappenings = []string{FaultSpotInterruption, FaultTerminated, FaultDiesInStandby}
	groupHappenings    = []string{
		FaultScaleOut, FaultScaleIn, FaultLimits, FaultGroupDeleted, FaultForeignRefresh, FaultSuspended, FaultSuspendedByAWS,
	}
)

// spotNotice is how long before its end an instance is told of a spot interruption.
const spotNotice = 2 * time.Minute

// whenStandby is the value of WorldFault.When.
const whenStandby = "standby"

// happening is a WorldFault that waits for its moment.
type happening struct {
	WorldFault
	seen int
}

func (f WorldFault) happens() bool {
	return slices.Contains(instanceHappenings, f.Kind) || slices.Contains(groupHappenings, f.Kind)
}

// awaitHappenings schedules those that come at a time and listens for the others' moments.
func (w *World) awaitHappenings() {
	for _, fault := range w.Scenario.Faults.World {
		switch {
		case !fault.happens():
		case fault.On == "" && fault.When == "" && fault.Kind != FaultDiesInStandby:
			w.After(fault.At.D()+fault.Delay.D(), func() { w.Happen(fault, nil) })
		default:
			w.happenings = append(w.happenings, &happening{WorldFault: fault})
		}
	}
	w.OnChange(func(c Change) {
		if c.Kind != "group" || !strings.HasPrefix(c.What, string(LifecycleStandby)+" in ") {
			return
		}
		instance := c.Region.Instance(c.ID)
		for _, h := range w.happenings {
			if (h.When == whenStandby || h.Kind == FaultDiesInStandby) && instance != nil && h.matches(instance) {
				w.due(h, instance)
			}
		}
	})
}

// Called tells the world that a call took effect; service and operation as the event log names them.
func (w *World) Called(r *Region, service, operation string) {
	for _, h := range w.happenings {
		if h.On == service+":"+operation && h.inAccount(r.Account) {
			w.due(h, nil)
		}
	}
}

// due counts a happening's occasions and lets it come, after its delay, at the ones that it names.
func (w *World) due(h *happening, instance *Instance) {
	h.seen++
	first, times := max(h.Nth, 1), h.Times
	if times == 0 {
		times = 1
	}
	if h.seen >= first && (times < 0 || h.seen < first+times) {
		w.After(h.Delay.D(), func() { w.Happen(h.WorldFault, instance) })
	}
}

// Happen lets something happen now, to the instance given or to whatever the fault names. What cannot happen, a group
// that is gone for example, does not.
func (w *World) Happen(fault WorldFault, instance *Instance) {
	for _, account := range w.accounts {
		if !fault.inAccount(account) {
			continue
		}
		for _, region := range account.Regions() {
			if slices.Contains(instanceHappenings, fault.Kind) {
				region.happenToInstances(fault, instance)
				continue
			}
			for _, group := range region.ScalingGroups() {
				if fault.Group == "" || fault.Group == group.Name {
					group.happen(fault)
				}
			}
		}
	}
}

func (r *Region) happenToInstances(fault WorldFault, only *Instance) {
	for _, instance := range r.Instances() {
		if only != nil && only != instance || !fault.matches(instance) || instance.State == Terminated {
			continue
		}
		if fault.Kind != FaultSpotInterruption {
			instance.Terminate()
			continue
		}
		r.Changed("instance", instance.ID, "spot interruption notice")
		r.World.After(spotNotice, func() {
			instance.Terminate()
			instance.StateReason = "Server.SpotInstanceTermination"
		})
	}
}

func (g *ScalingGroup) happen(fault WorldFault) {
	by := max(fault.By, 1)
	switch fault.Kind {
	case FaultScaleOut:
		desired, high := g.Desired+by, max(g.Max, g.Desired+by)
		g.follow(Sizes{Max: &high, Desired: &desired})
	case FaultScaleIn:
		desired := g.Desired - by
		g.follow(Sizes{Desired: &desired})
	case FaultLimits:
		g.follow(Sizes{Min: fault.Min, Max: fault.Max, Desired: fault.Desired})
	case FaultGroupDeleted:
		_ = g.Region.DeleteScalingGroup(g.Name) // it is there: it was just listed
	case FaultForeignRefresh:
		_, _ = g.StartRefresh() // one that runs already is as good
	case FaultSuspended:
		_ = g.Suspend(fault.Processes) // the scenario's check knows the names
	case FaultSuspendedByAWS:
		g.suspendLaunch("launches failed for 24 hours")
	}
}

func (f WorldFault) inAccount(a *Account) bool {
	return f.Account == "" || f.Account == a.Name || f.Account == a.ID
}

// problem says what is wrong with a fault that happens at a moment, or nil.
func (f WorldFault) problem() error {
	switch {
	case f.When != "" && f.When != whenStandby:
		return fmt.Errorf("when is %q; write standby", f.When)
	case f.At != 0 && (f.On != "" || f.When != "") || f.On != "" && f.When != "":
		return fmt.Errorf("at, on and when exclude each other; a delay goes with any of them")
	case f.On != "" && !strings.Contains(f.On, ":"):
		return fmt.Errorf("on is %q; write an operation like autoscaling:EnterStandby", f.On)
	case !f.happens() && (f.On != "" || f.When != "" || f.At != 0):
		return fmt.Errorf("%s comes at its own occasions; at, on and when are not for it", f.Kind)
	case slices.Contains(groupHappenings, f.Kind) && f.Instance != "":
		return fmt.Errorf("%s happens to a group, not to instance %q", f.Kind, f.Instance)
	case f.Kind == FaultSuspended && len(f.Processes) == 0:
		return fmt.Errorf("suspended needs processes, like [Launch]")
	}
	if _, err := processNames(f.Processes); err != nil {
		return fmt.Errorf("processes: %w", err)
	}
	return nil
}
