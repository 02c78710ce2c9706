package awssim

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
)

func TestTargetsOfStandaloneInstances(t *testing.T) {
	l := newLab(t, "healthy")
	c, ctx := newClients(l.in(staging)), context.Background()
	groups, err := c.elb.DescribeTargetGroups(ctx, &elb.DescribeTargetGroupsInput{})
	require.NoError(t, err)
	arn := groups.TargetGroups[0].TargetGroupArn
	health, err := c.elb.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: arn})
	require.NoError(t, err)
	require.Len(t, health.TargetHealthDescriptions, 2)
	target := []elbtypes.TargetDescription{*health.TargetHealthDescriptions[0].Target}
	state := func() elbtypes.TargetHealthStateEnum {
		out, err := c.elb.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: arn, Targets: target})
		require.NoError(t, err)
		return out.TargetHealthDescriptions[0].TargetHealth.State
	}
	_, err = c.elb.DeregisterTargets(ctx, &elb.DeregisterTargetsInput{TargetGroupArn: arn, Targets: target})
	require.NoError(t, err)
	require.EqualValues(t, "draining", state())
	l.pass(31 * time.Second)
	require.EqualValues(t, "unused", state())
	_, err = c.elb.DeregisterTargets(ctx, &elb.DeregisterTargetsInput{TargetGroupArn: arn, Targets: target})
	require.NoError(t, err, "what is not registered is deregistered")
	_, err = c.elb.RegisterTargets(ctx, &elb.RegisterTargetsInput{TargetGroupArn: arn, Targets: target})
	require.NoError(t, err)
	require.EqualValues(t, "initial", state())
	l.pass(21 * time.Second)
	require.EqualValues(t, "healthy", state())
	require.Equal(t, 1, l.MaxOutOfService(staging, tokyo, "Role=web"))
	attributes, err := c.elb.DescribeTargetGroupAttributes(
		ctx, &elb.DescribeTargetGroupAttributesInput{TargetGroupArn: arn},
	)
	require.NoError(t, err)
	require.Equal(t, "30", *attributes.Attributes[0].Value)
}

func TestRebootOfAServingInstanceIsMeasured(t *testing.T) {
	f := newFleet(t)
	f.suspend("HealthCheck")
	_, err := f.ec2.RebootInstances(f.ctx, &ec2.RebootInstancesInput{InstanceIds: f.ids()[:2]})
	require.NoError(t, err)
	f.pass(5 * time.Minute)
	require.Equal(t, 2, f.MaxOutOfService(production, tokyo, "web"))
	timeline := f.Timeline()
	require.Equal(t, "web", timeline[len(timeline)-1].Group)
	require.Len(t, timeline[len(timeline)-1].Points, 4)
}

