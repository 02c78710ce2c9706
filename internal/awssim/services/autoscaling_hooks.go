package services

import (
	"slices"
	"time"

	as "github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

func registerScalingHooks(r *api.Registry, s scalingService) {
	const service = "autoscaling"
	api.Handle(
		r, service, "DescribeLifecycleHooks", []string{"AutoScalingGroupName", "LifecycleHookNames"}, s.describeHooks,
	)
	api.Handle(r, service, "PutLifecycleHook", []string{
		"AutoScalingGroupName", "LifecycleHookName", "LifecycleTransition", "HeartbeatTimeout", "DefaultResult",
		"NotificationMetadata",
		"NotificationTargetARN", "RoleARN",
	}, s.putHook)
	api.Handle(r, service, "DeleteLifecycleHook", []string{"AutoScalingGroupName", "LifecycleHookName"}, s.deleteHook)
	api.Handle(r, service, "CompleteLifecycleAction", []string{
		"AutoScalingGroupName", "LifecycleHookName", "LifecycleActionResult", "LifecycleActionToken", "InstanceId",
	}, s.completeAction)
	api.Handle(r, service, "RecordLifecycleActionHeartbeat", []string{
		"AutoScalingGroupName", "LifecycleHookName", "LifecycleActionToken", "InstanceId",
	}, s.heartbeat)
}

func (s scalingService) describeHooks(
	call api.Call, in *as.DescribeLifecycleHooksInput,
) (*as.DescribeLifecycleHooksOutput, error) {
	group, err := s.group(call, in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	out := &as.DescribeLifecycleHooksOutput{LifecycleHooks: []types.LifecycleHook{}}
	for _, hook := range group.Hooks() {
		if len(in.LifecycleHookNames) > 0 && !slices.Contains(in.LifecycleHookNames, hook.Name) {
			continue
		}
		out.LifecycleHooks = append(out.LifecycleHooks, types.LifecycleHook{
			AutoScalingGroupName: &group.Name, LifecycleHookName: &hook.Name, LifecycleTransition: &hook.Transition,
			HeartbeatTimeout: number(int(hook.Heartbeat.Seconds())), GlobalTimeout: number(int(hook.GlobalTimeout().Seconds())),
			DefaultResult: &hook.Default, NotificationMetadata: given(hook.Metadata), NotificationTargetARN: given(hook.Target),
			RoleARN: given(hook.Role),
		})
	}
	return out, nil
}

func (s scalingService) putHook(call api.Call, in *as.PutLifecycleHookInput) (*as.PutLifecycleHookOutput, error) {
	group, err := s.group(call, in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	return nil, group.PutHook(world.Hook{
		Name: deref(in.LifecycleHookName), Transition: deref(in.LifecycleTransition), Default: deref(in.DefaultResult),
		Heartbeat: time.Duration(deref(in.HeartbeatTimeout)) * time.Second, Metadata: deref(in.NotificationMetadata),
		Target: deref(in.NotificationTargetARN), Role: deref(in.RoleARN),
	})
}

func (s scalingService) deleteHook(
	call api.Call, in *as.DeleteLifecycleHookInput,
) (*as.DeleteLifecycleHookOutput, error) {
	group, err := s.group(call, in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	return nil, group.DeleteHook(deref(in.LifecycleHookName))
}

func (s scalingService) completeAction(
	call api.Call, in *as.CompleteLifecycleActionInput,
) (*as.CompleteLifecycleActionOutput, error) {
	group, err := s.group(call, in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	return nil, group.CompleteAction(
		deref(in.LifecycleHookName), deref(in.InstanceId), deref(in.LifecycleActionToken), deref(in.LifecycleActionResult),
	)
}

func (s scalingService) heartbeat(
	call api.Call, in *as.RecordLifecycleActionHeartbeatInput,
) (*as.RecordLifecycleActionHeartbeatOutput, error) {
	group, err := s.group(call, in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	return nil, group.Heartbeat(deref(in.LifecycleHookName), deref(in.InstanceId), deref(in.LifecycleActionToken))
}
