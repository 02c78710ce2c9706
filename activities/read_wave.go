package activities

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/payload"
)

// ReadWaveInput names a wave by its workflow id.
type ReadWaveInput struct {
	WaveID string
}

// WaveRead is what a wave left; Running when it still runs, and then nothing else is told.
type WaveRead struct {
	Running  bool
	Document WaveDocument
	Pages    []string `json:",omitempty"` // where the document is too large: the hashes of what ReadWavePage reads
	// Left: the wave was gone before it could tell what its groups and instances did, which they or the journal tell.
	Left      bool          `json:",omitempty"`
	Unsettled []string      `json:",omitempty"` // instances that were under way then, and are not put back yet
	UnderWay  []patch.Group `json:",omitempty"` // groups of those: a workflow of the wave is at it
	Unproven  []string      `json:",omitempty"` // records of its journal that cannot be believed
	Notifies  bool          `json:",omitempty"` // see ResolvedPlan
	// PutBackBefore is who put back what the wave had patched, and when, as an earlier roll back tells; "": none does.
	PutBackBefore string `json:",omitempty"`
}

// WavePage is a page of a document.
type WavePage struct {
	Content []byte
}

// ReadWavePageInput names a page of what a wave left.
type ReadWavePageInput struct {
	WaveID string
	Page   int // from 0
}

// ReadWave reads and proves, of what a wave left, what is needed to roll it back: its document, what its groups left
// beside it where they outlived it, and, of a wave that has not closed by itself, what the journal tells of instances.
// One that left none, or none with results, is UnknownWave, which lists what to check.
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
	var told untold
	if read.Document, told, err = c.readWhole(ctx, in.WaveID); err != nil {
		return nil, err
	}
	read.Left, read.Unproven = told.ended, told.unproven
	for _, record := range told.unsettled {
		read.Unsettled = append(read.Unsettled, record.Name())
	}
	if read.UnderWay, err = c.underWay(ctx, in.WaveID, told.unsettled); err != nil {
		return nil, err
	}
	read.PutBackBefore = c.putBackBefore(ctx, in.WaveID, read.Document.Status.Since)
	read.Document.forRollBack()
	pages, err := payload.Pages(read.Document)
	if err != nil {
		return nil, evidenceError("read the document of wave "+in.WaveID, err)
	}
	if len(pages) > 0 {
		read.Document = WaveDocument{}
	}
	for _, page := range pages {
		read.Pages = append(read.Pages, payload.Sum(page))
	}
	return read, nil
}

// ReadWavePage reads a page of what ReadWave told to be too large.
func (c *Control) ReadWavePage(ctx context.Context, in ReadWavePageInput) (*WavePage, error) {
	document, _, err := c.readWhole(ctx, in.WaveID)
	if err != nil {
		return nil, err
	}
	document.forRollBack()
	pages, err := payload.Pages(document)
	switch {
	case err != nil:
		return nil, evidenceError("read the document of wave "+in.WaveID, err)
	case in.Page < 0 || in.Page >= len(pages):
		return nil, once.Final(ErrEvidence, "the document of wave %s has no page %d any more", in.WaveID, in.Page)
	}
	return &WavePage{Content: pages[in.Page]}, nil
}

// readWhole reads and proves the document that a wave left, with what its groups left beside it.
func (c *Control) readWhole(ctx context.Context, wave string) (document WaveDocument, found untold, err error) {
	err = c.Evidence.ProvenWave(ctx, wave, &document)
	var missing *evidence.NotFoundError
	if err == nil || errors.As(err, &missing) {
		closed := document.Status.State == patch.StateClosed
		left, failed := c.readLeft(ctx, wave, &document)
		if failed == nil && !closed {
			found, failed = c.readUntold(ctx, wave, &document)
		}
		found.ended = found.ended || left
		switch {
		case failed != nil:
			return document, found, evidenceError("read what groups and instances left of wave "+wave, failed)
		case found.ended:
			err = nil
		}
	}
	// A document of a wave that had neither closed nor been parked tells what people decided, and no results.
	if errors.As(err, &missing) ||
		err == nil && document.Status.State != patch.StateClosed && !tellsResults(document.Result) {
		return document, found, once.Final(ErrUnknownWave, "wave %s left no evidence in this worker's store; check that its "+
			"id is spelt as in the Temporal UI, "+
			"that this worker's `evidence:` is the store it wrote to, and that it patched anything", wave)
	}
	if err != nil {
		return document, found, evidenceError("read the document of wave "+wave, err)
	}
	return document, found, nil
}

// putBackBefore is who put back what a wave had patched that closed then, and when; "" where no roll back of it tells,
// or its document cannot be believed: it is told to people, and nothing is decided by it.
func (c *Control) putBackBefore(ctx context.Context, wave string, closed time.Time) string {
	var was WaveDocument
	err := c.Evidence.ProvenWave(ctx, names.RollBack(wave), &was)
	if err != nil || was.Result.PutsBack != wave || was.Status.Since.Before(closed) {
		return ""
	}
	if was.Result.Outcome != patch.RolledBack || len(was.Status.Decisions) == 0 {
		return was.Status.PutBackBefore
	}
	return was.Status.Decisions[0].Actor + " at " + was.Status.Since.UTC().Format("2006-01-02 15:04:05 UTC")
}

// forRollBack leaves of a document what a roll back needs: instances that it would put back, and the ids of those that
// were quarantined, who may be back by now.
func (d *WaveDocument) forRollBack() {
	d.Status = patch.WaveStatus{WaveID: d.Status.WaveID, State: d.Status.State, Stages: []patch.StageStatus{}}
	for s := range d.Result.Stages {
		for g := range d.Result.Stages[s].Groups {
			group := &d.Result.Stages[s].Groups[g]
			group.Instances = slices.DeleteFunc(group.Instances, func(i patch.InstanceResult) bool {
				return !i.WantsRollBack() && i.Outcome != patch.Quarantined
			})
			for i, one := range group.Instances {
				if !one.WantsRollBack() {
					group.Instances[i] = patch.InstanceResult{ID: one.ID, Outcome: one.Outcome}
				}
			}
		}
	}
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
