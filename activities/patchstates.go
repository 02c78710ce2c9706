package activities

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/patchtide/patchtide/internal/aws"
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
	BaselineID string // the plan's baseline as Systems Manager has it; "" when it has none yet
	States     []patch.PatchState
	At         time.Time // AWS's clock, when they were read
}

// ReadPatchStates reads what the last scan or installation of each instance has found, without scanning. It changes nothing.
func (a *AWS) ReadPatchStates(ctx context.Context, in ReadPatchStatesInput) (_ *PatchStates, err error) {
	defer typed(&err)
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
	if read.BaselineID, err = findBaseline(ctx, s, where, wanted.SSMName(), wanted.OperatingSystem); err != nil {
		return nil, err
	}
	if _, read.At, err = describeInstances(ctx, s, where, filter("instance-id", in.Instances...)); err != nil {
		return nil, err
	}
	states, err := readPatchStates(ctx, s, where, in.Instances)
	if err != nil {
		return nil, err
	}
	for _, id := range in.Instances {
		state, known := states[id]
		if !known || state.OperationEndTime == nil {
			continue
		}
		one := patch.PatchState{Instance: id, BaselineID: bareID(deref(state.BaselineId)), At: state.OperationEndTime.UTC()}
		if err := eachPatch(ctx, s, where, id, state, func(of patchIs, entry ssmtypes.PatchComplianceData) {
			switch of {
			case isMissing:
				one.Missing = append(one.Missing, patch.MissingPatch{ID: patchID(entry), Severity: deref(entry.Severity)})
			case hasFailed:
				one.Failed = append(one.Failed, patchID(entry))
			case awaitsReboot:
				one.PendingReboot = append(one.PendingReboot, patchID(entry))
			}
		}); err != nil {
			return nil, err
		}
		slices.Sort(one.Failed)
		slices.Sort(one.PendingReboot)
		read.States = append(read.States, one)
	}
	return read, nil
}

// patchIs is what a patch's state means for us.
type patchIs string

const (
	isMissing    patchIs = "missing"
	hasFailed    patchIs = "failed"
	awaitsReboot patchIs = "installedpendingreboot"
)

// eachPatch reads the ids where the counts say that there are any. The API's reference filters by values like
// InstalledPendingReboot while its model lists INSTALLED_PENDING_REBOOT: we ask by the former and understand both.
func eachPatch(ctx context.Context, s *aws.Services, where, instance string, state ssmtypes.InstancePatchState, do func(patchIs, ssmtypes.PatchComplianceData)) error {
	var wanted []string
	if state.FailedCount > 0 {
		wanted = append(wanted, "Failed")
	}
	if deref(state.InstalledPendingRebootCount) > 0 {
		wanted = append(wanted, "InstalledPendingReboot")
	}
	if state.MissingCount > 0 {
		wanted = append(wanted, "Missing")
	}
	if len(wanted) == 0 {
		return nil
	}
	pages := ssm.NewDescribeInstancePatchesPaginator(s.SSM, &ssm.DescribeInstancePatchesInput{
		InstanceId: &instance, MaxResults: ptr(int32(100)),
		Filters: []ssmtypes.PatchOrchestratorFilter{{Key: ptr("State"), Values: wanted}},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return aws.Wrap("read the patches of "+instance, where, err)
		}
		for _, entry := range page.Patches {
			do(patchStateOf(entry), entry)
		}
	}
	return nil
}
