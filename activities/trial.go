package activities

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// TrialInput asks for an instance that tries an image.
type TrialInput struct {
	Group   patch.Group
	Plan    string
	Launch  patch.Launch
	Image   string
	Donor   string // in whose subnet, and of whose type
	Attempt Attempt
	Pace    Pace
}

// LaunchTrial launches an instance from a group's template with another image, outside the group, once per attempt
// token. Of the tags that the group gives its members it has none but that of its patch group: what finds members by
// their tags is not to find it.
func (a *AWS) LaunchTrial(ctx context.Context, in TrialInput) (_ string, err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return "", once.Unsent(ctx, err)
	}
	where := in.Group.String()
	found, at, err := aws.DescribeInstances(ctx, s, where, aws.Filter("tag-key", names.TagAttempt+in.Attempt.Token))
	if err != nil {
		return "", once.Unsent(ctx, err)
	}
	if len(found) > 0 {
		return aws.Deref(found[0].InstanceId), nil
	}
	donor, err := aws.ReadMachine(ctx, s, Instance{Group: in.Group, ID: in.Donor})
	if err != nil {
		return "", once.Unsent(ctx, err)
	}
	version, err := aws.ReadVersionOf(ctx, s, in.Group, in.Launch)
	if err != nil {
		return "", once.Unsent(ctx, err)
	}
	if err := a.waits().MaySend(ctx, in.Pace, at, "the trial"); err != nil {
		return "", err
	}
	tags := append(aws.ImageTags(in.Group, in.Attempt.WaveID, in.Attempt.Token, in.Plan),
		ec2types.Tag{Key: aws.Ptr(names.TagTrial), Value: aws.Ptr(patch.Clip(in.Group.AutoScalingGroup, 200))})
	for _, key := range []string{patch.TagPatchGroup, patch.TagPatchGroupSpaced} {
		if value := aws.TagOf(donor.Tags, key); value != "" {
			tags = append(tags, ec2types.Tag{Key: aws.Ptr(key), Value: &value})
		}
	}
	out, err := s.Images.RunInstances(ctx, aws.Trial{
		Version: version, Image: in.Image, Donor: *donor, Token: in.Attempt.Token, Tags: tags,
	}.Launch())
	switch {
	case aws.HasCode(err, aws.CodeNoImage): // it was available a moment ago
		once.Refused(ctx, err)
		return "", once.NotReady(in.Pace.Poll.D(), "%s: the image %s to be found", where, in.Image)
	case aws.HasCode(err, aws.CodeNoCapacity):
		once.Refused(ctx, err)
		return "", once.NotReady(in.Pace.Poll.D(), "%s: the trial cannot be launched yet: %v", where, err)
	case err != nil:
		once.Refused(ctx, err)
		return "", aws.Wrap("launch an instance that tries "+in.Image, where, err)
	case len(out.Instances) == 0:
		return "", aws.MayPass("%s: EC2 told of no instance that it launched", where)
	}
	return aws.Deref(out.Instances[0].InstanceId), nil
}

// EndTrialInput names the trials that an attempt may have launched.
type EndTrialInput struct {
	Group patch.Group
	ID    string // "": none is known
	Token string
	Pace  Pace
}

// EndTrial terminates an attempt's trial, and waits until EC2 says that it is on its way out. It is found by its tag,
// and terminated only where it carries that: nothing else is. None that is listed is no error; whoever may just have
// launched one waits out the lag of lists first.
func (a *AWS) EndTrial(ctx context.Context, in EndTrialInput) (err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return err
	}
	return a.waits().Look(ctx, in.Pace, func(ctx context.Context) (bool, string, error) {
		found, _, err := aws.DescribeInstances(ctx, s, in.Group.String(), aws.Filter("tag-key", names.TagAttempt+in.Token))
		if err != nil {
			return false, "", err
		}
		var open []string
		for _, one := range found {
			if state := aws.StateOf(one); state != "terminated" && state != "shutting-down" &&
				aws.TagOf(one.Tags, names.TagTrial) != "" {
				open = append(open, aws.Deref(one.InstanceId))
			}
		}
		listed := func(one ec2types.Instance) bool { return aws.Deref(one.InstanceId) == in.ID }
		if in.ID != "" && !slices.ContainsFunc(found, listed) { // EC2 has told of it: a list that lacks it lags
			machine, err := aws.FindMachine(ctx, s, Instance{Group: in.Group, ID: in.ID})
			if err != nil || machine == nil {
				return err == nil, "", err
			}
			open = append(open, in.ID)
		}
		if len(open) == 0 {
			return true, "", nil
		}
		_, err = s.EC2.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: open})
		if err != nil && !aws.IsNotFound(err) {
			return false, "", aws.Wrap("terminate the trial", in.Group.String()+"/"+open[0], err)
		}
		return false, in.Group.String() + "/" + open[0] + ", which tried an image, to be terminated", nil
	})
}
