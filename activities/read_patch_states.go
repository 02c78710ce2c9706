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

// ReadPatchStatesInput asks what Systems Manager knows of the patches of at most 50 instances of one group.
type ReadPatchStatesInput struct {
	Group     patch.Group
	Instances []string
	Baseline  string // the plan's, by its name in baselines/
}

// PatchStates is what Systems Manager last learnt, by whomever. Instances that were never scanned are left out.
type PatchStates struct {
	BaselineID string // the plan's baseline as Systems Manager has it; "" when it has none yet, or any may judge
	States     []patch.PatchState
	At         time.Time // AWS's clock, when they were read
}

// ReadPatchStates reads what the last scan or installation of each instance has found, without scanning. It changes
// nothing.
func (a *AWS) ReadPatchStates(ctx context.Context, in ReadPatchStatesInput) (_ *PatchStates, err error) {
	defer once.Typed(&err)
	wanted, err := a.baselineOf(in.Baseline)
	if err != nil {
		return nil, err
	}
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return nil, err
	}
	where := in.Group.String()
	read := &PatchStates{}
	if !wanted.Adopts {
		if read.BaselineID, err = aws.FindBaseline(ctx, s, where, wanted.SSMName(), wanted.OperatingSystem); err != nil {
			return nil, err
		}
	}
	if _, read.At, err = aws.DescribeInstances(ctx, s, where, aws.Filter("instance-id", in.Instances...)); err != nil {
		return nil, err
	}
	states, _, err := aws.ReadPatchStates(ctx, s, where, in.Instances)
	if err != nil {
		return nil, err
	}
	blocked, err := a.blocked(ctx, wanted.Platform, read.At)
	if err != nil {
		blocked = nil // that nobody knows is told by what is in the way
	}
	for _, id := range in.Instances {
		state, known := states[id]
		if !known || state.OperationEndTime == nil {
			continue
		}
		one := patch.PatchState{
			Instance: id, BaselineID: aws.BareID(aws.Deref(state.BaselineId)), At: state.OperationEndTime.UTC(),
		}
		unnamed, err := aws.EachPatch(ctx, s, where, id, state, func(of aws.PatchIs, entry ssmtypes.PatchComplianceData) {
			switch of {
			case aws.PatchMissing:
				block := blocked.Listed(aws.PatchID(entry), aws.Deref(entry.Title))
				switch {
				case block != nil && wanted.Rejects(*block):
					one.LeftOut = append(one.LeftOut, block.String())
					return
				case block != nil:
					one.Blocked = append(one.Blocked, block.String())
				}
				one.Missing = append(one.Missing, patch.MissingPatch{
					ID: aws.PatchID(entry), Severity: aws.Deref(entry.Severity),
					Version: patch.TitledVersion(aws.PatchID(entry), aws.Deref(entry.Title)),
				})
			case aws.PatchFailed:
				one.Failed = append(one.Failed, aws.PatchID(entry))
			case aws.PatchAwaitsReboot:
				one.PendingReboot = append(one.PendingReboot, aws.PatchID(entry))
			}
		})
		if err != nil {
			return nil, err
		}
		slices.Sort(one.Failed)
		slices.Sort(one.PendingReboot)
		if rest := unnamed.Tell(aws.PatchMissing); rest != "" {
			one.Missing = append(one.Missing, patch.MissingPatch{ID: rest})
		}
		if rest := unnamed.Tell(aws.PatchFailed); rest != "" {
			one.Failed = append(one.Failed, rest)
		}
		if rest := unnamed.Tell(aws.PatchAwaitsReboot); rest != "" {
			one.PendingReboot = append(one.PendingReboot, rest)
		}
		read.States = append(read.States, one)
	}
	return read, nil
}
