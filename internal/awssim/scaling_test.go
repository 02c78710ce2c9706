package awssim

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
)

// fleet is the production group "web" of the healthy scenario: min 2, desired 4, max 6, deregistration delay 60 s, two
// health checks 10 s apart, grace 120 s.
type fleet struct {
	*lab
	clients
	t   *testing.T
	ctx context.Context
}

func newFleet(t *testing.T) *fleet {
	l := newLab(t, "healthy")
	return &fleet{lab: l, clients: l.production(), t: t, ctx: context.Background()}
}

func (f *fleet) group() astypes.AutoScalingGroup {
	f.t.Helper()
	out, err := f.scaling.DescribeAutoScalingGroups(
		f.ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{"web"}},
	)
	require.NoError(f.t, err)
	require.Len(f.t, out.AutoScalingGroups, 1)
	return out.AutoScalingGroups[0]
}

func (f *fleet) ids() []string {
	var ids []string
	for _, instance := range f.group().Instances {
		ids = append(ids, *instance.InstanceId)
	}
	return ids
}

// lifecycle is an instance's state in the group, "" when it is not listed.
func (f *fleet) lifecycle(id string) string {
	for _, instance := range f.group().Instances {
		if *instance.InstanceId == id {
			return string(instance.LifecycleState)
		}
	}
	return ""
}

func (f *fleet) health(id string) string {
	for _, instance := range f.group().Instances {
		if *instance.InstanceId == id {
			return *instance.HealthStatus
		}
	}
	return ""
}

func (f *fleet) target(id string) string {
	f.t.Helper()
	out, err := f.elb.DescribeTargetHealth(f.ctx, &elb.DescribeTargetHealthInput{
		TargetGroupArn: &f.group().TargetGroupARNs[0], Targets: []elbtypes.TargetDescription{{Id: &id}},
	})
	require.NoError(f.t, err)
	return string(out.TargetHealthDescriptions[0].TargetHealth.State)
}

func (f *fleet) enter(id string, decrement bool) error {
	_, err := f.scaling.EnterStandby(f.ctx, &autoscaling.EnterStandbyInput{
		AutoScalingGroupName: aws.String("web"), InstanceIds: []string{id}, ShouldDecrementDesiredCapacity: &decrement,
	})
	return err
}

func (f *fleet) exit(id string) error {
	_, err := f.scaling.ExitStandby(
		f.ctx, &autoscaling.ExitStandbyInput{AutoScalingGroupName: aws.String("web"), InstanceIds: []string{id}},
	)
	return err
}

func (f *fleet) suspend(processes ...string) {
	f.t.Helper()
	_, err := f.scaling.SuspendProcesses(
		f.ctx, &autoscaling.SuspendProcessesInput{AutoScalingGroupName: aws.String("web"), ScalingProcesses: processes},
	)
	require.NoError(f.t, err)
}

func (f *fleet) resume(processes ...string) {
	f.t.Helper()
	_, err := f.scaling.ResumeProcesses(
		f.ctx, &autoscaling.ResumeProcessesInput{AutoScalingGroupName: aws.String("web"), ScalingProcesses: processes},
	)
	require.NoError(f.t, err)
}

func (f *fleet) resize(change autoscaling.UpdateAutoScalingGroupInput) error {
	change.AutoScalingGroupName = aws.String("web")
	_, err := f.scaling.UpdateAutoScalingGroup(f.ctx, &change)
	return err
}

