package activities

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// ScanTicket is a scan under way.
type ScanTicket struct {
	CommandID  string
	SnapshotID string
	Started    time.Time // AWS's clock: the command's RequestedDateTime
}

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

// StartScan runs AWS-RunPatchBaseline Scan by Run Command. SendCommand has no client token: the attempt's token stands
// in the command's comment and is looked for before repeating; a scan done twice changes nothing. Instances that
// Systems Manager does not manage are left out, since one of them would have the whole command refused; AwaitScan names
// them.
func (a *AWS) StartScan(ctx context.Context, in StartScanInput) (_ *ScanTicket, err error) {
	defer once.Typed(&err)
	if len(in.Instances) == 0 || len(in.Instances) > aws.MostPerScan {
		return nil, once.Final(
			ErrInvalidInput, "%s: a scan takes 1 to %d instances, not %d", in.Group, aws.MostPerScan, len(in.Instances),
		)
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
		return nil, once.Final(
			ErrRejected,
			"%s: Systems Manager manages none of %v; check the agents, their instance profile and their route to its endpoints",
			where, in.Instances,
		)
	}
	found, err := aws.FindCommands(ctx, s, where, managed[0], comment)
	if err != nil {
		return nil, err
	}
	if len(found) > 0 {
		return &ScanTicket{
			CommandID: aws.Deref(found[0].CommandId), SnapshotID: in.SnapshotID, Started: aws.Deref(found[0].RequestedDateTime),
		}, nil
	}
	out, err := s.SSM.SendCommand(ctx, &ssm.SendCommandInput{
		DocumentName: aws.Ptr(aws.PatchDocument), InstanceIds: managed, Comment: &comment,
		Parameters: map[string][]string{
			"Operation":          {"Scan"},
			"SnapshotId":         {in.SnapshotID},
			"StepTimeoutSeconds": {fmt.Sprint(a.speed().Seconds(in.Budget, aws.LeastInstall, aws.MostInstall))},
		},
		TimeoutSeconds: aws.Ptr(
			int32(min(scanDelivery.D(), max(a.speed().OnAWS(in.Budget), aws.LeastDelivery*time.Second)).Seconds()),
		),
	})
	if err != nil {
		return nil, aws.Wrap("start the scan", where, err)
	}
	return &ScanTicket{
		CommandID: aws.Deref(out.Command.CommandId), SnapshotID: in.SnapshotID,
		Started: aws.Deref(out.Command.RequestedDateTime),
	}, nil
}
