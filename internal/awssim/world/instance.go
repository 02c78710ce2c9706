package world

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// InstanceState is EC2's word for the state of an instance.
type InstanceState string

// The states of an instance.
const (
	Pending      InstanceState = "pending"
	Running      InstanceState = "running"
	Stopping     InstanceState = "stopping"
	Stopped      InstanceState = "stopped"
	ShuttingDown InstanceState = "shutting-down"
	Terminated   InstanceState = "terminated"
)

// RootDevice is the device name of every root volume.
const RootDevice = "/dev/xvda"

// How long EC2 takes over what the scenario does not name.
const (
	pendingTime      = 15 * time.Second // of a launch, before the instance is running and boots
	shutdownTime     = 20 * time.Second // shutting-down until terminated
	terminatedMemory = time.Hour        // a terminated instance is listed so long
)

// Instance is one EC2 instance: what EC2 knows of it, and the small machine inside.
type Instance struct {
	Region         *Region
	ID             string
	Image          *Image
	Type           string
	Zone           string
	PrivateIP      string
	IPv6           string // as EC2 writes it; empty where the region's network has IPv4 only
	State          InstanceState
	StateReason    string
	StoppedAt      time.Time // when somebody stopped it; zero: nobody has since its start
	LaunchTime     time.Time // of its last start ("last launched", EC2's API reference)
	Tags           Tags
	SecurityGroups []string // ids
	RootVolume     string   // id of the attached root volume; empty after a replacement that ended failed-detached
	Group          string   // the Auto Scaling group that launched it
	Ordinal        int      // the how many-th of its group, from 1
	Hibernates     bool     // it was launched so that it can
	Protected      bool     // disableApiTermination
	Template       *LaunchTemplate
	// TemplateVersion is the version of Template that it was launched from; nil and 0: no template.
	TemplateVersion int

	Elsewhere   []string // directories that are not on the root volume, as the machine tells: "/var/lib/rpm on nvme1n1"
	Patchers    []string // what patches the machine by itself: unattended-upgrades
	Broken      []string // packages that are installed by half: "libc6.amd64 half-configured"
	LivePatches []string // in force in the kernel that runs: "kpatch_6_1_134_1"
	MuteReboot  bool     // nothing on it tells whether it needs a reboot
	// OldKernel is a machine whose boot loader starts the kernel that it has run so far, whatever is installed beside.
	OldKernel bool

	Node bool // it is no instance of EC2's, but a managed node: see NodeSpec

	disk            *Disk // of a node, which has no volume
	silencedForGood bool  // its agent is not heard of, boot or no boot
	further         []*NetworkInterface
	roots           []string // ids of every volume that is or was the root
	machine         machine
	asleep          *machine // while it is hibernated: what goes on afterwards
}

// LaunchSpec says what to launch.
type LaunchSpec struct {
	Image          string // id or name
	Type           string
	Zone           string
	Tags           Tags
	SecurityGroups []string
	Group          string // the Auto Scaling group that launches
	Hibernates     bool
	Template       *LaunchTemplate
	Version        int // of Template
}

// Launch starts a new instance from an image. It is pending, then running while it boots, and its application answers
// later still. Without capacity the error is InsufficientInstanceCapacity.
func (r *Region) Launch(spec LaunchSpec) (*Instance, error) {
	if err := r.withinQuota(); err != nil {
		return nil, err
	}
	instance, err := r.newInstance(spec)
	if err != nil {
		return nil, err
	}
	if r.World.faults.strikes(FaultNoCapacity, instance) {
		r.forget(instance)
		return nil, instance.noCapacity()
	}
	instance.State = Pending
	r.Changed("instance", instance.ID, "pending")
	if instance.keyUnusable() {
		r.World.After(pendingTime, func() {
			instance.Terminate()
			instance.StateReason = "Client.InvalidKMSKey.InvalidState"
		})
		return instance, nil
	}
	instance.comeUp(r.World.Scenario.Durations.Launch.D())
	return instance, nil
}

// place puts a standalone instance of the scenario into the region, running as if launched a day before.
func (r *Region) place(spec InstanceSpec) (*Instance, error) {
	tags := Tags(spec.Tags).Clone()
	n := r.World.counters["place/"+r.String()+"/"+spec.Name]
	r.World.counters["place/"+r.String()+"/"+spec.Name] = n + 1
	if spec.Name != "" {
		tags["Name"] = spec.Name
		if spec.Count > 1 {
			tags["Name"] = fmt.Sprintf("%s-%d", spec.Name, n+1)
		}
	}
	zone := spec.Zone
	if len(spec.Zones) > 0 {
		zone = spec.Zones[int(n)%len(spec.Zones)]
	}
	instance, err := r.newInstance(LaunchSpec{Image: spec.Image, Type: spec.Type, Zone: zone, Tags: tags})
	if err != nil {
		return nil, err
	}
	instance.settle()
	r.LoadBalancing.joinAtStart(r, instance, spec.TargetGroups)
	return instance, nil
}

