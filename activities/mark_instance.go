package activities

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/once"
)

// markedByOther refuses to write over another wave's mark: its pointer would be lost, and with it what that wave left
// behind.
func markedByOther(where, value string) error {
	return once.Final(
		ErrOwnedByAnotherWave,
		"%s carries the mark of another wave (%s: %s), which may have left it changed; when that wave has ended, run "+
			"`patchtide reconcile`, which puts back what its record says and takes the tag off",
		where, names.TagJournal, value,
	)
}

// MarkInstanceInput marks or unmarks an instance as ours.
type MarkInstanceInput struct {
	Instance Instance
	Journal  Journal
}

// MarkInstance puts the journal's tag on the instance before anything of it is changed. An instance that carries
// another wave's is OwnedByAnotherWave (terminal).
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
		Resources: []string{in.Instance.ID},
		Tags:      []ec2types.Tag{{Key: aws.Ptr(names.TagJournal), Value: aws.Ptr(in.Journal.Value())}},
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