func TestStandbyRoundTrip(t *testing.T) {
	f := newFleet(t)
	id := f.ids()[0]
	require.NoError(t, f.enter(id, true))
	require.Equal(t, "EnteringStandby", f.lifecycle(id), "it drains first")
	require.Equal(t, "draining", f.target(id))
	require.EqualValues(t, 3, *f.group().DesiredCapacity)
	requireCode(t, f.enter(id, true), "ValidationError")
	requireCode(t, f.exit(id), "ValidationError")

	f.pass(61 * time.Second)
	require.Equal(t, "Standby", f.lifecycle(id))
	require.Equal(t, "unused", f.target(id))
	requireCode(t, f.enter(id, true), "ValidationError")

	require.NoError(t, f.exit(id))
	require.EqualValues(t, 4, *f.group().DesiredCapacity)
	require.Equal(t, "Pending", f.lifecycle(id))
	f.pass(16 * time.Second)
	require.Equal(t, "InService", f.lifecycle(id))
	require.Equal(t, "initial", f.target(id), "in service before the target group agrees")
	f.pass(20 * time.Second)
	require.Equal(t, "healthy", f.target(id))
	require.Len(t, f.ids(), 4)
	require.Equal(t, 1, f.MaxOutOfService(production, tokyo, "web"))
	require.Equal(t, 0, f.MaxOutOfService(staging, tokyo, "Role=web"))
}

func TestStandbyRules(t *testing.T) {
	for _, tc := range []struct {
		name string
		do   func(*fleet, []string) error
		code string
	}{
		{"not below min", func(f *fleet, ids []string) error {
			require.NoError(t, f.resize(autoscaling.UpdateAutoScalingGroupInput{MinSize: aws.Int32(4)}))
			return f.enter(ids[0], true)
		}, "ValidationError"},
		{"not a member", func(f *fleet, _ []string) error { return f.enter("i-0123456789abcdef0", true) }, "ValidationError"},
		{"not above max", func(f *fleet, ids []string) error {
			require.NoError(t, f.enter(ids[0], true))
			f.pass(61 * time.Second)
			f.group()
			require.NoError(t, f.resize(autoscaling.UpdateAutoScalingGroupInput{MaxSize: aws.Int32(3)}))
			return f.exit(ids[0])
		}, "ValidationError"},
		{"not while Launch is suspended", func(f *fleet, ids []string) error {
			require.NoError(t, f.enter(ids[0], true))
			f.pass(61 * time.Second)
			f.suspend("Launch")
			return f.exit(ids[0])
		}, "ValidationError"},
		{"several at once, one of them twice", func(f *fleet, ids []string) error {
			_, err := f.scaling.EnterStandby(f.ctx, &autoscaling.EnterStandbyInput{
				AutoScalingGroupName: aws.String("web"), InstanceIds: []string{ids[0], ids[0]},
				ShouldDecrementDesiredCapacity: aws.Bool(true),
			})
			return err
		}, "ValidationError"},
		{"min above max", func(f *fleet, _ []string) error {
			return f.resize(autoscaling.UpdateAutoScalingGroupInput{MinSize: aws.Int32(7)})
		}, "ValidationError"},
		{"no grace below nothing", func(f *fleet, _ []string) error {
			return f.resize(autoscaling.UpdateAutoScalingGroupInput{HealthCheckGracePeriod: aws.Int32(-1)})
		}, "ValidationError"},
		{"desired above max", func(f *fleet, _ []string) error {
			_, err := f.scaling.SetDesiredCapacity(
				f.ctx, &autoscaling.SetDesiredCapacityInput{AutoScalingGroupName: aws.String("web"), DesiredCapacity: aws.Int32(7)},
			)
			return err
		}, "ValidationError"},
		{"unknown process", func(f *fleet, _ []string) error {
			_, err := f.scaling.SuspendProcesses(
				f.ctx,
				&autoscaling.SuspendProcessesInput{AutoScalingGroupName: aws.String("web"), ScalingProcesses: []string{"Lunch"}},
			)
			return err
		}, "ValidationError"},
		{"cooldown honoured while something is under way", func(f *fleet, ids []string) error {
			require.NoError(t, f.enter(ids[0], true))
			_, err := f.scaling.SetDesiredCapacity(
				f.ctx,
				&autoscaling.SetDesiredCapacityInput{
					AutoScalingGroupName: aws.String("web"), DesiredCapacity: aws.Int32(3), HonorCooldown: aws.Bool(true),
				},
			)
			return err
		}, "ScalingActivityInProgress"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFleet(t)
			requireCode(t, tc.do(f, f.ids()), tc.code)
		})
	}
}

