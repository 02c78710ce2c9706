package activities

import (
	"context"
	"time"

	"github.com/patchtide/patchtide/baselines"
	"github.com/patchtide/patchtide/internal/aws"
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
	BaselineID string // "": whatever SSM has for each instance
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

// ensures is how often a baseline is made equal anew because something was blocked meanwhile; then the activity is
// tried again.
const ensures = 3

// EnsureBaseline makes SSM's baseline equal to the file, by name, with what is blocked among what it rejects, and
// registers it for its patch group. It changes nothing when they are equal already. What is blocked is read again
// behind each change: whoever has read less than another, and writes after, puts that right himself. An unknown name is
// InvalidInput and lists those that exist. Where the plan adopts what SSM has, nothing is done.
func (a *AWS) EnsureBaseline(ctx context.Context, in EnsureBaselineInput) (_ *RegisteredBaseline, err error) {
	defer once.Typed(&err)
	if _, adopts := patch.Adopts(in.Baseline); adopts {
		return &RegisteredBaseline{}, nil
	}
	wanted, err := a.rejecting(ctx, in.Baseline, in.At)
	if err != nil {
		return nil, err
	}
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return nil, err
	}
	registered := &RegisteredBaseline{}
	for range ensures {
		drift, changed, err := a.ensure(ctx, s, in, wanted, registered)
		if err != nil {
			return nil, err
		}
		if registered.Differed == "" && drift != nil {
			registered.Differed = drift.String()
		}
		now, err := a.rejecting(ctx, in.Baseline, in.At)
		if err != nil || !changed || now.Hash() == wanted.Hash() {
			return registered, err
		}
		wanted = now
	}
	return nil, once.NotReady(0, "what is blocked changes as fast as the baseline is made equal to it")
}

// ensure makes it equal once, and reports how it differed from the file and whether anything was changed.
func (a *AWS) ensure(
	ctx context.Context, s *aws.Services, in EnsureBaselineInput, wanted baselines.Baseline, done *RegisteredBaseline,
) (drift *baselinesync.Drift, changed bool, err error) {
	where := in.Group.Account.Name + "/" + in.Group.Region
	found, err := baselinesync.Read(ctx, s, where, wanted)
	if err != nil {
		return nil, false, err
	}
	file, err := a.baselineOf(in.Baseline)
	if err != nil {
		return nil, false, err
	}
	// Before it is put right: a repeat would find nothing that differs any more.
	drifted, file, err := found.Forgiving(ctx, file, a.Blocks)
	if err != nil {
		return nil, false, err
	}
	if done.BaselineID, err = baselinesync.Apply(ctx, s, where, wanted, found); err != nil {
		return nil, false, err
	}
	return baselinesync.ReadDrift(ctx, s, file, drifted), !found.Equal(), nil
}
