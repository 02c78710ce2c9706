package services_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/stretchr/testify/require"
)

func many[T any](n int, of func(n int) T) []T {
	all := make([]T, n)
	for i := range all {
		all[i] = of(i)
	}
	return all
}

func groupTag(n int) astypes.Tag {
	return astypes.Tag{
		Key: aws.String(fmt.Sprintf("k%d", n)), Value: aws.String("v"), ResourceId: aws.String("web"),
		ResourceType: aws.String("auto-scaling-group"),
	}
}

// What clients of Auto Scaling met here and not on AWS, each by what AWS answers (API reference and user guide).
func TestWhatClientsOfAutoScalingMet(t *testing.T) {
	a := inAccount(t, "healthy", "111122223333")
	client, compute := autoscaling.NewFromConfig(a.config), ec2.NewFromConfig(a.config)
	failed := func(_ any, err error) error { return err }
	_, err := compute.CreateLaunchTemplate(ctx, &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String("met"),
		LaunchTemplateData: &types.RequestLaunchTemplateData{ImageId: aws.String("ami-0a1b2c3d4e5f60023")},
	})
	require.NoError(t, err)
	create := func(change func(*autoscaling.CreateAutoScalingGroupInput)) error {
		in := &autoscaling.CreateAutoScalingGroupInput{
			AutoScalingGroupName: aws.String("met"), MinSize: aws.Int32(0), MaxSize: aws.Int32(1),
			AvailabilityZones: []string{"ap-northeast-1a"},
			LaunchTemplate:    &astypes.LaunchTemplateSpecification{LaunchTemplateName: aws.String("met")},
		}
		change(in)
		return failed(client.CreateAutoScalingGroup(ctx, in))
	}
	plan := func(name string, at time.Time) error {
		return failed(client.PutScheduledUpdateGroupAction(ctx, &autoscaling.PutScheduledUpdateGroupActionInput{
			AutoScalingGroupName: aws.String("web"), ScheduledActionName: &name, StartTime: &at, DesiredCapacity: aws.Int32(4),
		}))
	}
	many101 := aws.Int32(101)
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"101 names of groups", failed(client.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{
			AutoScalingGroupNames: many(101, func(n int) string { return fmt.Sprint("g", n) }),
		})), "ValidationError"},
		{"101 groups a page", failed(client.DescribeAutoScalingGroups(
			ctx, &autoscaling.DescribeAutoScalingGroupsInput{MaxRecords: many101},
		)), "ValidationError"},
		{"51 instances a page", failed(client.DescribeAutoScalingInstances(
			ctx, &autoscaling.DescribeAutoScalingInstancesInput{MaxRecords: aws.Int32(51)},
		)), "ValidationError"},
		{"101 activities a page", failed(client.DescribeScalingActivities(
			ctx, &autoscaling.DescribeScalingActivitiesInput{MaxRecords: many101},
		)), "ValidationError"},
		{"101 tags a page", failed(client.DescribeTags(
			ctx, &autoscaling.DescribeTagsInput{MaxRecords: many101},
		)), "ValidationError"},
		{"a health check that is none", create(func(in *autoscaling.CreateAutoScalingGroupInput) {
			in.HealthCheckType = aws.String("FOO")
		}), "ValidationError"},
		{"a reserved tag", create(func(in *autoscaling.CreateAutoScalingGroupInput) {
			in.Tags = []astypes.Tag{{Key: aws.String("aws:x"), Value: aws.String("v")}}
		}), "ValidationError"},
		{"a zone elsewhere", create(func(in *autoscaling.CreateAutoScalingGroupInput) {
			in.AvailabilityZones = []string{"us-east-1a"}
		}), "ValidationError"},
		{"a subnet that is none", create(func(in *autoscaling.CreateAutoScalingGroupInput) {
			in.AvailabilityZones, in.VPCZoneIdentifier = nil, aws.String("subnet-none")
		}), "ValidationError"},
		{"subnets", create(func(in *autoscaling.CreateAutoScalingGroupInput) {
			in.AvailabilityZones, in.VPCZoneIdentifier = nil, aws.String("subnet-0111122223333000a,subnet-0111122223333000c")
		}), ""},
		{"50 tags", failed(client.CreateOrUpdateTags(ctx, &autoscaling.CreateOrUpdateTagsInput{
			Tags: many(40, groupTag),
		})), ""},
		{"tags beyond 50", failed(client.CreateOrUpdateTags(ctx, &autoscaling.CreateOrUpdateTagsInput{
			Tags: many(51, groupTag),
		})), "LimitExceeded"},
		{"an action", plan("one", a.now.Add(time.Hour)), ""},
		{"another at the same time", plan("two", a.now.Add(time.Hour)), "AlreadyExists"},
	} {
		t.Run(c.name, func(t *testing.T) { refusedOr(t, c.want, c.err) })
	}
	made, err := client.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{
		AutoScalingGroupNames: []string{"met"},
	})
	require.NoError(t, err)
	require.Equal(t, "subnet-0111122223333000a,subnet-0111122223333000c", *made.AutoScalingGroups[0].VPCZoneIdentifier)
	require.Equal(t, []string{"ap-northeast-1a", "ap-northeast-1c"}, made.AutoScalingGroups[0].AvailabilityZones)
}

