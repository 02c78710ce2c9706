package activities

import (
	"context"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
)

// FindInstallInput looks for the execution of an attempt.
type FindInstallInput struct {
	Instance Instance
	Attempt  Attempt
	Pace     Pace
}

// FindInstall returns the attempt's execution, or an empty ID once ReadLag of empty reads says that none was started.
func (a *AWS) FindInstall(ctx context.Context, in FindInstallInput) (_ *Execution, err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return nil, err
	}
	trace, _ := once.LastFootprint(ctx)
	result := &Execution{}
	err = a.waits().LookKeeping(
		ctx, in.Pace, func() any { return trace }, func(ctx context.Context) (bool, string, error) {
			found, at, err := aws.FindStarted(ctx, s, in.Instance.String(), in.Attempt.Token)
			if err != nil {
				return false, "", err
			}
			if found != "" {
				result.ID = found
				return true, "", nil
			}
			if trace.EmptySince.IsZero() {
				trace.EmptySince = at
			}
			return at.Sub(trace.EmptySince) >= a.speed().OnAWS(in.Pace.ReadLag), "to be sure that no install was started", nil
		})
	if err != nil {
		return nil, err
	}
	return result, nil
}
