package services

import (
	"fmt"
	"slices"

	as "github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

func activityView(a *world.Activity) types.Activity {
	status := types.ScalingActivityStatusCode(a.Status)
	return types.Activity{
		ActivityId: &a.ID, AutoScalingGroupName: &a.Group, Description: &a.Description, Cause: &a.Cause,
		StartTime: moment(a.Start),
		EndTime:   moment(a.End), StatusCode: status, StatusMessage: given(a.Message), Progress: number(a.Progress),
		Details: given(fmt.Sprintf(`{"InvokingAlarms":[],"instance":%q}`, a.Instance)),
	}
}

func activityViews(activities []*world.Activity) []types.Activity {
	views := make([]types.Activity, 0, len(activities))
	for _, activity := range activities {
		views = append(views, activityView(activity))
	}
	return views
}

// groupOrAll is the group of that name, or, where none is given, every group of the region.
func (s scalingService) groupOrAll(call api.Call, name *string) ([]*world.ScalingGroup, error) {
	if name == nil {
		return regionOf(s.w, call).ScalingGroups(), nil
	}
	group, err := s.group(call, name)
	if err != nil {
		return nil, err
	}
	return []*world.ScalingGroup{group}, nil
}

func (s scalingService) describeActivities(
	call api.Call, in *as.DescribeScalingActivitiesInput,
) (*as.DescribeScalingActivitiesOutput, error) {
	groups, err := s.groupOrAll(call, in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	var found []*world.Activity
	for _, group := range groups {
		for _, activity := range group.Activities() {
			if len(in.ActivityIds) == 0 || slices.Contains(in.ActivityIds, activity.ID) {
				found = append(found, activity)
			}
		}
	}
	found, next, err := cutPage(found, in.NextToken, in.MaxRecords, activitiesPage, badScalingToken)
	return &as.DescribeScalingActivitiesOutput{Activities: activityViews(found), NextToken: next}, err
}

func (s scalingService) describeRefreshes(
	call api.Call, in *as.DescribeInstanceRefreshesInput,
) (*as.DescribeInstanceRefreshesOutput, error) {
	group, err := s.group(call, in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	found := slices.DeleteFunc(group.Refreshes(), func(r *world.Refresh) bool {
		return len(in.InstanceRefreshIds) > 0 && !slices.Contains(in.InstanceRefreshIds, r.ID)
	})
	found, next, err := cutPage(found, in.NextToken, in.MaxRecords, groupsPage, badScalingToken)
	out := &as.DescribeInstanceRefreshesOutput{InstanceRefreshes: []types.InstanceRefresh{}, NextToken: next}
	for _, refresh := range found {
		out.InstanceRefreshes = append(out.InstanceRefreshes, types.InstanceRefresh{
			AutoScalingGroupName: &group.Name, InstanceRefreshId: &refresh.ID,
			Status:       types.InstanceRefreshStatus(refresh.Status),
			StatusReason: given(refresh.Reason), StartTime: moment(refresh.Start), EndTime: moment(refresh.End),
			PercentageComplete: number(refresh.PercentComplete()), InstancesToUpdate: number(refresh.Left()),
		})
	}
	return out, err
}

func (s scalingService) startRefresh(
	call api.Call, in *as.StartInstanceRefreshInput,
) (*as.StartInstanceRefreshOutput, error) {
	group, err := s.group(call, in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	if in.Strategy != "" && in.Strategy != types.RefreshStrategyRolling {
		return nil, api.NotModelled("strategy %s of autoscaling:StartInstanceRefresh", in.Strategy)
	}
	warmup, minHealthy, err := refreshPreferences(in)
	if err != nil {
		return nil, err
	}
	refresh, err := group.StartRefreshWith(warmup, minHealthy)
	if err != nil {
		return nil, err
	}
	return &as.StartInstanceRefreshOutput{InstanceRefreshId: &refresh.ID}, nil
}

func (s scalingService) cancelRefresh(
	call api.Call, in *as.CancelInstanceRefreshInput,
) (*as.CancelInstanceRefreshOutput, error) {
	group, err := s.group(call, in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	refresh, err := group.CancelRefresh()
	if err != nil {
		return nil, err
	}
	return &as.CancelInstanceRefreshOutput{InstanceRefreshId: &refresh.ID}, nil
}
