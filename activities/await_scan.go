package activities

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"go.temporal.io/sdk/activity"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// AwaitScanInput waits for a scan.
type AwaitScanInput struct {
	Group      patch.Group
	Instances  []string
	Ticket     ScanTicket
	BaselineID string // the one it must have been judged by; "" accepts any
	Counts     bool   // how many patches are missing is enough: their names are neither read nor told
	// Baseline is the plan's, that StartScan has reject what is blocked at At: what is missing all the same is told apart.
	// Zero: nothing is blocked.
	Baseline string
	At       time.Time
	Pace     Pace
}

// ScanResults holds one result for each instance asked for, in that order.
type ScanResults struct {
	Scans []patch.Scan
}

// AwaitScan waits until the command has ended on each instance and the patch states are proven to be of this run:
// Operation Scan, our SnapshotId, an OperationEndTime other than before. An instance whose scan did not run has Error
// set, and so has one that was judged by another baseline than ours.
func (a *AWS) AwaitScan(ctx context.Context, in AwaitScanInput) (_ *ScanResults, err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return nil, err
	}
	var blocked judgedBlocks
	if !in.At.IsZero() {
		if blocked, err = a.judgedBlocks(ctx, in.Baseline, in.At); err != nil {
			return nil, err
		}
	}
	var results *ScanResults
	// Since when, by AWS's clock, a list of patches is shorter than what is counted. It may lag as every list may; then
	// its names are done without: nothing that is counted is left out, and one instance does not hold up the others.
	var shortSince time.Time
	if activity.HasHeartbeatDetails(ctx) {
		if err := activity.GetHeartbeatDetails(ctx, &shortSince); err != nil {
			return nil, err
		}
	}
	kept := func() any { return shortSince }
	err = a.waits().LookKeeping(ctx, in.Pace, kept, func(ctx context.Context) (bool, string, error) {
		invocations, err := aws.ReadInvocations(ctx, s, in.Group.String(), in.Ticket.CommandID)
		if err != nil {
			return false, "", err
		}
		if len(invocations) == 0 {
			return false, "the scan to be listed", nil
		}
		var ran []string
		for _, id := range in.Instances {
			if in.Ticket.Left[id] != "" {
				continue
			}
			invocation, listed := invocations[id]
			switch { // just after the command was sent the list may have some of them only
			case !listed:
				return false, "the scan of " + id + " to be listed", nil
			case !invocation.Over():
				return false, fmt.Sprintf("the scan of %s, which is %s", id, invocation.Status), nil
			}
			if invocation.Succeeded() {
				ran = append(ran, id)
			}
		}
		states, at, err := aws.ReadPatchStates(ctx, s, in.Group.String(), ran)
		if err != nil {
			return false, "", err
		}
		read := &ScanResults{}
		short := ""
		for _, id := range in.Instances {
			scan, waitingFor, err := readScan(ctx, s, in, id, invocations, states, blocked)
			if err != nil || waitingFor != "" {
				return false, waitingFor, err
			}
			if scan.unnamed {
				short = id
			}
			read.Scans = append(read.Scans, scan.Scan)
		}
		switch {
		case short == "":
			shortSince = time.Time{}
		case shortSince.IsZero():
			shortSince = at
			return false, "the patches of " + short + " to be listed", nil
		case at.Sub(shortSince) < a.speed().OnAWS(in.Pace.ReadLag):
			return false, "the patches of " + short + " to be listed", nil
		}
		results = read
		return true, "", nil
	})
	if err != nil {
		return nil, err
	}
	patch.FitScans([][]patch.Scan{results.Scans})
	return results, nil
}

// readResult is a scan, and whether it counts patches that were not named.
type readResult struct {
	patch.Scan
	unnamed bool
}

