package contract

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// machine launches an instance with an agent and waits until Systems Manager knows it.
func (c *Clients) machine(ctx context.Context, name string) (string, error) {
	id, err := c.runWith(ctx, name, func(in *ec2.RunInstancesInput) {
		// Without a patch group AWS's own patch states are not as its description of them says.
		in.TagSpecifications[0].Tags = append(
			in.TagSpecifications[0].Tags, ec2types.Tag{Key: aws.String("PatchGroup"), Value: aws.String(c.Prefix + "none")},
		)
		if c.Profile != "" {
			in.IamInstanceProfile = &ec2types.IamInstanceProfileSpecification{Name: &c.Profile}
		}
	})
	if err != nil {
		return "", err
	}
	return id, c.untilPing(ctx, id, types.PingStatusOnline)
}

// untilPing waits until Systems Manager says so of an agent.
func (c *Clients) untilPing(ctx context.Context, id string, want types.PingStatus) error {
	return c.eventually(ctx, func() (bool, string, error) {
		out, err := c.SSM.DescribeInstanceInformation(ctx, &ssm.DescribeInstanceInformationInput{
			Filters: []types.InstanceInformationStringFilter{{Key: aws.String("InstanceIds"), Values: []string{id}}},
		})
		switch {
		case refused(err, "InvalidInstanceId") == nil: // not registered yet
			return false, id + " is not known to Systems Manager", nil
		case err != nil:
			return false, "", err
		case len(out.InstanceInformationList) == 0:
			return false, id + " is not known to Systems Manager", nil
		}
		ping := out.InstanceInformationList[0].PingStatus
		return ping == want, fmt.Sprintf("the agent of %s is %s, not %s", id, ping, want), nil
	})
}

// silenced launches a machine and ends its agent, and waits until Systems Manager has noticed.
func (c *Clients) silenced(ctx context.Context, name string) (string, error) {
	id, err := c.machine(ctx, name)
	if err != nil {
		return "", err
	}
	if err := c.Machines.Silence(ctx, c, id); err != nil {
		return "", err
	}
	return id, c.untilPing(ctx, id, types.PingStatusConnectionLost)
}

// How long a command of a question may take at most: to be delivered, and to run.
const (
	delivery  = 60 * time.Second
	execution = 120 * time.Second
)

// sleeps and fails are scripts.
var (
	sleeps = []string{"sleep 600"}
	fails  = []string{"exit 1"}
)

// send sends a script to machines.
func (c *Clients) send(
	ctx context.Context, script []string, change func(*ssm.SendCommandInput), ids ...string,
) (*types.Command, error) {
	in := &ssm.SendCommandInput{
		DocumentName: aws.String("AWS-RunShellScript"), InstanceIds: ids, Comment: aws.String("a question"),
		TimeoutSeconds: aws.Int32(int32(delivery / time.Second)),
		Parameters: map[string][]string{
			"commands": script, "executionTimeout": {fmt.Sprint(int(execution / time.Second))},
		},
	}
	if change != nil {
		change(in)
	}
	out, err := c.SSM.SendCommand(ctx, in)
	if err != nil {
		return nil, err
	}
	return out.Command, nil
}

// invocation is a command on one machine; nil where it is not told.
func (c *Clients) invocation(ctx context.Context, command *string, id string) (*types.CommandInvocation, error) {
	out, err := c.SSM.ListCommandInvocations(ctx, &ssm.ListCommandInvocationsInput{CommandId: command})
	if err != nil {
		return nil, err
	}
	n := slices.IndexFunc(out.CommandInvocations, func(v types.CommandInvocation) bool { return *v.InstanceId == id })
	if n < 0 {
		return nil, nil
	}
	return &out.CommandInvocations[n], nil
}

// untilInvocation waits for one of these statuses of a command on a machine, and returns it as it is then.
func (c *Clients) untilInvocation(
	ctx context.Context, command *string, id string, want ...types.CommandInvocationStatus,
) (found *types.CommandInvocation, err error) {
	return found, c.eventually(ctx, func() (bool, string, error) {
		if found, err = c.invocation(ctx, command, id); err != nil {
			return false, "", err
		}
		if found == nil {
			return false, "the command is not told of " + id, nil
		}
		return slices.Contains(want, found.Status), fmt.Sprintf("it is %s, not %v", found.Status, want), nil
	})
}

// ended are the statuses from which an invocation does not go on.
var ended = []types.CommandInvocationStatus{
	types.CommandInvocationStatusSuccess, types.CommandInvocationStatusFailed, types.CommandInvocationStatusTimedOut,
	types.CommandInvocationStatusCancelled,
}

// ByShell is a real machine, reached by Run Command.
type ByShell struct{}

// Silence stops the agent some seconds after the command that asks for it has been answered.
func (ByShell) Silence(ctx context.Context, c *Clients, id string) error {
	return succeeds(ctx, c, id, "systemd-run --on-active=5 /bin/sh -c "+
		"'systemctl stop amazon-ssm-agent || systemctl stop snap.amazon-ssm-agent.amazon-ssm-agent'")
}

// PutClock stops whatever keeps the clock right, and sets it.
func (ByShell) PutClock(ctx context.Context, c *Clients, id string, wrong time.Duration) error {
	return succeeds(ctx, c, id, "for one in chronyd chrony systemd-timesyncd ntpd; do systemctl stop $one || true; done; "+
		fmt.Sprintf("date --set \"@$(( $(date +%%s) + %d ))\"", int(wrong/time.Second)))
}

func succeeds(ctx context.Context, c *Clients, id, script string) error {
	command, err := c.send(ctx, []string{script}, nil, id)
	if err != nil {
		return err
	}
	found, err := c.untilInvocation(ctx, command.CommandId, id, ended...)
	if err != nil {
		return err
	}
	if found.Status != types.CommandInvocationStatusSuccess {
		return errors.New("on the machine it ended as " + aws.ToString(found.StatusDetails) + ": " + script)
	}
	return nil
}
