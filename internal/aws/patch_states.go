package aws

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

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

// Unnamed is how many patches of each state a patch state counts and the list of patches does not have: the list may
// lag, and what is not in it is due all the same.
type Unnamed map[PatchIs]int

// Tell is for a list of ids, in the place of those that it lacks; "" where it lacks none.
func (u Unnamed) Tell(of PatchIs) string {
	if u[of] <= 0 {
		return ""
	}
	return fmt.Sprintf("%d that Systems Manager counts and does not name", u[of])
}

// EachPatch reads the ids where the counts say that there are any, and returns how many of those were not listed. The
// API's reference filters by values like InstalledPendingReboot while its model lists INSTALLED_PENDING_REBOOT: we ask
// by the former and understand both.
func EachPatch(
	ctx context.Context, s *Services, where, instance string, state ssmtypes.InstancePatchState,
	do func(PatchIs, ssmtypes.PatchComplianceData),
) (Unnamed, error) {
	unnamed := Unnamed{}
	var wanted []string
	for _, each := range []struct {
		is     PatchIs
		filter string
		count  int32
	}{
		{PatchFailed, "Failed", state.FailedCount},
		{PatchAwaitsReboot, "InstalledPendingReboot", Deref(state.InstalledPendingRebootCount)},
		{PatchMissing, "Missing", state.MissingCount},
	} {
		if each.count > 0 {
			unnamed[each.is], wanted = int(each.count), append(wanted, each.filter)
		}
	}
	if len(wanted) == 0 {
		return nil, nil
	}
	pages := ssm.NewDescribeInstancePatchesPaginator(s.SSM, &ssm.DescribeInstancePatchesInput{
		InstanceId: &instance, MaxResults: Ptr(int32(PatchesPage)),
		Filters: []ssmtypes.PatchOrchestratorFilter{{Key: Ptr("State"), Values: wanted}},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, Wrap("read the patches of "+instance, where, err)
		}
		for _, entry := range page.Patches {
			is := patchStateOf(entry)
			if unnamed[is]--; unnamed[is] <= 0 {
				delete(unnamed, is)
			}
			do(is, entry)
		}
	}
	return unnamed, nil
}

// PatchDocument is AWS's document that scans and installs; its StepTimeoutSeconds takes 1 to 36000.
const (
	PatchDocument = "AWS-RunPatchBaseline"
	LeastInstall  = 60
	MostInstall   = 36000
)

// MostPerScan is how many ids SendCommand and DescribeInstancePatchStates take.
const MostPerScan = 50

// ReadPatchStates reads the patch states of the instances, by id, and when by AWS's clock (zero where no instance is
// asked for). One that was never scanned has none.
func ReadPatchStates(
	ctx context.Context, s *Services, where string, ids []string,
) (found map[string]ssmtypes.InstancePatchState, at time.Time, err error) {
	found = map[string]ssmtypes.InstancePatchState{}
	for chunk := range slices.Chunk(ids, MostPerScan) {
		pages := ssm.NewDescribeInstancePatchStatesPaginator(s.SSM, &ssm.DescribeInstancePatchStatesInput{InstanceIds: chunk})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, at, Wrap("read the patch states", where, err)
			}
			if at, err = TimeOf(page.ResultMetadata, where); err != nil {
				return nil, at, err
			}
			for _, state := range page.InstancePatchStates {
				found[Deref(state.InstanceId)] = state
			}
		}
	}
	return found, at, nil
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
