package services

import (
	"regexp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// deploymentID is the pattern of CodeDeploy's ids.
var deploymentID = regexp.MustCompile(`^d-[A-Z0-9]{9}$`)

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
	api.Handle(r, "codedeploy", "GetDeployment", []string{"DeploymentId"},
		func(c api.Call, in *codedeploy.GetDeploymentInput) (*codedeploy.GetDeploymentOutput, error) {
			if !deploymentID.MatchString(aws.ToString(in.DeploymentId)) {
				return nil, api.Errorf(
					"InvalidDeploymentIdException", "Deployment id %s is not valid", aws.ToString(in.DeploymentId),
				)
			}
			deployment := regionOf(w, c).Deployment(aws.ToString(in.DeploymentId))
			if deployment == nil {
				return nil, api.Errorf(
					"DeploymentDoesNotExistException", "The deployment %s could not be found", aws.ToString(in.DeploymentId),
				)
			}
			return &codedeploy.GetDeploymentOutput{DeploymentInfo: &types.DeploymentInfo{
				DeploymentId: &deployment.ID, Status: types.DeploymentStatus(deployment.Status),
				ComputePlatform: types.ComputePlatformServer, CreateTime: aws.Time(deployment.Began),
				Creator: types.DeploymentCreatorUser,
			}}, nil
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
