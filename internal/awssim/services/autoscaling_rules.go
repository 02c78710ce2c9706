package services

import (
	"slices"
	"strings"
	"time"

	as "github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// healthCheckType refuses what is no kind of health check; those that AWS has and this world has not are NotModelled.
func healthCheckType(given *string) error {
	if given == nil {
		return nil
	}
	for kind := range strings.SplitSeq(*given, ",") {
		switch kind {
		case "EC2", "ELB":
		case "EBS", "VPC_LATTICE":
			return api.NotModelled("health checks of type %s", kind)
		default:
			return api.Errorf("ValidationError", "Valid values for HealthCheckType are EC2, EBS, ELB and VPC_LATTICE: %s", kind)
		}
	}
	if strings.Contains(*given, ",") {
		return api.NotModelled("several types of health checks: %s", *given)
	}
	return nil
}

// zonesOf are the zones that a request wants, by name or by subnets; both together must agree.
func zonesOf(region *world.Region, zones []string, subnets *string) ([]string, error) {
	for _, zone := range zones {
		if !region.HasZone(zone) {
			return nil, api.Errorf("ValidationError", "Invalid Availability Zones: [%s]", zone)
		}
	}
	if deref(subnets) == "" {
		return zones, nil
	}
	var theirs []string
	for subnet := range strings.SplitSeq(*subnets, ",") {
		zone, err := region.ZoneOf(strings.TrimSpace(subnet))
		if err != nil {
			return nil, api.Errorf("ValidationError", "The subnet ID '%s' does not exist", subnet)
		}
		theirs = append(theirs, zone)
	}
	slices.Sort(theirs)
	theirs = slices.Compact(theirs)
	if given := slices.Sorted(slices.Values(zones)); len(zones) > 0 && !slices.Equal(given, theirs) {
		return nil, api.Errorf(
			"ValidationError", "The availability zones of the specified subnets and the Auto Scaling group do not match",
		)
	}
	return theirs, nil
}

// subnetsOf are the subnets of a group that was made with subnets; nil for one that was made with zones.
func subnetsOf(group *world.ScalingGroup) *string {
	if !group.BySubnets {
		return nil
	}
	subnets := make([]string, len(group.Zones))
	for n, zone := range group.Zones {
		subnets[n] = group.Region.SubnetOf(zone)
	}
	return ref(strings.Join(subnets, ","))
}

// groupTags checks the tags of a group, those it has included, by the tagging guide: 50 a group, aws: is reserved.
func groupTags(present []world.GroupTag, tags []types.Tag) error {
	keys := map[string]bool{}
	for _, tag := range present {
		keys[tag.Key] = true
	}
	for _, tag := range tags {
		key := deref(tag.Key)
		if strings.HasPrefix(strings.ToLower(key), "aws:") {
			return api.Errorf("ValidationError", "Tag keys beginning with aws: are reserved for system use: %s", key)
		}
		if kind := deref(tag.ResourceType); tag.ResourceType != nil && kind != "auto-scaling-group" {
			return api.Errorf("ValidationError", "The resource type %s is not auto-scaling-group", kind)
		}
		keys[key] = true
	}
	if len(keys) > world.MaxTags {
		return api.Errorf("LimitExceeded", "The number of tags, %d, is over the limit of %d", len(keys), world.MaxTags)
	}
	return nil
}

// refreshPreferences obeys what a request says that this world's refresh does, and refuses what the API reference of
// RefreshPreferences says is refused; the words of the refusals are unverified.
func refreshPreferences(in *as.StartInstanceRefreshInput) (warmup time.Duration, minHealthy int, err error) {
	if in.Preferences == nil {
		return 0, world.MinHealthy, nil
	}
	rest := *in.Preferences
	low, high := int32(world.MinHealthy), int32(100)
	if rest.MinHealthyPercentage != nil {
		low = *rest.MinHealthyPercentage
	}
	if rest.MaxHealthyPercentage != nil {
		high = *rest.MaxHealthyPercentage
	}
	warmup = time.Duration(deref(rest.InstanceWarmup)) * time.Second
	switch {
	case rest.MaxHealthyPercentage != nil && rest.MinHealthyPercentage == nil:
		return 0, 0, api.Errorf("ValidationError", "MinHealthyPercentage is required with MaxHealthyPercentage")
	case high-low > 100:
		return 0, 0, api.Errorf("ValidationError", "MaxHealthyPercentage is at most 100 over MinHealthyPercentage")
	}
	// The world's refresh launches nothing beyond desired and fails where instances stay in Standby or protected: what a
	// request says otherwise is not modelled.
	if high != 100 {
		return 0, 0, api.NotModelled("MaxHealthyPercentage %d of an instance refresh", high)
	}
	if p := rest.ScaleInProtectedInstances; p == "" || p == types.ScaleInProtectedInstancesWait {
		rest.ScaleInProtectedInstances = ""
	}
	if p := rest.StandbyInstances; p == "" || p == types.StandbyInstancesWait {
		rest.StandbyInstances = ""
	}
	rest.MinHealthyPercentage, rest.MaxHealthyPercentage, rest.InstanceWarmup = nil, nil, nil
	if !deref(rest.SkipMatching) {
		rest.SkipMatching = nil
	}
	if !deref(rest.AutoRollback) {
		rest.AutoRollback = nil
	}
	if unknown := setFields(rest); len(unknown) > 0 {
		return 0, 0, api.NotModelled("preferences %v of an instance refresh", unknown)
	}
	return warmup, int(low), nil
}