func TestStandbyWithoutDecrementLaunchesReplacement(t *testing.T) {
	f := newFleet(t)
	ids := f.ids()
	require.NoError(t, f.enter(ids[0], false))
	f.pass(3 * time.Minute)
	require.Len(t, f.ids(), 5)
	require.EqualValues(t, 4, *f.group().DesiredCapacity)
	require.Equal(t, "Standby", f.lifecycle(ids[0]))
	fresh := f.ids()[4]
	require.Equal(t, "InService", f.lifecycle(fresh))
	require.Equal(t, "healthy", f.target(fresh))
	require.Equal(t, 1, f.MaxOutOfService(production, tokyo, "web"), "the launch never counts as an outage")
}

func TestUnhealthyIsStickyAndReplacedOnResume(t *testing.T) {
	f := newFleet(t)
	id := f.ids()[0]
	f.suspend("ReplaceUnhealthy")
	_, err := f.ec2.StopInstances(f.ctx, &ec2.StopInstancesInput{InstanceIds: []string{id}})
	require.NoError(t, err)
	f.pass(time.Minute)
	f.group()
	require.Equal(t, "Unhealthy", f.health(id))
	_, err = f.ec2.StartInstances(f.ctx, &ec2.StartInstancesInput{InstanceIds: []string{id}})
	require.NoError(t, err)
	f.pass(10 * time.Minute)
	require.Equal(t, "Unhealthy", f.health(id), "well again, the mark stays")
	require.Equal(t, "healthy", f.target(id))

	f.resume("ReplaceUnhealthy")
	require.Equal(t, "Terminating", f.lifecycle(id), "replaced the moment it resumes")
	f.pass(10 * time.Minute)
	require.Empty(t, f.lifecycle(id))
	require.Len(t, f.ids(), 4)
}

func TestSetInstanceHealthHealsTheMark(t *testing.T) {
	f := newFleet(t)
	id := f.ids()[0]
	f.suspend("ReplaceUnhealthy")
	set := func(status string, respect bool) {
		_, err := f.scaling.SetInstanceHealth(
			f.ctx,
			&autoscaling.SetInstanceHealthInput{InstanceId: &id, HealthStatus: &status, ShouldRespectGracePeriod: &respect},
		)
		require.NoError(t, err)
	}
	set("Unhealthy", false)
	require.Equal(t, "Unhealthy", f.health(id))
	set("Healthy", false)
	f.resume("ReplaceUnhealthy")
	f.pass(10 * time.Minute)
	require.Equal(t, "InService", f.lifecycle(id))
}

func TestNoHealthChecksInStandbyAndGhosts(t *testing.T) {
	f := newFleet(t)
	id := f.ids()[0]
	require.NoError(t, f.enter(id, true))
	f.pass(61 * time.Second)
	f.group()
	_, err := f.ec2.TerminateInstances(f.ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{id}})
	require.NoError(t, err)
	f.pass(30 * time.Minute)
	require.Equal(t, "Standby", f.lifecycle(id), "a ghost stays listed")
	require.Equal(t, "Healthy", f.health(id))
	require.EqualValues(t, 3, *f.group().DesiredCapacity, "and desired stays one short")
}

func TestEmptyProcessListMeansAll(t *testing.T) {
	f := newFleet(t)
	f.suspend()
	require.Len(t, f.group().SuspendedProcesses, 9)
	f.resume("Launch")
	require.Len(t, f.group().SuspendedProcesses, 8)
	f.resume()
	require.Empty(t, f.group().SuspendedProcesses)
}

