package services

import (
	"maps"
	"strings"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

func registerBalancingTags(r *api.Registry, s balancingService) {
	const service = "elasticloadbalancing"
	api.Handle(r, service, "DescribeTags", []string{"ResourceArns"}, s.describeTags)
	api.Handle(r, service, "AddTags", []string{"ResourceArns", "Tags"},
		func(call api.Call, in *elb.AddTagsInput) (*elb.AddTagsOutput, error) {
			added, err := balancingTags(in.Tags)
			if err != nil {
				return nil, err
			}
			return nil, s.eachTags(call, in.ResourceArns, func(tags world.Tags) error {
				merged := tags.Clone()
				maps.Copy(merged, added)
				if len(merged) > world.MaxTags {
					return api.Errorf("TooManyTags", "A resource may have %d tags", world.MaxTags)
				}
				maps.Copy(tags, added)
				return nil
			})
		})
	api.Handle(r, service, "RemoveTags", []string{"ResourceArns", "TagKeys"},
		func(call api.Call, in *elb.RemoveTagsInput) (*elb.RemoveTagsOutput, error) {
			return nil, s.eachTags(call, in.ResourceArns, func(tags world.Tags) error {
				for _, key := range in.TagKeys {
					delete(tags, key)
				}
				return nil
			})
		})
}

// balancingTags reads the tags of a request.
func balancingTags(tags []types.Tag) (world.Tags, error) {
	read := world.Tags{}
	for _, tag := range tags {
		key := deref(tag.Key)
		if _, twice := read[key]; twice {
			return nil, api.Errorf("DuplicateTagKeys", "Tag key '%s' is given more than once", key)
		}
		if strings.HasPrefix(strings.ToLower(key), "aws:") {
			return nil, api.Errorf("ValidationError", "Tag keys beginning with aws: are reserved: '%s'", key)
		}
		read[key] = deref(tag.Value)
	}
	if len(read) > world.MaxTags {
		return nil, api.Errorf("TooManyTags", "A resource may have %d tags", world.MaxTags)
	}
	return read, nil
}

// tagsOf finds the tags of a target group or of a load balancer. Those of load balancers that scenarios make are not
// kept.
func (s balancingService) tagsOf(call api.Call, arn string) (tags world.Tags, kept bool, err error) {
	if strings.Contains(arn, ":loadbalancer/") {
		balancer, err := regionOf(s.w, call).Balancer(arn)
		if err != nil {
			return nil, false, err
		}
		return balancer.Tags, len(balancer.Subnets) > 0, nil
	}
	group, err := s.group(call, &arn)
	if err != nil {
		return nil, false, err
	}
	return group.Tags, true, nil
}

// eachTags changes the tags of several resources; it finds all of them first.
func (s balancingService) eachTags(call api.Call, arns []string, change func(world.Tags) error) error {
	found := make([]world.Tags, len(arns))
	for n, arn := range arns {
		tags, kept, err := s.tagsOf(call, arn)
		if err != nil {
			return err
		}
		if !kept {
			return api.NotModelled("tags on load balancers that the scenario made")
		}
		found[n] = tags
	}
	for _, tags := range found {
		if err := change(tags); err != nil {
			return err
		}
	}
	return nil
}

func (s balancingService) describeTags(call api.Call, in *elb.DescribeTagsInput) (*elb.DescribeTagsOutput, error) {
	if len(in.ResourceArns) > describedTargetGroups {
		return nil, api.Errorf(
			"ValidationError", "You cannot describe the tags of more than '%d' resources at a time", describedTargetGroups,
		)
	}
	out := &elb.DescribeTagsOutput{}
	for _, arn := range in.ResourceArns {
		tags, _, err := s.tagsOf(call, arn)
		if err != nil {
			return nil, err
		}
		description := types.TagDescription{ResourceArn: &arn, Tags: []types.Tag{}}
		for _, key := range tags.Keys() {
			description.Tags = append(description.Tags, types.Tag{Key: &key, Value: ref(tags[key])})
		}
		out.TagDescriptions = append(out.TagDescriptions, description)
	}
	return out, nil
}
