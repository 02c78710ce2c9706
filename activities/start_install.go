package activities

import (
	"context"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/facts"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// StartInstallInput asks for install and reboot on one instance.
type StartInstallInput struct {
	Instance   Instance
	Platform   patch.Platform
	Runbook    Runbook // only its version counts
	SnapshotID string
	// Baseline is the plan's, that is to reject first what is blocked at At; "": nothing is.
	Baseline string
	At       time.Time
	List     string       // URL of the list of packages that it installs; "": all that its baseline approves
	Reboot   patch.Reboot // whether Systems Manager itself may
	Attempt  Attempt
	Budget   patch.Duration // of install and reboot; the step's own time-out
	Pace     Pace
}

// Execution names an Automation execution.
type Execution struct {
	ID string
}

// StartInstall starts our runbook once per attempt token: the token is ClientToken and part of a tag key. On a repeat
// it looks the execution up before it starts one, and concludes that none was started only after Pace.ReadLag of empty
// reads. It refuses when the pinned version does not say what this worker's own runbook does (RunbookChanged,
// terminal).
func (a *AWS) StartInstall(ctx context.Context, in StartInstallInput) (_ *Execution, err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return nil, once.Unsent(ctx, err)
	}
	where := in.Instance.String()
	found, at, err := aws.FindStarted(ctx, s, where, in.Attempt.Token)
	if err != nil {
		return nil, once.Unsent(ctx, err)
	}
	if found != "" {
		return &Execution{ID: found}, nil
	}
	if err := checkPinned(ctx, s, where, in.Runbook.Version); err != nil {
		return nil, once.Unsent(ctx, err)
	}
	if err := a.rejectNow(ctx, in.Instance.Group, in.Baseline, in.At); err != nil {
		return nil, once.Unsent(ctx, err)
	}
	if err := a.waits().MaySend(ctx, in.Pace, at, "the install"); err != nil {
		return nil, err
	}
	out, err := s.SSM.StartAutomationExecution(ctx, &ssm.StartAutomationExecutionInput{
		DocumentName:    aws.Ptr(names.Runbook),
		DocumentVersion: &in.Runbook.Version,
		ClientToken:     &in.Attempt.Token,
		Parameters:      a.runbookParameters(in),
		Tags: []ssmtypes.Tag{
			{Key: aws.Ptr(names.TagAttempt + in.Attempt.Token), Value: &in.Instance.ID},
			{Key: aws.Ptr(names.TagWave), Value: &in.Attempt.WaveID},
		},
	})
	if aws.IsTokenUsed(err) {
		return nil, once.NotReady(in.Pace.Poll.D(), "waiting to see the install that an earlier attempt started")
	}
	if err != nil {
		once.Refused(ctx, err)
		return nil, aws.Wrap("start the install", where, err)
	}
	return &Execution{ID: aws.Deref(out.AutomationExecutionId)}, nil
}

func (a *AWS) runbookParameters(in StartInstallInput) map[string][]string {
	document, script := facts.Script(in.Platform)
	_, execution := a.speed().Share(in.Budget)
	parameters := map[string][]string{
		"InstanceId":            {in.Instance.ID},
		"RebootOption":          {in.Reboot.Option()},
		"ScriptDocument":        {document},
		"FactsScript":           script,
		"InstallTimeoutSeconds": {strconv.Itoa(int(execution))},
	}
	// Automation refuses empty values: what is not wanted is left to the runbook's default.
	if role := a.Connector.AutomationRole(in.Instance.Group.Account); role != "" {
		parameters["AutomationAssumeRole"] = []string{role}
	}
	if in.List != "" {
		parameters["InstallOverrideList"] = []string{in.List}
	}
	if in.SnapshotID != "" {
		parameters["SnapshotId"] = []string{in.SnapshotID}
	}
	return parameters
}