// readScan is one instance's result. waitingFor says what is still to come.
func readScan(
	ctx context.Context,
	s *aws.Services,
	in AwaitScanInput,
	id string,
	invocations map[string]aws.Invocation,
	states map[string]ssmtypes.InstancePatchState,
	blocked judgedBlocks,
) (scan readResult, waitingFor string, err error) {
	scan.Instance = id
	invocation := invocations[id]
	switch {
	case in.Ticket.Left[id] != "":
		scan.Error = in.Ticket.Left[id]
		return scan, "", nil
	case !invocation.Succeeded():
		err := invocation.ReadOutput(ctx, s, in.Group.String())
		scan.Error = invocation.DescribeEnd()
		return scan, "", err
	}
	state, known := states[id]
	if !known { // a list may lack one for once
		return scan, "the patch state of " + id, nil
	}
	switch whose(in.Ticket, id, state) {
	case notYet:
		return scan, "the patch state of " + id, nil
	case another:
		scan.Error = fmt.Sprintf("another %s overwrote the result at %s; find what else patches this instance, then scan "+
			"again",
			state.Operation, aws.Deref(state.OperationEndTime).UTC().Format(time.RFC3339))
		return scan, "", nil
	}
	scan.BaselineID = aws.BareID(aws.Deref(state.BaselineId))
	if in.BaselineID != "" && scan.BaselineID != aws.BareID(in.BaselineID) {
		scan.Error = fmt.Sprintf("judged by baseline %s, not by ours, or that of before, %s; give the instance the tag "+
			"PatchGroup with the "+
			"patch group of the plan's baseline, and where it has it already see whether the baseline is for its system: "+
			"patchtide plan tells",
			scan.BaselineID, in.BaselineID)
		return scan, "", nil
	}
	if in.Counts {
		scan.MissingCount, state.MissingCount = int(state.MissingCount), 0
	}
	scan.unnamed, err = fillPatches(ctx, s, in.Group.String(), &scan.Scan, state, blocked)
	return scan, "", err
}

type owner int

const (
	ours owner = iota
	notYet
	another
)

// clocksDiffer is by how much a node's clock may be wrong without its first patch state being taken for an older one.
const clocksDiffer = 15 * time.Minute

// whose tells whose run a patch state is of. Its times may be the node's clock, which may be wrong: it is compared with
// the state that stood before. Where there was none AWS's clock has to do, and more narrowly where that is not known.
func whose(ticket ScanTicket, id string, state ssmtypes.InstancePatchState) owner {
	ended, before, earliest := aws.Deref(state.OperationEndTime), ticket.Before[id], ticket.Started.Truncate(time.Second)
	if ticket.Before != nil {
		earliest = earliest.Add(-clocksDiffer)
	}
	switch {
	case before.IsZero() && ended.Before(earliest), !before.IsZero() && ended.Equal(before):
		return notYet
	case state.Operation == ssmtypes.PatchOperationTypeScan &&
		strings.EqualFold(aws.Deref(state.SnapshotId), ticket.SnapshotID):
		return ours
	}
	return another
}

// fillPatches reads what an instance's patch state counts, and reports whether some of it was not named.
func fillPatches(
	ctx context.Context, s *aws.Services, where string, scan *patch.Scan, state ssmtypes.InstancePatchState,
	blocked judgedBlocks,
) (bool, error) {
	lists := map[aws.PatchIs]*[]string{
		aws.PatchMissing: &scan.Missing, aws.PatchFailed: &scan.Failed, aws.PatchAwaitsReboot: &scan.PendingReboot,
	}
	each := func(of aws.PatchIs, entry ssmtypes.PatchComplianceData) {
		if list := lists[of]; list != nil {
			*list = append(*list, aws.PatchID(entry))
		}
		if block := blocked.Listed(aws.PatchID(entry), aws.Deref(entry.Title)); block != nil && of == aws.PatchMissing {
			scan.Blocked = append(scan.Blocked, block.String())
			scan.Unrejected = scan.Unrejected || blocked.rejects(*block)
		}
	}
	unnamed, err := aws.EachPatch(ctx, s, where, scan.Instance, state, each)
	scan.MissingCount += unnamed[aws.PatchMissing]
	for of, list := range lists {
		slices.Sort(*list)
		if rest := unnamed.Tell(of); rest != "" && of != aws.PatchMissing {
			*list = append(*list, rest)
		}
	}
	return len(unnamed) > 0, err
}
