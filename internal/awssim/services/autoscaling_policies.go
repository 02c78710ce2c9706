package services

import (
	"slices"

	as "github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// registerScalingPolicies registers simple scaling policies, which act when somebody executes them. Those that act by
// themselves are refused: alarms do nothing here, and a policy that is kept and never acts would be a lie.
func registerScalingPolicies(r *api.Registry, s scalingService) {
	const service = "autoscaling"
	api.Handle(
		r, service, "DescribePolicies",
		[]string{"AutoScalingGroupName", "PolicyNames", "PolicyTypes", "MaxRecords", "NextToken"}, s.describePolicies,
	)
	api.Handle(r, service, "PutScalingPolicy", []string{
		"AutoScalingGroupName", "PolicyName", "PolicyType", "AdjustmentType", "ScalingAdjustment",
		"MinAdjustmentMagnitude", "Enabled",
	}, s.putPolicy)
	api.Handle(r, service, "DeletePolicy", []string{"AutoScalingGroupName", "PolicyName"}, s.deletePolicy)
	api.Handle(
		r, service, "ExecutePolicy", []string{"AutoScalingGroupName", "PolicyName", "HonorCooldown"}, s.executePolicy,
	)
	api.Handle(
		r, service, "DescribeLoadBalancers", []string{"AutoScalingGroupName", "MaxRecords", "NextToken"}, s.classic,
	)
	api.Handle(
		r, service, "DescribeTrafficSources",
		[]string{"AutoScalingGroupName", "TrafficSourceType", "MaxRecords", "NextToken"}, s.trafficSources,
	)
}

var adjustments = []string{"ChangeInCapacity", "ExactCapacity", "PercentChangeInCapacity"}

func (s scalingService) putPolicy(
	call api.Call, in *as.PutScalingPolicyInput,
) (*as.PutScalingPolicyOutput, error) {
	group, err := s.group(call, in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	switch kind := deref(in.PolicyType); {
	case slices.Contains([]string{"TargetTrackingScaling", "StepScaling", "PredictiveScaling"}, kind):
		return nil, api.NotModelled("scaling policies of the type %s", kind)
	case kind != "" && kind != "SimpleScaling":
		return nil, api.Errorf("ValidationError", "Policy type %s is not valid", kind)
	case in.Enabled != nil && !*in.Enabled:
		return nil, api.NotModelled("a scaling policy that is disabled")
	case in.ScalingAdjustment == nil:
		return nil, api.Errorf("ValidationError", "You must specify a scaling adjustment for the SimpleScaling policy type")
	case !slices.Contains(adjustments, deref(in.AdjustmentType)):
		return nil, api.Errorf("ValidationError", "Adjustment type %s is not valid", deref(in.AdjustmentType))
	case in.MinAdjustmentMagnitude != nil && *in.AdjustmentType != "PercentChangeInCapacity":
		return nil, api.Errorf(
			"ValidationError", "MinAdjustmentMagnitude is only supported with the adjustment type PercentChangeInCapacity",
		)
	}
	policy := &world.ScalingPolicy{
		Name: *in.PolicyName, Kind: *in.AdjustmentType, By: int(*in.ScalingAdjustment),
		Least: whole(in.MinAdjustmentMagnitude),
	}
	group.PutPolicy(policy)
	return &as.PutScalingPolicyOutput{PolicyARN: &policy.ARN, Alarms: []types.Alarm{}}, nil
}

func (s scalingService) describePolicies(
	call api.Call, in *as.DescribePoliciesInput,
) (*as.DescribePoliciesOutput, error) {
	groups, err := s.groupOrAll(call, in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	found := []types.ScalingPolicy{}
	for _, group := range groups {
		for _, policy := range group.Policies() {
			named := slices.Contains(in.PolicyNames, policy.Name) || slices.Contains(in.PolicyNames, policy.ARN)
			if len(in.PolicyNames) > 0 && !named ||
				len(in.PolicyTypes) > 0 && !slices.Contains(in.PolicyTypes, "SimpleScaling") {
				continue
			}
			found = append(found, types.ScalingPolicy{
				AutoScalingGroupName: &group.Name, PolicyName: &policy.Name, PolicyARN: &policy.ARN,
				PolicyType: ref("SimpleScaling"), AdjustmentType: &policy.Kind, ScalingAdjustment: number(policy.By),
				MinAdjustmentMagnitude: narrow(policy.Least), Enabled: ref(true),
				Alarms: []types.Alarm{}, StepAdjustments: []types.StepAdjustment{},
			})
		}
	}
	found, next, err := cutPage(found, in.NextToken, in.MaxRecords, groupsPage, badScalingToken)
	return &as.DescribePoliciesOutput{ScalingPolicies: found, NextToken: next}, err
}

// policy finds a policy by its name in a group, or by its ARN.
func (s scalingService) policy(
	call api.Call, groupName, name *string,
) (*world.ScalingGroup, *world.ScalingPolicy, error) {
	groups := regionOf(s.w, call).ScalingGroups()
	if groupName != nil {
		group, err := s.group(call, groupName)
		if err != nil {
			return nil, nil, err
		}
		groups = []*world.ScalingGroup{group}
	}
	for _, group := range groups {
		for _, policy := range group.Policies() {
			if policy.ARN == deref(name) || groupName != nil && policy.Name == deref(name) {
				return group, policy, nil
			}
		}
	}
	return nil, nil, api.Errorf("ValidationError", "Cannot find policy %s", deref(name))
}

func (s scalingService) deletePolicy(call api.Call, in *as.DeletePolicyInput) (*as.DeletePolicyOutput, error) {
	group, policy, err := s.policy(call, in.AutoScalingGroupName, in.PolicyName)
	if err == nil {
		group.DeletePolicy(policy)
	}
	return nil, err
}

func (s scalingService) executePolicy(call api.Call, in *as.ExecutePolicyInput) (*as.ExecutePolicyOutput, error) {
	group, policy, err := s.policy(call, in.AutoScalingGroupName, in.PolicyName)
	if err != nil {
		return nil, err
	}
	if activity := group.Cooling(); deref(in.HonorCooldown) && activity != nil {
		return nil, inProgress(activity)
	}
	return nil, group.Execute(policy)
}

// classic tells of Classic Load Balancers: no group here has one.
func (s scalingService) classic(
	call api.Call, in *as.DescribeLoadBalancersInput,
) (*as.DescribeLoadBalancersOutput, error) {
	_, err := s.group(call, in.AutoScalingGroupName)
	return &as.DescribeLoadBalancersOutput{LoadBalancers: []types.LoadBalancerState{}}, err
}

// trafficSources are a group's target groups.
func (s scalingService) trafficSources(
	call api.Call, in *as.DescribeTrafficSourcesInput,
) (*as.DescribeTrafficSourcesOutput, error) {
	group, err := s.group(call, in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	kinds := []string{"", "elb", "elbv2", "vpc-lattice"}
	if !slices.Contains(kinds, deref(in.TrafficSourceType)) {
		return nil, api.Errorf("ValidationError", "Traffic source type %s is not valid", *in.TrafficSourceType)
	}
	found := []types.TrafficSourceState{}
	for _, target := range group.TargetGroups {
		if kind := deref(in.TrafficSourceType); kind != "" && kind != "elbv2" {
			continue
		}
		state := "Added"
		if group.HealthCheckType == "ELB" {
			state = "InService"
		}
		found = append(found, types.TrafficSourceState{Identifier: &target.ARN, Type: ref("elbv2"), State: &state})
	}
	found, next, err := cutPage(found, in.NextToken, in.MaxRecords, membersPage, badScalingToken)
	return &as.DescribeTrafficSourcesOutput{TrafficSources: found, NextToken: next}, err
}