func TestGroupsComeFiftyAPage(t *testing.T) {
	a := inAccount(t, "healthy", "111122223333")
	client, compute := autoscaling.NewFromConfig(a.config), ec2.NewFromConfig(a.config)
	_, err := compute.CreateLaunchTemplate(ctx, &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String("met"),
		LaunchTemplateData: &types.RequestLaunchTemplateData{ImageId: aws.String("ami-0a1b2c3d4e5f60023")},
	})
	require.NoError(t, err)
	for n := range 55 {
		a.pass(time.Second)
		_, err := client.CreateAutoScalingGroup(ctx, &autoscaling.CreateAutoScalingGroupInput{
			AutoScalingGroupName: aws.String(fmt.Sprintf("g%d", n)), MinSize: aws.Int32(0), MaxSize: aws.Int32(0),
			AvailabilityZones: []string{"ap-northeast-1a"},
			LaunchTemplate:    &astypes.LaunchTemplateSpecification{LaunchTemplateName: aws.String("met")},
		})
		require.NoError(t, err)
	}
	page, err := client.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{})
	require.NoError(t, err)
	require.Len(t, page.AutoScalingGroups, 50)
	require.NotNil(t, page.NextToken)
}

// What clients of EC2 met here and not on AWS, each by what AWS answers (EC2's error codes page and API reference).
func TestWhatClientsOfEC2Met(t *testing.T) {
	a := inAccount(t, "healthy", "111122223333")
	client := ec2.NewFromConfig(a.config)
	failed := func(_ any, err error) error { return err }
	image, id := aws.String("ami-0a1b2c3d4e5f60023"), instanceIDs(t, a)[0]
	group := func(name string) *string {
		made, err := client.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{
			GroupName: &name, Description: aws.String("x"),
		})
		require.NoError(t, err)
		return made.GroupId
	}
	first, second := group("first"), group("second")
	allow := func(permission types.IpPermission) error {
		permission.IpProtocol = aws.String("tcp")
		return failed(client.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{
			GroupId: second, IpPermissions: []types.IpPermission{permission},
		}))
	}
	ports := func(from, to int32) types.IpPermission {
		return types.IpPermission{
			FromPort: &from, ToPort: &to, IpRanges: []types.IpRange{{CidrIp: aws.String("10.0.0.0/8")}},
		}
	}
	tags := func(n int) []types.Tag {
		return many(n, func(n int) types.Tag { return types.Tag{Key: aws.String(fmt.Sprint(n)), Value: aws.String("v")} })
	}
	run := func(change func(*ec2.RunInstancesInput)) error {
		in := &ec2.RunInstancesInput{ImageId: image, MinCount: aws.Int32(1), MaxCount: aws.Int32(1)}
		change(in)
		return failed(client.RunInstances(ctx, in))
	}
	template := func(token string) (string, error) {
		made, err := client.CreateLaunchTemplate(ctx, &ec2.CreateLaunchTemplateInput{
			LaunchTemplateName: aws.String("met"), ClientToken: &token,
			LaunchTemplateData: &types.RequestLaunchTemplateData{ImageId: image},
		})
		if err != nil {
			return "", err
		}
		return *made.LaunchTemplate.LaunchTemplateId, nil
	}
	tag := func(tags ...types.Tag) error {
		return failed(client.CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{id}, Tags: tags}))
	}
	one, err := template("token")
	require.NoError(t, err)
	again, err := template("token")
	require.NoError(t, err)
	require.Equal(t, one, again, "the same client token is the same template")
	a.pass(time.Minute)
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"a template that is none", failed(client.DescribeLaunchTemplates(ctx, &ec2.DescribeLaunchTemplatesInput{
			LaunchTemplateIds: []string{"lt-00000000000000000"},
		})), "InvalidLaunchTemplateId.NotFound"},
		{"an image that is none", failed(client.DescribeImages(ctx, &ec2.DescribeImagesInput{
			ImageIds: []string{"ami-00000000000000000"},
		})), "InvalidAMIID.NotFound"},
		{"an id that is none", failed(client.DescribeInstances(ctx, &ec2.DescribeInstancesInput{
			InstanceIds: []string{"i-xyz"},
		})), "InvalidInstanceID.Malformed"},
		{"a type that is none", failed(client.DescribeInstanceTypes(ctx, &ec2.DescribeInstanceTypesInput{
			InstanceTypes: []types.InstanceType{"foo.bar"},
		})), "InvalidInstanceType"},
		{"tags of volumes too", run(func(in *ec2.RunInstancesInput) {
			in.TagSpecifications = []types.TagSpecification{
				{ResourceType: types.ResourceTypeInstance, Tags: tags(1)}, {ResourceType: types.ResourceTypeVolume, Tags: tags(1)},
			}
		}), ""},
		{"51 tags", run(func(in *ec2.RunInstancesInput) {
			in.TagSpecifications = []types.TagSpecification{{ResourceType: types.ResourceTypeInstance, Tags: tags(51)}}
		}), "TagLimitExceeded"},
		{"a subnet", run(func(in *ec2.RunInstancesInput) { in.SubnetId = aws.String("subnet-0111122223333000c") }), ""},
		{"a subnet that is none", run(func(in *ec2.RunInstancesInput) {
			in.SubnetId = aws.String("subnet-00000000000000000")
		}), "InvalidSubnetID.NotFound"},
		{"a template", run(func(in *ec2.RunInstancesInput) {
			in.ImageId, in.LaunchTemplate = nil, &types.LaunchTemplateSpecification{LaunchTemplateId: &one}
		}), ""},
		{"ports the wrong way round", allow(ports(90, 80)), "InvalidParameterValue"},
		{"a port beyond all", allow(ports(1, 70000)), "InvalidParameterValue"},
		{"a reference", allow(types.IpPermission{
			FromPort: aws.Int32(1), ToPort: aws.Int32(1), UserIdGroupPairs: []types.UserIdGroupPair{{GroupId: first}},
		}), ""},
		{"a group that is referred to", failed(client.DeleteSecurityGroup(
			ctx, &ec2.DeleteSecurityGroupInput{GroupId: first},
		)), "DependencyViolation"},
		{"a key twice", tag(tags(1)[0], tags(1)[0]), "InvalidParameterValue"},
		{
			"a key too long", tag(types.Tag{Key: aws.String(strings.Repeat("k", 129)), Value: aws.String("")}),
			"InvalidParameterValue",
		},
		{"a volume in no zone", failed(client.CreateVolume(ctx, &ec2.CreateVolumeInput{
			AvailabilityZone: aws.String("mars-1a"), Size: aws.Int32(8),
		})), "InvalidZone.NotFound"},
	} {
		t.Run(c.name, func(t *testing.T) { refusedOr(t, c.want, c.err) })
	}
	volume, err := client.CreateVolume(ctx, &ec2.CreateVolumeInput{
		AvailabilityZone: aws.String("ap-northeast-1a"), Size: aws.Int32(8), VolumeType: types.VolumeTypeIo2,
	})
	require.NoError(t, err)
	require.Equal(t, types.VolumeTypeIo2, volume.VolumeType)
	described, err := client.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
	require.NoError(t, err)
	shown := described.Reservations[0].Instances[0]
	require.NotEmpty(t, *shown.SubnetId+*shown.PrivateDnsName)
	require.NotNil(t, shown.Monitoring)
	require.NotNil(t, shown.MetadataOptions)
	require.NotNil(t, shown.SourceDestCheck)
	for _, filters := range [][]types.Filter{
		{filter("reservation-id", *described.Reservations[0].ReservationId)},
		{filter("vpc-id", *shown.VpcId)},
		{filter("subnet-id", *shown.SubnetId)},
	} {
		found, err := client.DescribeInstances(ctx, &ec2.DescribeInstancesInput{Filters: filters})
		require.NoError(t, err)
		require.NotEmpty(t, found.Reservations)
	}
	for name, count := range map[string]int{"architecture=x86_64": 1, "root-device-type=ebs": 1, "owner-alias=amazon": 0} {
		key, value, _ := strings.Cut(name, "=")
		found, err := client.DescribeImages(ctx, &ec2.DescribeImagesInput{Filters: []types.Filter{filter(key, value)}})
		require.NoError(t, err)
		require.Equal(t, count > 0, len(found.Images) > 0, name)
	}
	subnets, err := client.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{})
	require.NoError(t, err)
	vpcs, err := client.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{})
	require.NoError(t, err)
	require.Equal(t, *vpcs.Vpcs[0].VpcId, *subnets.Subnets[0].VpcId)
}

