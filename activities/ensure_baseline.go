package activities

import (
	"context"
	"time"

	"github.com/patchtide/patchtide/baselines"
	"github.com/patchtide/patchtide/internal/baselinesync"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// EnsureBaselineInput names a baseline of baselines/ by name.
type EnsureBaselineInput struct {
	Group    patch.Group // its account and region
	Baseline string
	At       time.Time // by which patches are blocked or no longer; zero: none is
}

// RegisteredBaseline is a baseline as SSM has it.
type RegisteredBaseline struct {
	BaselineID string
	// Differed is how it differed from the file until now, and since when; "" where it did not.
	Differed string `json:",omitempty"`
}

// baselineOf reads a plan's baseline from the files. An unknown name is InvalidInput and lists those that exist.
func (a *AWS) baselineOf(plan string) (baselines.Baseline, error) {
	load := baselines.Load
	if a.Baselines != nil {
		load = a.Baselines.Load
	}
	wanted, err := load(plan)
	if err != nil {
		return baselines.Baseline{}, once.Final(ErrInvalidInput, "baseline of the plan: %v", err)
	}
	return wanted, nil
}

// rejecting is a plan's baseline that rejects what is blocked beside what its file does.
func (a *AWS) rejecting(ctx context.Context, plan string, at time.Time) (baselines.Baseline, error) {
	wanted, err := a.baselineOf(plan)
	if err != nil || at.IsZero() {
		return wanted, err
	}
	blocked, err := a.blocked(ctx, wanted.Platform, at)
	if err != nil {
		return wanted, err
	}
	if wanted, err = wanted.Rejecting(blocked); err != nil {
		return wanted, once.Final(ErrRejected, "%v", err)
	}
	return wanted, nil
}

// forgiving is what was found, compared with the file and what is blocked, or was: that is no drift.
func (a *AWS) forgiving(
	ctx context.Context, found *baselinesync.Found, file baselines.Baseline,
) (*baselinesync.Found, baselines.Baseline, error) {
	if a.Blocks == nil || found.Missing() {
		return found, file, nil
	}
	known, err := a.Blocks.Blocked(ctx)
	if err != nil {
		return nil, file, err
	}
	file = file.Forgiving(found.Has, known)
	compared := *found
	compared.Differences = file.Differences(found.Has)
	return &compared, file, nil
}

// EnsureBaseline makes SSM's baseline equal to the file, by name, with what is blocked among what it rejects, and
// registers it for its patch group. It changes nothing when they are equal already. An unknown name is InvalidInput and
// lists those that exist.
func (a *AWS) EnsureBaseline(ctx context.Context, in EnsureBaselineInput) (_ *RegisteredBaseline, err error) {
	defer once.Typed(&err)
	wanted, err := a.rejecting(ctx, in.Baseline, in.At)
	if err != nil {
		return nil, err
	}
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return nil, err
	}
	where := in.Group.Account.Name + "/" + in.Group.Region
	found, err := baselinesync.Read(ctx, s, where, wanted)
	if err != nil {
		return nil, err
	}
	file, err := a.baselineOf(in.Baseline)
	if err != nil {
		return nil, err
	}
	// Before it is put right: a repeat would find nothing that differs any more.
	drifted, file, err := a.forgiving(ctx, found, file)
	if err != nil {
		return nil, err
	}
	id, err := baselinesync.Apply(ctx, s, where, wanted, found)
	if err != nil {
		return nil, err
	}
	registered := &RegisteredBaseline{BaselineID: id}
	if drift := baselinesync.ReadDrift(ctx, s, file, drifted); drift != nil {
		registered.Differed = drift.String()
	}
	return registered, nil
}
