package activities

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// StartScanInput asks for a patch scan of at most 50 instances of one group.
type StartScanInput struct {
	Group      patch.Group
	Instances  []string
	SnapshotID string // a GUID of our own: a patch state is ours only if it carries it
	Attempt    Attempt
	Budget     patch.Duration
	Pace       Pace
}

// scanDelivery is how long an agent may take to fetch a scan.
const scanDelivery = patch.Duration(10 * time.Minute)

// StartScan runs AWS-RunPatchBaseline Scan by Run Command. SendCommand has no client token: the attempt's token stands in the
// command's comment and is looked for before repeating; a scan done twice changes nothing. Instances that Systems Manager does
// not manage are left out, since one of them would have the whole command refused; AwaitScan names them.
func (a *AWS) StartScan(ctx context.Context, in StartScanInput) (_ *ScanTicket, err error) {
	defer once.Typed(&err)
	if len(in.Instances) == 0 || len(in.Instances) > aws.MostPerScan {
		return nil, once.Final(ErrInvalidInput, "%s: a scan takes 1 to %d instances, not %d", in.Group, aws.MostPerScan, len(in.Instances))
	}
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return nil, err
	}
	where, comment := in.Group.String(), "patchtide scan "+in.Attempt.Token
	managed, err := aws.ReadManaged(ctx, s, where, in.Instances)
	if err != nil {
		return nil, err
	}
	if len(managed) == 0 {
		return nil, once.Final(ErrRejected, "%s: Systems Manager manages none of %v; check the agents, their instance profile and their route to its endpoints", where, in.Instances)
	}
	found, err := aws.FindCommands(ctx, s, where, managed[0], comment)
	if err != nil {
		return nil, err
	}
	if len(found) > 0 {
		return &ScanTicket{CommandID: aws.Deref(found[0].CommandId), SnapshotID: in.SnapshotID, Started: aws.Deref(found[0].RequestedDateTime)}, nil
	}
	out, err := s.SSM.SendCommand(ctx, &ssm.SendCommandInput{
		DocumentName: aws.Ptr(aws.PatchDocument), InstanceIds: managed, Comment: &comment,
		Parameters: map[string][]string{
			"Operation":          {"Scan"},
			"SnapshotId":         {in.SnapshotID},
			"StepTimeoutSeconds": {fmt.Sprint(a.speed().Seconds(in.Budget, aws.LeastInstall, aws.MostInstall))},
		},
		TimeoutSeconds: aws.Ptr(int32(min(scanDelivery.D(), max(a.speed().OnAWS(in.Budget), aws.LeastDelivery*time.Second)).Seconds())),
	})
	if err != nil {
		return nil, aws.Wrap("start the scan", where, err)
	}
	return &ScanTicket{CommandID: aws.Deref(out.Command.CommandId), SnapshotID: in.SnapshotID, Started: aws.Deref(out.Command.RequestedDateTime)}, nil
}

// AwaitScanInput waits for a scan.
type AwaitScanInput struct {
	Group      patch.Group
	Instances  []string
	Ticket     ScanTicket
	BaselineID string // the one it must have been judged by; "" accepts any
	Pace       Pace
}

// ScanResults holds one result for each instance asked for, in that order.
type ScanResults struct {
	Scans []patch.Scan
}

// AwaitScan waits until the command has ended on each instance and the patch states are proven to be of this run: Operation
// Scan, our SnapshotId, OperationEndTime not before it started. An instance whose scan did not run has Error set, and so has
// one that was judged by another baseline than ours.
func (a *AWS) AwaitScan(ctx context.Context, in AwaitScanInput) (_ *ScanResults, err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return nil, err
	}
	var results *ScanResults
	err = a.waits().Look(ctx, in.Pace, func(ctx context.Context) (bool, string, error) {
		invocations, err := aws.ReadInvocations(ctx, s, in.Group.String(), in.Ticket.CommandID)
		if err != nil {
			return false, "", err
		}
		if len(invocations) == 0 {
			return false, "the scan to be listed", nil
		}
		var ran []string
		for _, id := range in.Instances {
			invocation, sent := invocations[id]
			if sent && !aws.CommandOver(invocation.Status) {
				return false, fmt.Sprintf("the scan of %s, which is %s", id, invocation.Status), nil
			}
			if sent && invocation.Status == ssmtypes.CommandInvocationStatusSuccess {
				ran = append(ran, id)
			}
		}
		states, err := aws.ReadPatchStates(ctx, s, in.Group.String(), ran)
		if err != nil {
			return false, "", err
		}
		read := &ScanResults{}
		for _, id := range in.Instances {
			scan, waitingFor, err := readScan(ctx, s, in, id, invocations, states)
			if err != nil || waitingFor != "" {
				return false, waitingFor, err
			}
			read.Scans = append(read.Scans, scan)
		}
		results = read
		return true, "", nil
	})
	return results, err
}
