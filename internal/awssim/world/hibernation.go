package world

import "github.com/patchtide/patchtide/internal/awssim/api"

// Hibernate stops the machine with its memory written to the root volume: it goes on where it was when it is started,
// in the same boot. Only an instance that was launched for it can; on a stopped or stopping one it does nothing.
func (i *Instance) Hibernate() error {
	switch {
	case i.State == Stopped || i.State == Stopping:
		return nil
	case !i.Hibernates:
		return api.Errorf("UnsupportedHibernationConfiguration", "The instance '%s' is not enabled for hibernation.", i.ID)
	case !i.Up():
		return api.Errorf(
			"UnsupportedOperation", "The instance '%s' is not ready to hibernate yet, retry in a few minutes.", i.ID,
		)
	}
	asleep := i.machine
	if err := i.Stop(); err != nil {
		return err
	}
	i.StateReason = "Client.UserInitiatedHibernate"
	i.asleep = &asleep
	return nil
}

// wakeUp brings a hibernated machine back: no boot, and the application answers at once.
func (i *Instance) wakeUp() {
	before := *i.asleep
	i.asleep = nil
	epoch := i.machine.goDown(i)
	i.after(epoch, pendingTime, func() {
		i.State, i.StateReason = Running, ""
		i.machine.up, i.machine.appUp, i.machine.agentUp = true, before.appUp, before.agentUp
		i.machine.agentSince = i.Region.World.now
		i.Region.Changed("instance", i.ID, "running")
		i.Region.agentBack(i)
	})
}