// Source: EBS quotas, "Concurrent snapshots per General Purpose SSD volume".
func TestASixthPendingSnapshotIsRefused(t *testing.T) {
	a := withScenario(t, "extends: healthy\ndurations: {snapshot: 1h}\n", "111122223333")
	client := ec2.NewFromConfig(a.config)
	volumes, err := client.DescribeVolumes(ctx, &ec2.DescribeVolumesInput{})
	require.NoError(t, err)
	for n := range 6 {
		_, err := client.CreateSnapshot(ctx, &ec2.CreateSnapshotInput{VolumeId: volumes.Volumes[0].VolumeId})
		refusedOr(t, map[bool]string{true: "ConcurrentSnapshotLimitExceeded"}[n == 5], err)
		a.pass(16 * time.Second)
	}
}

// An instance keeps what it was launched from when its group gets another template (user guide, instance refresh).
func TestAnInstanceShowsTheTemplateItWasLaunchedFrom(t *testing.T) {
	a := inAccount(t, "healthy", "111122223333")
	client, compute := autoscaling.NewFromConfig(a.config), ec2.NewFromConfig(a.config)
	for _, name := range []string{"old", "new"} {
		_, err := compute.CreateLaunchTemplate(ctx, &ec2.CreateLaunchTemplateInput{
			LaunchTemplateName: &name,
			LaunchTemplateData: &types.RequestLaunchTemplateData{ImageId: aws.String("ami-0a1b2c3d4e5f60023")},
		})
		require.NoError(t, err)
	}
	group := aws.String("met")
	_, err := client.CreateAutoScalingGroup(ctx, &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: group, MinSize: aws.Int32(1), MaxSize: aws.Int32(1), AvailabilityZones: []string{"ap-northeast-1a"},
		LaunchTemplate: &astypes.LaunchTemplateSpecification{LaunchTemplateName: aws.String("old")},
	})
	require.NoError(t, err)
	a.pass(5 * time.Minute)
	_, err = client.UpdateAutoScalingGroup(ctx, &autoscaling.UpdateAutoScalingGroupInput{
		AutoScalingGroupName: group, LaunchTemplate: &astypes.LaunchTemplateSpecification{LaunchTemplateName: aws.String("new")},
	})
	require.NoError(t, err)
	out, err := client.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{
		AutoScalingGroupNames: []string{"met"},
	})
	require.NoError(t, err)
	shown := out.AutoScalingGroups[0]
	require.Equal(t, "new", *shown.LaunchTemplate.LaunchTemplateName)
	require.Equal(t, "old 1", *shown.Instances[0].LaunchTemplate.LaunchTemplateName+" "+
		*shown.Instances[0].LaunchTemplate.Version)
}