// Place launches an instance that is running with its application up at once, as if it had been launched a day before.
// The scenario's groups begin with such.
func (r *Region) Place(spec LaunchSpec) (*Instance, error) {
	instance, err := r.newInstance(spec)
	if err != nil {
		return nil, err
	}
	instance.settle()
	return instance, nil
}

func (i *Instance) settle() {
	i.State = Running
	i.LaunchTime = i.Region.World.now.Add(-24 * time.Hour)
	i.machine.start(i, i.LaunchTime.Add(time.Minute))
	i.machine.appUp = true
	i.Region.Changed("instance", i.ID, "running")
}

func (r *Region) newInstance(spec LaunchSpec) (*Instance, error) {
	image := r.Image(spec.Image)
	if image == nil {
		return nil, api.Errorf("InvalidAMIID.NotFound", "The image id '[%s]' does not exist", spec.Image)
	}
	if image.State() != "available" {
		return nil, api.Errorf("InvalidAMIID.Unavailable", "The image ID '%s' is not yet available", image.ID)
	}
	w := r.World
	instance := &Instance{
		Region: r, ID: r.NewID("i"), Image: image, Type: spec.Type, Zone: spec.Zone, Tags: spec.Tags.Clone(),
		SecurityGroups: slices.Clone(spec.SecurityGroups), Group: spec.Group, LaunchTime: w.now, Hibernates: spec.Hibernates,
		Template: spec.Template, TemplateVersion: spec.Version,
	}
	if instance.Type == "" {
		instance.Type = "m7i.large"
	}
	if instance.Zone == "" {
		instance.Zone = r.Name + "a"
	}
	if len(instance.SecurityGroups) == 0 {
		instance.SecurityGroups = []string{r.defaultSecurityGroup()}
	}
	n := len(r.instances.ids) + 1
	instance.PrivateIP = fmt.Sprintf("10.%d.%d.%d", n>>14&255, n>>6&255, n&63+10)
	if r.dualStack {
		instance.IPv6 = netip.MustParseAddr(fmt.Sprintf("2001:db8:0:%x::%x", n>>8, n&255+10)).String()
	}
	if spec.Group != "" {
		key := "ordinal/" + r.String() + "/" + r.Account.ID + "/" + spec.Group
		w.counters[key]++
		instance.Ordinal = int(w.counters[key])
	}
	root := r.newVolume(instance.Zone, "", image.disk.Clone())
	root.Key = r.keyOver(image.Key)
	root.attach(instance)
	instance.RootVolume = root.ID
	instance.roots = []string{root.ID}
	r.instances.put(instance.ID, instance)
	return instance, nil
}

func (r *Region) forget(i *Instance) {
	r.volumes.drop(i.RootVolume)
	r.instances.drop(i.ID)
}

// Instance returns the instance with that id, or nil.
func (r *Region) Instance(id string) *Instance {
	instance, _ := r.instances.get(id)
	return instance
}

// Instances lists the region's instances in the order they were launched, terminated ones for an hour.
func (r *Region) Instances() []*Instance { return r.instances.all() }

// Name is how people name the instance: its tag Name, "group/n" in an Auto Scaling group, or its id.
func (i *Instance) Name() string {
	switch {
	case i.Group != "":
		return fmt.Sprintf("%s/%d", i.Group, i.Ordinal)
	case i.Tags["Name"] != "":
		return i.Tags["Name"]
	}
	return i.ID
}

// Disk is the content of the root volume, or of a node's own disk; nil when none is attached.
func (i *Instance) Disk() *Disk {
	if i.Node {
		return i.disk
	}
	if volume, ok := i.Region.volumes.get(i.RootVolume); ok {
		return volume.Disk
	}
	return nil
}

// comeUp runs through pending and boot, the whole taking d.
func (i *Instance) comeUp(d time.Duration) {
	epoch := i.machine.goDown(i)
	early := min(pendingTime, d)
	i.after(epoch, early, func() {
		i.State, i.StateReason = Running, ""
		i.Region.Changed("instance", i.ID, "running")
		i.machine.boot(i, d-early)
	})
}

