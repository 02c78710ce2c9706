package services

import (
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// registerStacks tells of CloudFormation's stacks; nothing makes or updates them but who plays the world.
func registerStacks(r *api.Registry, w *world.World) {
	api.Handle(r, "cloudformation", "DescribeStacks", []string{"StackName", "NextToken"},
		func(c api.Call, in *cloudformation.DescribeStacksInput) (*cloudformation.DescribeStacksOutput, error) {
			region := regionOf(w, c)
			found := []types.Stack{} // an empty list is told, as an empty element
			for _, stack := range region.Stacks() {
				if name := aws.ToString(in.StackName); name == "" || name == stack.Name || name == stack.ID {
					found = append(found, types.Stack{
						StackName: &stack.Name, StackId: &stack.ID, StackStatus: types.StackStatus(stack.Status),
						RootId:       notEmpty(stack.Root),
						Outputs:      outputsOf(stack),
						CreationTime: aws.Time(region.World.Now().AddDate(0, -1, 0)),
					})
				}
			}
			if len(found) == 0 && in.StackName != nil {
				return nil, api.Errorf("ValidationError", "Stack with id %s does not exist", *in.StackName)
			}
			found, next, err := page(found, in.NextToken, nil, stacksPage, badStackToken)
			return &cloudformation.DescribeStacksOutput{Stacks: found, NextToken: next}, err
		})
	api.Handle(r, "cloudformation", "ListStacks", []string{"StackStatusFilter", "NextToken"},
		func(c api.Call, in *cloudformation.ListStacksInput) (*cloudformation.ListStacksOutput, error) {
			region, found := regionOf(w, c), []types.StackSummary{}
			for _, stack := range region.Stacks() {
				if len(in.StackStatusFilter) > 0 && !slices.Contains(in.StackStatusFilter, types.StackStatus(stack.Status)) {
					continue
				}
				found = append(found, types.StackSummary{
					StackName: &stack.Name, StackId: &stack.ID, StackStatus: types.StackStatus(stack.Status),
					RootId: notEmpty(stack.Root), CreationTime: aws.Time(region.World.Now().AddDate(0, -1, 0)),
				})
			}
			found, next, err := page(found, in.NextToken, nil, stacksPage, badStackToken)
			return &cloudformation.ListStacksOutput{StackSummaries: found, NextToken: next}, err
		})
	api.Handle(
		r, "cloudformation", "DescribeStackResources", []string{"StackName", "LogicalResourceId", "PhysicalResourceId"},
		func(
			c api.Call, in *cloudformation.DescribeStackResourcesInput,
		) (*cloudformation.DescribeStackResourcesOutput, error) {
			stack, err := stackOf(regionOf(w, c), in)
			if err != nil {
				return nil, err
			}
			out := &cloudformation.DescribeStackResourcesOutput{StackResources: []types.StackResource{}}
			for _, resource := range stack.Resources {
				if in.LogicalResourceId == nil || *in.LogicalResourceId == resource.Logical {
					out.StackResources = append(out.StackResources, types.StackResource{
						StackName: &stack.Name, StackId: &stack.ID, LogicalResourceId: aws.String(resource.Logical),
						PhysicalResourceId: aws.String(resource.Physical), ResourceType: aws.String(resource.Type),
						ResourceStatus: types.ResourceStatusCreateComplete,
						Timestamp:      aws.Time(regionOf(w, c).World.Now().AddDate(0, -1, 0)),
					})
				}
			}
			return out, nil
		})
}

const stacksPage = 100

var badStackToken = api.Errorf("ValidationError", "The next token is not one of this call's.")

// stackOf finds a stack by its name or by a resource of it (API reference of DescribeStackResources: one of both).
func stackOf(
	region *world.Region, in *cloudformation.DescribeStackResourcesInput,
) (*world.Stack, error) {
	switch {
	case in.StackName == nil && in.PhysicalResourceId == nil:
		return nil, api.Errorf("ValidationError", "Either StackName or PhysicalResourceId is required")
	case in.StackName != nil && in.PhysicalResourceId != nil:
		return nil, api.Errorf("ValidationError", "StackName and PhysicalResourceId cannot both be given")
	}
	for _, stack := range region.Stacks() {
		named := in.StackName != nil && (*in.StackName == stack.Name || *in.StackName == stack.ID)
		has := in.PhysicalResourceId != nil && slices.ContainsFunc(
			stack.Resources, func(r world.StackResource) bool { return r.Physical == *in.PhysicalResourceId },
		)
		if named || has {
			return stack, nil
		}
	}
	if in.StackName != nil {
		return nil, api.Errorf("ValidationError", "Stack with id %s does not exist", *in.StackName)
	}
	return nil, api.Errorf("ValidationError", "Stack for %s does not exist", *in.PhysicalResourceId)
}

func outputsOf(stack *world.Stack) []types.Output {
	var outputs []types.Output
	for _, key := range slices.Sorted(maps.Keys(stack.Outputs)) {
		outputs = append(outputs, types.Output{OutputKey: &key, OutputValue: aws.String(stack.Outputs[key])})
	}
	return outputs
}