// What clients of Elastic Load Balancing and CloudWatch met here and not on AWS (API references).
func TestWhatClientsOfLoadBalancingMet(t *testing.T) {
	a := inAccount(t, "healthy", "111122223333")
	client, watch := elb.NewFromConfig(a.config), cloudwatch.NewFromConfig(a.config)
	failed := func(_ any, err error) error { return err }
	create := func(name string, kind elbtypes.TargetTypeEnum, port int32) (*string, error) {
		made, err := client.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
			Name: &name, Protocol: elbtypes.ProtocolEnumHttp, Port: &port, VpcId: aws.String("vpc-01111222233330000"),
			TargetType: kind,
		})
		if err != nil {
			return nil, err
		}
		return made.TargetGroups[0].TargetGroupArn, nil
	}
	byInstance, err := create("met", elbtypes.TargetTypeEnumInstance, 80)
	require.NoError(t, err)
	byAddress, err := create("met-ip", elbtypes.TargetTypeEnumIp, 80)
	require.NoError(t, err)
	balancers, err := client.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{})
	require.NoError(t, err)
	target := func(id string) []elbtypes.TargetDescription { return []elbtypes.TargetDescription{{Id: &id}} }
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"the same group again", failed(create("met", elbtypes.TargetTypeEnumInstance, 80)), ""},
		{"with another port", failed(create("met", elbtypes.TargetTypeEnumInstance, 81)), "DuplicateTargetGroupName"},
		{"an underscore", failed(create("a_b", elbtypes.TargetTypeEnumInstance, 80)), "ValidationError"},
		{"21 groups", failed(client.DescribeTargetGroups(ctx, &elb.DescribeTargetGroupsInput{
			TargetGroupArns: slices.Repeat([]string{*byInstance}, 21),
		})), "ValidationError"},
		{"no ARN", failed(client.DescribeTargetGroups(ctx, &elb.DescribeTargetGroupsInput{
			TargetGroupArns: []string{"foo"},
		})), "ValidationError"},
		{"who is not registered leaves", failed(client.DeregisterTargets(ctx, &elb.DeregisterTargetsInput{
			TargetGroupArn: byInstance, Targets: target(instanceIDs(t, a)[0]),
		})), ""},
		{"an address that nobody has", failed(client.RegisterTargets(ctx, &elb.RegisterTargetsInput{
			TargetGroupArn: byAddress, Targets: target("10.0.0.250"),
		})), ""},
		{"an address elsewhere", failed(client.RegisterTargets(ctx, &elb.RegisterTargetsInput{
			TargetGroupArn: byAddress, Targets: target("192.0.2.1"),
		})), "InvalidTarget"},
		{"stickiness", failed(client.ModifyTargetGroupAttributes(ctx, &elb.ModifyTargetGroupAttributesInput{
			TargetGroupArn: byInstance, Attributes: []elbtypes.TargetGroupAttribute{
				{Key: aws.String("stickiness.enabled"), Value: aws.String("true")},
			},
		})), ""},
		{"tags of a load balancer", failed(client.DescribeTags(ctx, &elb.DescribeTagsInput{
			ResourceArns: []string{*balancers.LoadBalancers[0].LoadBalancerArn},
		})), ""},
		{"alarms are silenced", failed(watch.DisableAlarmActions(
			ctx, &cloudwatch.DisableAlarmActionsInput{AlarmNames: []string{"web-5xx"}},
		)), ""},
	} {
		t.Run(c.name, func(t *testing.T) { refusedOr(t, c.want, c.err) })
	}
	silent, err := watch.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"web-5xx"}})
	require.NoError(t, err)
	require.False(t, *silent.MetricAlarms[0].ActionsEnabled)
}
