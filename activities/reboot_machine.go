package activities

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/facts"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// RebootMachineInput asks for a reboot of one machine.
type RebootMachineInput struct {
	Instance Instance
	Platform patch.Platform
	BootID   string // of the boot that is to end
	Attempt  Attempt
	Budget   patch.Duration
	Pace     Pace
}

// RebootMachine has the machine's agent reboot it and waits until the command tells, from the machine, that it has
// booted. A boot id other than BootID is all that counts: the command looks at it on the machine itself, so that one
// that was sent twice, since a reply was lost, or that comes late, to a machine that was put back meanwhile, reboots
// nothing. Until then the error's type is NotReady, or MachineAway while the agent is silent. RebootFailed is final.
func (a *AWS) RebootMachine(ctx context.Context, in RebootMachineInput) (err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return err
	}
	where, comment := in.Instance.String(), "patchtide reboot "+in.Attempt.Token
	sent := false // by this attempt: the list may not show it at once
	err = a.waits().Look(ctx, in.Pace, func(ctx context.Context) (bool, string, error) {
		commands, err := aws.FindCommands(ctx, s, where, in.Instance.ID, comment)
		if err != nil {
			return false, "", err
		}
		if len(commands) == 0 {
			if sent {
				return false, "the list to show the command that reboots it", nil
			}
			sent = true
			return false, "its reboot", a.sendReboot(ctx, s, in, comment)
		}
		// Any of several may be the one that tells: each ends only once the machine has booted.
		var ended *aws.Invocation
		open := false
		for _, command := range commands {
			invocation, err := aws.FindInvocation(ctx, s, where, in.Instance.ID, aws.Deref(command.CommandId))
			if err != nil {
				return false, "", err
			}
			if invocation == nil {
				continue
			}
			if !invocation.Succeeded() {
				if ended = invocation; !invocation.Over() {
					open = true
				}
				continue
			}
			if err := invocation.ReadOutput(ctx, s, where); err != nil {
				return false, "", err
			}
			if now := facts.Booted(invocation.Stdout); now != "" && now != in.BootID {
				return true, "", nil
			}
		}
		silent, err := silentSince(ctx, s, in.Instance)
		if err != nil {
			return false, "", err
		}
		away := (AwaitInstallInput{Instance: in.Instance, Reboot: patch.RebootAlways}).away(silent, true)
		switch {
		case ended != nil && !open:
			if err := ended.ReadOutput(ctx, s, where); err != nil {
				return false, "", err
			}
			why := strings.TrimPrefix(away+"; the command that reboots it ended: "+ended.DescribeEnd(), "; ")
			return false, "", once.Final(ErrRebootFailed, "%s: %s", in.Instance, why)
		case away != "":
			return false, "", once.Waiting(ErrMachineAway, in.Pace.Poll.D(), "%s", away)
		}
		return false, "its reboot", nil
	})
	return err
}

// sendReboot sends the command. That the agent cannot be asked now is no error: it may come back.
func (a *AWS) sendReboot(ctx context.Context, s *aws.Services, in RebootMachineInput, comment string) error {
	// The machine's own word goes into a script there: only what is an id of either system's.
	if strings.Trim(in.BootID, "0123456789abcdefABCDEF-") != "" || in.BootID == "" {
		return once.Final(ErrRebootFailed, "%s: its boot id is %q, which is none: no reboot could be proven by it",
			in.Instance, in.BootID)
	}
	document, script := facts.RebootScript(in.Platform, in.BootID)
	_, err := s.SSM.SendCommand(ctx, &ssm.SendCommandInput{
		DocumentName: &document, InstanceIds: []string{in.Instance.ID}, Comment: &comment,
		Parameters:     map[string][]string{"commands": script, "executionTimeout": {rebootSeconds}},
		TimeoutSeconds: aws.Ptr(a.speed().Seconds(in.Budget, aws.LeastDelivery, aws.MostDelivery)),
	})
	if !aws.HasCode(err, aws.CodeAgentNotUsable) {
		return aws.Wrap("reboot it", in.Instance.String(), err)
	}
	_, err = aws.ReadMachine(ctx, s, in.Instance)
	return err
}

// rebootSeconds is how long the script may take, each time that it runs: the agent begins anew after the reboot.
const rebootSeconds = "300"
