package contract

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/google/uuid"
)

// scanned scans a machine under a snapshot's id, and returns its patch state once that is of another scan than before.
func (c *Clients) scanned(ctx context.Context, id, snapshot string) (*types.InstancePatchState, error) {
	var before time.Time // when the scan began that the state is of now
	old, err := c.SSM.DescribeInstancePatchStates(
		ctx, &ssm.DescribeInstancePatchStatesInput{InstanceIds: []string{id}},
	)
	if err != nil {
		return nil, err
	}
	if len(old.InstancePatchStates) > 0 {
		before = aws.ToTime(old.InstancePatchStates[0].OperationStartTime)
	}
	out, err := c.SSM.SendCommand(ctx, &ssm.SendCommandInput{
		DocumentName: aws.String("AWS-RunPatchBaseline"), InstanceIds: []string{id}, Comment: aws.String("a question"),
		Parameters: map[string][]string{"Operation": {"Scan"}, "SnapshotId": {snapshot}},
	})
	if err != nil {
		return nil, err
	}
	found, err := c.untilInvocation(ctx, out.Command.CommandId, id, ended...)
	if err != nil {
		return nil, err
	}
	if found.Status != types.CommandInvocationStatusSuccess {
		return nil, fmt.Errorf("the scan ended as %s", detailsOf(found))
	}
	var state *types.InstancePatchState
	return state, c.eventually(ctx, func() (bool, string, error) {
		states, err := c.SSM.DescribeInstancePatchStates(
			ctx, &ssm.DescribeInstancePatchStatesInput{InstanceIds: []string{id}},
		)
		if err != nil || len(states.InstancePatchStates) == 0 {
			return false, "there is no patch state", err
		}
		state = &states.InstancePatchStates[0]
		begun := aws.ToTime(state.OperationStartTime)
		return !begun.Equal(before), "the patch state is that of the scan before", nil
	})
}

func stateClock() Question {
	return Question{
		Name:     "patch-state-clock",
		Asks:     "Whose time is OperationEndTime of a patch state, when the node's clock is three minutes slow?",
		Believed: "AWS's",
		Doubts:   map[string]string{"nodes-clock": "the node's"},
		Matters:  "a scan is known by its own SnapshotId; by times it would be taken for an older one",
		Needs:    needsMachines,
		Ask: func(ctx context.Context, c *Clients) (string, error) {
			id, err := c.machine(ctx, "clock")
			if err != nil {
				return "", err
			}
			// Less than the five minutes by which AWS lets a signature's time be wrong.
			const wrong = -3 * time.Minute
			if err := c.Machines.PutClock(ctx, c, id, wrong); err != nil {
				return "", err
			}
			state, err := c.scanned(ctx, id, uuid.NewString())
			seen := c.Time() // some seconds after the scan has ended
			switch {
			case err != nil:
				return "", err
			case state.OperationEndTime == nil:
				return "it is not told", nil
			case state.OperationEndTime.Before(seen.Add(wrong / 2)):
				return "the node's", nil
			}
			return "AWS's", nil
		},
	}
}

func oldSnapshot() Question {
	return Question{
		Name:     "scan-with-old-snapshot",
		Asks:     "Does the patch state of a scan tell its SnapshotId, when that was first used four days before?",
		Believed: "it tells the same id",
		Matters:  "a wave that is older than three days takes a new id and scans anew",
		Needs: func(e *Endpoint) string {
			switch {
			case e.Managed == "":
				return needsManaged(e)
			case e.OldSnapshot == "" && !e.CanSkipDays:
				return "the SnapshotId of a scan of that instance four days before: send one now, and ask again then"
			}
			return ""
		},
		Ask: func(ctx context.Context, c *Clients) (string, error) {
			snapshot := c.OldSnapshot
			if snapshot == "" {
				snapshot = uuid.NewString()
				if _, err := c.scanned(ctx, c.Managed, snapshot); err != nil {
					return "", err
				}
				if err := c.Pass(ctx, 4*24*time.Hour); err != nil {
					return "", err
				}
			}
			state, err := c.scanned(ctx, c.Managed, snapshot)
			switch {
			case err != nil:
				return "", err
			case state.SnapshotId == nil:
				return "it tells none", nil
			case *state.SnapshotId != snapshot:
				return "it tells another id", nil
			}
			return "it tells the same id", nil
		},
	}
}
