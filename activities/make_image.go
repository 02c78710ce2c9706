package activities

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

var imageID = regexp.MustCompile(`^ami-[0-9a-f]+$`)

func isImageID(text string) bool { return imageID.MatchString(text) }

// MakeImageInput asks for an image of an instance's root volume.
type MakeImageInput struct {
	Instance Instance
	Plan     string
	Attempt  Attempt
	Pace     Pace
	// Retention is how long an image is kept that a wave makes for root volumes, from when it is asked for: whoever dies
	// before it is there leaves it with when it expires. 0: it is a group's, which keeps so many.
	Retention patch.Duration
}

// MakeImage makes an image once per attempt token, and leaves the machine as it is: it serves, and is not rebooted. So
// the image is what a power cut would leave on the disk, which AWS does not guarantee to be whole (API reference of
// CreateImage): whoever uses it tries it first. CreateImage has no client token: the attempt's tag goes on at creation,
// is looked for before repeating, and is in the name, which no other image may have.
func (a *AWS) MakeImage(ctx context.Context, in MakeImageInput) (_ string, err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return "", once.Unsent(ctx, err)
	}
	where, group := in.Instance.String(), in.Instance.Group
	made, at, err := imageMade(ctx, s, where, in.Attempt)
	if err != nil || made != "" {
		return made, once.Unsent(ctx, err)
	}
	machine, err := aws.ReadMachine(ctx, s, in.Instance)
	if err != nil {
		return "", once.Unsent(ctx, err)
	}
	if err := a.waits().MaySend(ctx, in.Pace, at, "the image"); err != nil {
		return "", err
	}
	tags := aws.ImageTags(group, in.Attempt.WaveID, in.Attempt.Token, in.Plan)
	if in.Retention > 0 {
		tags = append(tags, expires(at, in.Retention))
	}
	out, err := s.Images.CreateImage(ctx, &ec2.CreateImageInput{
		InstanceId: &in.Instance.ID, Name: aws.Ptr(aws.ImageName(group, in.Attempt.Token)), NoReboot: aws.Ptr(true),
		Description: aws.Ptr(patch.Clip("Patchtide: "+in.Instance.ID+" of "+group.AutoScalingGroup+" as patched by wave "+
			in.Attempt.WaveID, 255)),
		BlockDeviceMappings: aws.WithoutData(*machine),
		TagSpecifications:   fromTheBeginning(tags),
	})
	switch {
	case aws.HasCode(err, aws.CodeImageName):
		return "", notListed(in.Pace, where)
	case err != nil:
		once.Refused(ctx, err)
		return "", aws.Wrap("create the image", where, err)
	}
	return aws.Deref(out.ImageId), nil
}

// imageMade is the image that an earlier attempt has made or copied, by its tag; "": none is listed. The time is AWS's.
func imageMade(ctx context.Context, s *aws.Services, where string, of Attempt) (id string, at time.Time, err error) {
	found, at, err := aws.ReadImages(ctx, s, where, aws.Filter("tag-key", names.TagAttempt+of.Token))
	if err == nil && len(found) > 0 {
		id = aws.Deref(found[0].ImageId)
	}
	return id, at, err
}

// notListed is where the name of an image is taken: an earlier attempt has made it, and no list shows it yet.
func notListed(pace Pace, where string) error {
	return once.NotReady(pace.Poll.D(), "%s: its image to be listed", where)
}

// fromTheBeginning has an image and its snapshot carry tags from their creation on; the image is being made.
func fromTheBeginning(tags []ec2types.Tag) []ec2types.TagSpecification {
	making := ec2types.Tag{Key: aws.Ptr(names.TagImageState), Value: aws.Ptr(aws.ImageMaking)}
	return []ec2types.TagSpecification{
		{ResourceType: ec2types.ResourceTypeImage, Tags: append(slices.Clone(tags), making)},
		{ResourceType: ec2types.ResourceTypeSnapshot, Tags: tags},
	}
}

// expires is the tag of what is kept so long from a moment of AWS's clock.
func expires(at time.Time, retention patch.Duration) ec2types.Tag {
	return ec2types.Tag{
		Key: aws.Ptr(names.TagExpires), Value: aws.Ptr(at.Add(retention.D()).UTC().Format(time.RFC3339)),
	}
}

// FindImageInput asks for the image that an attempt made.
type FindImageInput struct {
	Group   patch.Group
	Attempt Attempt
}

// FindImage is the id of an image that an attempt of unknown fate may have made and that nobody has tried; "" where
// none is listed.
func (a *AWS) FindImage(ctx context.Context, in FindImageInput) (_ string, err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return "", err
	}
	found, _, err := aws.ReadImages(ctx, s, in.Group.String(), aws.Filter("tag-key", names.TagAttempt+in.Attempt.Token),
		aws.Filter("tag:"+names.TagImageState, aws.ImageMaking))
	if err != nil || len(found) == 0 {
		return "", err
	}
	return aws.Deref(found[0].ImageId), nil
}

// AwaitImageInput waits for an image.
type AwaitImageInput struct {
	Group patch.Group
	Image string
	Pace  Pace
}

// AwaitImage waits until an image is available; ImageFailed (terminal) where it never will be.
func (a *AWS) AwaitImage(ctx context.Context, in AwaitImageInput) (err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return err
	}
	return a.waits().Look(ctx, in.Pace, func(ctx context.Context) (bool, string, error) {
		// By a filter, since a list that lags answers an id with an error; of any owner, for a parameter names AWS's.
		out, err := s.EC2.DescribeImages(ctx, &ec2.DescribeImagesInput{
			Filters: []ec2types.Filter{aws.Filter("image-id", in.Image)}, IncludeDeprecated: aws.Ptr(true),
		})
		switch {
		case err != nil:
			return false, "", aws.Wrap("look at the image "+in.Image, in.Group.String(), err)
		case len(out.Images) == 0:
			return false, "the image " + in.Image + " to be listed", nil
		}
		image := out.Images[0]
		switch image.State {
		case ec2types.ImageStateAvailable:
			return true, "", nil
		case ec2types.ImageStatePending, ec2types.ImageStateTransient:
			return false, fmt.Sprintf("the image %s, which is %s", in.Image, image.State), nil
		}
		why := ""
		if image.StateReason != nil {
			why = ": " + aws.Deref(image.StateReason.Message)
		}
		return false, "", once.Final(ErrImageFailed, "%s: the image %s is %s%s", in.Group, in.Image, image.State, why)
	})
}

// TagImageInput says what an image of ours has come to.
type TagImageInput struct {
	Group patch.Group
	Image string
	State string // aws.ImageProven, aws.ImageFailed
}

// TagImage writes on an image what it has come to. One that is gone is no error.
func (a *AWS) TagImage(ctx context.Context, in TagImageInput) (err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return err
	}
	_, err = s.EC2.CreateTags(ctx, &ec2.CreateTagsInput{
		Resources: []string{in.Image},
		Tags:      []ec2types.Tag{{Key: aws.Ptr(names.TagImageState), Value: &in.State}},
	})
	if aws.HasCode(err, aws.CodeNoImage, aws.CodeImageGone) {
		return nil
	}
	return aws.Wrap("tag the image "+in.Image, in.Group.String(), err)
}
