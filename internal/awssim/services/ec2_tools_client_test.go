package services_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
)

// Source: EC2's API reference, "Common query parameters": DryRun.
func TestADryRunTellsWhetherACallMayBeMade(t *testing.T) {
	a := staging(t, "healthy")
	client, ids := ec2.NewFromConfig(a.config), instanceIDs(t, a)
	stop := func(dry bool) error {
		_, err := client.StopInstances(ctx, &ec2.StopInstancesInput{InstanceIds: ids[:1], DryRun: &dry})
		return err
	}
	err := stop(true)
	require.Equal(t, "DryRunOperation", code(t, err))
	require.Equal(t, http.StatusPreconditionFailed, status(t, err))
	volumes, err := client.DescribeVolumes(ctx, &ec2.DescribeVolumesInput{DryRun: aws.Bool(false)})
	require.NoError(t, err)
	require.NotEmpty(t, volumes.Volumes)
	nothing, err := world.ParsePolicy(
		`{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "ec2:Stop*", "Resource": "*"}}`,
	)
	require.NoError(t, err)
	a.sim.Inspect(func(w *world.World) { w.Account("222233334444").SetPolicy("patchtide", nothing) })
	require.Equal(t, "UnauthorizedOperation", code(t, stop(true)))
}

// Source: API references of TerminateInstances and ModifyInstanceAttribute.
func TestProtectedInstancesAreNotTerminated(t *testing.T) {
	a := staging(t, "healthy")
	client, id := ec2.NewFromConfig(a.config), instanceIDs(t, a)[:1]
	protect := func(on bool) {
		_, err := client.ModifyInstanceAttribute(ctx, &ec2.ModifyInstanceAttributeInput{
			InstanceId: &id[0], DisableApiTermination: &types.AttributeBooleanValue{Value: &on},
		})
		require.NoError(t, err)
		told, err := client.DescribeInstanceAttribute(ctx, &ec2.DescribeInstanceAttributeInput{
			InstanceId: &id[0], Attribute: types.InstanceAttributeNameDisableApiTermination,
		})
		require.NoError(t, err)
		require.Equal(t, on, *told.DisableApiTermination.Value)
	}
	protect(true)
	_, err := client.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: id})
	require.Equal(t, "OperationNotPermitted", code(t, err))
	protect(false)
	ended, err := client.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: id})
	require.NoError(t, err)
	require.Equal(t, types.InstanceStateNameShuttingDown, ended.TerminatingInstances[0].CurrentState.Name)
	require.Equal(t, types.InstanceStateNameRunning, ended.TerminatingInstances[0].PreviousState.Name)
	_, err = client.DescribeInstanceAttribute(ctx, &ec2.DescribeInstanceAttributeInput{
		InstanceId: &id[0], Attribute: types.InstanceAttributeNameUserData,
	})
	require.Equal(t, "NotModelled", code(t, err))
}

