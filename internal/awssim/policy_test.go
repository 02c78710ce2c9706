package awssim

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
)

const narrowPolicy = `{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Action": ["ec2:Describe*", "autoscaling:Describe*", "ssm:Describe*", "ssm:Get*"], "Resource": "*"},
    {"Effect": "Allow", "Action": "ec2:CreateSnapshot", "Resource": ["arn:aws:ec2:*::snapshot/*", "arn:aws:ec2:*:111122223333:volume/*"]},
    {"Effect": "Allow", "Action": "ec2:CreateTags", "Resource": "arn:aws:ec2:*::snapshot/*", "Condition": {"StringEquals": {"ec2:CreateAction": "CreateSnapshot"}}},
    {"Effect": "Allow", "Action": "ssm:SendCommand", "Resource": "arn:aws:ssm:*::document/AWS-RunPatchBaseline"},
    {"Effect": "Allow", "Action": "ssm:SendCommand", "Resource": "arn:aws:ec2:*:*:instance/*", "Condition": {"StringLike": {"ssm:resourceTag/Role": "w?b"}}},
    {"Effect": "Allow", "Action": "ssm:StartAutomationExecution", "Resource": "*"},
    {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::*:role/patchtide-automation", "Condition": {"StringEquals": {"iam:PassedToService": "ssm.amazonaws.com"}}},
    {"Effect": "Allow", "Action": "autoscaling:*", "Resource": "*", "Condition": {"StringEquals": {"aws:ResourceTag/Role": "web"}}},
    {"Effect": "Deny", "Action": "autoscaling:DeleteAutoScalingGroup", "Resource": "*"},
    {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::manifests/*"}
  ]
}`

func TestRolesWithAPolicy(t *testing.T) {
	ctx := context.Background()
	l := newLab(t, "healthy")
	c := l.production()
	instances, err := c.ec2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{})
	require.NoError(t, err)
	instance := instances.Reservations[0].Instances[0]
	volume := instance.BlockDeviceMappings[0].Ebs.VolumeId
	l.Inspect(func(w *world.World) {
		policy, err := world.ParsePolicy(narrowPolicy)
		require.NoError(t, err)
		w.Account(production).SetPolicy("patchtide", policy)
	})
	tagged := func(kind types.ResourceType) []types.TagSpecification {
		return []types.TagSpecification{
			{ResourceType: kind, Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}},
		}
	}
	for _, tc := range []struct {
		name, code, message string
		call                func() error
	}{
		{"a read by wildcard", "", "", func() error {
			_, err := c.scaling.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{})
			return err
		}},
		{"a snapshot tagged at creation", "", "", func() error {
			_, err := c.ec2.CreateSnapshot(
				ctx, &ec2.CreateSnapshotInput{VolumeId: volume, TagSpecifications: tagged(types.ResourceTypeSnapshot)},
			)
			return err
		}},
		{"tagging an instance", "UnauthorizedOperation", "ec2:CreateTags on resource: " +
			"arn:aws:ec2:ap-northeast-1:111122223333:instance/" + *instance.InstanceId, func() error {
			_, err := c.ec2.CreateTags(
				ctx, &ec2.CreateTagsInput{Resources: []string{*instance.InstanceId}, Tags: tagged("")[0].Tags},
			)
			return err
		}},
		{"a command on a tagged instance", "", "", func() error {
			_, err := c.ssm.SendCommand(ctx, &ssm.SendCommandInput{
				DocumentName: aws.String("AWS-RunPatchBaseline"), InstanceIds: []string{*instance.InstanceId},
				Parameters: map[string][]string{"Operation": {"Scan"}},
			})
			return err
		}},
		{"another document", "AccessDeniedException", "ssm:SendCommand on resource: " +
			"arn:aws:ssm:ap-northeast-1::document/AWS-RunShellScript because no identity-based policy allows", func() error {
			_, err := c.ssm.SendCommand(ctx, &ssm.SendCommandInput{
				DocumentName: aws.String("AWS-RunShellScript"), InstanceIds: []string{*instance.InstanceId},
				Parameters: map[string][]string{"commands": {"true"}},
			})
			return err
		}},
		{"passing a role that may not be passed", "AccessDeniedException", "iam:PassRole on resource: " +
			"arn:aws:iam::111122223333:role/patchtide", func() error {
			_, err := c.ssm.StartAutomationExecution(ctx, &ssm.StartAutomationExecutionInput{
				DocumentName: aws.String("AWS-PatchAsgInstance"),
				Parameters: map[string][]string{
					"InstanceId": {*instance.InstanceId}, "AutomationAssumeRole": {"arn:aws:iam::111122223333:role/patchtide"},
				},
			})
			return err
		}},
		{"a group with the tag", "", "", func() error {
			_, err := c.scaling.SuspendProcesses(
				ctx,
				&autoscaling.SuspendProcessesInput{
					AutoScalingGroupName: aws.String("web"), ScalingProcesses: []string{"AZRebalance"},
				},
			)
			return err
		}},
		{"an explicit deny", "AccessDenied", "with an explicit deny in an identity-based policy", func() error {
			_, err := c.scaling.DeleteAutoScalingGroup(
				ctx, &autoscaling.DeleteAutoScalingGroupInput{AutoScalingGroupName: aws.String("web")},
			)
			return err
		}},
		{"a service it knows nothing of", "AccessDenied", "elasticloadbalancing:DescribeTargetGroups on resource: *", func() error {
			_, err := c.elb.DescribeTargetGroups(ctx, &elb.DescribeTargetGroupsInput{})
			return err
		}},
		{"an object elsewhere", "AccessDenied", `s3:GetObject on resource: "arn:aws:s3:::other/key"`, func() error {
			_, err := c.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("other"), Key: aws.String("key")})
			return err
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := tc.call()
			if tc.code == "" {
				require.NoError(t, err)
				return
			}
			var refused smithy.APIError
			require.True(t, errors.As(err, &refused), "%v", err)
			require.Equal(t, tc.code, refused.ErrorCode())
			require.Contains(t, refused.ErrorMessage(), tc.message)
			require.Contains(t, refused.ErrorMessage(), "assumed-role/patchtide/wave")
		})
	}
	used := l.ActionsUsed(production)
	require.Positive(t, used["iam:PassRole"])
	require.Positive(t, used["ec2:CreateSnapshot"])
	require.Zero(t, used["ec2:RunInstances"])
	require.Empty(t, l.ActionsUsed(staging))
}

