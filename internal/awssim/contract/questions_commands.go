package contract

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

func silentAgent() Question {
	return Question{
		Name:     "command-to-silent-agent",
		Asks:     "What becomes of a command to two instances, when the agent of one has fallen silent?",
		Believed: "the other's Success, the silent one's Pending",
		Doubts:   map[string]string{"silent-agent-refused": "InvalidInstanceId"},
		Matters:  "a scan of a whole group leaves silent ones out, and takes out whom a refusal names",
		Needs:    needsMachines,
		Ask: func(ctx context.Context, c *Clients) (string, error) {
			good, err := c.machine(ctx, "listening")
			if err != nil {
				return "", err
			}
			silent, err := c.silenced(ctx, "silent")
			if err != nil {
				return "", err
			}
			command, err := c.send(ctx, []string{"true"}, nil, good, silent)
			if err != nil {
				return codeOf(err)
			}
			other, err := c.untilInvocation(ctx, command.CommandId, good, ended...)
			if err != nil {
				return "", err
			}
			own, err := c.invocation(ctx, command.CommandId, silent)
			if err != nil {
				return "", err
			}
			return fmt.Sprintf("the other's %s, the silent one's %s", other.Status, detailsOf(own)), nil
		},
	}
}

// detailsOf is an invocation's StatusDetails, which AWS spells with and without spaces. What waits for its agent is
// Pending or Delayed, by the second in which one looks.
func detailsOf(v *types.CommandInvocation) string {
	if v == nil {
		return "not told"
	}
	details := strings.ReplaceAll(aws.ToString(v.StatusDetails), " ", "")
	if details == "Delayed" {
		return "Pending"
	}
	return details
}

func undelivered() Question {
	return Question{
		Name:     "command-undelivered-listed",
		Asks:     "Do ListCommands and ListCommandInvocations by instance tell of a command that no agent has taken?",
		Believed: "ListCommands tells it, ListCommandInvocations tells it",
		Doubts: map[string]string{
			"silent-agent-refused": "InvalidInstanceId",
			"undelivered-unlisted": "ListCommands does not, ListCommandInvocations does not",
		},
		Matters: "commands are looked for without the instance as well, or what waits would be sent twice",
		Needs:   needsMachines,
		Ask: func(ctx context.Context, c *Clients) (string, error) {
			silent, err := c.silenced(ctx, "undelivered")
			if err != nil {
				return "", err
			}
			command, err := c.send(ctx, sleeps, nil, silent)
			if err != nil {
				return codeOf(err)
			}
			if err := c.Pass(ctx, interval); err != nil {
				return "", err
			}
			commands, err := c.SSM.ListCommands(ctx, &ssm.ListCommandsInput{InstanceId: &silent})
			if err != nil {
				return "", err
			}
			invocations, err := c.SSM.ListCommandInvocations(ctx, &ssm.ListCommandInvocationsInput{InstanceId: &silent})
			if err != nil {
				return "", err
			}
			var listed, invoked bool
			for _, each := range commands.Commands {
				listed = listed || *each.CommandId == *command.CommandId
			}
			for _, each := range invocations.CommandInvocations {
				invoked = invoked || *each.CommandId == *command.CommandId
			}
			tells := map[bool]string{true: "tells it", false: "does not"}
			return fmt.Sprintf("ListCommands %s, ListCommandInvocations %s", tells[listed], tells[invoked]), nil
		},
	}
}

