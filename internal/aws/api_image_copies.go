package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

// ImageCopyAPI is what of EC2 brings an image to another account or region.
type ImageCopyAPI interface {
	CopyImage(ctx context.Context, in *ec2.CopyImageInput, opts ...func(*ec2.Options)) (*ec2.CopyImageOutput, error)
	ModifyImageAttribute(ctx context.Context, in *ec2.ModifyImageAttributeInput, opts ...func(*ec2.Options)) (
		*ec2.ModifyImageAttributeOutput, error,
	)
	ModifySnapshotAttribute(ctx context.Context, in *ec2.ModifySnapshotAttributeInput, opts ...func(*ec2.Options)) (
		*ec2.ModifySnapshotAttributeOutput, error,
	)
}
