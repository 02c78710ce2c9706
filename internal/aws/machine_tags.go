package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/patchtide/patchtide/internal/patch"
)

// TagMachine puts a tag on an instance, or on a managed node, whose tags Systems Manager keeps: "The ManagedInstance
// type for this API operation is for on-premises managed nodes" (API reference, AddTagsToResource).
func TagMachine(ctx context.Context, s *Services, id, key, value string) error {
	if patch.IsNode(id) {
		_, err := s.SSM.AddTagsToResource(ctx, &ssm.AddTagsToResourceInput{
			ResourceType: ssmtypes.ResourceTypeForTaggingManagedInstance, ResourceId: &id,
			Tags: []ssmtypes.Tag{{Key: &key, Value: &value}},
		})
		return err
	}
	_, err := s.EC2.CreateTags(ctx, &ec2.CreateTagsInput{
		Resources: []string{id}, Tags: []ec2types.Tag{{Key: &key, Value: &value}},
	})
	return err
}

// UntagMachine takes a tag off. With a value EC2 removes it only if it still has that one; "": whatever it has. Systems
// Manager knows no such condition: what somebody puts in its place between our reading and this call goes with it. One
// that is gone is no error.
func UntagMachine(ctx context.Context, s *Services, id, key, value string) error {
	if patch.IsNode(id) {
		_, err := s.SSM.RemoveTagsFromResource(ctx, &ssm.RemoveTagsFromResourceInput{
			ResourceType: ssmtypes.ResourceTypeForTaggingManagedInstance, ResourceId: &id, TagKeys: []string{key},
		})
		if HasCode(err, CodeNoSuchNode) {
			return nil
		}
		return err
	}
	tag := ec2types.Tag{Key: &key}
	if value != "" {
		tag.Value = &value
	}
	_, err := s.EC2.DeleteTags(ctx, &ec2.DeleteTagsInput{Resources: []string{id}, Tags: []ec2types.Tag{tag}})
	return err
}

// FindTag reads a tag of a machine that may carry it; "" where it does not, or is gone. The tags of a node are a list
// of their own, which may lack one that is there: that it does not carry it is believed once it lasts (Absences).
func FindTag(ctx context.Context, s *Services, in Instance, key string) (string, error) {
	machine, at, err := findMachine(ctx, s, in)
	if err != nil || machine == nil {
		return "", err
	}
	value := TagOf(machine.Tags, key)
	if !patch.IsNode(in.ID) {
		return value, nil
	}
	tag := "the tag " + key + " of " + in.ID
	if doubted := s.Absences.doubt("tags", at, []string{tag}, func(string) bool { return value != "" }); len(doubted) > 0 {
		return "", doubtful(in.String(), "Systems Manager", doubted)
	}
	return value, nil
}