// An Automation acts as its own role: what that may not do fails the step.
func TestAutomationActsAsItsRole(t *testing.T) {
	ctx := context.Background()
	l := newLab(t, "healthy")
	c := l.production()
	l.Inspect(func(w *world.World) {
		policy, err := world.ParsePolicy(
			`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ec2:CreateTags", "Resource": "*"}}`,
		)
		require.NoError(t, err)
		w.Account(production).SetPolicy("patchtide-automation", policy)
	})
	_, err := c.ssm.CreateDocument(ctx, &ssm.CreateDocumentInput{
		Name:           aws.String("Terminate"),
		DocumentType:   ssmtypes.DocumentTypeAutomation,
		DocumentFormat: ssmtypes.DocumentFormatYaml,
		Content: aws.String(`
schemaVersion: "0.3"
assumeRole: arn:aws:iam::111122223333:role/patchtide-automation
parameters: {Id: {type: String}}
mainSteps:
  - {name: tag, action: "aws:createTags", inputs: {ResourceType: EC2, ResourceIds: ["{{ Id }}"], Tags: [{Key: k, Value: v}]}}
  - {name: end, action: "aws:executeAwsApi", inputs: {Service: ec2, Api: TerminateInstances, InstanceIds: ["{{ Id }}"]}}
`),
	})
	require.NoError(t, err)
	var id string
	l.Inspect(func(w *world.World) { id = w.Account(production).Region(tokyo).Instances()[0].ID })
	started, err := c.ssm.StartAutomationExecution(
		ctx,
		&ssm.StartAutomationExecutionInput{
			DocumentName: aws.String("Terminate"), Parameters: map[string][]string{"Id": {id}},
		},
	)
	require.NoError(t, err)
	l.pass(10 * time.Second)
	got, err := c.ssm.GetAutomationExecution(
		ctx, &ssm.GetAutomationExecutionInput{AutomationExecutionId: started.AutomationExecutionId},
	)
	require.NoError(t, err)
	require.Equal(t, ssmtypes.AutomationExecutionStatusSuccess, got.AutomationExecution.StepExecutions[0].StepStatus)
	require.Contains(t, *got.AutomationExecution.FailureMessage, "UnauthorizedOperation")
	require.Contains(t, *got.AutomationExecution.FailureMessage, "assumed-role/patchtide-automation/Automation-")
}
