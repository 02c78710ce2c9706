package activities

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/patchtide/patchtide/internal/aws"
)

// question is a read-only script for one machine, which answers by what it prints.
type question struct {
	name     string // "ask": with the attempt's token its comment, by which it is found again
	document string
	script   []string
	seconds  string // that it may run for
	awaits   string // what is waited for, for people
	purpose  string // of sending it, for an error
	// failed takes the end of a script that ran and failed for an answer; nil: it is asked again
	failed func(end string)
}

// ask sends the question, unless it was sent before, and waits for an answer that read takes. The command is found
// again by its comment, which carries the attempt's token; one that ended without an answer is followed by another.
func (a *AWS) ask(
	ctx context.Context, s *aws.Services, in CollectMachineFactsInput, of question, read func(stdout string) error,
) error {
	where, comment := in.Instance.String(), askComment(of.name, in.Attempt)
	asked := false // by this attempt: the list may not show it at once
	send := func() error {
		if asked {
			return nil
		}
		asked = true
		return a.sendQuestion(ctx, s, in, of, comment)
	}
	return a.waits().Look(ctx, in.Pace, func(ctx context.Context) (bool, string, error) {
		commands, err := aws.FindCommands(ctx, s, where, in.Instance.ID, comment)
		if err != nil {
			return false, "", err
		}
		if len(commands) == 0 {
			return false, of.awaits, send()
		}
		invocation, err := aws.FindInvocation(ctx, s, where, in.Instance.ID, aws.Deref(commands[0].CommandId))
		switch {
		case err != nil:
			return false, "", err
		case invocation == nil || !invocation.Over():
			return false, of.awaits, nil
		}
		if err := invocation.ReadOutput(ctx, s, where); err != nil {
			return false, "", err
		}
		if invocation.Succeeded() {
			if err := read(invocation.Stdout); err != nil {
				return false, of.awaits + "; the last one: " + err.Error(), send()
			}
			return true, "", nil
		}
		if of.failed != nil && invocation.Failed() {
			of.failed(invocation.DescribeEnd())
			return true, "", nil
		}
		return false, of.awaits + "; the last command ended: " + invocation.DescribeEnd(), send()
	})
}

// askComment is by which a question is found again.
func askComment(name string, attempt Attempt) string {
	return "patchtide " + name + " " + attempt.Token
}

// sendQuestion asks. That the agent cannot be asked now is no error: it may come back.
func (a *AWS) sendQuestion(
	ctx context.Context, s *aws.Services, in CollectMachineFactsInput, of question, comment string,
) error {
	_, err := s.SSM.SendCommand(ctx, &ssm.SendCommandInput{
		DocumentName: &of.document, InstanceIds: []string{in.Instance.ID}, Comment: &comment,
		Parameters:     map[string][]string{"commands": of.script, "executionTimeout": {of.seconds}},
		TimeoutSeconds: aws.Ptr(a.speed().Seconds(in.Budget, aws.LeastDelivery, aws.MostDelivery)),
	})
	if !aws.HasCode(err, aws.CodeAgentNotUsable) {
		return aws.Wrap(of.purpose, in.Instance.String(), err)
	}
	_, err = aws.ReadMachine(ctx, s, in.Instance)
	return err
}