// The older way to restore: the root is detached, and a volume made of the snapshot takes its place. Sources: API
// references of DetachVolume, AttachVolume and CreateVolume.
func TestARootIsRestoredByDetachingAndAttaching(t *testing.T) {
	a := staging(t, "healthy")
	client, id := ec2.NewFromConfig(a.config), instanceIDs(t, a)[0]
	describe := func() types.Instance {
		out, err := client.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
		require.NoError(t, err)
		return out.Reservations[0].Instances[0]
	}
	root, zone := describe().BlockDeviceMappings[0].Ebs.VolumeId, describe().Placement.AvailabilityZone
	taken, err := client.CreateSnapshot(ctx, &ec2.CreateSnapshotInput{VolumeId: root})
	require.NoError(t, err)
	create := func(in ec2.CreateVolumeInput) (*string, error) {
		out, err := client.CreateVolume(ctx, &in)
		if err != nil {
			return nil, err
		}
		return out.VolumeId, nil
	}
	_, err = create(ec2.CreateVolumeInput{AvailabilityZone: zone, SnapshotId: taken.SnapshotId})
	require.Equal(t, "IncorrectState", code(t, err), "the snapshot is pending")
	_, err = create(ec2.CreateVolumeInput{AvailabilityZone: zone, SnapshotId: aws.String("snap-00000000000000000")})
	require.Equal(t, "InvalidSnapshot.NotFound", code(t, err))
	_, err = create(ec2.CreateVolumeInput{AvailabilityZone: zone})
	require.Equal(t, "MissingParameter", code(t, err))
	a.pass(10 * time.Minute)
	made, err := create(ec2.CreateVolumeInput{AvailabilityZone: zone, SnapshotId: taken.SnapshotId})
	require.NoError(t, err)
	far, err := create(ec2.CreateVolumeInput{AvailabilityZone: aws.String("ap-northeast-1d"), SnapshotId: taken.SnapshotId})
	require.NoError(t, err)
	detach := func(volume *string) error {
		_, err := client.DetachVolume(ctx, &ec2.DetachVolumeInput{VolumeId: volume})
		return err
	}
	attach := func(volume *string, device string) error {
		_, err := client.AttachVolume(ctx, &ec2.AttachVolumeInput{VolumeId: volume, InstanceId: &id, Device: &device})
		return err
	}
	require.Equal(t, "OperationNotPermitted", code(t, detach(root)), "it is the root of a running instance")
	require.Equal(t, "InvalidVolume.ZoneMismatch", code(t, attach(far, "/dev/sdf")))
	require.NoError(t, attach(made, "/dev/sdf"), "a look into the backup")
	require.Len(t, describe().BlockDeviceMappings, 2)
	require.Equal(t, "VolumeInUse", code(t, attach(made, "/dev/sdg")))
	require.NoError(t, detach(made))
	require.Equal(t, "IncorrectState", code(t, detach(made)))
	_, err = client.StopInstances(ctx, &ec2.StopInstancesInput{InstanceIds: []string{id}})
	require.NoError(t, err)
	a.pass(5 * time.Minute)
	require.Equal(t, "InvalidParameterValue", code(t, attach(made, world.RootDevice)), "there is a root")
	require.NoError(t, detach(root))
	_, err = client.StartInstances(ctx, &ec2.StartInstancesInput{InstanceIds: []string{id}})
	require.Equal(t, "IncorrectInstanceState", code(t, err), "it has no root")
	require.NoError(t, attach(made, world.RootDevice))
	_, err = client.StartInstances(ctx, &ec2.StartInstancesInput{InstanceIds: []string{id}})
	require.NoError(t, err)
	a.pass(5 * time.Minute)
	require.Equal(t, *made, *describe().BlockDeviceMappings[0].Ebs.VolumeId)
	require.Equal(t, types.InstanceStateNameRunning, describe().State.Name)
}

// Source: API reference of CreateReplaceRootVolumeTask, ImageId.
func TestARootIsReplacedByAnImage(t *testing.T) {
	a := staging(t, "healthy")
	client, id := ec2.NewFromConfig(a.config), instanceIDs(t, a)[0]
	described, err := client.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
	require.NoError(t, err)
	image := described.Reservations[0].Instances[0].ImageId
	replace := func(image, snapshot *string) (*ec2.CreateReplaceRootVolumeTaskOutput, error) {
		return client.CreateReplaceRootVolumeTask(ctx, &ec2.CreateReplaceRootVolumeTaskInput{
			InstanceId: &id, ImageId: image, SnapshotId: snapshot,
		})
	}
	for want, in := range map[string][2]*string{
		"InvalidParameterCombination": {image, aws.String("snap-00000000000000000")},
		"InvalidAMIID.NotFound":       {aws.String("ami-00000000000000000"), nil},
		"InvalidAMIID.Malformed":      {aws.String("web"), nil},
	} {
		_, err := replace(in[0], in[1])
		refusedOr(t, want, err)
	}
	task, err := replace(image, nil)
	require.NoError(t, err)
	require.Equal(t, *image, *task.ReplaceRootVolumeTask.ImageId)
	a.pass(10 * time.Minute)
	tasks, err := client.DescribeReplaceRootVolumeTasks(ctx, &ec2.DescribeReplaceRootVolumeTasksInput{})
	require.NoError(t, err)
	require.Equal(t, types.ReplaceRootVolumeTaskStateSucceeded, tasks.ReplaceRootVolumeTasks[0].TaskState)
}
