package activities

import (
	"context"
	"fmt"
	"time"

	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// AwaitInstallInput waits for an execution.
type AwaitInstallInput struct {
	Instance  Instance
	Execution Execution
	Reboot    patch.Reboot  // which a machine that falls silent may be at
	Pinned    *patch.Pinned // what it is judged by; nil: nothing binds
	At        time.Time     // by which it is judged by what is blocked; zero: it is not
	Pace      Pace
}

// AwaitInstallTurn waits until Automation has begun the execution, which it may queue behind others for hours. Until
// then the error's type is InstallPending: nothing was touched.
func (a *AWS) AwaitInstallTurn(ctx context.Context, in AwaitInstallInput) (err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return err
	}
	queued := once.Waiting(
		ErrInstallPending, in.Pace.Poll.D(), "%s: Automation has queued %s", in.Instance, in.Execution.ID,
	)
	err = a.waits().Look(ctx, in.Pace, func(ctx context.Context) (bool, string, error) {
		execution, err := aws.FindExecution(ctx, s, in.Instance.String(), in.Execution.ID)
		if err != nil || execution == nil {
			return false, "the execution to be listed", err
		}
		if execution.Status == ssmtypes.AutomationExecutionStatusPending {
			return false, "", queued
		}
		return true, "", nil
	})
	return err
}

// AwaitInstall waits until the execution and its commands are terminal and reports what it left; a failed one is a
// report, not an error. While the machine's agent is silent the error's type is MachineAway: it says that the machine
// has not come back, and since when.
func (a *AWS) AwaitInstall(ctx context.Context, in AwaitInstallInput) (_ *patch.PatchReport, err error) {
	defer once.Typed(&err)
	return a.awaitExecution(ctx, in, false)
}

// AwaitStopped waits until the execution and every command of it are terminal, or cancelled on a machine whose agent is
// silent, and reports what is known. Lists lag: whatever command they show only now is cancelled, too.
func (a *AWS) AwaitStopped(ctx context.Context, in AwaitInstallInput) (_ *patch.PatchReport, err error) {
	defer once.Typed(&err)
	return a.awaitExecution(ctx, in, true)
}

func (a *AWS) awaitExecution(ctx context.Context, in AwaitInstallInput, stop bool) (*patch.PatchReport, error) {
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return nil, err
	}
	where := in.Instance.String()
	var report *patch.PatchReport
	err = a.waits().Look(ctx, in.Pace, func(ctx context.Context) (bool, string, error) {
		execution, err := aws.FindExecution(ctx, s, in.Instance.String(), in.Execution.ID)
		if err != nil || execution == nil {
			return false, "the execution to be listed", err
		}
		var silent time.Time
		if stop || execution.Slow(silentAfter) {
			if silent, err = silentSince(ctx, s, in.Instance); err != nil {
				return false, "", err
			}
		}
		away := in.away(silent, execution.InstallBegan())
		waits := func(what string) (bool, string, error) {
			if stop || away == "" {
				return false, what, nil
			}
			return false, "", once.Waiting(ErrMachineAway, in.Pace.Poll.D(), "%s", away)
		}
		if !execution.Over() {
			return waits(execution.Doing())
		}
		// A step that timed out says nothing about its command, which may still be patching.
		commands, err := execution.Commands(ctx, s, where, in.Instance.ID)
		if err != nil {
			return false, "", err
		}
		if stop { // one that was not listed when the others were cancelled is cancelled now
			if err := cancelCommands(ctx, s, in.Instance, commands); err != nil {
				return false, "", err
			}
		}
		dead := stop && !silent.IsZero()
		if what := execution.Unproven(commands, a.speed().OnAWS(in.Pace.ReadLag), dead); what != "" {
			return waits(what)
		}
		var packages aws.Packages
		if report, packages, err = execution.Report(ctx, s, where, commands); err != nil {
			return false, "", err
		}
		if report.Installing && !stop {
			if report.Blocked, err = a.gotBlocked(ctx, in.At, *report, packages); err != nil {
				return false, "", err
			}
		}
		if in.Pinned != nil && report.Installing && !stop {
			if report.Pinned, err = a.judgePinned(ctx, *in.Pinned, *report, packages); err != nil {
				return false, "", err
			}
		}
		if report.Failure != "" && away != "" {
			report.Failure += "; " + away
		}
		return true, "", nil
	})
	return report, err
}

// silentAfter is how long an execution is under way, by AWS's clock, before its machine's agent is looked at beside it:
// Systems Manager tells of an agent that has fallen silent some five minutes later, and a look is one call more each
// time.
const silentAfter = 5 * time.Minute

// away says that the machine has not come back since its agent fell silent; "" where it has not.
func (in AwaitInstallInput) away(silent time.Time, installing bool) string {
	if silent.IsZero() {
		return ""
	}
	said := "it has not come back from its reboot"
	switch {
	case !installing:
		said = "it fell silent before its install"
	case in.Reboot == patch.RebootNever || in.Reboot == patch.RebootIfRequired:
		said = "it has fallen silent while it was patched, without a reboot that is ours"
	}
	return fmt.Sprintf("%s: %s: Systems Manager has not heard of its agent since %s", in.Instance, said,
		silent.UTC().Format("2006-01-02 15:04:05 MST"))
}

// silentSince is since when Systems Manager has not heard of the instance's agent for minutes, as of a machine that
// hangs in its reboot; zero: it has.
func silentSince(ctx context.Context, s *aws.Services, instance Instance) (time.Time, error) {
	agents, err := aws.ReadAgents(ctx, s, instance.String(), []string{instance.ID})
	agent := agents[instance.ID]
	if err != nil || agent.PingStatus == "" || agent.PingStatus == ssmtypes.PingStatusOnline {
		return time.Time{}, err
	}
	return aws.Deref(agent.LastPingDateTime), nil
}
