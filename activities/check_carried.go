package activities

import (
	"context"
	"slices"
	"time"

	"github.com/patchtide/patchtide/internal/manifest"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// CheckCarriedInput asks an instance what it holds of an earlier manifest.
type CheckCarriedInput struct {
	CollectMachineFactsInput
	Manifest patch.ManifestRef
	At       time.Time // by which what it holds is blocked
}

// CheckCarried asks a machine for its packages, and says which of an earlier manifest it holds at exactly the version
// that was proved then. What is blocked is left out, and named. It reads only. Its errors are those of
// CollectMachineFacts.
func (a *AWS) CheckCarried(ctx context.Context, in CheckCarriedInput) (_ *patch.CarriedProof, err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return nil, err
	}
	machine, packages, err := a.askFacts(ctx, s, in.CollectMachineFactsInput, factsAsked{whole: true})
	if err != nil {
		return nil, err
	}
	earlier, err := readManifest(ctx, a.Manifests, in.Manifest)
	if err != nil {
		return nil, err
	}
	proof := &patch.CarriedProof{
		Instance: in.Instance.ID, Group: in.Instance.Group.String(), System: manifest.NameOf(*machine),
		Release: machine.Release, BootID: machine.BootID, Packages: []int{},
	}
	system := earlier.Carriable(proof.System)
	if system == nil {
		return proof, nil
	}
	blocked, err := a.blocked(ctx, in.Platform, in.At)
	if err != nil {
		return nil, err
	}
	proof.Packages, proof.Removed = system.Holds(manifest.Read(packages))
	proof.Packages = slices.DeleteFunc(proof.Packages, func(at int) bool {
		one := system.Packages[at]
		block := blocked.Of(one.Name, one.Version)
		if block != nil && len(proof.Blocked) < patch.MostPinned {
			proof.Blocked = append(proof.Blocked, block.String())
		}
		return block != nil
	})
	return proof, nil
}
