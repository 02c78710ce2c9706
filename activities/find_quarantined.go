package activities

import (
	"context"
	"slices"
	"strings"

	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// FindQuarantinedInput names an account and region to be looked through.
type FindQuarantinedInput struct {
	Place    patch.Place
	Instance string // only this one; "" for all
}

// FoundQuarantined lists the instances that carry the quarantine's tag, sorted by id.
type FoundQuarantined struct {
	Resources []MarkedResource // Instance, Member, Journal, Tag and Problem, as with the journal's tag
}

// FindQuarantined looks through an account and region for the quarantine's tag on instances that EC2 still has, and on
// managed nodes. It changes nothing. A tag's value that is not exactly what Patchtide writes for that very instance has
// a Problem.
func (a *AWS) FindQuarantined(ctx context.Context, in FindQuarantinedInput) (_ *FoundQuarantined, err error) {
	defer once.Typed(&err)
	place := in.Place.Nowhere()
	s, err := a.connect(ctx, place)
	if err != nil {
		return nil, err
	}
	filters := []ec2types.Filter{
		aws.Filter("tag-key", names.TagQuarantine),
		aws.Filter("instance-state-name", "pending", "running", "stopping", "stopped"),
	}
	if in.Instance != "" {
		filters = append(filters, aws.Filter("instance-id", in.Instance))
	}
	instances, _, err := aws.DescribeInstances(ctx, s, in.Place.String(), filters...)
	if err != nil {
		return nil, err
	}
	nodes, err := aws.FindNodesWith(ctx, s, in.Place.String(), names.TagQuarantine)
	if err != nil {
		return nil, err
	}
	nodes = slices.DeleteFunc(nodes, func(node ec2types.Instance) bool {
		return in.Instance != "" && aws.Deref(node.InstanceId) != in.Instance
	})
	found := &FoundQuarantined{}
	for _, instance := range slices.Concat(instances, nodes) {
		id, value := aws.Deref(instance.InstanceId), aws.TagOf(instance.Tags, names.TagQuarantine)
		one := MarkedResource{Instance: id, Member: aws.TagOf(instance.Tags, "aws:autoscaling:groupName"), Tag: value}
		one.Journal, one.Problem = aws.ParseQuarantine(value, names.JournalRecord(place, id))
		found.Resources = append(found.Resources, one)
	}
	slices.SortFunc(found.Resources, func(a, b MarkedResource) int { return strings.Compare(a.Instance, b.Instance) })
	return found, nil
}
