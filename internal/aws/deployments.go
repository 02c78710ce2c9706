package aws

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/patch"
)

// stackTag is the tag by which CloudFormation marks what belongs to a stack, with the stack's ARN.
const stackTag = "aws:cloudformation:stack-id"

// ReadStacks reads the stacks that the group or its instances belong to, and the root stacks of nested ones. A status
// that ends in _IN_PROGRESS is a change under way, a clean-up after one included: CloudFormation may then suspend
// processes, replace the group, or terminate instances.
func ReadStacks(
	ctx context.Context, s *Services, group patch.Group, instances map[string]ec2types.Instance,
) ([]string, error) {
	var ids []string
	if group.IsAutoScaling() {
		described, err := ReadGroup(ctx, s, group)
		if err != nil {
			return nil, err
		}
		for _, tag := range described.Tags {
			if Deref(tag.Key) == stackTag {
				ids = append(ids, Deref(tag.Value))
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(instances)) {
		ids = append(ids, TagOf(instances[id].Tags, stackTag))
	}
	var busy []string
	seen := map[string]bool{"": true}
	for len(ids) > 0 {
		id := ids[0]
		ids = ids[1:]
		if seen[id] {
			continue
		}
		seen[id] = true
		out, err := s.CloudFormation.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &id})
		if HasCode(err, CodeValidation) {
			continue // the stack is gone and left what it made
		}
		if err != nil {
			return nil, Wrap("describe the stack "+id, group.String(), err)
		}
		for _, stack := range out.Stacks {
			if strings.HasSuffix(string(stack.StackStatus), "_IN_PROGRESS") {
				busy = append(busy, fmt.Sprintf("%s (%s)", Deref(stack.StackName), stack.StackStatus))
			}
			ids = append(ids, Deref(stack.RootId))
		}
	}
	return busy, nil
}

// ReadDeployments reads CodeDeploy's deployments that have not ended, and which of the instances they are about. One
// that has not started cannot tell yet. Unasked is why nobody could ask, where the service's name does not resolve: a
// region without CodeDeploy has no deployments, and a worker that reads names wrongly finds none either.
func ReadDeployments(
	ctx context.Context, s *Services, group patch.Group, instances map[string]ec2types.Instance,
) (found []patch.Deployment, unasked string, err error) {
	pages := codedeploy.NewListDeploymentsPaginator(
		s.CodeDeploy, &codedeploy.ListDeploymentsInput{IncludeOnlyStatuses: []cdtypes.DeploymentStatus{
			cdtypes.DeploymentStatusCreated, cdtypes.DeploymentStatusQueued, cdtypes.DeploymentStatusInProgress,
			cdtypes.DeploymentStatusBaking, cdtypes.DeploymentStatusReady,
		}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if HasNoEndpoint(err) {
			return nil, "CodeDeploy has no endpoint in " + group.Region + " that this worker can find: a deployment there, if " +
				"there can be any, is not seen", nil
		}
		if err != nil {
			return nil, "", Wrap("list deployments", group.String(), err)
		}
		for _, id := range page.Deployments {
			about, err := deploymentTargets(ctx, s, id)
			switch {
			case HasCode(err, CodeDeploymentNotStarted):
				found = append(found, patch.Deployment{ID: id})
			case IsNotFound(err), HasCode(err, CodeDeploymentOther):
				// It is gone, or one of ECS or Lambda.
			case err != nil:
				return nil, "", Wrap("list the targets of deployment "+id, group.String(), err)
			}
			for _, instance := range slices.Sorted(maps.Keys(instances)) {
				if slices.Contains(about, instance) {
					found = append(found, patch.Deployment{ID: id, Instance: instance})
				}
			}
		}
	}
	return found, "", nil
}

// deploymentTargets are a deployment's instance ids; AWS tells them bare or at the end of an ARN.
func deploymentTargets(ctx context.Context, s *Services, id string) ([]string, error) {
	var targets []string
	in := &codedeploy.ListDeploymentTargetsInput{DeploymentId: &id}
	for {
		out, err := s.CodeDeploy.ListDeploymentTargets(ctx, in)
		if err != nil {
			return nil, err
		}
		for _, target := range out.TargetIds {
			targets = append(targets, target[strings.LastIndex(target, "/")+1:])
		}
		if Deref(out.NextToken) == "" {
			return targets, nil
		}
		in.NextToken = out.NextToken
	}
}
