package activities

import (
	"context"
	"slices"
	"time"

	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// ReadDueInput asks which patches some instances of a group miss.
type ReadDueInput struct {
	Group      patch.Group
	Instances  []string
	BaselineID string // the one by which it must have been judged; "": any
}

// DueRead is what Systems Manager last learnt of them, by whomever.
type DueRead struct {
	Patches   []string  // ids, each once, sorted
	Instances int       // of which it is known, by the baseline
	Oldest    time.Time `json:",omitzero"` // of what is known, the oldest; by the node's clock
	Unnamed   int       // patches that are counted and not named, or too many to be
}

// mostDue is how many ids of patches are told: a person reads them, and a history keeps them.
const mostDue = 1000

// ReadDue reads which patches instances miss by what Systems Manager learnt last, without scanning. It changes nothing.
func (a *AWS) ReadDue(ctx context.Context, in ReadDueInput) (_ *DueRead, err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return nil, err
	}
	where := in.Group.String()
	states, _, err := aws.ReadPatchStates(ctx, s, where, in.Instances)
	if err != nil {
		return nil, err
	}
	read := &DueRead{Patches: []string{}}
	for _, id := range in.Instances {
		state, known := states[id]
		if !known || state.OperationEndTime == nil ||
			in.BaselineID != "" && aws.BareID(aws.Deref(state.BaselineId)) != aws.BareID(in.BaselineID) {
			continue
		}
		unnamed, err := aws.EachPatch(ctx, s, where, id, state, func(of aws.PatchIs, entry ssmtypes.PatchComplianceData) {
			if of == aws.PatchMissing {
				read.Patches = append(read.Patches, aws.PatchID(entry))
			}
		})
		if err != nil {
			return nil, err
		}
		read.Instances++
		read.Unnamed += unnamed[aws.PatchMissing]
		if at := state.OperationEndTime.UTC(); read.Oldest.IsZero() || at.Before(read.Oldest) {
			read.Oldest = at
		}
	}
	slices.Sort(read.Patches)
	read.Patches = slices.Compact(read.Patches)
	if more := len(read.Patches) - mostDue; more > 0 {
		read.Patches, read.Unnamed = read.Patches[:mostDue], read.Unnamed+more
	}
	return read, nil
}