// keyUnusable reports whether the encrypted root cannot be opened now; AWS finds out only after it has accepted the
// call.
func (i *Instance) keyUnusable() bool {
	root := i.Region.Volume(i.RootVolume)
	return root != nil && root.Key != "" &&
		(i.Region.keyOff(root.Key) || i.Region.World.faults.strikes(FaultKeyUnusable, i))
}

// after schedules do unless the machine was started, stopped or rebooted meanwhile.
func (i *Instance) after(epoch uint64, d time.Duration, do func()) {
	i.Region.World.After(d, func() {
		if i.machine.epoch == epoch {
			do()
		}
	})
}

// noCapacity is what EC2 answers to a launch, and to the start of one that was stopped, where it has no such machine: a
// server's error (EC2's table of server error codes), though nothing was done.
func (i *Instance) noCapacity() error {
	return &api.Error{Code: "InsufficientInstanceCapacity", Status: http.StatusInternalServerError, Message: fmt.Sprintf(
		"We currently do not have sufficient %s capacity in the Availability Zone you requested (%s).", i.Type, i.Zone)}
}

// Start boots a stopped instance; on a running or pending one it does nothing.
func (i *Instance) Start() error {
	switch i.State {
	case Running, Pending:
		return nil
	case Stopped:
	default:
		return i.wrongState("started")
	}
	if i.RootVolume == "" {
		return api.Errorf(
			"IncorrectInstanceState",
			"Instance '%s' does not have a volume attached at root (%s)",
			i.ID,
			RootDevice,
		)
	}
	if i.Region.World.faults.strikes(FaultNoCapacity, i) {
		return i.noCapacity()
	}
	i.State, i.StoppedAt, i.LaunchTime = Pending, time.Time{}, i.Region.World.now
	i.Region.Changed("instance", i.ID, "pending")
	if i.keyUnusable() {
		epoch := i.machine.goDown(i)
		i.after(epoch, pendingTime, func() {
			i.State, i.StateReason = Stopped, "Client.InternalError"
			i.Region.Changed("instance", i.ID, "stopped")
		})
		return nil
	}
	if i.asleep != nil {
		i.wakeUp()
		return nil
	}
	i.comeUp(i.Region.World.Scenario.Durations.Launch.D())
	return nil
}

// Stop shuts the machine down; on a stopped or stopping one it does nothing.
func (i *Instance) Stop() error {
	switch i.State {
	case Stopped, Stopping:
		return nil
	case Running, Pending:
	default:
		return i.wrongState("stopped")
	}
	i.State, i.StateReason = Stopping, "Client.UserInitiatedShutdown"
	i.StoppedAt = i.Region.World.now
	epoch := i.machine.goDown(i)
	i.Region.Changed("instance", i.ID, "stopping")
	i.after(epoch, i.Region.World.Scenario.Durations.Stop.D(), func() {
		i.State = Stopped
		i.Region.Changed("instance", i.ID, "stopped")
	})
	return nil
}

// Reboot restarts the machine; the instance stays running for EC2. A machine that hangs comes back by it.
func (i *Instance) Reboot() error {
	if i.State != Running {
		return i.wrongState("rebooted")
	}
	i.machine.goDown(i)
	i.Region.Changed("instance", i.ID, "rebooting")
	i.machine.boot(i, i.Region.World.Scenario.Durations.Reboot.D())
	return nil
}

// Terminate ends the instance and its root volume; on a terminated one it does nothing.
func (i *Instance) Terminate() {
	if i.State == Terminated || i.State == ShuttingDown {
		return
	}
	i.State, i.StateReason = ShuttingDown, "Client.UserInitiatedShutdown"
	epoch := i.machine.goDown(i)
	i.Region.Changed("instance", i.ID, "shutting-down")
	i.after(epoch, shutdownTime, func() {
		i.State = Terminated
		if root, ok := i.Region.volumes.get(i.RootVolume); ok {
			i.Region.volumes.drop(root.ID)
		}
		i.RootVolume = ""
		for _, volume := range i.Attachments() {
			volume.Attached, volume.Device = "", ""
		}
		i.Region.Changed("instance", i.ID, "terminated")
		i.Region.World.After(terminatedMemory, func() { i.Region.instances.drop(i.ID) })
	})
}

func (i *Instance) wrongState(verb string) error {
	return api.Errorf("IncorrectInstanceState", "This instance '%s' is not in a state from which it can be %s: it is "+
		"%s.", i.ID, verb, i.State)
}
