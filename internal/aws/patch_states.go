package aws

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// PatchIs is what a patch's state means for us.
type PatchIs string

// States of patches that count; their values are AWS's words without capitals and separators.
const (
	PatchMissing      PatchIs = "missing"
	PatchFailed       PatchIs = "failed"
	PatchAwaitsReboot PatchIs = "installedpendingreboot"
)

// EachPatch reads the ids where the counts say that there are any. The API's reference filters by values like
// InstalledPendingReboot while its model lists INSTALLED_PENDING_REBOOT: we ask by the former and understand both.
func EachPatch(
	ctx context.Context, s *Services, where, instance string, state ssmtypes.InstancePatchState,
	do func(PatchIs, ssmtypes.PatchComplianceData),
) error {
	var wanted []string
	if state.FailedCount > 0 {
		wanted = append(wanted, "Failed")
	}
	if Deref(state.InstalledPendingRebootCount) > 0 {
		wanted = append(wanted, "InstalledPendingReboot")
	}
	if state.MissingCount > 0 {
		wanted = append(wanted, "Missing")
	}
	if len(wanted) == 0 {
		return nil
	}
	pages := ssm.NewDescribeInstancePatchesPaginator(s.SSM, &ssm.DescribeInstancePatchesInput{
		InstanceId: &instance, MaxResults: Ptr(int32(100)),
		Filters: []ssmtypes.PatchOrchestratorFilter{{Key: Ptr("State"), Values: wanted}},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return Wrap("read the patches of "+instance, where, err)
		}
		for _, entry := range page.Patches {
			do(patchStateOf(entry), entry)
		}
	}
	return nil
}

// PatchDocument is AWS's document that scans and installs; its StepTimeoutSeconds takes 1 to 36000.
const (
	PatchDocument = "AWS-RunPatchBaseline"
	LeastInstall  = 60
	MostInstall   = 36000
)

// MostPerScan is how many ids SendCommand and DescribeInstancePatchStates take.
const MostPerScan = 50

// ReadPatchStates reads the patch states of the instances, by id. One that was never scanned has none.
func ReadPatchStates(
	ctx context.Context, s *Services, where string, ids []string,
) (map[string]ssmtypes.InstancePatchState, error) {
	found := map[string]ssmtypes.InstancePatchState{}
	for chunk := range slices.Chunk(ids, MostPerScan) {
		pages := ssm.NewDescribeInstancePatchStatesPaginator(s.SSM, &ssm.DescribeInstancePatchStatesInput{InstanceIds: chunk})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, Wrap("read the patch states", where, err)
			}
			for _, state := range page.InstancePatchStates {
				found[Deref(state.InstanceId)] = state
			}
		}
	}
	return found, nil
}

// BareID is the id at the end of an ARN: baselines of AWS are told by ARN.
func BareID(id string) string { return id[strings.LastIndex(id, "/")+1:] }

// patchStateOf understands both spellings of a patch's state.
func patchStateOf(entry ssmtypes.PatchComplianceData) PatchIs {
	return PatchIs(strings.ToLower(strings.ReplaceAll(string(entry.State), "_", "")))
}

// PatchID is the KB id on Windows and name.arch on Linux; some package managers fill in the title only.
func PatchID(entry ssmtypes.PatchComplianceData) string {
	if id := Deref(entry.KBId); id != "" {
		return id
	}
	return Deref(entry.Title)
}
