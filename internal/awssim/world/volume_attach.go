package world

import "github.com/patchtide/patchtide/internal/awssim/api"

// AttachVolume attaches an available volume to a running or stopped instance of its zone. A stopped instance without a
// root takes one at its root device.
func (r *Region) AttachVolume(volumeID, instanceID, device string) (*Volume, error) {
	volume, instance := r.Volume(volumeID), r.Instance(instanceID)
	switch {
	case volume == nil:
		return nil, api.Errorf("InvalidVolume.NotFound", "The volume '%s' does not exist.", volumeID)
	case instance == nil || instance.State == Terminated:
		return nil, api.Errorf("InvalidInstanceID.NotFound", "The instance ID '%s' does not exist", instanceID)
	case volume.Attached != "":
		return nil, api.Errorf("VolumeInUse", "%s is already attached to an instance", volumeID)
	case instance.State != Running && instance.State != Stopped:
		return nil, api.Errorf("IncorrectState", "Instance '%s' is not 'running' or 'stopped'.", instanceID)
	case volume.Zone != instance.Zone:
		return nil, api.Errorf(
			"InvalidVolume.ZoneMismatch", "The volume '%s' is not in the same availability zone as instance '%s'", volumeID,
			instanceID,
		)
	}
	root := device == RootDevice
	for _, other := range r.Volumes() {
		if other.Attached == instanceID && other.Device == device {
			return nil, api.Errorf(
				"InvalidParameterValue", "Invalid value '%s' for unixDevice. Attachment point %s is already in use", device, device,
			)
		}
	}
	if root && instance.State != Stopped {
		return nil, api.Errorf("IncorrectState", "A root volume is attached to a stopped instance only: '%s'.", instanceID)
	}
	volume.Attached, volume.Device = instanceID, device
	if root {
		instance.RootVolume = volume.ID
		instance.roots = append(instance.roots, volume.ID)
	}
	r.Changed("volume", volumeID, "attached to "+instanceID)
	return volume, nil
}

// DetachVolume detaches a volume; the root only of a stopped instance. An instance or a device that is named must be
// its own.
func (r *Region) DetachVolume(volumeID, instanceID, device string) (*Volume, error) {
	volume := r.Volume(volumeID)
	switch {
	case volume == nil:
		return nil, api.Errorf("InvalidVolume.NotFound", "The volume '%s' does not exist.", volumeID)
	case volume.Attached == "":
		return nil, api.Errorf("IncorrectState", "Volume '%s' is in the 'available' state.", volumeID)
	case instanceID != "" && instanceID != volume.Attached, device != "" && device != volume.Device:
		return nil, api.Errorf(
			"InvalidAttachment.NotFound", "Volume '%s' is not attached to instance '%s' as device %s", volumeID, instanceID,
			device,
		)
	}
	instance := r.Instance(volume.Attached)
	if instance != nil && instance.RootVolume == volumeID {
		if instance.State != Stopped {
			return nil, api.Errorf(
				"OperationNotPermitted", "Unable to detach root volume '%s' from instance '%s'", volumeID, instance.ID,
			)
		}
		instance.RootVolume = ""
	}
	before := *volume
	volume.Attached, volume.Device = "", ""
	r.Changed("volume", volumeID, "detached")
	return &before, nil
}

// Attachments are the volumes of an instance, its root first.
func (i *Instance) Attachments() []*Volume {
	var all []*Volume
	if root := i.Region.Volume(i.RootVolume); root != nil {
		all = append(all, root)
	}
	for _, volume := range i.Region.Volumes() {
		if volume.Attached == i.ID && volume.ID != i.RootVolume {
			all = append(all, volume)
		}
	}
	return all
}

// CreateVolumeFrom makes a volume with the content of a snapshot.
func (r *Region) CreateVolumeFrom(snapshotID, zone string, tags Tags) (*Volume, error) {
	snapshot := r.Snapshot(snapshotID)
	switch {
	case snapshot == nil:
		return nil, api.Errorf("InvalidSnapshot.NotFound", "The snapshot '%s' does not exist.", snapshotID)
	case snapshot.State != "completed":
		return nil, api.Errorf("IncorrectState", "Snapshot '%s' is in invalid state - %s", snapshotID, snapshot.State)
	}
	volume := r.newVolume(zone, snapshotID, snapshot.disk.Clone())
	volume.Tags, volume.Key = tags.Clone(), r.keyOver(snapshot.Key)
	return volume, nil
}
