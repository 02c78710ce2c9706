package world

import (
	"time"
)

// pingEvery is how often a living agent reports; pingPatience is how long SSM calls a silent one Online.
const (
	pingEvery    = time.Minute
	pingPatience = 5 * time.Minute
	checksSettle = 30 * time.Second // status checks say initializing so long after a launch
)

// machine is the computer inside an instance.
type machine struct {
	epoch    uint64 // counts starts, stops and reboots, so that what was scheduled before one is void after it
	up       bool   // the operating system runs
	hung     bool   // it will not come up by itself
	bootID   string
	bootedAt time.Time
	kernel   string // version of the running kernel

	agentUp    bool
	agentSince time.Time // while it is up: since when
	lastPing   time.Time // while it is down: when it was last heard of

	mute   bool   // the agent does not start with the next boot
	resume func() // what the agent goes on with when it is back; kept on the root volume

	appUp bool

	wrong  time.Duration // by which somebody has put its clock
	domain bool          // joined to an Active Directory domain; Windows only
}

// goDown ends everything that runs on the machine and returns the new epoch.
func (m *machine) goDown(i *Instance) uint64 {
	m.silenceAgent(i)
	m.epoch++
	m.up, m.appUp, m.hung, m.mute = false, false, false, false
	return m.epoch
}

func (m *machine) silenceAgent(i *Instance) {
	if m.agentUp {
		m.lastPing = i.LastPing()
		m.agentUp = false
	}
}

// boot brings the machine up after d.
func (m *machine) boot(i *Instance, d time.Duration) {
	epoch := m.epoch
	i.after(epoch, d, func() {
		m.start(i, i.Region.World.now)
		if !m.up {
			return
		}
		i.Region.Changed("instance", i.ID, "booted")
		i.after(epoch, i.Region.World.Scenario.Durations.AppStart.D(), func() {
			m.appUp = true
			i.Region.Changed("instance", i.ID, "application started")
		})
		i.Region.agentBack(i)
	})
}

// start is the moment the operating system is up and its agent reports.
func (m *machine) start(i *Instance, at time.Time) {
	disk := i.Disk()
	if disk == nil {
		m.hung = true // nothing to boot from
		return
	}
	m.up, m.bootedAt = true, at
	m.bootID = i.Region.NewUUID("boot/" + i.ID)
	disk.pending, disk.unbooted = nil, nil
	if !i.OldKernel || m.kernel == "" {
		if now := disk.Version(disk.os.Kernel); now != m.kernel {
			m.kernel, i.LivePatches = now, nil // they are another kernel's
		}
	}
	if !m.mute && !i.silencedForGood {
		m.agentUp, m.agentSince = true, at
	}
}

// Up reports whether the operating system runs.
func (i *Instance) Up() bool { return i.State == Running && i.machine.up }

// platform is what its disk holds: Linux or Windows; "" without a disk.
func (i *Instance) platform() string {
	if disk := i.Disk(); disk != nil {
		return disk.os.Platform
	}
	return ""
}

// clock is the one that patch states are told by, which is the world's unless nodes' clocks are in doubt: then it is
// the machine's own, and where nobody has put that, every other one is seven minutes fast and the rest are as slow.
func (i *Instance) clock() time.Time {
	wrong := time.Duration(0)
	if i.Region.World.Has(DoubtNodesClock) {
		if wrong = i.machine.wrong; wrong == 0 {
			wrong = 7 * time.Minute
			if i.Ordinal%2 == 0 {
				wrong = -wrong
			}
		}
	}
	return i.Region.World.now.Add(wrong)
}

// PutClock puts the machine's clock wrong by so much.
func (i *Instance) PutClock(wrong time.Duration) { i.machine.wrong = wrong }

// BootID changes with every boot.
func (i *Instance) BootID() string { return i.machine.bootID }

// AgentOnline reports whether the SSM agent really runs, which SSM itself learns late.
func (i *Instance) AgentOnline() bool { return i.Up() && i.machine.agentUp }

// LastPing is when SSM last heard of the agent; zero when it never did.
func (i *Instance) LastPing() time.Time {
	if !i.machine.agentUp {
		return i.machine.lastPing
	}
	silent := i.Region.World.now.Sub(i.machine.agentSince) % pingEvery
	return i.Region.World.now.Add(-silent)
}

// PingStatus is what SSM says of the agent: Online for five minutes after it fell silent, ConnectionLost after.
func (i *Instance) PingStatus() string {
	if i.Region.World.now.Sub(i.LastPing()) <= pingPatience {
		return "Online"
	}
	return "ConnectionLost"
}

// StopApp ends the application, until the machine boots again.
func (i *Instance) StopApp() { i.machine.appUp = false }

// StartApp starts it again.
func (i *Instance) StartApp() {
	i.machine.appUp = i.Up()
	i.Region.resettle() // from now on the health checks pass that decide about its targets
}

// StopAgent is somebody stopping the agent; it stays down until the next boot.
func (i *Instance) StopAgent() { i.machine.silenceAgent(i) }

// ForgetAgent makes it a machine that Systems Manager knows nothing of, as one without an agent, an instance profile or
// a way there; until the next boot.
func (i *Instance) ForgetAgent() {
	i.machine.agentUp, i.machine.lastPing = false, time.Time{}
}

// AppHealthy reports whether the application answers and is well.
func (i *Instance) AppHealthy() bool { return i.HTTPStatus(i.appPort(), i.appPath()) == 200 }

// HTTPStatus is what a GET on a port and path of the machine answers: 200, 503 when the application is broken by what
// is installed, 404 for another path, 0 when nothing listens.
func (i *Instance) HTTPStatus(port int, path string) int {
	disk := i.Disk()
	switch {
	case !i.Up() || !i.machine.appUp || disk == nil || port != disk.app.Port || disk.app.Port == 0:
		return 0
	case disk.broken(i.Region.World.Scenario.Patches) != "":
		return 503
	case path != disk.app.Path:
		return 404
	}
	return 200
}

func (i *Instance) appPort() int {
	if disk := i.Disk(); disk != nil {
		return disk.app.Port
	}
	return 0
}

func (i *Instance) appPath() string {
	if disk := i.Disk(); disk != nil {
		return disk.app.Path
	}
	return ""
}

// StatusCheck is the instance status check: ok, initializing, impaired, or not-applicable when it does not run.
func (i *Instance) StatusCheck() string {
	switch {
	case i.State != Running:
		return "not-applicable"
	case i.machine.hung || i.RootVolume == "":
		return "impaired"
	case !i.machine.up || i.Region.World.now.Sub(i.machine.bootedAt) < checksSettle:
		return "initializing"
	}
	return "ok"
}

// BehindBy counts the newest catalogue patches that are not on the disk, approved or not.
func (i *Instance) BehindBy() int {
	disk := i.Disk()
	if disk == nil {
		return 0
	}
	return len(i.Region.World.applicable(disk, func(Patch) bool { return true }))
}

// Missing counts the catalogue patches that are not on the disk and that the baseline of the instance's patch group
// approves now: what a scan would list as missing.
func (i *Instance) Missing() int {
	disk := i.Disk()
	if disk == nil {
		return 0
	}
	baseline := i.Region.BaselineForGroup(i.PatchGroupOf(), disk.os.SSM)
	if baseline == nil {
		return 0
	}
	w := i.Region.World
	return len(w.applicable(disk, func(p Patch) bool { return baseline.approves(w, disk.os, p, w.now) }))
}
