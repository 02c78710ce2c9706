package activities

import (
	"context"

	"github.com/patchtide/patchtide/internal/manifest"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// CheckPinnedInput asks an instance what it lacks of a manifest.
type CheckPinnedInput struct {
	CollectMachineFactsInput
	Pinned patch.Pinned
}

// CheckPinned asks a machine for its packages and says what it lacks of what was proved on its system. It reads only.
// Its errors are those of CollectMachineFacts.
func (a *AWS) CheckPinned(ctx context.Context, in CheckPinnedInput) (_ *patch.PinCheck, err error) {
	defer once.Typed(&err)
	machine, packages, err := a.askFacts(ctx, in.CollectMachineFactsInput, true)
	if err != nil {
		return nil, err
	}
	bound, err := readManifest(ctx, a.Manifests, in.Pinned)
	if err != nil {
		return nil, err
	}
	check := &patch.PinCheck{System: manifest.NameOf(*machine)}
	system := bound.Of(*machine)
	if system == nil {
		return check, nil
	}
	if of := in.Pinned.Of(system.Name); of != nil {
		check.List = of.List
	}
	due := system.Due(manifest.Read(packages))
	check.Due = len(due.Due)
	check.Ahead = due.Ahead[:min(len(due.Ahead), patch.MostPinned)]
	return check, nil
}