func TestAlarmFollowsTheApplication(t *testing.T) {
	l := newLab(t, "bad-patch") // its patch breaks the application of production
	f := &fleet{lab: l, clients: l.production(), t: t, ctx: context.Background()}
	f.suspend("HealthCheck")
	id := f.ids()[0]
	alarm := func() types.MetricAlarm {
		out, err := f.watch.DescribeAlarms(f.ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"web-5xx"}})
		require.NoError(t, err)
		return out.MetricAlarms[0]
	}
	require.Equal(t, types.StateValueOk, alarm().StateValue)
	baseline, err := f.ssm.CreatePatchBaseline(f.ctx, &ssm.CreatePatchBaselineInput{
		Name: aws.String("everything"), OperatingSystem: ssmtypes.OperatingSystemAmazonLinux2023,
		ApprovalRules: &ssmtypes.PatchRuleGroup{PatchRules: []ssmtypes.PatchRule{{
			ApproveAfterDays: aws.Int32(0),
			PatchFilterGroup: &ssmtypes.PatchFilterGroup{
				PatchFilters: []ssmtypes.PatchFilter{{Key: ssmtypes.PatchFilterKeySeverity, Values: []string{"*"}}},
			},
		}}},
	})
	require.NoError(t, err)
	_, err = f.ssm.RegisterPatchBaselineForPatchGroup(
		f.ctx,
		&ssm.RegisterPatchBaselineForPatchGroupInput{
			BaselineId: baseline.BaselineId, PatchGroup: aws.String("amazon-linux-2023"),
		},
	)
	require.NoError(t, err)
	_, err = f.ssm.SendCommand(f.ctx, &ssm.SendCommandInput{
		DocumentName: aws.String("AWS-RunPatchBaseline"), InstanceIds: []string{id},
		Parameters: map[string][]string{"Operation": {"Install"}, "RebootOption": {"NoReboot"}},
	})
	require.NoError(t, err)
	f.pass(100 * time.Second)
	require.Equal(t, types.StateValueOk, alarm().StateValue, "two periods have not passed")
	f.pass(10 * time.Minute)
	raised := alarm()
	require.Equal(t, types.StateValueAlarm, raised.StateValue)
	require.True(
		t, raised.StateTransitionedTimestamp.Before(f.now.Add(-7*time.Minute)),
		"the moment of the change, not of the question",
	)
	require.Equal(t, "unhealthy", f.target(id))

	_, err = f.scaling.TerminateInstanceInAutoScalingGroup(
		f.ctx,
		&autoscaling.TerminateInstanceInAutoScalingGroupInput{
			InstanceId: &id, ShouldDecrementDesiredCapacity: aws.Bool(true),
		},
	)
	require.NoError(t, err)
	f.pass(10 * time.Minute)
	require.Equal(t, types.StateValueOk, alarm().StateValue)
	require.Equal(t, 1, f.MaxOutOfService(production, tokyo, "web"))
}

// A target group without health checks knows nothing of its targets, and they get requests all the same.
func TestTargetsWithoutHealthChecks(t *testing.T) {
	f := fleetWith(
		t, strings.Replace(groupOf(""), "load_balancer: web}", "load_balancer: web, health_checks_disabled: true}", 1),
	)
	groups, err := f.elb.DescribeTargetGroups(f.ctx, &elb.DescribeTargetGroupsInput{})
	require.NoError(t, err)
	require.False(t, *groups.TargetGroups[0].HealthCheckEnabled)
	id := f.ids()[0]
	require.Equal(t, "unavailable", f.target(id))
	require.NoError(t, f.enter(id, true))
	f.pass(time.Minute)
	require.Equal(t, "Standby", f.lifecycle(id))
	require.NoError(t, f.exit(id))
	f.pass(10 * time.Minute)
	require.Equal(t, "unavailable", f.target(id), "it never becomes healthy")
	require.Equal(t, "InService", f.lifecycle(id))
	require.Equal(t, 1, f.MaxOutOfService(production, tokyo, "web"))
}

func TestUnhealthyTargetsKeepTheirConnectionsForAWhile(t *testing.T) {
	f := fleetWith(
		t, strings.Replace(groupOf(""), "load_balancer: web}", "load_balancer: web, unhealthy_threshold: 2}", 1),
	)
	f.suspend("ReplaceUnhealthy")
	_, err := f.elb.ModifyTargetGroupAttributes(f.ctx, &elb.ModifyTargetGroupAttributesInput{
		TargetGroupArn: &f.group().TargetGroupARNs[0], Attributes: []elbtypes.TargetGroupAttribute{
			{Key: aws.String("target_health_state.unhealthy.draining_interval_seconds"), Value: aws.String("45")},
		},
	})
	require.NoError(t, err)
	id := f.ids()[0]
	reboot := func() { // its application is away for a minute and more
		f.Inspect(func(w *world.World) {
			require.NoError(t, w.Account(production).Region(tokyo).Instance(id).Reboot())
		})
	}
	reboot()
	f.pass(21 * time.Second)
	require.Equal(t, "unhealthy.draining", f.target(id))
	require.Equal(t, "Unhealthy", f.health(id), "Auto Scaling sees what it is")
	f.pass(45 * time.Second)
	require.Equal(t, "unhealthy", f.target(id))
	f.pass(2 * time.Minute)
	require.Equal(t, "healthy", f.target(id))
	reboot()
	f.pass(21 * time.Second)
	require.Equal(t, "unhealthy.draining", f.target(id))
}
