package world

import (
	"slices"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// CreateImage makes an image of an instance's root volume as it is now; the image is pending while its snapshot is.
// Without noReboot the machine is rebooted first, as EC2 does by default.
func (r *Region) CreateImage(instanceID, name, description string, noReboot bool, tags Tags) (*Image, error) {
	instance := r.Instance(instanceID)
	switch {
	case instance == nil || instance.State == Terminated:
		return nil, api.Errorf("InvalidInstanceID.NotFound", "The instance ID '%s' does not exist", instanceID)
	case instance.State != Running && instance.State != Stopped:
		return nil, instance.wrongState("made an image of")
	case len(name) < 3 || len(name) > 128:
		return nil, api.Errorf("InvalidAMIName.Malformed", "AMI names must be between 3 and 128 characters long")
	case slices.ContainsFunc(r.images.all(), func(i *Image) bool { return i.Name == name }):
		return nil, api.Errorf("InvalidAMIName.Duplicate", "AMI name %s is already in use", name)
	case instance.Disk() == nil:
		return nil, api.Errorf("IncorrectInstanceState", "Instance '%s' has no root volume.", instanceID)
	}
	content := instance.Disk().Clone()
	snapshot, err := r.CreateSnapshot(instance.RootVolume, "Created by CreateImage("+instanceID+")", nil)
	if err != nil {
		return nil, err
	}
	if !noReboot && instance.State == Running {
		if err := instance.Reboot(); err != nil {
			return nil, err
		}
	}
	image := &Image{
		ID: r.NewID("ami"), Name: name, Description: description, Created: r.World.now, Tags: tags.Clone(),
		Owner: r.Account.ID, ImageKind: instance.Image.ImageKind,
		Key: snapshot.Key, Snapshot: snapshot.ID, made: snapshot, disk: content,
	}
	r.images.put(image.ID, image)
	r.Changed("image", image.ID, "pending")
	return image, nil
}

// State is EC2's word for the image: available, or pending or failed as the snapshot is that it was made from.
func (i *Image) State() string {
	if i.made == nil {
		return "available"
	}
	return map[string]string{"pending": "pending", "completed": "available", "error": "failed"}[i.made.State]
}

// DeregisterImage forgets an image; instances made from it stay.
func (r *Region) DeregisterImage(id string) error {
	if _, ok := r.images.get(id); !ok {
		return api.Errorf("InvalidAMIID.NotFound", "The image id '[%s]' does not exist", id)
	}
	r.images.drop(id)
	r.Changed("image", id, "deregistered")
	return nil
}
