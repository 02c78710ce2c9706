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
			found, next, err := page(
				found, in.NextToken, nil, 100, api.Errorf("ValidationError", "The next token is not one of this call's."),
			)
			return &cloudformation.DescribeStacksOutput{Stacks: found, NextToken: next}, err
		})
}

func outputsOf(stack *world.Stack) []types.Output {
	var outputs []types.Output
	for _, key := range slices.Sorted(maps.Keys(stack.Outputs)) {
		outputs = append(outputs, types.Output{OutputKey: &key, OutputValue: aws.String(stack.Outputs[key])})
	}
	return outputs
}