func cancelOnDead() Question {
	return Question{
		Name:     "cancel-on-dead-machine",
		Asks:     "How does a command end that was cancelled on a machine which had been stopped hard?",
		Believed: "Cancelled",
		Doubts:   map[string]string{"cancelling-stays": "Cancelling still, ten minutes after its time"},
		Matters:  "a reboot that hangs is put back only when what ran is proven to have ended, or cannot go on",
		Needs:    needsMachines,
		Ask: func(ctx context.Context, c *Clients) (string, error) {
			id, err := c.machine(ctx, "dead")
			if err != nil {
				return "", err
			}
			command, err := c.send(ctx, sleeps, nil, id)
			if err != nil {
				return "", err
			}
			if _, err := c.untilInvocation(
				ctx, command.CommandId, id, types.CommandInvocationStatusInProgress,
			); err != nil {
				return "", err
			}
			if _, err := c.EC2.StopInstances(
				ctx, &ec2.StopInstancesInput{
					InstanceIds: []string{id}, Force: aws.Bool(true), SkipOsShutdown: aws.Bool(true),
				},
			); err != nil {
				return "", err
			}
			if err := c.untilInstance(ctx, id, "stopped"); err != nil {
				return "", err
			}
			if found, err := c.invocation(ctx, command.CommandId, id); err != nil || found == nil || isEnded(found.Status) {
				return "", errors.Join(err, errors.New("it ended before it could be cancelled: "+detailsOf(found)))
			}
			if _, err := c.SSM.CancelCommand(
				ctx, &ssm.CancelCommandInput{CommandId: command.CommandId, InstanceIds: []string{id}},
			); err != nil {
				return "", err
			}
			for waited := time.Duration(0); waited < delivery+execution+10*time.Minute; waited += interval {
				found, err := c.invocation(ctx, command.CommandId, id)
				if err != nil {
					return "", err
				}
				if found != nil && isEnded(found.Status) {
					return detailsOf(found), nil
				}
				if err := c.Pass(ctx, interval); err != nil {
					return "", err
				}
			}
			found, err := c.invocation(ctx, command.CommandId, id)
			return detailsOf(found) + " still, ten minutes after its time", err
		},
	}
}

func isEnded(status types.CommandInvocationStatus) bool {
	for _, each := range ended {
		if each == status {
			return true
		}
	}
	return false
}

func cancelOnTerminated() Question {
	return Question{
		Name:     "cancel-on-terminated",
		Asks:     "Which code has CancelCommand for an instance that has been terminated?",
		Believed: "InvalidInstanceId",
		Matters:  "an instance that its group terminates while it is patched is no reason to try for ever",
		Needs:    needsMachines,
		Ask: func(ctx context.Context, c *Clients) (string, error) {
			id, err := c.machine(ctx, "terminated")
			if err != nil {
				return "", err
			}
			command, err := c.send(ctx, sleeps, nil, id)
			if err != nil {
				return "", err
			}
			if _, err := c.EC2.TerminateInstances(
				ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{id}},
			); err != nil {
				return "", err
			}
			if err := c.untilInstance(ctx, id, "terminated"); err != nil {
				return "", err
			}
			_, err = c.SSM.CancelCommand(
				ctx, &ssm.CancelCommandInput{CommandId: command.CommandId, InstanceIds: []string{id}},
			)
			return codeOf(err)
		},
	}
}

func errorsEndPending() Question {
	return Question{
		Name:     "errors-and-silent-agent",
		Asks:     "A command above its MaxErrors: what is it on an instance that it was sent to and whose agent is silent?",
		Believed: "Pending",
		Doubts: map[string]string{
			"silent-agent-refused": "InvalidInstanceId", "errors-end-pending": "Terminated",
		},
		Matters: "scans are sent with MaxErrors 100%",
		Needs:   needsMachines,
		Ask: func(ctx context.Context, c *Clients) (string, error) {
			bad, err := c.machine(ctx, "failing")
			if err != nil {
				return "", err
			}
			silent, err := c.silenced(ctx, "waiting")
			if err != nil {
				return "", err
			}
			command, err := c.send(
				ctx, fails, func(in *ssm.SendCommandInput) { in.MaxErrors = aws.String("0") }, bad, silent,
			)
			if err != nil {
				return codeOf(err)
			}
			if _, err := c.untilInvocation(ctx, command.CommandId, bad, ended...); err != nil {
				return "", err
			}
			if err := c.Pass(ctx, 2*interval); err != nil {
				return "", err
			}
			found, err := c.invocation(ctx, command.CommandId, silent)
			return detailsOf(found), err
		},
	}
}
