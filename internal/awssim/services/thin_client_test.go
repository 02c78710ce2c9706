package services_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/stretchr/testify/require"
)

// listener keeps what was on the wire.
type listener struct {
	next aws.HTTPClient
	body []byte
}

func (l *listener) Do(request *http.Request) (*http.Response, error) {
	response, err := l.next.Do(request)
	if err != nil {
		return nil, err
	}
	l.body, err = io.ReadAll(response.Body)
	response.Body = io.NopCloser(bytes.NewReader(l.body))
	return response, err
}

// AWS spells a list that is empty: an empty element, or []. Clients in languages that see what was sent (boto3, the
// CLI's jq) read the key without asking whether it is there; Go's cannot tell.
func TestEmptyListsAreOnTheWire(t *testing.T) {
	a := staging(t, "healthy")
	heard := &listener{next: a.config.HTTPClient}
	config := a.config.Copy()
	config.HTTPClient = heard
	failed := func(_ any, err error) error { return err }
	none := []ec2types.Filter{filter("tag:none", "none")}
	compute, manager := ec2.NewFromConfig(config), ssm.NewFromConfig(config)
	scaling, id := autoscaling.NewFromConfig(config), instanceIDs(t, a)[0]
	queue := newQueue(t, sqs.NewFromConfig(config), "empty", nil)
	for _, c := range []struct {
		name string
		call func() error
		want []string
		not  string
	}{
		{"instances", func() error {
			return failed(compute.DescribeInstances(ctx, &ec2.DescribeInstancesInput{Filters: none}))
		}, []string{"<reservationSet></reservationSet>"}, ""},
		{"status", func() error {
			return failed(compute.DescribeInstanceStatus(ctx, &ec2.DescribeInstanceStatusInput{
				Filters: []ec2types.Filter{filter("instance-state-name", "stopped")},
			}))
		}, []string{"<instanceStatusSet></instanceStatusSet>"}, ""},
		{"volumes", func() error {
			return failed(compute.DescribeVolumes(ctx, &ec2.DescribeVolumesInput{Filters: none}))
		}, []string{"<volumeSet></volumeSet>"}, ""},
		{"snapshots", func() error {
			return failed(compute.DescribeSnapshots(ctx, &ec2.DescribeSnapshotsInput{}))
		}, []string{"<snapshotSet></snapshotSet>"}, ""},
		{"security groups", func() error {
			return failed(compute.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{Filters: none}))
		}, []string{"<securityGroupInfo></securityGroupInfo>"}, ""},
		{"images", func() error {
			return failed(compute.DescribeImages(ctx, &ec2.DescribeImagesInput{Filters: none}))
		}, []string{"<imagesSet></imagesSet>"}, ""},
		{"tags", func() error {
			return failed(compute.DescribeTags(ctx, &ec2.DescribeTagsInput{Filters: []ec2types.Filter{filter("key", "none")}}))
		}, []string{"<tagSet></tagSet>"}, ""},
		{"groups", func() error {
			return failed(scaling.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{
				AutoScalingGroupNames: []string{"none"},
			}))
		}, []string{"<AutoScalingGroups></AutoScalingGroups>"}, ""},
		{"activities", func() error {
			return failed(scaling.DescribeScalingActivities(ctx, &autoscaling.DescribeScalingActivitiesInput{}))
		}, []string{"<Activities></Activities>"}, ""},
		{"policies", func() error {
			return failed(scaling.DescribePolicies(ctx, &autoscaling.DescribePoliciesInput{}))
		}, []string{"<ScalingPolicies></ScalingPolicies>"}, ""},
		{"stacks", func() error {
			return failed(cloudformation.NewFromConfig(config).DescribeStacks(ctx, &cloudformation.DescribeStacksInput{}))
		}, []string{"<Stacks></Stacks>"}, ""},
		{"topics", func() error {
			return failed(sns.NewFromConfig(config).ListTopics(ctx, &sns.ListTopicsInput{}))
		}, []string{"<Topics></Topics>"}, ""},
		{"balancers", func() error {
			return failed(elb.NewFromConfig(config).DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{}))
		}, []string{"LoadBalancers>"}, ""},
		{"executions", func() error {
			return failed(manager.DescribeAutomationExecutions(ctx, &ssm.DescribeAutomationExecutionsInput{}))
		}, []string{`"AutomationExecutionMetadataList":[]`}, ""},
		{"patch states", func() error {
			return failed(manager.DescribeInstancePatchStates(
				ctx, &ssm.DescribeInstancePatchStatesInput{InstanceIds: []string{id}},
			))
		}, []string{`"InstancePatchStates":[]`}, ""},
		{"patches", func() error {
			return failed(manager.DescribeInstancePatches(ctx, &ssm.DescribeInstancePatchesInput{InstanceId: &id}))
		}, []string{`"Patches":[]`}, ""},
		{"windows", func() error {
			return failed(manager.DescribeMaintenanceWindows(ctx, &ssm.DescribeMaintenanceWindowsInput{}))
		}, []string{`"WindowIdentities":[`}, ""},
		{"commands", func() error {
			return failed(manager.ListCommandInvocations(ctx, &ssm.ListCommandInvocationsInput{}))
		}, []string{`"CommandInvocations":[]`}, ""},
		{"parameters", func() error {
			return failed(manager.GetParameters(ctx, &ssm.GetParametersInput{Names: []string{"/none"}}))
		}, []string{`"Parameters":[]`, `"InvalidParameters":["/none"]`}, ""},
		{"messages, which SQS leaves out", func() error {
			return failed(sqs.NewFromConfig(config).ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: queue}))
		}, nil, "Messages"},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.NoError(t, c.call())
			for _, want := range c.want {
				require.Contains(t, string(heard.body), want)
			}
			if c.not != "" {
				require.NotContains(t, string(heard.body), c.not)
			}
		})
	}
}

