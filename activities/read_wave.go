package activities

import (
	"context"
	"errors"

	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// ReadWaveInput names a wave by its workflow id.
type ReadWaveInput struct {
	WaveID string
}

// WaveRead is what a wave left; Running when it still runs, and then nothing else is told.
type WaveRead struct {
	Running  bool
	Document WaveDocument
	Left     bool `json:",omitempty"` // the wave was gone before its groups, which left what they did beside its document
	Notifies bool `json:",omitempty"` // see ResolvedPlan
}

// ReadWave reads and proves the document that a wave left: closed, or parked once and terminated since; and what its
// groups left beside it where they outlived it. One that left none, or none with results, is UnknownWave, which lists
// what to check.
func (c *Control) ReadWave(ctx context.Context, in ReadWaveInput) (*WaveRead, error) {
	holder, err := c.Locks.Holder(ctx, in.WaveID)
	switch {
	case err != nil:
		return nil, temporal.NewApplicationErrorWithCause(
			"ask Temporal whether "+in.WaveID+" runs: "+err.Error(), ErrLockUnknown, err,
		)
	case holder != nil:
		return &WaveRead{Running: true}, nil
	}
	read := &WaveRead{Notifies: c.notifies()}
	err = c.Evidence.ProvenWave(ctx, in.WaveID, &read.Document)
	var missing *evidence.NotFoundError
	if err == nil || errors.As(err, &missing) {
		left, failed := c.readLeft(ctx, in.WaveID, &read.Document)
		switch {
		case failed != nil:
			return nil, evidenceError("read what groups left of wave "+in.WaveID, failed)
		case left:
			read.Left, err = true, nil
		}
	}
	// A document of a wave that had neither closed nor been parked tells what people decided, and no results.
	if errors.As(err, &missing) || err == nil && read.Document.Status.State != patch.StateClosed && !tellsResults(
		read.Document.Result,
	) {
		return nil, once.Final(ErrUnknownWave, "wave %s left no evidence in this worker's store; check that its id is "+
			"spelt as in the Temporal UI, "+
			"that this worker's `evidence:` is the store it wrote to, and that it ended by itself: one that was terminated "+
			"with its groups, and was never parked, leaves only its journal", in.WaveID)
	}
	if err != nil {
		return nil, evidenceError("read the document of wave "+in.WaveID, err)
	}
	return read, nil
}

// tellsResults tells that instances are in a wave's result.
func tellsResults(result patch.WaveResult) bool {
	for _, stage := range result.Stages {
		for _, group := range stage.Groups {
			if len(group.Instances) > 0 {
				return true
			}
		}
	}
	return false
}
