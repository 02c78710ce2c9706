package activities

import (
	"context"

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
	err = aws.TagMachine(ctx, s, in.Instance.ID, names.TagJournal, in.Journal.Value())
	return aws.Wrap("tag the instance", where, err)
}

// UnmarkInstance takes the journal's tag off, last of all, if it is this wave's. An instance that is gone is no error.
func (a *AWS) UnmarkInstance(ctx context.Context, in MarkInstanceInput) (err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return err
	}
	value, err := aws.FindTag(ctx, s, in.Instance, names.TagJournal)
	if err != nil || value == "" || !in.Journal.Ours(value) {
		return err
	}
	err = aws.UntagMachine(ctx, s, in.Instance.ID, names.TagJournal, value)
	return aws.Wrap("remove the journal's tag", in.Instance.String(), err)
}
