package activities

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// ScanTicket is a scan under way.
type ScanTicket struct {
	CommandID  string
	SnapshotID string
	Started    time.Time         // AWS's clock: the command's RequestedDateTime
	Left       map[string]string // by id: why it was not sent to one
	// Before is when the patch state of each instance ended that stood before, by its node's clock; zero where there was
	// none. Nil: not known, since an earlier attempt sent the command.
	Before map[string]time.Time
}

// StartScanInput asks for a patch scan of at most 50 instances of one group.
type StartScanInput struct {
	Group      patch.Group
	Instances  []string
	SnapshotID string // a GUID of our own: a patch state is ours only if it carries it
	// Baseline is the plan's, that is to reject first what is blocked at At; "": nothing is.
	Baseline string
	At       time.Time
	Attempt  Attempt
	Budget   patch.Duration
	Pace     Pace
}

// StartScan runs AWS-RunPatchBaseline Scan by Run Command. SendCommand has no client token: the attempt's token stands
// in the command's comment and is looked for before repeating; a scan done twice changes nothing. Instances whose agent
// takes no command now are left out, since one of them may have the whole command refused; the ticket says why.
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
	to, err := aws.ReadAddressees(ctx, s, where, in.Instances)
	if err != nil {
		return nil, err
	}
	if len(to.Online) > 0 {
		found, err := aws.FindCommands(ctx, s, where, to.Online[0], comment)
		if err != nil {
			return nil, err
		}
		if len(found) > 0 {
			return ticketOf(found[0], in, to.Left), nil
		}
	}
	if err := a.rejectNow(ctx, in.Group, in.Baseline, in.At); err != nil {
		return nil, err
	}
	before, _, err := aws.ReadPatchStates(ctx, s, where, to.Online)
	if err != nil {
		return nil, err
	}
	for len(to.Online) > 0 {
		out, err := s.SSM.SendCommand(ctx, a.scanOf(in, to.Online, comment))
		switch {
		case err == nil:
			ticket := ticketOf(*out.Command, in, to.Left)
			ticket.Before = map[string]time.Time{}
			for _, id := range to.Online {
				ticket.Before[id] = aws.Deref(before[id].OperationEndTime)
			}
			return ticket, nil
		case !to.Drop(err):
			return nil, aws.Wrap("start the scan", where, err)
		}
	}
	return nil, once.Final(ErrRejected, "%s: no agent takes the scan: %s", where, leftOut(to.Left))
}

// scanOf is the command. By itself one that fails is an error too many, and those whose agents have not taken it yet
// may be ended with it (guide on rate controls of Run Command): each is to tell its own end.
func (a *AWS) scanOf(in StartScanInput, online []string, comment string) *ssm.SendCommandInput {
	delivery, execution := a.speed().Share(in.Budget)
	return &ssm.SendCommandInput{
		DocumentName: aws.Ptr(aws.PatchDocument), InstanceIds: online, Comment: &comment,
		Parameters: map[string][]string{
			"Operation":          {"Scan"},
			"SnapshotId":         {in.SnapshotID},
			"StepTimeoutSeconds": {strconv.Itoa(int(execution))},
		},
		TimeoutSeconds: &delivery, MaxErrors: aws.Ptr("100%"),
	}
}

// ticketOf is the ticket of a command. Whoever it was sent to is not left out, whatever became of its agent since.
func ticketOf(command ssmtypes.Command, in StartScanInput, left map[string]string) *ScanTicket {
	for _, id := range command.InstanceIds {
		delete(left, id)
	}
	for _, id := range in.Instances {
		if _, told := left[id]; !told && !slices.Contains(command.InstanceIds, id) {
			left[id] = "its agent took no command when the scan was sent; scan it again"
		}
	}
	return &ScanTicket{
		CommandID: aws.Deref(command.CommandId), SnapshotID: in.SnapshotID,
		Started: aws.Deref(command.RequestedDateTime), Left: left,
	}
}

// leftOut tells of each instance why it is left out.
func leftOut(left map[string]string) string {
	var told []string
	for _, id := range slices.Sorted(maps.Keys(left)) {
		told = append(told, id+": "+left[id])
	}
	return strings.Join(told, "; ")
}
