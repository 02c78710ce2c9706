package activities

import (
	"context"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// MakeVersionInput asks for a version of a launch template that differs from an earlier one in its image.
type MakeVersionInput struct {
	Group   patch.Group
	Launch  patch.Launch // as read before; its version is what the new one is made from
	Image   string
	Attempt Attempt
	Pace    Pace
}

// MakeVersion makes a version once per attempt token, and tells its number. Rejected (terminal) where somebody has
// changed what the group launches from since that was read. The token is the call's client token, and in the version's
// description, by which an earlier attempt's is found.
func (a *AWS) MakeVersion(ctx context.Context, in MakeVersionInput) (_ int, err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return 0, err
	}
	since, err := aws.FindVersions(ctx, s, in.Group, in.Launch.Template, in.Launch.Latest)
	if err != nil {
		return 0, err
	}
	if made := versionWith(since, in.Attempt.Token); made > 0 {
		return made, nil
	}
	now, _, err := aws.ReadLaunch(ctx, s, in.Group)
	if err != nil {
		return 0, err
	}
	if listed := latestOf(since, in.Launch.Latest); now.Template == in.Launch.Template && now.Latest > listed {
		return 0, once.NotReady(in.Pace.Poll.D(), "%s: version %d of the launch template %s to be listed, which may be ours",
			in.Group, now.Latest, in.Launch.TemplateName)
	}
	if theirs := in.Launch.Changed(*now); theirs != "" {
		return 0, once.Final(ErrRejected, "%s: %s since the image was begun, which stays", in.Group, theirs)
	}
	return a.makeVersion(ctx, s, in)
}

// versionWith is the number of the version that an attempt made; 0: none of these.
func versionWith(versions []ec2types.LaunchTemplateVersion, token string) int {
	for _, version := range versions {
		if strings.Contains(aws.Deref(version.VersionDescription), token) {
			return int(aws.Deref(version.VersionNumber))
		}
	}
	return 0
}

// latestOf is the highest number among versions after one.
func latestOf(versions []ec2types.LaunchTemplateVersion, after int) int {
	for _, version := range versions {
		after = max(after, int(aws.Deref(version.VersionNumber)))
	}
	return after
}

func (a *AWS) makeVersion(ctx context.Context, s *aws.Services, in MakeVersionInput) (int, error) {
	out, err := s.Images.CreateLaunchTemplateVersion(ctx, &ec2.CreateLaunchTemplateVersionInput{
		LaunchTemplateId: &in.Launch.Template, SourceVersion: aws.Ptr(strconv.Itoa(in.Launch.Version)),
		LaunchTemplateData: &ec2types.RequestLaunchTemplateData{ImageId: &in.Image},
		VersionDescription: aws.Ptr(patch.Clip("Patchtide "+in.Attempt.Token+": "+in.Image+", wave "+in.Attempt.WaveID, 255)),
		ClientToken:        &in.Attempt.Token,
	})
	if err != nil {
		return 0, aws.Wrap("make a version of the launch template "+in.Launch.TemplateName, in.Group.String(), err)
	}
	if out.LaunchTemplateVersion == nil {
		return 0, aws.MayPass("%s: EC2 told of no version that it made", in.Group)
	}
	return int(aws.Deref(out.LaunchTemplateVersion.VersionNumber)), nil
}

// SetDefaultInput asks for another default version of a launch template.
type SetDefaultInput struct {
	Group        patch.Group
	Template     string
	TemplateName string
	From, To     int
	Pace         Pace
}

// SetDefault makes a version the default. Rejected (terminal) where the default is neither what it was nor that: then
// it is somebody else's.
func (a *AWS) SetDefault(ctx context.Context, in SetDefaultInput) (err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return err
	}
	template, err := aws.ReadTemplate(ctx, s, in.Group, aws.TemplateByID(in.Template))
	if err != nil {
		return err
	}
	switch is := int(aws.Deref(template.DefaultVersionNumber)); is {
	case in.To:
		return nil
	case in.From:
	default:
		return once.Final(ErrRejected, "%s: somebody has made version %d of the launch template %s the default, which stays",
			in.Group, is, in.TemplateName)
	}
	_, err = s.Images.ModifyLaunchTemplate(ctx, &ec2.ModifyLaunchTemplateInput{
		LaunchTemplateId: &in.Template, DefaultVersion: aws.Ptr(strconv.Itoa(in.To)),
	})
	if aws.HasCode(err, aws.CodeNoVersion) { // EC2 has told of it a moment ago
		return once.NotReady(in.Pace.Poll.D(), "%s: version %d of the launch template %s to be found", in.Group, in.To,
			in.TemplateName)
	}
	return aws.Wrap("make version "+strconv.Itoa(in.To)+" of the launch template "+in.TemplateName+" the default",
		in.Group.String(), err)
}

