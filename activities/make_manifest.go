package activities

import (
	"context"
	"errors"
	"slices"
	"sync"

	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/manifest"
	"github.com/patchtide/patchtide/internal/patch"
)

// MakeManifestInput asks for what a wave has proved so far.
type MakeManifestInput struct {
	Plan, WaveID string
	Stages       []patch.ProvenStage
	Without      []string // ids of instances that prove nothing: put back, skipped or failed since
	// Carries is the plan's manifest before, and Held what machines of the stages before hold of it; nil: none.
	Carries *patch.ManifestRef
	Held    []patch.CarriedProof
	// NotCarried is why nothing is carried of something, for people.
	NotCarried []string
}

// mostNotCarriedTold bounds what is told beside a stage; the manifest has all of it.
const mostNotCarriedTold = 3

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
	machines, unproven, err := c.proven(ctx, in.WaveID, ids)
	if err != nil {
		return nil, err
	}
	var earlier *manifest.Earlier
	if in.Carries != nil {
		read, err := readManifest(ctx, c.Manifests, *in.Carries)
		if err != nil {
			return nil, err
		}
		earlier = &manifest.Earlier{Ref: *in.Carries, Manifest: *read, Held: in.Held}
	}
	made := manifest.New(in.Plan, in.WaveID, machines, earlier)
	made.NotProofs = slices.Sorted(slices.Values(append(made.NotProofs, unproven...)))
	made.Stages, made.NotCarried = in.Stages, in.NotCarried
	pinned := &patch.Pinned{
		WaveID: in.WaveID, Proofs: len(made.Proofs), NotProofs: len(made.NotProofs), Carries: in.Carries,
		NotCarried: in.NotCarried[:min(len(in.NotCarried), mostNotCarriedTold)],
	}
	for _, system := range made.Waiting {
		pinned.Waiting += len(system.Packages)
	}
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
			Name: system.Name, Packages: len(system.Packages), Carried: system.Carried(), List: url,
		})
	}
	return pinned, nil
}

// proven is what the evidence proves of those of a wave's instances on which an install came to its end, and of whom it
// proves nothing: what is not signed, somebody else may have written.
func (c *Control) proven(
	ctx context.Context, wave string, ids []string,
) (machines []patch.InstanceDetails, unproven []string, err error) {
	var mu sync.Mutex
	machines, err = evidence.ReadInstances[patch.InstanceDetails](
		ctx, func(ctx context.Context, wave, id string, into any) error {
			err := c.Evidence.ProvenInstance(ctx, wave, id, into)
			var invalid *evidence.InvalidInstanceError
			if !errors.As(err, &invalid) {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			unproven = append(unproven, id+": its document "+invalid.Reason)
			return nil // what was not decoded has no facts, as what was not touched
		}, wave, ids)
	if err != nil {
		return nil, nil, evidenceError("read what was done by wave "+wave, err)
	}
	slices.Sort(unproven)
	return slices.DeleteFunc(machines, isUntouched), unproven, nil
}
