package activities

import (
	"context"
	"slices"

	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/patch"
)

// ReadChangesInput asks which packages a wave has changed so far.
type ReadChangesInput struct {
	WaveID  string
	Without []string // ids of instances that are not as the wave left them: put back, or not proven
	Due     []string // ids of patches of which those are asked for that were not installed
	// Pinned binds who is to get what is due: what it has of that counts as installed, whichever wave proved it.
	Pinned *patch.Pinned
}

// ChangesRead is what a wave changed.
type ChangesRead struct {
	Changed patch.CaseChanged
	Unseen  []string // those of Due that were installed nowhere, and that nothing binds, sorted
	Unread  int      // instances whose documents were too many to be read
}

// mostChangesRead bounds the instances of a look at what was changed: a person waits for it.
const mostChangesRead = 400

// ReadChanges adds up, from the evidence, which packages a wave has changed so far, so that whoever approves its next
// stage sees it. It proves nothing and is only shown. Instances of which the evidence has nothing, and those on which
// no install came to its end, are not counted.
func (c *Control) ReadChanges(ctx context.Context, in ReadChangesInput) (*ChangesRead, error) {
	ids, err := c.Evidence.ListInstances(ctx, in.WaveID)
	if err != nil {
		return nil, evidenceError("list what was done by wave "+in.WaveID, err)
	}
	ids = slices.DeleteFunc(ids, func(id string) bool { return slices.Contains(in.Without, id) })
	read := &ChangesRead{Unread: max(len(ids)-mostChangesRead, 0)}
	ids = ids[:len(ids)-read.Unread]
	all, err := evidence.ReadInstances[patch.InstanceDetails](ctx, c.Evidence.GetInstance, in.WaveID, ids)
	if err != nil {
		return nil, evidenceError("read what was done by wave "+in.WaveID, err)
	}
	all = slices.DeleteFunc(all, isUntouched)
	var installed []string
	read.Changed, installed = patch.Merge(all)
	if in.Pinned != nil {
		bound, err := readManifest(ctx, c.Manifests, in.Pinned.Ref())
		if err != nil {
			return nil, err
		}
		for _, system := range bound.Systems {
			for _, one := range system.Packages {
				installed = append(installed, one.Name)
			}
		}
	}
	read.Unseen = patch.Unseen(in.Due, installed)
	return read, nil
}

// isUntouched reports whether no install came to its end on an instance.
func isUntouched(one patch.InstanceDetails) bool { return one.After == nil }
