package activities

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// MarkGroupInput marks or unmarks a group as ours.
type MarkGroupInput struct {
	Group   patch.Group
	Journal Journal
	Pace    Pace
}

func (in MarkGroupInput) marked() once.Effect {
	return once.Shows(
		in.Group, in.Pace, "our tag",
		func(group *astypes.AutoScalingGroup) bool { return aws.JournalOf(group) == in.Journal.Value() },
	)
}

func (in MarkGroupInput) unmarked() once.Effect {
	return once.Shows(in.Group, in.Pace, "it without our tag", func(group *astypes.AutoScalingGroup) bool {
		value := aws.JournalOf(group)
		return value == "" || !in.Journal.Ours(value)
	})
}

// MarkGroup puts the journal's tag on an Auto Scaling group, never propagated at launch. Nothing for a tag group. A
// group that carries another wave's is OwnedByAnotherWave (terminal).
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
	_, err = s.AutoScaling.CreateOrUpdateTags(
		ctx, &autoscaling.CreateOrUpdateTagsInput{Tags: []astypes.Tag{groupTag(in.Group, in.Journal.Value())}},
	)
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
