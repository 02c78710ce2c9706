package activities

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/facts"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// CollectMachineFactsInput asks an instance for its facts by a fresh read-only command.
type CollectMachineFactsInput struct {
	Instance Instance
	Platform patch.Platform
	Attempt  Attempt
	Budget   patch.Duration
	Pace     Pace
}

// CollectMachineFacts is a fresh command that returns boot id and packages: the only proof that an agent lives.
// NotReady until it answered; Gone when EC2 no longer has the instance. The command is found again by its comment,
// which carries the attempt's token; one that ended without an answer is followed by another.
func (a *AWS) CollectMachineFacts(ctx context.Context, in CollectMachineFactsInput) (_ *patch.MachineFacts, err error) {
	defer once.Typed(&err)
	machine, _, err := a.askFacts(ctx, in, false)
	return machine, err
}

// askFacts asks, and gives the list of packages too; whole refuses an answer whose list was cut off.
func (a *AWS) askFacts(
	ctx context.Context, in CollectMachineFactsInput, whole bool,
) (answer *patch.MachineFacts, packages []string, err error) {
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return nil, nil, err
	}
	where, comment := in.Instance.String(), "patchtide ask "+in.Attempt.Token
	asked := false // by this attempt: the list may not show it at once
	ask := func() error {
		if asked {
			return nil
		}
		asked = true
		return a.sendAsk(ctx, s, in, comment)
	}
	err = a.waits().Look(ctx, in.Pace, func(ctx context.Context) (bool, string, error) {
		commands, err := aws.FindCommands(ctx, s, where, in.Instance.ID, comment)
		if err != nil {
			return false, "", err
		}
		if len(commands) == 0 {
			return false, "its agent's answer", ask()
		}
		invocation, err := aws.FindInvocation(ctx, s, where, in.Instance.ID, aws.Deref(commands[0].CommandId))
		switch {
		case err != nil:
			return false, "", err
		case invocation == nil || !invocation.Over():
			return false, "its agent's answer", nil
		}
		if err := invocation.ReadOutput(ctx, s, where); err != nil {
			return false, "", err
		}
		if invocation.Succeeded() {
			// A package list that does not fit its hash is not the answer asked for.
			known, list, parseErr := facts.Parse(invocation.Stdout)
			if parseErr == nil && whole && list == nil {
				parseErr = errors.New("its list of packages was cut off")
			}
			if parseErr == nil {
				answer, packages = known, list
				return true, "", nil
			}
			return false, "an answer; the last one: " + parseErr.Error(), ask()
		}
		return false, "its agent's answer; the last command ended: " + invocation.DescribeEnd(), ask()
	})
	return answer, packages, err
}

// sendAsk asks. That the agent cannot be asked now is no error: it may come back.
func (a *AWS) sendAsk(ctx context.Context, s *aws.Services, in CollectMachineFactsInput, comment string) error {
	document, script := facts.Script(in.Platform)
	_, err := s.SSM.SendCommand(ctx, &ssm.SendCommandInput{
		DocumentName: &document, InstanceIds: []string{in.Instance.ID}, Comment: &comment,
		Parameters:     map[string][]string{"commands": script, "executionTimeout": {"300"}},
		TimeoutSeconds: aws.Ptr(a.speed().Seconds(in.Budget, aws.LeastDelivery, aws.MostDelivery)),
	})
	if !aws.HasCode(err, aws.CodeAgentNotUsable) {
		return aws.Wrap("ask for its facts", in.Instance.String(), err)
	}
	_, err = aws.ReadMachine(ctx, s, in.Instance)
	return err
}
