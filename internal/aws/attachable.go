package aws

import (
	"context"
	"fmt"
	"slices"
	"strings"

	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// WhyNotAttachable says why Auto Scaling would refuse to take an instance into a group however much room that has, and
// what to do; "" where nothing is known against it. It takes only what runs, in one of the group's zones, and whose
// image still exists (the guide on attaching instances).
func WhyNotAttachable(
	ctx context.Context, s *Services, group *astypes.AutoScalingGroup, in Instance, seen *Quarantined,
) (string, error) {
	if seen.State != "running" {
		return fmt.Sprintf("the instance is %s; start it, then release it", seen.State), nil
	}
	if zones := group.AvailabilityZones; seen.Zone != "" && !slices.Contains(zones, seen.Zone) {
		return fmt.Sprintf("it runs in %s, and the group in %s only, so that Auto Scaling would not take it; add that zone "+
			"to the group, or terminate it (patchtide quarantine terminate)", seen.Zone, strings.Join(zones, ", ")), nil
	}
	if seen.Image == "" {
		return "", nil
	}
	// Of other accounts' images those that are deprecated or disabled are left out unless asked for; they exist.
	images, err := s.EC2.DescribeImages(ctx, &ec2.DescribeImagesInput{
		Filters: []ec2types.Filter{Filter("image-id", seen.Image)}, IncludeDeprecated: Ptr(true), IncludeDisabled: Ptr(true),
	})
	if err != nil {
		return "", Wrap("look for the image "+seen.Image, in.String(), err)
	}
	if len(images.Images) == 0 {
		return fmt.Sprintf("its image %s does not exist any more, and Auto Scaling attaches no instance of such; have the "+
			"image back (shared again, or by aws ec2 restore-image-from-recycle-bin --image-id %s), or terminate the instance "+
			"(patchtide quarantine terminate)", seen.Image, seen.Image), nil
	}
	return "", nil
}
