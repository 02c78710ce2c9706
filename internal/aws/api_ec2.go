package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

// EC2API is what Patchtide uses of EC2.
type EC2API interface {
	DescribeInstances(ctx context.Context, in *ec2.DescribeInstancesInput, opts ...func(*ec2.Options)) (
		*ec2.DescribeInstancesOutput, error,
	)
	DescribeInstanceStatus(ctx context.Context, in *ec2.DescribeInstanceStatusInput, opts ...func(*ec2.Options)) (
		*ec2.DescribeInstanceStatusOutput, error,
	)

	DescribeImages(ctx context.Context, in *ec2.DescribeImagesInput, opts ...func(*ec2.Options)) (
		*ec2.DescribeImagesOutput, error,
	)
	DescribeLaunchTemplateVersions(
		ctx context.Context,
		in *ec2.DescribeLaunchTemplateVersionsInput,
		opts ...func(*ec2.Options),
	) (*ec2.DescribeLaunchTemplateVersionsOutput, error)
	DescribeSecurityGroups(ctx context.Context, in *ec2.DescribeSecurityGroupsInput, opts ...func(*ec2.Options)) (
		*ec2.DescribeSecurityGroupsOutput, error,
	)
	ModifyNetworkInterfaceAttribute(
		ctx context.Context,
		in *ec2.ModifyNetworkInterfaceAttributeInput,
		opts ...func(*ec2.Options),
	) (*ec2.ModifyNetworkInterfaceAttributeOutput, error)

	TerminateInstances(ctx context.Context, in *ec2.TerminateInstancesInput, opts ...func(*ec2.Options)) (
		*ec2.TerminateInstancesOutput, error,
	)
	CreateTags(ctx context.Context, in *ec2.CreateTagsInput, opts ...func(*ec2.Options)) (*ec2.CreateTagsOutput, error)
	DeleteTags(ctx context.Context, in *ec2.DeleteTagsInput, opts ...func(*ec2.Options)) (*ec2.DeleteTagsOutput, error)

	BackupAPI
}
