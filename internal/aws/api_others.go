package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// CloudFormationAPI is what Patchtide uses of CloudFormation: whether a stack is being changed.
type CloudFormationAPI interface {
	DescribeStacks(ctx context.Context, in *cloudformation.DescribeStacksInput, opts ...func(*cloudformation.Options)) (
		*cloudformation.DescribeStacksOutput, error,
	)
}

// CloudTrailAPI is what Patchtide uses of CloudTrail: who has changed a patch baseline.
type CloudTrailAPI interface {
	LookupEvents(ctx context.Context, in *cloudtrail.LookupEventsInput, opts ...func(*cloudtrail.Options)) (
		*cloudtrail.LookupEventsOutput, error,
	)
}

// CodeDeployAPI is what Patchtide uses of CodeDeploy: which deployments run, and where.
type CodeDeployAPI interface {
	ListDeployments(ctx context.Context, in *codedeploy.ListDeploymentsInput, opts ...func(*codedeploy.Options)) (
		*codedeploy.ListDeploymentsOutput, error,
	)
	ListDeploymentTargets(
		ctx context.Context,
		in *codedeploy.ListDeploymentTargetsInput,
		opts ...func(*codedeploy.Options),
	) (*codedeploy.ListDeploymentTargetsOutput, error)
}

// KMSAPI is what Patchtide uses of KMS: whether a key may be used.
type KMSAPI interface {
	DescribeKey(ctx context.Context, in *kms.DescribeKeyInput, opts ...func(*kms.Options)) (*kms.DescribeKeyOutput, error)
	// GenerateDataKeyWithoutPlaintext is called as a dry run only.
	GenerateDataKeyWithoutPlaintext(
		ctx context.Context,
		in *kms.GenerateDataKeyWithoutPlaintextInput,
		opts ...func(*kms.Options),
	) (*kms.GenerateDataKeyWithoutPlaintextOutput, error)
}

// OthersAPI is the part of Systems Manager that tells of calendars and of others who patch.
type OthersAPI interface {
	GetCalendarState(ctx context.Context, in *ssm.GetCalendarStateInput, opts ...func(*ssm.Options)) (
		*ssm.GetCalendarStateOutput, error,
	)
	DescribeMaintenanceWindows(ctx context.Context, in *ssm.DescribeMaintenanceWindowsInput, opts ...func(*ssm.Options)) (
		*ssm.DescribeMaintenanceWindowsOutput, error,
	)
	DescribeMaintenanceWindowTasks(
		ctx context.Context,
		in *ssm.DescribeMaintenanceWindowTasksInput,
		opts ...func(*ssm.Options),
	) (*ssm.DescribeMaintenanceWindowTasksOutput, error)
	GetMaintenanceWindowTask(ctx context.Context, in *ssm.GetMaintenanceWindowTaskInput, opts ...func(*ssm.Options)) (
		*ssm.GetMaintenanceWindowTaskOutput, error,
	)
	DescribeMaintenanceWindowTargets(
		ctx context.Context,
		in *ssm.DescribeMaintenanceWindowTargetsInput,
		opts ...func(*ssm.Options),
	) (*ssm.DescribeMaintenanceWindowTargetsOutput, error)
	DescribeMaintenanceWindowExecutions(
		ctx context.Context,
		in *ssm.DescribeMaintenanceWindowExecutionsInput,
		opts ...func(*ssm.Options),
	) (*ssm.DescribeMaintenanceWindowExecutionsOutput, error)
	ListAssociations(ctx context.Context, in *ssm.ListAssociationsInput, opts ...func(*ssm.Options)) (
		*ssm.ListAssociationsOutput, error,
	)
	DescribeAssociation(ctx context.Context, in *ssm.DescribeAssociationInput, opts ...func(*ssm.Options)) (
		*ssm.DescribeAssociationOutput, error,
	)
}
