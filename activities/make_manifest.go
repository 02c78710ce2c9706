package activities

import (
	"context"
	"errors"
	"slices"

	"go.temporal.io/sdk/temporal"
	"golang.org/x/sync/errgroup"

	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/manifest"
	"github.com/patchtide/patchtide/internal/patch"
)

// MakeManifestInput asks for what a wave has proved so far.
type MakeManifestInput struct {
	Plan, WaveID string
	Without      []string // ids of instances that prove nothing: put back, failed, or waiting for a reboot
}

// MakeManifest makes a document of what a wave's machines got, and the list of packages that machines of each system
// are bound to, where they can read it. Both stand under their own hashes, so that a repeat writes the same again.
func (c *Control) MakeManifest(ctx context.Context, in MakeManifestInput) (*patch.Pinned, error) {
	if c.Manifests == nil || c.Lists == nil {
		return nil, temporal.NewNonRetryableApplicationError("this worker's configuration names no bucket for lists of "+
			"packages: write manifests: s3://bucket/prefix, and start it again", ErrRejected, nil)
	}
	ids, err := c.Evidence.ListInstances(ctx, in.WaveID)
	if err != nil {
		return nil, evidenceError("list what was done by wave "+in.WaveID, err)
	}
	ids = slices.DeleteFunc(ids, func(id string) bool { return slices.Contains(in.Without, id) })
	machines, err := c.machines(ctx, in.WaveID, ids)
	if err != nil {
		return nil, err
	}
	made := manifest.New(in.Plan, in.WaveID, machines)
	pinned := &patch.Pinned{WaveID: in.WaveID, Proofs: len(made.Proofs), NotProofs: len(made.NotProofs)}
	if pinned.SHA256, err = c.Manifests.PutManifest(ctx, in.WaveID, made); err != nil {
		return nil, evidenceError("write the manifest of wave "+in.WaveID, err)
	}
	for _, system := range made.Systems {
		list, err := system.List()
		if err != nil {
			return nil, err
		}
		url, err := c.Lists.PutList(ctx, list)
		if err != nil {
			return nil, evidenceError("write the list of "+system.Name+" of wave "+in.WaveID, err)
		}
		pinned.Systems = append(pinned.Systems, patch.PinnedSystem{
			Name: system.Name, Packages: len(system.Packages), List: url,
		})
	}
	return pinned, nil
}

// machines are those of a wave of which the evidence has what an install did.
func (c *Control) machines(ctx context.Context, wave string, ids []string) ([]manifest.Proven, error) {
	all := make([]manifest.Proven, len(ids))
	reads, readCtx := errgroup.WithContext(ctx)
	reads.SetLimit(changesAtOnce)
	for i, id := range ids {
		reads.Go(func() error {
			err := c.Evidence.GetInstance(readCtx, wave, id, &all[i].Details)
			var missing *evidence.NotFoundError
			if errors.As(err, &missing) { // somebody deleted it meanwhile
				return nil
			}
			return err
		})
	}
	if err := reads.Wait(); err != nil {
		return nil, evidenceError("read what was done by wave "+wave, err)
	}
	return slices.DeleteFunc(all, func(one manifest.Proven) bool { return one.Details.After == nil }), nil
}
