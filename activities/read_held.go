package activities

import (
	"context"
	"strings"

	"github.com/patchtide/patchtide/internal/manifest"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// ReadHeldInput asks a machine which versions it has.
type ReadHeldInput struct {
	CollectMachineFactsInput
	Packages []string // "name.arch"
}

// ReadHeld asks a machine for its packages, and says which versions it has of some. It reads only. Its errors are those
// of CollectMachineFacts.
func (a *AWS) ReadHeld(ctx context.Context, in ReadHeldInput) (_ *patch.Held, err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return nil, err
	}
	_, packages, err := a.askFacts(ctx, s, in.CollectMachineFactsInput, factsAsked{whole: true})
	if err != nil {
		return nil, err
	}
	machine := manifest.Read(packages)
	held := &patch.Held{Instance: in.Instance.ID, Versions: map[string]string{}}
	for _, name := range in.Packages {
		if versions := machine[name]; len(versions) > 0 {
			held.Versions[name] = strings.Join(versions, " or ")
		}
	}
	return held, nil
}