// PutTemplateBackInput asks for a launch template as it was before its image was renewed.
type PutTemplateBackInput struct {
	Group   patch.Group
	Renewal patch.ImageRenewal
	Attempt Attempt
	Pace    Pace
}

// PutTemplateBack gives a template its default of before, and where the group follows the latest version one that says
// what the one before did. It tells what it did, and what others have changed since, which stays. ImageFailed
// (terminal) where the image of before cannot be launched any more: then nothing is changed, for the group could launch
// nothing.
func (a *AWS) PutTemplateBack(ctx context.Context, in PutTemplateBackInput) (_ string, err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return "", err
	}
	was := in.Renewal.Was
	since, err := aws.FindVersions(ctx, s, in.Group, was.Template, in.Renewal.Version)
	if err != nil {
		return "", err
	}
	template, err := aws.ReadTemplate(ctx, s, in.Group, aws.TemplateByID(was.Template))
	if err != nil {
		return "", err
	}
	var told []string
	again := versionWith(since, in.Attempt.Token)
	now := patch.TemplateNow{
		Default: int(aws.Deref(template.DefaultVersionNumber)), Latest: int(aws.Deref(template.LatestVersionNumber)),
		Again: again,
	}
	var named *aws.Named
	if was.Numbered() {
		if named, err = aws.ReadNamed(ctx, s, in.Group, was.Template); err != nil {
			return "", err
		}
		now.Named = named.Version
	}
	back := in.Renewal.TemplateBack(now)
	if back.Launches() {
		switch image, err := aws.FindLaunchable(ctx, s, in.Group, was.Image); {
		case err != nil:
			return "", err
		case image == nil:
			return "", once.Final(ErrImageFailed, "%s: the image %s, from which it launched before, is not there any more, or "+
				"not available: its launch template is left as it is", in.Group, was.Image)
		}
	}
	if back.Again {
		again, err = a.makeVersion(ctx, s, MakeVersionInput{
			Group: in.Group, Launch: was, Image: was.Image, Attempt: in.Attempt, Pace: in.Pace,
		})
		if err != nil {
			return "", err
		}
	}
	if again > 0 {
		told = append(told, "version "+strconv.Itoa(again)+" of the launch template "+was.TemplateName+" says what version "+
			strconv.Itoa(was.Version)+" did")
	}
	if in.Renewal.Defaults && back.Default > 0 {
		_, err := s.Images.ModifyLaunchTemplate(ctx, &ec2.ModifyLaunchTemplateInput{
			LaunchTemplateId: &was.Template, DefaultVersion: aws.Ptr(strconv.Itoa(back.Default)),
		})
		if err != nil {
			return "", aws.Wrap("make the default of before the default again", in.Group.String(), err)
		}
	}
	if in.Renewal.Defaults && (back.Default > 0 || now.Default == was.Default) {
		told = append(told, "version "+strconv.Itoa(was.Default)+" of the launch template "+was.TemplateName+
			" is the default again")
	}
	if back.Names {
		if err := nameVersion(ctx, s, named, NameVersionInput{
			Group: in.Group, Launch: was, To: was.Version, Pace: in.Pace,
		}); err != nil {
			return "", err
		}
	}
	if was.Numbered() && (back.Names || now.Named == was.Follows) {
		told = append(told, "the group names version "+was.Follows+" of the launch template "+was.TemplateName+" again")
	}
	if back.Told != "" {
		told = append(told, back.Told)
	}
	if len(told) == 0 {
		told = append(told, "the group launches from what it did before")
	}
	return strings.Join(told, "; "), nil
}