// Source: API reference of SetDesiredCapacity, HonorCooldown; user guide, "Scaling cooldowns".
func TestACooldownIsHonouredByWhoAsks(t *testing.T) {
	a := inAccount(t, "healthy", "111122223333")
	client, web := autoscaling.NewFromConfig(a.config), aws.String("web")
	set := func(desired int32, honour *bool) error {
		_, err := client.SetDesiredCapacity(ctx, &autoscaling.SetDesiredCapacityInput{
			AutoScalingGroupName: web, DesiredCapacity: &desired, HonorCooldown: honour,
		})
		return err
	}
	cooldown := func(seconds int32) {
		_, err := client.UpdateAutoScalingGroup(ctx, &autoscaling.UpdateAutoScalingGroupInput{
			AutoScalingGroupName: web, DefaultCooldown: &seconds,
		})
		require.NoError(t, err)
	}
	cooldown(300)
	require.NoError(t, set(3, aws.Bool(true)), "nothing was scaled for a day")
	require.Equal(t, "ScalingActivityInProgress", code(t, set(4, aws.Bool(true))), "an instance is being terminated")
	a.pass(4 * time.Minute)
	require.Equal(t, "ScalingActivityInProgress", code(t, set(4, aws.Bool(true))), "it cools down")
	require.NoError(t, set(4, nil), "who does not ask is not kept from it")
	a.pass(5 * time.Minute)
	require.Equal(t, "ScalingActivityInProgress", code(t, set(3, aws.Bool(true))))
	cooldown(0)
	require.NoError(t, set(3, aws.Bool(true)))
	a.pass(15 * time.Minute)
	cooldown(300)
	require.NoError(t, set(4, aws.Bool(true)))
}

// An API call either succeeds or changes nothing.
func TestARefusedUpdateChangesNothing(t *testing.T) {
	a := inAccount(t, "healthy", "111122223333")
	client, web := autoscaling.NewFromConfig(a.config), aws.String("web")
	describe := func() astypes.AutoScalingGroup {
		out, err := client.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{
			AutoScalingGroupNames: []string{"web"},
		})
		require.NoError(t, err)
		return out.AutoScalingGroups[0]
	}
	compute := ec2.NewFromConfig(a.config)
	_, err := compute.CreateLaunchTemplate(ctx, &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String("other"),
		LaunchTemplateData: &ec2types.RequestLaunchTemplateData{ImageId: aws.String("ami-0a1b2c3d4e5f60023")},
	})
	require.NoError(t, err)
	before := describe()
	for name, change := range map[string]func(*autoscaling.UpdateAutoScalingGroupInput){
		"sizes":   func(in *autoscaling.UpdateAutoScalingGroupInput) { in.MinSize = aws.Int32(99) },
		"desired": func(in *autoscaling.UpdateAutoScalingGroupInput) { in.DesiredCapacity = aws.Int32(99) },
		"a template": func(in *autoscaling.UpdateAutoScalingGroupInput) {
			in.LaunchTemplate.LaunchTemplateName = aws.String("none")
		},
		"a version":      func(in *autoscaling.UpdateAutoScalingGroupInput) { in.LaunchTemplate.Version = aws.String("7") },
		"a health check": func(in *autoscaling.UpdateAutoScalingGroupInput) { in.HealthCheckType = aws.String("FOO") },
		"a grace period": func(in *autoscaling.UpdateAutoScalingGroupInput) { in.HealthCheckGracePeriod = aws.Int32(-1) },
		"a cooldown":     func(in *autoscaling.UpdateAutoScalingGroupInput) { in.DefaultCooldown = aws.Int32(-1) },
		"zones":          func(in *autoscaling.UpdateAutoScalingGroupInput) { in.AvailabilityZones = []string{"us-east-1a"} },
		"subnets":        func(in *autoscaling.UpdateAutoScalingGroupInput) { in.VPCZoneIdentifier = aws.String("subnet-none") },
	} {
		t.Run(name, func(t *testing.T) {
			in := &autoscaling.UpdateAutoScalingGroupInput{
				AutoScalingGroupName: web, MinSize: aws.Int32(1), MaxSize: aws.Int32(9), DefaultCooldown: aws.Int32(11),
				HealthCheckGracePeriod: aws.Int32(12), HealthCheckType: aws.String("EC2"),
				NewInstancesProtectedFromScaleIn: aws.Bool(true),
				LaunchTemplate:                   &astypes.LaunchTemplateSpecification{LaunchTemplateName: aws.String("other")},
			}
			change(in)
			_, err := client.UpdateAutoScalingGroup(ctx, in)
			require.Equal(t, "ValidationError", code(t, err))
			require.Equal(t, before, describe())
		})
	}
	t.Run("rules of a security group", func(t *testing.T) {
		made, err := compute.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{
			GroupName: aws.String("whole"), Description: aws.String("x"),
		})
		require.NoError(t, err)
		allow := func(cidrs ...string) error {
			permission := ec2types.IpPermission{IpProtocol: aws.String("tcp"), FromPort: aws.Int32(80), ToPort: aws.Int32(80)}
			for _, cidr := range cidrs {
				permission.IpRanges = append(permission.IpRanges, ec2types.IpRange{CidrIp: &cidr})
			}
			_, err := compute.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{
				GroupId: made.GroupId, IpPermissions: []ec2types.IpPermission{permission},
			})
			return err
		}
		require.NoError(t, allow("10.0.0.0/8"))
		require.Equal(t, "InvalidPermission.Duplicate", code(t, allow("192.168.0.0/16", "10.0.0.0/8")))
		require.NoError(t, allow("192.168.0.0/16"), "the refused call did not add it")
	})
}
