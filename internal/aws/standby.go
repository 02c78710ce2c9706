package aws

import (
	"context"
	"regexp"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/patchtide/patchtide/internal/patch"
)

const (
	// activityPages are looked through at most: a busy group has hundreds of activities a day, and AWS keeps six weeks.
	activityPages = 5
)

// shrank reads of the cause of a scaling activity that desired went down with it, and from what to what. AWS writes
// "instance i-... was moved to standby in response to a user request, shrinking the capacity from 4 to 3."
var shrank = regexp.MustCompile(`shrinking the capacity from (\d+) to (\d+)`)

// standbyMove is what desired became with a move to standby; of one of which AWS does not tell, or not to us, both are
// patch.StandbyFromUnknown. Where desired stayed, so that another is launched in its place, both are 0.
type standbyMove struct{ from, to int }

var unknownMove = standbyMove{patch.StandbyFromUnknown, patch.StandbyFromUnknown}

// standbyMoves tells of each of these members what desired became when it was moved to standby last.
func standbyMoves(
	ctx context.Context, s *Services, group patch.Group, ids []string,
) (map[string]standbyMove, error) {
	moves := map[string]standbyMove{}
	for _, id := range ids {
		moves[id] = unknownMove
	}
	open := len(moves)
	var next *string
	for page := 0; open > 0 && page < activityPages && (page == 0 || next != nil); page++ {
		out, err := s.AutoScaling.DescribeScalingActivities(ctx, &autoscaling.DescribeScalingActivitiesInput{
			AutoScalingGroupName: &group.AutoScalingGroup, MaxRecords: Ptr(int32(ActivitiesPage)), NextToken: next,
		})
		if KindOf(err) == Denied {
			return moves, nil // who may not read them must still be able to put back
		}
		if err != nil {
			return nil, Wrap("describe scaling activities", group.String(), err)
		}
		for _, activity := range out.Activities { // the newest come first
			id, moved := strings.CutPrefix(Deref(activity.Description), "Moving EC2 instance to Standby: ")
			if !moved || moves[id] != unknownMove {
				continue
			}
			moves[id] = moveOf(Deref(activity.Cause))
			open--
		}
		next = out.NextToken
	}
	return moves, nil
}

func moveOf(cause string) standbyMove {
	parts := shrank.FindStringSubmatch(cause)
	if parts == nil {
		return standbyMove{}
	}
	from, err := strconv.Atoi(parts[1])
	to, second := strconv.Atoi(parts[2])
	if err != nil || second != nil {
		return unknownMove
	}
	return standbyMove{from, to}
}

// standbyFrom tells of each member on standby from which desired it was decremented: see patch.Member.StandbyFrom.
func standbyFrom(
	ctx context.Context, s *Services, group patch.Group, described *astypes.AutoScalingGroup,
) (map[string]int, error) {
	var ids []string
	for _, member := range described.Instances {
		switch member.LifecycleState {
		case astypes.LifecycleStateStandby, astypes.LifecycleStateEnteringStandby:
			ids = append(ids, Deref(member.InstanceId))
		}
	}
	moves, err := standbyMoves(ctx, s, group, ids)
	if err != nil {
		return nil, err
	}
	from := map[string]int{}
	for id, move := range moves {
		from[id] = move.from
	}
	return from, nil
}

// StandbyTook is by how much desired went down when the instance was moved to standby last, and from what; 0 where it
// did not, or AWS does not tell.
func StandbyTook(ctx context.Context, s *Services, in Instance) (by, from int, err error) {
	moves, err := standbyMoves(ctx, s, in.Group, []string{in.ID})
	if err != nil {
		return 0, 0, err
	}
	move := moves[in.ID]
	if move == unknownMove {
		return 0, 0, nil
	}
	return move.from - move.to, move.from, nil
}
