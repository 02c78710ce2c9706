package world

import (
	"slices"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// RootTask is one run of CreateReplaceRootVolumeTask.
type RootTask struct {
	ID           string
	Instance     string
	SnapshotID   string
	ImageID      string // what it is made from instead of a snapshot
	State        string // pending, in-progress, failing, succeeded, failed, failing-detached, failed-detached
	Started      time.Time
	Completed    time.Time
	DeletesOld   bool
	OldRoot      string
	Tags         Tags
	clientToken  string
	sameAsBefore string
}

// Ended reports whether the task reached its last state.
func (t *RootTask) Ended() bool {
	return t.State == "succeeded" || t.State == "failed" || t.State == "failed-detached"
}

// ReplaceRoot swaps the root volume of a running instance for one made from a snapshot of a current or former root of
// the same instance, or, without a snapshot, for one in the state of its launch. The instance reboots by itself, and
// its old root stays as an available volume unless deleteOld is set. The same client token returns the same task. What
// it is made from may be an image as well.
func (r *Region) ReplaceRoot(instanceID, from, token string, deleteOld bool, tags Tags) (*RootTask, error) {
	same, snapshotID, imageID := instanceID+"|"+from, from, ""
	if strings.HasPrefix(from, "ami-") {
		snapshotID, imageID = "", from
	}
	if token != "" {
		for _, task := range r.rootTasks.all() {
			if task.clientToken != token {
				continue
			}
			if task.sameAsBefore != same {
				return nil, api.Errorf(
					"IdempotentParameterMismatch", "The client token '%s' was used with other parameters.", token,
				)
			}
			return task, nil
		}
	}
	instance := r.Instance(instanceID)
	if instance == nil || instance.State == Terminated {
		return nil, api.Errorf("InvalidInstanceID.NotFound", "The instance ID '%s' does not exist", instanceID)
	}
	if instance.State != Running {
		return nil, api.Errorf(
			"IncorrectInstanceState", "The instance '%s' must be in state 'running'; it is '%s'.", instanceID, instance.State,
		)
	}
	switch {
	case instance.Image.ProductCode != "" && r.World.Has(DoubtProductsNotRestored):
		return nil, api.Errorf(
			"UnsupportedOperation", "The root volume of instance '%s' cannot be replaced: its image has a product code.",
			instanceID,
		)
	case Matches("*.metal*", instance.Type) && !strings.HasPrefix(instance.Type, "mac"):
		return nil, api.Errorf(
			"UnsupportedOperation", "The root volume of instance '%s' cannot be replaced: %s is bare metal.", instanceID,
			instance.Type,
		)
	}
	for _, task := range r.rootTasks.all() {
		if task.Instance == instanceID && !task.Ended() {
			return nil, api.Errorf(
				"IncorrectState", "Root volume replacement task %s of instance %s has not ended.", task.ID, instanceID,
			)
		}
	}
	content := instance.Image.disk
	if snapshotID != "" {
		snapshot := r.Snapshot(snapshotID)
		switch {
		case snapshot == nil:
			return nil, api.Errorf("InvalidSnapshot.NotFound", "The snapshot '%s' does not exist.", snapshotID)
		case snapshot.State != "completed":
			return nil, api.Errorf(
				"IncorrectState", "Snapshot '%s' is in state '%s'; it must be 'completed'.", snapshotID, snapshot.State,
			)
		case !slices.Contains(instance.roots, snapshot.Volume):
			return nil, api.Errorf("InvalidParameterValue",
				"Snapshot '%s' was not taken from a current or previous root volume of instance '%s'.", snapshotID, instanceID)
		}
		content = snapshot.disk
	}
	if imageID != "" {
		image := r.Image(imageID)
		switch {
		case image == nil || image.ID != imageID:
			return nil, api.Errorf("InvalidAMIID.NotFound", "The image id '[%s]' does not exist", imageID)
		case image.State() != "available":
			return nil, api.Errorf("InvalidAMIID.Unavailable", "The image ID '%s' is not yet available", imageID)
		case !image.fits(instance.Image):
			return nil, api.Errorf(
				"InvalidParameterValue", "Image '%s' does not fit the image of instance '%s'.", imageID, instanceID,
			)
		}
		content = image.disk
	}
	task := &RootTask{
		ImageID: imageID,
		ID:      r.NewID("replacevol"), Instance: instanceID, SnapshotID: snapshotID, State: "pending", Started: r.World.now,
		DeletesOld: deleteOld, OldRoot: instance.RootVolume, Tags: tags.Clone(), clientToken: token, sameAsBefore: same,
	}
	r.rootTasks.put(task.ID, task)
	r.Changed("root_replacement", task.ID, "pending")
	r.runRootTask(task, instance, content.Clone())
	return task, nil
}

func (r *Region) runRootTask(task *RootTask, instance *Instance, content *Disk) {
	w := r.World
	whole := w.Scenario.Durations.RootReplacement.D()
	reboot := min(w.Scenario.Durations.Reboot.D(), whole/2)
	key := instance.Image.Key
	if root := r.Volume(instance.RootVolume); root != nil {
		key = root.Key
	}
	if image := r.Image(task.ImageID); image != nil && image.Key != "" {
		key = image.Key // what is made of something encrypted is encrypted (EBS guide)
	}
	key = r.keyOver(key)
	keyed := instance.keyUnusable() || key != "" && (r.keyOff(key) || r.Key(key) != nil && !r.Key(key).Serves("ec2"))
	fails := w.faults.strikes(FaultRootReplaceFails, instance)
	detaches := w.faults.strikes(FaultRootReplaceDetaches, instance)
	end := func(state string) {
		task.State, task.Completed = state, w.now
		r.Changed("root_replacement", task.ID, state)
	}
	set := func(state string) {
		task.State = state
		r.Changed("root_replacement", task.ID, state)
	}
	w.After(whole/10, func() {
		if instance.State != Running || keyed {
			end("failed") // without its key no volume can be made, and the old root stays as it was
			return
		}
		set("in-progress")
		epoch := instance.machine.goDown(instance)
		r.Changed("instance", instance.ID, "root volume replacement began")
		w.After(whole-whole/10-reboot, func() {
			if instance.machine.epoch != epoch || instance.State != Running {
				end("failed") // somebody stopped, rebooted or terminated it in the middle
				return
			}
			old := r.Volume(task.OldRoot)
			if !fails {
				instance.machine.resume = nil // what the agent was doing was written on the old root
			}
			switch {
			case detaches:
				set("failing-detached")
				if old != nil {
					old.Attached = ""
				}
				instance.RootVolume = ""
				instance.machine.hung = true
				w.After(reboot, func() { end("failed-detached") })
				return
			case fails:
				set("failing")
				instance.machine.boot(instance, reboot)
				w.After(reboot, func() { end("failed") })
				return
			}
			volume := r.newVolume(instance.Zone, task.SnapshotID, content)
			volume.Key = key
			if old != nil && !w.Has(DoubtSpeedNotRestored) {
				volume.IOPS, volume.Throughput = old.IOPS, old.Throughput
			}
			volume.attach(instance)
			if old != nil {
				old.Attached = ""
				if task.DeletesOld {
					r.volumes.drop(old.ID)
				}
			}
			instance.RootVolume = volume.ID
			if image := r.Image(task.ImageID); image != nil {
				instance.Image = image // "New AMI ID": guide on replacing a root volume
				instance.machine.mute = w.faults.strikes(FaultAgentSilent, instance)
			}
			instance.roots = append(instance.roots, volume.ID)
			instance.machine.boot(instance, reboot)
			w.After(reboot, func() { end("succeeded") })
		})
	})
}

// RootTasks lists the region's root volume replacement tasks in the order they began.
func (r *Region) RootTasks() []*RootTask { return r.rootTasks.all() }
