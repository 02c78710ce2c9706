package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// ImageAPI is what of EC2 renews the image that a group launches from.
type ImageAPI interface {
	CreateImage(ctx context.Context, in *ec2.CreateImageInput, opts ...func(*ec2.Options)) (*ec2.CreateImageOutput, error)
	DeregisterImage(ctx context.Context, in *ec2.DeregisterImageInput, opts ...func(*ec2.Options)) (
		*ec2.DeregisterImageOutput, error,
	)
	RunInstances(ctx context.Context, in *ec2.RunInstancesInput, opts ...func(*ec2.Options)) (
		*ec2.RunInstancesOutput, error,
	)
	DescribeLaunchTemplates(ctx context.Context, in *ec2.DescribeLaunchTemplatesInput, opts ...func(*ec2.Options)) (
		*ec2.DescribeLaunchTemplatesOutput, error,
	)
	CreateLaunchTemplateVersion(
		ctx context.Context,
		in *ec2.CreateLaunchTemplateVersionInput,
		opts ...func(*ec2.Options),
	) (*ec2.CreateLaunchTemplateVersionOutput, error)
	ModifyLaunchTemplate(ctx context.Context, in *ec2.ModifyLaunchTemplateInput, opts ...func(*ec2.Options)) (
		*ec2.ModifyLaunchTemplateOutput, error,
	)
}

// ParameterAPI reads parameters of Systems Manager.
type ParameterAPI interface {
	GetParameter(ctx context.Context, in *ssm.GetParameterInput, opts ...func(*ssm.Options)) (
		*ssm.GetParameterOutput, error,
	)
}
