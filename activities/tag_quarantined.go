package activities

import (
	"context"
	"time"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/once"
)

// QuarantineTagInput marks an instance as quarantined.
type QuarantineTagInput struct {
	Instance Instance
	Journal  Journal
	Until    time.Time // when it may be cleared; zero: never by itself
}

// TagQuarantined puts the quarantine's tag on the instance, over an older one. Gone when EC2 no longer has it.
func (a *AWS) TagQuarantined(ctx context.Context, in QuarantineTagInput) (err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return err
	}
	value := aws.QuarantineTag(in.Journal, in.Until)
	instance, err := aws.ReadMachine(ctx, s, in.Instance)
	if err != nil || aws.TagOf(instance.Tags, names.TagQuarantine) == value {
		return err
	}
	err = aws.TagMachine(ctx, s, in.Instance.ID, names.TagQuarantine, value)
	return aws.Wrap("tag the quarantined instance", in.Instance.String(), err)
}

// UntagQuarantined takes the quarantine's tag off. An instance that is gone is no error.
func (a *AWS) UntagQuarantined(ctx context.Context, in Instance) (err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return err
	}
	value, err := aws.FindTag(ctx, s, in, names.TagQuarantine)
	if err != nil || value == "" {
		return err
	}
	err = aws.UntagMachine(ctx, s, in.ID, names.TagQuarantine, "")
	return aws.Wrap("remove the quarantine's tag", in.String(), err)
}
