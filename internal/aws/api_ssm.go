package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// SSMAPI is what Patchtide uses of Systems Manager.
type SSMAPI interface {
	DescribeInstanceInformation(
		ctx context.Context,
		in *ssm.DescribeInstanceInformationInput,
		opts ...func(*ssm.Options),
	) (*ssm.DescribeInstanceInformationOutput, error)

	SendCommand(ctx context.Context, in *ssm.SendCommandInput, opts ...func(*ssm.Options)) (*ssm.SendCommandOutput, error)
	GetCommandInvocation(ctx context.Context, in *ssm.GetCommandInvocationInput, opts ...func(*ssm.Options)) (
		*ssm.GetCommandInvocationOutput, error,
	)

	CommandAPI
	AutomationAPI
	DocumentAPI
	PatchAPI
	NodeAPI
	OthersAPI
}