func TestDesiredIsMet(t *testing.T) {
	f := newFleet(t)
	before := f.ids()
	set := func(n int32) {
		_, err := f.scaling.SetDesiredCapacity(
			f.ctx, &autoscaling.SetDesiredCapacityInput{AutoScalingGroupName: aws.String("web"), DesiredCapacity: &n},
		)
		require.NoError(t, err)
	}
	set(5)
	require.Len(t, f.ids(), 5)
	fresh := f.ids()[4]
	require.Equal(t, "Pending", f.lifecycle(fresh))
	f.pass(3 * time.Minute)
	require.Equal(t, "healthy", f.target(fresh))

	terminate := func(decrement bool) error {
		_, err := f.scaling.TerminateInstanceInAutoScalingGroup(
			f.ctx,
			&autoscaling.TerminateInstanceInAutoScalingGroupInput{
				InstanceId: &fresh, ShouldDecrementDesiredCapacity: &decrement,
			},
		)
		return err
	}
	require.NoError(t, terminate(true))
	require.EqualValues(t, 4, *f.group().DesiredCapacity)
	require.NoError(t, terminate(true), "AWS does not notice a repeat")
	require.EqualValues(t, 3, *f.group().DesiredCapacity, "and decrements twice")
	f.pass(5 * time.Minute)
	require.Len(t, f.ids(), 3)
	for _, id := range f.ids() {
		require.Contains(t, before, id)
	}
	activities, err := f.scaling.DescribeScalingActivities(
		f.ctx, &autoscaling.DescribeScalingActivitiesInput{AutoScalingGroupName: aws.String("web")},
	)
	require.NoError(t, err)
	require.Contains(t, *activities.Activities[0].Description, "Terminating EC2 instance")
	require.Equal(t, astypes.ScalingActivityStatusCodeSuccessful, activities.Activities[0].StatusCode)
}

func TestDetachAndAttach(t *testing.T) {
	f := newFleet(t)
	id := f.ids()[1]
	_, err := f.scaling.DetachInstances(
		f.ctx,
		&autoscaling.DetachInstancesInput{
			AutoScalingGroupName: aws.String("web"), InstanceIds: []string{id}, ShouldDecrementDesiredCapacity: aws.Bool(true),
		},
	)
	require.NoError(t, err)
	f.pass(2 * time.Minute)
	require.Empty(t, f.lifecycle(id))
	require.EqualValues(t, 3, *f.group().DesiredCapacity)
	_, err = f.scaling.AttachInstances(
		f.ctx, &autoscaling.AttachInstancesInput{AutoScalingGroupName: aws.String("web"), InstanceIds: []string{id}},
	)
	require.NoError(t, err)
	f.pass(time.Minute)
	require.Equal(t, "InService", f.lifecycle(id))
	require.EqualValues(t, 4, *f.group().DesiredCapacity)
}

func TestZonesAreRebalancedUnlessSuspended(t *testing.T) {
	for _, tc := range []struct {
		name      string
		suspended bool
		launches  bool
	}{{"rebalanced", false, true}, {"suspended", true, false}} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFleet(t)
			if tc.suspended {
				f.suspend("AZRebalance")
			}
			ids := f.ids() // zones a, c, a, c
			require.NoError(t, f.enter(ids[0], true))
			require.NoError(t, f.enter(ids[2], true))
			f.pass(20 * time.Minute)
			f.group()
			f.pass(20 * time.Minute)
			require.Equal(t, tc.launches, f.lifecycle(ids[1]) == "" || f.lifecycle(ids[3]) == "")
			require.EqualValues(t, 2, *f.group().DesiredCapacity)
		})
	}
}

// Nobody drains from a target group that is not there any more.
func TestATargetGroupIsDeletedWhileAMemberDrainsFromIt(t *testing.T) {
	f := newFleet(t)
	id := f.ids()[0]
	_, err := f.scaling.TerminateInstanceInAutoScalingGroup(f.ctx, &autoscaling.TerminateInstanceInAutoScalingGroupInput{
		InstanceId: &id, ShouldDecrementDesiredCapacity: aws.Bool(true),
	})
	require.NoError(t, err)
	f.pass(10 * time.Second)
	require.Equal(t, "Terminating", f.lifecycle(id))
	f.Inspect(func(w *world.World) {
		for _, group := range w.Account(production).Region(tokyo).TargetGroups() {
			group.LoadBalancer = "" // its listener goes first
			require.NoError(t, group.Region.DeleteTargetGroup(group.ARN))
		}
	})
	f.pass(2 * time.Minute)
	require.Empty(t, f.lifecycle(id), "it has left the group")
}
