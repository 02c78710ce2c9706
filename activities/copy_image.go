package activities

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// CopyImageInput asks for a copy of an image of ours.
type CopyImageInput struct {
	Group   patch.Group // for whom it is, in whose account and region it is made
	Source  patch.ImageSource
	Key     string // an alias by which it is encrypted; "": EBS's default key there
	Plan    string
	Attempt Attempt
	Pace    Pace
	// Retention is how long it is kept, from when it is asked for; see MakeImageInput.
	Retention patch.Duration
}

// CopyImage makes an encrypted copy once per attempt token, and the account of the group owns it. What an earlier
// attempt made is looked for by its tag, as MakeImage does; the token is the client token as well, by which EC2 answers
// the same request with the same image (EC2 Developer Guide, Ensuring idempotency: which does not say for how long).
// Tags that another account has put on are not copied (API reference of CopyImage, CopyImageTags): the copy gets its
// own.
func (a *AWS) CopyImage(ctx context.Context, in CopyImageInput) (_ string, err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return "", once.Unsent(ctx, err)
	}
	where := in.Group.String()
	made, at, err := imageMade(ctx, s, where, in.Attempt)
	if err != nil || made != "" {
		return made, once.Unsent(ctx, err)
	}
	if err := a.waits().MaySend(ctx, in.Pace, at, "the copy of an image"); err != nil {
		return "", err
	}
	tags := append(aws.ImageTags(in.Group, in.Attempt.WaveID, in.Attempt.Token, in.Plan), expires(at, in.Retention))
	asked := &ec2.CopyImageInput{
		SourceImageId: &in.Source.ID, SourceRegion: &in.Source.Region,
		Name:        aws.Ptr(aws.ImageName(in.Group, in.Attempt.Token)),
		ClientToken: &in.Attempt.Token, Encrypted: aws.Ptr(true),
		Description: aws.Ptr(patch.Clip("Patchtide: copy of "+in.Source.ID+" of "+in.Source.Account+"/"+in.Source.Region+
			" as proven by wave "+in.Attempt.WaveID, 255)),
		TagSpecifications: fromTheBeginning(tags),
	}
	if in.Key != "" {
		asked.KmsKeyId = &in.Key
	}
	out, err := s.Copies.CopyImage(ctx, asked)
	doing := "copy the image " + in.Source.ID + " of " + in.Source.Account + "/" + in.Source.Region
	switch {
	case aws.HasCode(err, aws.CodeImageName):
		return "", notListed(in.Pace, where)
	case aws.HasCode(err, aws.CodeNoImage, aws.CodeImageGone, aws.CodeImageStorage): // it was shared a moment ago
		once.Refused(ctx, err)
		return "", aws.InPassing(doing, where, err)
	case err != nil:
		once.Refused(ctx, err)
		return "", aws.Wrap(doing, where, err)
	}
	return aws.Deref(out.ImageId), nil
}

// ProveCopyableInput asks whether an image of a machine could be copied to where a group is.
type ProveCopyableInput struct {
	Instance Instance // the donor
	To       patch.Group
	Key      string // by which the copy is to be encrypted; "": EBS's default key there
}

// ProveCopyable says why it could not, by the keys; "": nothing is known against it. It is asked before the image is
// made: EC2 looks at keys late, and a copy that cannot be read fails after it has been waited for.
func (a *AWS) ProveCopyable(ctx context.Context, in ProveCopyableInput) (why string, err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return "", err
	}
	machine, err := aws.ReadMachine(ctx, s, in.Instance)
	if err != nil {
		return "", err
	}
	if in.Key != "" {
		target, err := a.connect(ctx, in.To)
		if err != nil {
			return "", err
		}
		if why, err = aws.CopyKeyTrouble(ctx, target, in.To, in.Key); err != nil || why != "" {
			return why, err
		}
	}
	if in.Instance.Group.Account.ID == in.To.Account.ID {
		return "", nil
	}
	there, err := a.connect(ctx, patch.Group{Account: in.To.Account, Region: in.Instance.Group.Region})
	if err != nil {
		return "", err
	}
	return aws.ReadableElsewhere(ctx, s, there, in.Instance, *machine, in.To.Account)
}
