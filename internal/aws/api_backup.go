package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

// BackupAPI is the part of EC2 that backup and restore use.
type BackupAPI interface {
	CreateSnapshot(ctx context.Context, in *ec2.CreateSnapshotInput, opts ...func(*ec2.Options)) (
		*ec2.CreateSnapshotOutput, error,
	)
	DescribeSnapshots(ctx context.Context, in *ec2.DescribeSnapshotsInput, opts ...func(*ec2.Options)) (
		*ec2.DescribeSnapshotsOutput, error,
	)
	DeleteSnapshot(ctx context.Context, in *ec2.DeleteSnapshotInput, opts ...func(*ec2.Options)) (
		*ec2.DeleteSnapshotOutput, error,
	)
	DescribeVolumes(ctx context.Context, in *ec2.DescribeVolumesInput, opts ...func(*ec2.Options)) (
		*ec2.DescribeVolumesOutput, error,
	)
	GetEbsEncryptionByDefault(
		ctx context.Context,
		in *ec2.GetEbsEncryptionByDefaultInput,
		opts ...func(*ec2.Options),
	) (*ec2.GetEbsEncryptionByDefaultOutput, error)
	GetEbsDefaultKmsKeyId(ctx context.Context, in *ec2.GetEbsDefaultKmsKeyIdInput, opts ...func(*ec2.Options)) (
		*ec2.GetEbsDefaultKmsKeyIdOutput, error,
	)
	DeleteVolume(ctx context.Context, in *ec2.DeleteVolumeInput, opts ...func(*ec2.Options)) (
		*ec2.DeleteVolumeOutput, error,
	)
	CreateReplaceRootVolumeTask(
		ctx context.Context,
		in *ec2.CreateReplaceRootVolumeTaskInput,
		opts ...func(*ec2.Options),
	) (*ec2.CreateReplaceRootVolumeTaskOutput, error)
	DescribeReplaceRootVolumeTasks(
		ctx context.Context,
		in *ec2.DescribeReplaceRootVolumeTasksInput,
		opts ...func(*ec2.Options),
	) (*ec2.DescribeReplaceRootVolumeTasksOutput, error)
	StartInstances(ctx context.Context, in *ec2.StartInstancesInput, opts ...func(*ec2.Options)) (
		*ec2.StartInstancesOutput, error,
	)
	StopInstances(ctx context.Context, in *ec2.StopInstancesInput, opts ...func(*ec2.Options)) (
		*ec2.StopInstancesOutput, error,
	)
}
