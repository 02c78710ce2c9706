package world

import (
	"maps"
	"slices"
	"strings"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// MaxTags is how many tags a resource may have.
const MaxTags = 50

// ResourceTags finds the tags of an EC2 resource by its id, with EC2's word for its type.
func (r *Region) ResourceTags(id string) (tags Tags, kind string, err error) {
	prefix, _, _ := strings.Cut(id, "-")
	switch prefix {
	case "i":
		if instance := r.Instance(id); instance != nil {
			return instance.Tags, "instance", nil
		}
		return nil, "", api.Errorf("InvalidInstanceID.NotFound", "The instance ID '%s' does not exist", id)
	case "vol":
		if volume := r.Volume(id); volume != nil {
			return volume.Tags, "volume", nil
		}
		return nil, "", api.Errorf("InvalidVolume.NotFound", "The volume '%s' does not exist.", id)
	case "snap":
		if snapshot := r.Snapshot(id); snapshot != nil {
			return snapshot.Tags, "snapshot", nil
		}
		return nil, "", api.Errorf("InvalidSnapshot.NotFound", "The snapshot '%s' does not exist.", id)
	case "sg":
		if group, ok := r.securityGroups.get(id); ok {
			return group.Tags, "security-group", nil
		}
		return nil, "", api.Errorf("InvalidGroup.NotFound", "The security group '%s' does not exist", id)
	case "eni":
		if _, err := r.Interface(id); err != nil {
			return nil, "", err
		}
		return Tags{}, "network-interface", nil
	case "ami":
		if image, ok := r.images.get(id); ok {
			return image.Tags, "image", nil
		}
		return nil, "", api.Errorf("InvalidAMIID.NotFound", "The image id '[%s]' does not exist", id)
	case "lt":
		if template, ok := r.launchTemplates.get(id); ok {
			return template.Tags, "launch-template", nil
		}
	case "replacevol":
		if task, ok := r.rootTasks.get(id); ok {
			return task.Tags, "replace-root-volume-task", nil
		}
	}
	return nil, "", api.Errorf("InvalidID", "The ID '%s' is not valid", id)
}

// TaggableIDs lists the ids of the region's EC2 resources.
func (r *Region) TaggableIDs() []string {
	return slices.Concat(
		r.instances.ids, r.volumes.ids, r.snapshots.ids, r.images.ids, r.securityGroups.ids, r.rootTasks.ids,
	)
}

// TagResources sets tags on EC2 resources; all or none.
func (r *Region) TagResources(ids []string, tags Tags) error {
	for _, id := range ids {
		present, _, err := r.ResourceTags(id)
		if err != nil {
			return err
		}
		merged := present.Clone()
		maps.Copy(merged, tags)
		if len(merged) > MaxTags {
			return api.Errorf("TagLimitExceeded", "Resource %s would have %d tags; the limit is %d.", id, len(merged), MaxTags)
		}
	}
	for _, id := range ids {
		present, kind, err := r.ResourceTags(id)
		if err != nil {
			return err
		}
		maps.Copy(present, tags)
		r.Changed(kind, id, "tagged")
	}
	return nil
}

// UntagResources takes tags off EC2 resources: a key with a value goes only where the value is that one, a key without
// a value always, and no key at all means every tag.
func (r *Region) UntagResources(ids []string, tags map[string]*string) error {
	for _, id := range ids {
		if _, _, err := r.ResourceTags(id); err != nil {
			return err
		}
	}
	for _, id := range ids {
		present, kind, err := r.ResourceTags(id)
		if err != nil {
			return err
		}
		if len(tags) == 0 {
			clear(present)
		}
		for key, value := range tags {
			if old, ok := present[key]; ok && (value == nil || *value == old) {
				delete(present, key)
			}
		}
		r.Changed(kind, id, "untagged")
	}
	return nil
}
