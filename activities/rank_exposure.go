package activities

import (
	"context"

	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"go.temporal.io/sdk/activity"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// RankExposureInput asks how exposed some instances of a group are.
type RankExposureInput struct {
	Group     patch.Group
	Instances []string
}

// Exposures is what is known of them, by id; one that was never scanned is left out.
type Exposures struct {
	Of map[string]*patch.Exposure
}

// RankExposure tells how exposed instances are, by what Systems Manager learnt last. It changes nothing.
func (a *AWS) RankExposure(ctx context.Context, in RankExposureInput) (_ *Exposures, err error) {
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
	read := &Exposures{Of: map[string]*patch.Exposure{}}
	for _, id := range in.Instances {
		activity.RecordHeartbeat(ctx)
		state, known := states[id]
		if !known || state.OperationEndTime == nil {
			continue
		}
		var missing []patch.MissingPatch
		unnamed, err := aws.EachPatch(ctx, s, where, id, state, func(of aws.PatchIs, entry ssmtypes.PatchComplianceData) {
			if of == aws.PatchMissing {
				missing = append(missing, patch.MissingPatch{ID: aws.PatchID(entry), Severity: aws.Deref(entry.Severity)})
			}
		})
		if err != nil {
			return nil, err
		}
		for range unnamed[aws.PatchMissing] { // their list lags: that they are missing is known, and no more
			missing = append(missing, patch.MissingPatch{})
		}
		read.Of[id] = patch.ExposureOf(missing, state.OperationEndTime.UTC())
	}
	return read, nil
}
