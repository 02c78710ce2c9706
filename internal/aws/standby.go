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

// shrank reads of the cause of a scaling activity that desired went down with it, and what it was before. AWS writes
// "instance i-... was moved to standby in response to a user request, shrinking the capacity from 4 to 3."
var shrank = regexp.MustCompile(`shrinking the capacity from (\d+) to \d+`)

// standbyFrom tells of each member on standby from which desired it was decremented: 0 where it was not, so that
// another is launched in its place; patch.StandbyFromUnknown where AWS does not tell, or not to us.
func standbyFrom(
	ctx context.Context, s *Services, group patch.Group, described *astypes.AutoScalingGroup,
) (map[string]int, error) {
	from := map[string]int{}
	for _, member := range described.Instances {
		switch member.LifecycleState {
		case astypes.LifecycleStateStandby, astypes.LifecycleStateEnteringStandby:
			from[Deref(member.InstanceId)] = patch.StandbyFromUnknown
		}
	}
	open := len(from)
	var next *string
	for page := 0; open > 0 && page < activityPages && (page == 0 || next != nil); page++ {
		out, err := s.AutoScaling.DescribeScalingActivities(ctx, &autoscaling.DescribeScalingActivitiesInput{
			AutoScalingGroupName: &group.AutoScalingGroup, MaxRecords: Ptr(int32(ActivitiesPage)), NextToken: next,
		})
		if KindOf(err) == Denied {
			return from, nil // who may not read them must still be able to put back
		}
		if err != nil {
			return nil, Wrap("describe scaling activities", group.String(), err)
		}
		for _, activity := range out.Activities { // the newest come first
			id, moved := strings.CutPrefix(Deref(activity.Description), "Moving EC2 instance to Standby: ")
			if !moved || from[id] != patch.StandbyFromUnknown {
				continue
			}
			from[id] = desiredBefore(Deref(activity.Cause))
			open--
		}
		next = out.NextToken
	}
	return from, nil
}

func desiredBefore(cause string) int {
	parts := shrank.FindStringSubmatch(cause)
	if parts == nil {
		return 0
	}
	before, err := strconv.Atoi(parts[1])
	if err != nil {
		return patch.StandbyFromUnknown
	}
	return before
}
