package aws_test

import (
	"strings"
	"testing"

	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// A trial is launched as the group would launch it, in the donor's subnet, wherever the template lets that stand.
func TestATrialIsLaunchedAsItsGroupWould(t *testing.T) {
	version := func(data *ec2types.ResponseLaunchTemplateData) *ec2types.LaunchTemplateVersion {
		return &ec2types.LaunchTemplateVersion{
			LaunchTemplateId: aws.Ptr("lt-1"), VersionNumber: aws.Ptr(int64(7)), LaunchTemplateData: data,
		}
	}
	donor := ec2types.Instance{SubnetId: aws.Ptr("subnet-1"), InstanceType: "m7i.large"}
	launch := func(data *ec2types.ResponseLaunchTemplateData) aws.Trial {
		return aws.Trial{Version: version(data), Image: "ami-1", Donor: donor, Token: "token"}
	}
	plain := launch(&ec2types.ResponseLaunchTemplateData{}).Launch()
	require.Equal(t, "7", *plain.LaunchTemplate.Version)
	require.Equal(t, "subnet-1", *plain.SubnetId)
	require.Equal(t, "ami-1", *plain.ImageId)
	require.Equal(t, "token", *plain.ClientToken)
	require.EqualValues(t, 1, *plain.MaxCount)
	require.Nil(t, plain.DisableApiTermination)
	require.Empty(t, plain.NetworkInterfaces)

	protected := launch(&ec2types.ResponseLaunchTemplateData{DisableApiTermination: aws.Ptr(true)}).Launch()
	require.False(t, *protected.DisableApiTermination, "it is to be terminated again")

	kept := launch(&ec2types.ResponseLaunchTemplateData{
		BlockDeviceMappings: []ec2types.LaunchTemplateBlockDeviceMapping{
			{DeviceName: aws.Ptr("/dev/xvda"), Ebs: &ec2types.LaunchTemplateEbsBlockDevice{
				DeleteOnTermination: aws.Ptr(false), VolumeSize: aws.Ptr(int32(40)), Encrypted: aws.Ptr(true),
			}},
			{DeviceName: aws.Ptr("/dev/sdg"), NoDevice: aws.Ptr("")},
		},
	})
	kept.Tags = []ec2types.Tag{
		{Key: aws.Ptr(names.TagTrial), Value: aws.Ptr("web")}, {Key: aws.Ptr(names.TagWave), Value: aws.Ptr("wave-1")},
	}
	volumes := kept.Launch()
	require.Len(t, volumes.BlockDeviceMappings, 1)
	require.True(t, *volumes.BlockDeviceMappings[0].Ebs.DeleteOnTermination, "it is to go with the trial")
	require.EqualValues(t, 40, *volumes.BlockDeviceMappings[0].Ebs.VolumeSize)
	require.True(t, *volumes.BlockDeviceMappings[0].Ebs.Encrypted)
	require.Equal(t, ec2types.ResourceTypeVolume, volumes.TagSpecifications[1].ResourceType)
	require.Equal(t, kept.Tags[:1], volumes.TagSpecifications[1].Tags, "nobody takes it for a backup of the wave")

	cards := launch(&ec2types.ResponseLaunchTemplateData{
		NetworkInterfaces: []ec2types.LaunchTemplateInstanceNetworkInterfaceSpecification{
			{DeviceIndex: aws.Ptr(int32(0)), Groups: []string{"sg-1"}, AssociatePublicIpAddress: aws.Ptr(true)},
			{DeviceIndex: aws.Ptr(int32(1)), Groups: []string{"sg-2"}, SubnetId: aws.Ptr("subnet-2")},
		},
	}).Launch()
	require.Nil(t, cards.SubnetId, "EC2 takes it in one place only")
	require.Len(t, cards.NetworkInterfaces, 2)
	require.Equal(t, "subnet-1", *cards.NetworkInterfaces[0].SubnetId)
	require.Equal(t, []string{"sg-1"}, cards.NetworkInterfaces[0].Groups)
	require.True(t, *cards.NetworkInterfaces[0].AssociatePublicIpAddress)
	require.Equal(t, "subnet-2", *cards.NetworkInterfaces[1].SubnetId)
}

// An image has the root volume only, and a name that EC2 takes whatever its group is called.
func TestAnImageHasARootAndAName(t *testing.T) {
	machine := ec2types.Instance{
		RootDeviceName: aws.Ptr("/dev/xvda"), BlockDeviceMappings: []ec2types.InstanceBlockDeviceMapping{
			{DeviceName: aws.Ptr("/dev/xvda")}, {DeviceName: aws.Ptr("/dev/sdf")},
		},
	}
	left := aws.WithoutData(machine)
	require.Len(t, left, 2)
	require.Equal(t, "/dev/xvda", *left[0].DeviceName)
	require.True(t, *left[0].Ebs.DeleteOnTermination, "nobody's root outlives who is launched from it")
	require.Equal(t, "/dev/sdf", *left[1].DeviceName)
	require.NotNil(t, left[1].NoDevice)

	const token = "0f1e2d3c-0000-5000-8000-000000000000"
	for _, group := range []string{"web", "w+b & ünïcode", strings.Repeat("é", 255)} {
		name := aws.ImageName(patch.Group{AutoScalingGroup: group}, token)
		require.Regexp(t, `^[A-Za-z0-9()\[\] ./\-'@_]{3,128}$`, name)
		require.True(t, strings.HasSuffix(name, token))
	}
}
