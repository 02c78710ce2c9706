package services

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// registerDeployments tells of CodeDeploy's deployments; nothing starts them but who plays the world.
func registerDeployments(r *api.Registry, w *world.World) {
	badToken := api.Errorf("InvalidNextTokenException", "The next token was specified in an invalid format.")
	api.Handle(r, "codedeploy", "ListDeployments", []string{"IncludeOnlyStatuses", "NextToken"},
		func(c api.Call, in *codedeploy.ListDeploymentsInput) (*codedeploy.ListDeploymentsOutput, error) {
			found := []string{}
			for _, deployment := range regionOf(w, c).Deployments() {
				if len(in.IncludeOnlyStatuses) == 0 || slices.Contains(
					in.IncludeOnlyStatuses, types.DeploymentStatus(deployment.Status),
				) {
					found = append(found, deployment.ID)
				}
			}
			found, next, err := page(found, in.NextToken, nil, 100, badToken)
			return &codedeploy.ListDeploymentsOutput{Deployments: found, NextToken: next}, err
		})
	api.Handle(r, "codedeploy", "ListDeploymentTargets", []string{"DeploymentId", "NextToken"},
		func(c api.Call, in *codedeploy.ListDeploymentTargetsInput) (*codedeploy.ListDeploymentTargetsOutput, error) {
			deployment := regionOf(w, c).Deployment(aws.ToString(in.DeploymentId))
			switch {
			case deployment == nil:
				return nil, api.Errorf(
					"DeploymentDoesNotExistException", "The deployment %s could not be found", aws.ToString(in.DeploymentId),
				)
			case deployment.Status == "Created" || deployment.Status == "Queued":
				return nil, api.Errorf("DeploymentNotStartedException", "The deployment %s has not started yet", deployment.ID)
			}
			found, next, err := page(deployment.Targets, in.NextToken, nil, 100, badToken)
			return &codedeploy.ListDeploymentTargetsOutput{TargetIds: found, NextToken: next}, err
		})
}
