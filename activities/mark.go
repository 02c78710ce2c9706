package activities

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// markedByOther refuses to write over another wave's mark: its pointer would be lost, and with it what that wave left behind.
func markedByOther(where, value string) error {
	return once.Final(ErrMarked, "%s carries the mark of another wave (%s: %s), which may have left it changed; when that wave has ended, run `patchtide reconcile`, which puts back what its record says and takes the tag off", where, names.TagJournal, value)
}

// MarkInstanceInput marks or unmarks an instance as ours.
type MarkInstanceInput struct {
	Instance Instance
	Journal  Journal
}

// MarkInstance puts the journal's tag on the instance before anything of it is changed. An instance that carries another
// wave's is MarkedByOther (terminal).
func (a *AWS) MarkInstance(ctx context.Context, in MarkInstanceInput) (err error) {
	defer once.Typed(&err)
	where := in.Instance.String()
	if err := in.Journal.Validate(where); err != nil {
		return err
	}
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return err
	}
	instance, err := aws.ReadMachine(ctx, s, in.Instance)
	if err != nil {
		return err
	}
	switch value := aws.TagOf(instance.Tags, names.TagJournal); {
	case value == in.Journal.Value():
		return nil
	case value != "" && !in.Journal.Ours(value):
		return markedByOther(where, value)
	}
	_, err = s.EC2.CreateTags(ctx, &ec2.CreateTagsInput{
		Resources: []string{in.Instance.ID}, Tags: []ec2types.Tag{{Key: aws.Ptr(names.TagJournal), Value: aws.Ptr(in.Journal.Value())}},
	})
	return aws.Wrap("tag the instance", where, err)
}

// UnmarkInstance takes the journal's tag off, last of all, if it is this wave's. An instance that is gone is no error.
func (a *AWS) UnmarkInstance(ctx context.Context, in MarkInstanceInput) (err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return err
	}
	instance, err := aws.FindMachine(ctx, s, in.Instance)
	if err != nil || instance == nil {
		return err
	}
	value := aws.TagOf(instance.Tags, names.TagJournal)
	if value == "" || !in.Journal.Ours(value) {
		return nil
	}
	// With its value given, EC2 removes the tag only if it still has that value.
	_, err = s.EC2.DeleteTags(ctx, &ec2.DeleteTagsInput{
		Resources: []string{in.Instance.ID}, Tags: []ec2types.Tag{{Key: aws.Ptr(names.TagJournal), Value: &value}},
	})
	return aws.Wrap("remove the journal's tag", in.Instance.String(), err)
}

// MarkGroupInput marks or unmarks a group as ours.
type MarkGroupInput struct {
	Group   patch.Group
	Journal Journal
	Pace    Pace
}

func (in MarkGroupInput) marked() once.Effect {
	return once.Shows(in.Group, in.Pace, "our tag", func(group *astypes.AutoScalingGroup) bool { return aws.JournalOf(group) == in.Journal.Value() })
}

func (in MarkGroupInput) unmarked() once.Effect {
	return once.Shows(in.Group, in.Pace, "it without our tag", func(group *astypes.AutoScalingGroup) bool {
		value := aws.JournalOf(group)
		return value == "" || !in.Journal.Ours(value)
	})
}

// MarkGroup puts the journal's tag on an Auto Scaling group, never propagated at launch. Nothing for a tag group. A group
// that carries another wave's is MarkedByOther (terminal).
func (a *AWS) MarkGroup(ctx context.Context, in MarkGroupInput) (err error) {
	defer once.Typed(&err)
	if !in.Group.IsAutoScaling() {
		return nil
	}
	where := in.Group.String()
	if err := in.Journal.Validate(where); err != nil {
		return err
	}
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return err
	}
	if in.marked().Taken(ctx) {
		return a.waits().See(ctx, s, in.marked())
	}
	group, err := aws.ReadGroup(ctx, s, in.Group)
	if err != nil {
		return err
	}
	switch value := aws.JournalOf(group); {
	case value == in.Journal.Value():
		return nil
	case value != "" && !in.Journal.Ours(value):
		return markedByOther(where, value)
	}
	_, err = s.AutoScaling.CreateOrUpdateTags(ctx, &autoscaling.CreateOrUpdateTagsInput{Tags: []astypes.Tag{groupTag(in.Group, in.Journal.Value())}})
	if err != nil {
		return aws.Wrap("tag the Auto Scaling group", where, err)
	}
	in.marked().Sent(ctx)
	return a.waits().See(ctx, s, in.marked())
}

// UnmarkGroup takes the journal's tag off, if it is this wave's. A group that is gone is no error.
func (a *AWS) UnmarkGroup(ctx context.Context, in MarkGroupInput) (err error) {
	defer once.Typed(&err)
	if !in.Group.IsAutoScaling() {
		return nil
	}
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return err
	}
	if in.unmarked().Taken(ctx) {
		return a.waits().See(ctx, s, in.unmarked())
	}
	group, err := aws.FindGroup(ctx, s, in.Group)
	if err != nil || group == nil {
		return err
	}
	value := aws.JournalOf(group)
	if value == "" || !in.Journal.Ours(value) {
		return nil
	}
	_, err = s.AutoScaling.DeleteTags(ctx, &autoscaling.DeleteTagsInput{Tags: []astypes.Tag{groupTag(in.Group, value)}})
	if err != nil {
		return aws.Wrap("remove the journal's tag", in.Group.String(), err)
	}
	in.unmarked().Sent(ctx)
	return a.waits().See(ctx, s, in.unmarked())
}

func groupTag(group patch.Group, value string) astypes.Tag {
	return astypes.Tag{
		ResourceId: &group.AutoScalingGroup, ResourceType: aws.Ptr("auto-scaling-group"),
		Key: aws.Ptr(names.TagJournal), Value: &value, PropagateAtLaunch: aws.Ptr(false),
	}
}
