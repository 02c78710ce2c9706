package world

import (
	"regexp"
	"slices"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// CreateScalingGroup makes an Auto Scaling group as a client does: empty, and launching what desired asks for. Members
// come by the usual road, through Pending.
func (r *Region) CreateScalingGroup(spec GroupSpec, tags []GroupTag) (*ScalingGroup, error) {
	switch {
	case spec.Name == "":
		return nil, api.Errorf("ValidationError", "AutoScalingGroupName is required")
	case spec.Min < 0 || spec.Min > spec.Max:
		return nil, api.Errorf(
			"ValidationError", "Max bound, %d, must be greater than or equal to min bound, %d", spec.Max, spec.Min,
		)
	case spec.Desired < spec.Min || spec.Desired > spec.Max:
		return nil, api.Errorf(
			"ValidationError", "Desired capacity:%d must be between the specified min size:%d and max size:%d", spec.Desired,
			spec.Min, spec.Max,
		)
	case len(spec.Zones) == 0:
		return nil, api.Errorf("ValidationError", "At least one Availability Zone or VPC Subnet is required.")
	case r.Image(spec.Image) == nil:
		return nil, api.Errorf(
			"ValidationError", "You must use a valid fully-formed launch template. The image id '[%s]' does not exist",
			spec.Image,
		)
	}
	if _, err := r.ScalingGroup(spec.Name); err == nil {
		return nil, api.Errorf(
			"AlreadyExists", "AutoScalingGroup by this name already exists - A group with the name %s already exists", spec.Name,
		)
	}
	r.ensureWatched()
	group, err := r.newScalingGroup(spec)
	if err != nil {
		return nil, err
	}
	group.Created = r.World.now
	group.Tags = append(group.Tags, tags...)
	r.Changed("group", group.Name, "created")
	r.resettle()
	return group, nil
}

// ensureWatched lets a region that the scenario does not name follow its instances too.
func (r *Region) ensureWatched() {
	if !slices.ContainsFunc(
		r.Account.Spec.Regions, func(s RegionSpec) bool { return s.Name == r.Name },
	) && len(r.AutoScaling.groups.ids) == 0 {
		r.watchInstances()
	}
}

// targetGroupName is what a name may be: "a maximum of 32 characters, only alphanumeric characters or hyphens, and must
// not begin or end with a hyphen", says the API reference.
var targetGroupName = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9-]{0,30}[a-zA-Z0-9])?$`)

// CreateTargetGroup makes a target group; none of the load balancers has it until one is told to. The same settings
// again are the same group.
func (r *Region) CreateTargetGroup(spec TargetGroupSpec) (*TargetGroup, error) {
	if !targetGroupName.MatchString(spec.Name) {
		return nil, api.Errorf(
			"ValidationError", "Target group name '%s' must be 1 to 32 letters, digits and hyphens, and not begin or end with "+
				"a hyphen", spec.Name,
		)
	}
	if there, err := r.targetGroupNamed(spec.Name); err == nil {
		if there.made == spec {
			return there, nil
		}
		return nil, api.Errorf(
			"DuplicateTargetGroupName", "A target group with the same name '%s' exists, but with different settings", spec.Name,
		)
	}
	r.addTargetGroup(spec)
	return r.targetGroupNamed(spec.Name)
}

// DeleteTargetGroup forgets a target group. One that a load balancer has is ResourceInUse; one that is gone is no
// error.
func (r *Region) DeleteTargetGroup(arn string) error {
	group, ok := r.LoadBalancing.groups.get(arn)
	if !ok {
		return nil
	}
	if group.LoadBalancer != "" {
		return api.Errorf("ResourceInUse", "Target group '%s' is currently in use by a listener or a rule", arn)
	}
	for _, target := range group.targets {
		target.cancel()
	}
	group.targets = nil
	for _, scaling := range r.ScalingGroups() {
		scaling.TargetGroups = slices.DeleteFunc(scaling.TargetGroups, func(g *TargetGroup) bool { return g == group })
	}
	r.LoadBalancing.groups.drop(arn)
	r.Changed("target", arn, "deleted")
	r.resettle() // who drained there has left it
	return nil
}

// DeleteAlarms forgets alarms; those that are gone are no error.
func (r *Region) DeleteAlarms(names []string) {
	for _, name := range names {
		if alarm, ok := r.Alarms.alarms.get(name); ok {
			alarm.cancel()
			r.Alarms.alarms.drop(name)
			r.Changed("alarm", name, "deleted")
		}
	}
}

// DeleteParameter forgets a parameter and reports whether there was one.
func (r *Region) DeleteParameter(name string) bool {
	_, exists := r.store.all.get(name)
	r.store.all.drop(name)
	return exists
}

// DeleteDocument forgets a document of one's own; the error is InvalidDocument for one that does not exist.
func (r *Region) DeleteDocument(name string) error {
	document, err := r.Document(name)
	if err != nil {
		return err
	}
	if document.Owner == "Amazon" {
		return api.Errorf("InvalidDocumentOperation", "You attempted to delete a document that is owned by Amazon: %s", name)
	}
	r.documents.all.drop(name)
	return nil
}

// CreateVolume makes an empty volume that is attached to nothing.
func (r *Region) CreateVolume(zone string, tags Tags) *Volume {
	volume := r.newVolume(zone, "", &Disk{})
	volume.Tags = tags.Clone()
	return volume
}
