package activities

import (
	"context"
	"strconv"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// NameVersionInput asks for another version by which a group names what it launches.
type NameVersionInput struct {
	Group  patch.Group
	Launch patch.Launch // as read before: the group names its version by the number
	To     int
	Pace   Pace
}

// NameVersion has a group launch from a version of its launch template by its number, and nothing else of it changed.
// Rejected (terminal) where it names neither the one of before nor that: then it is somebody else's.
func (a *AWS) NameVersion(ctx context.Context, in NameVersionInput) (err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return err
	}
	named, err := aws.ReadNamed(ctx, s, in.Group, in.Launch.Template)
	switch {
	case err != nil:
		return err
	case named.Version == strconv.Itoa(in.To):
		return nil
	case named.Version == "":
		return once.Final(ErrRejected, "%s: somebody has given it another launch template, which stays", in.Group)
	case named.Version != in.Launch.Follows:
		return once.Final(ErrRejected, "%s: somebody has had it launch from version %s of its launch template, which stays",
			in.Group, named.Version)
	}
	return nameVersion(ctx, s, named, in)
}

func nameVersion(ctx context.Context, s *aws.Services, named *aws.Named, in NameVersionInput) error {
	err := aws.NameVersion(ctx, s, named, in.Launch.Template, in.To)
	if aws.HasCode(err, aws.CodeValidation) { // EC2 has told of the version a moment ago
		return once.NotReady(in.Pace.Poll.D(), "%s: to be given version %d of the launch template %s: %v", in.Group, in.To,
			in.Launch.TemplateName, err)
	}
	return aws.Wrap("have it launch from version "+strconv.Itoa(in.To)+" of the launch template "+in.Launch.TemplateName,
		in.Group.String(), err)
}
