package awssim

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
)

// fleetWith is the fleet of the healthy scenario with sections of the test's own.
func fleetWith(t *testing.T, text string) *fleet {
	t.Helper()
	s, err := world.ParseScenario("test.yaml", []byte("extends: healthy\n"+text))
	require.NoError(t, err)
	l := &lab{t: t, now: time.Date(2026, 11, 8, 2, 0, 0, 0, time.UTC)}
	l.Sim, err = New(Options{Scenario: s, Now: l.clock, Wait: func(context.Context, time.Duration) error { return nil }})
	require.NoError(t, err)
	return &fleet{lab: l, clients: l.production(), t: t, ctx: context.Background()}
}

// group of production with what the test adds to it.
func groupOf(extra string) string {
	return `
accounts:
  - name: production
    id: "111122223333"
    roles: [{name: patchtide, external_id: patchtide-lab, max_session: 12h}]
    regions:
      - name: ap-northeast-1
        target_groups: [{name: web, port: 80, health_path: /healthz, health_interval: 10s, healthy_threshold: 2, deregistration_delay: 30s, load_balancer: web}]
        auto_scaling_groups:
          - {name: web, min: 2, desired: 4, max: 6, zones: [ap-northeast-1a, ap-northeast-1c], target_groups: [web], health_check_type: ELB, grace: 120s, image: web-2.4` + extra +
		"}\n"
}

func (f *fleet) instanceState(id string) (string, string) {
	f.t.Helper()
	out, err := f.ec2.DescribeInstances(f.ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
	require.NoError(f.t, err)
	instance := out.Reservations[0].Instances[0]
	reason := ""
	if instance.StateReason != nil {
		reason = aws.ToString(instance.StateReason.Code)
	}
	return string(instance.State.Name), reason
}

func TestHappenings(t *testing.T) {
	for _, tc := range []struct {
		name, fault string
		check       func(t *testing.T, f *fleet, id string)
	}{
		{"scale-out at a time", "{kind: scale_out, group: web, at: 4m, by: 4}", func(t *testing.T, f *fleet, _ string) {
			require.EqualValues(t, 7, *f.group().DesiredCapacity)
			require.EqualValues(t, 7, *f.group().MaxSize)
		}},
		{"scale-in at the second call", "{kind: scale_in, group: web, on: 'autoscaling:EnterStandby', nth: 1}", func(t *testing.T, f *fleet, _ string) {
			require.EqualValues(t, 2, *f.group().DesiredCapacity)
		}},
		{"max lowered below", "{kind: limits_changed, group: web, max: 3, when: standby}", func(t *testing.T, f *fleet, id string) {
			require.EqualValues(t, 3, *f.group().MaxSize)
			requireCode(t, f.exit(id), "ValidationError")
		}},
		{"group deleted", "{kind: group_deleted, group: web, on: 'autoscaling:EnterStandby'}", func(t *testing.T, f *fleet, id string) {
			out, err := f.scaling.DescribeAutoScalingGroups(
				f.ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{"web"}},
			)
			require.NoError(t, err)
			require.Empty(t, out.AutoScalingGroups)
			state, _ := f.instanceState(id)
			require.Equal(t, "terminated", state)
		}},
		{"somebody's refresh", "{kind: instance_refresh, group: web, at: 1m}", func(t *testing.T, f *fleet, _ string) {
			out, err := f.scaling.DescribeInstanceRefreshes(
				f.ctx, &autoscaling.DescribeInstanceRefreshesInput{AutoScalingGroupName: aws.String("web")},
			)
			require.NoError(t, err)
			require.Len(t, out.InstanceRefreshes, 1)
		}},
		{"dies in standby and stays listed", "{kind: terminated_in_standby, group: web, delay: 30s}", func(t *testing.T, f *fleet, id string) {
			state, _ := f.instanceState(id)
			require.Equal(t, "terminated", state)
			require.Equal(t, "Standby", f.lifecycle(id), "a ghost")
			require.Equal(t, "Healthy", f.health(id))
		}},
		{"spot interruption", "{kind: spot_interruption, instance: web/1, at: 1m}", func(t *testing.T, f *fleet, id string) {
			state, reason := f.instanceState(id)
			require.Equal(t, "terminated", state)
			require.Equal(t, "Server.SpotInstanceTermination", reason)
		}},
		{"Launch suspended while in standby", "{kind: suspended, group: web, when: standby, processes: [Launch]}", func(t *testing.T, f *fleet, id string) {
			requireCode(t, f.exit(id), "ValidationError")
		}},
		{"Launch suspended by AWS", "{kind: launch_suspended_by_aws, group: web, when: standby}", func(t *testing.T, f *fleet, id string) {
			require.Contains(t, *f.group().SuspendedProcesses[0].SuspensionReason, "by AWS")
			requireCode(t, f.exit(id), "ValidationError")
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := fleetWith(t, "faults:\n  world:\n    - "+tc.fault+"\n")
			id := f.ids()[0]
			require.NoError(t, f.enter(id, true))
			for range 12 {
				f.pass(30 * time.Second)
				f.Inspect(func(*world.World) {})
			}
			tc.check(t, f, id)
		})
	}
}

func TestHappeningsThatAreWrong(t *testing.T) {
	for _, tc := range []struct{ fault, want string }{
		{"{kind: scale_in, on: EnterStandby}", "autoscaling:EnterStandby"},
		{"{kind: scale_in, at: 1m, when: standby}", "exclude each other"},
		{"{kind: scale_in, when: dawn}", "write standby"},
		{"{kind: snapshot_fails, at: 1m}", "its own occasions"},
		{"{kind: suspended, group: web}", "needs processes"},
		{"{kind: suspended, group: web, processes: [Lunch]}", "Lunch"},
		{"{kind: group_deleted, instance: web/1}", "not to instance"},
	} {
		t.Run(tc.fault, func(t *testing.T) {
			_, err := world.ParseScenario("test.yaml", []byte("extends: healthy\nfaults:\n  world:\n    - "+tc.fault+"\n"))
			require.ErrorContains(t, err, tc.want)
		})
	}
}

func TestHooksHoldLaunchesAndTerminations(t *testing.T) {
	for _, tc := range []struct {
		name, result, want string // result "" lets it time out
	}{
		{"continued", "CONTINUE", "InService"},
		{"abandoned", "ABANDON", ""},
		{"timed out", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := fleetWith(t, groupOf(", lifecycle_hooks: [{name: ready, transition: launching, heartbeat: 5m}]"))
			before := f.ids()
			require.NoError(t, f.resize(autoscaling.UpdateAutoScalingGroupInput{DesiredCapacity: aws.Int32(5)}))
			f.pass(2 * time.Minute)
			id := f.ids()[len(before)]
			require.Equal(t, "Pending:Wait", f.lifecycle(id))
			if tc.result != "" {
				_, err := f.scaling.CompleteLifecycleAction(f.ctx, &autoscaling.CompleteLifecycleActionInput{
					AutoScalingGroupName: aws.String("web"), LifecycleHookName: aws.String("ready"), InstanceId: &id,
					LifecycleActionResult: &tc.result,
				})
				require.NoError(t, err)
			}
			f.pass(4 * time.Minute)
			f.pass(time.Minute)
			require.Equal(t, tc.want, f.lifecycle(id))
		})
	}
	t.Run("termination waits, heartbeats prolong it", func(t *testing.T) {
		f := fleetWith(t, groupOf(", lifecycle_hooks: [{name: drain, transition: terminating, heartbeat: 5m}]"))
		id := f.ids()[0]
		_, err := f.scaling.TerminateInstanceInAutoScalingGroup(f.ctx, &autoscaling.TerminateInstanceInAutoScalingGroupInput{
			InstanceId: &id, ShouldDecrementDesiredCapacity: aws.Bool(true),
		})
		require.NoError(t, err)
		f.pass(time.Minute)
		require.Equal(t, "Terminating:Wait", f.lifecycle(id))
		f.pass(4 * time.Minute)
		_, err = f.scaling.RecordLifecycleActionHeartbeat(f.ctx, &autoscaling.RecordLifecycleActionHeartbeatInput{
			AutoScalingGroupName: aws.String("web"), LifecycleHookName: aws.String("drain"), InstanceId: &id,
		})
		require.NoError(t, err)
		f.pass(4 * time.Minute)
		require.Equal(t, "Terminating:Wait", f.lifecycle(id))
		require.Zero(t, f.MaxOutOfService(production, tokyo, "web"), "who leaves is not out of service")
		f.pass(2 * time.Minute)
		require.Empty(t, f.lifecycle(id))
	})
	t.Run("leaving standby is no launch", func(t *testing.T) {
		f := fleetWith(t, groupOf(", lifecycle_hooks: [{name: ready, transition: launching}]"))
		id := f.ids()[0]
		require.NoError(t, f.enter(id, true))
		f.pass(time.Minute)
		require.NoError(t, f.exit(id))
		f.pass(time.Minute)
		require.Equal(t, "InService", f.lifecycle(id))
	})
}

func TestScheduledActionsAreNotReplayed(t *testing.T) {
	for _, tc := range []struct {
		name    string
		suspend bool
		want    int32
	}{{"at its time", false, 6}, {"missed while suspended", true, 4}} {
		t.Run(tc.name, func(t *testing.T) {
			f := fleetWith(t, groupOf(", scheduled_actions: [{name: morning, at: 10m, desired: 6}]"))
			out, err := f.scaling.DescribeScheduledActions(
				f.ctx, &autoscaling.DescribeScheduledActionsInput{AutoScalingGroupName: aws.String("web")},
			)
			require.NoError(t, err)
			require.Equal(t, "morning", *out.ScheduledUpdateGroupActions[0].ScheduledActionName)
			if tc.suspend {
				f.suspend("ScheduledActions")
			}
			f.pass(11 * time.Minute)
			f.resume("ScheduledActions")
			f.pass(11 * time.Minute)
			require.Equal(t, tc.want, *f.group().DesiredCapacity)
		})
	}
}

func TestWarmPoolServesFirst(t *testing.T) {
	f := fleetWith(t, groupOf(", warm_pool: {min_size: 1, max_prepared: 5}"))
	f.pass(5 * time.Minute)
	pool := func() []astypes.Instance {
		out, err := f.scaling.DescribeWarmPool(
			f.ctx, &autoscaling.DescribeWarmPoolInput{AutoScalingGroupName: aws.String("web")},
		)
		require.NoError(t, err)
		return out.Instances
	}
	require.Len(t, pool(), 1)
	require.EqualValues(t, "Warmed:Stopped", pool()[0].LifecycleState)
	warm := *pool()[0].InstanceId
	require.NotContains(t, f.ids(), warm)
	require.NoError(t, f.resize(autoscaling.UpdateAutoScalingGroupInput{DesiredCapacity: aws.Int32(5)}))
	f.pass(3 * time.Minute)
	require.Equal(t, "InService", f.lifecycle(warm))
}

func TestDescribeLags(t *testing.T) {
	f := fleetWith(t, "durations: {scaling_lag: 5s}\n")
	id := f.ids()[0]
	require.NoError(t, f.enter(id, true))
	require.Equal(t, "InService", f.lifecycle(id), "describe calls are behind")
	requireCode(t, f.enter(id, true), "ValidationError")
	f.pass(3 * time.Second)
	require.Equal(t, "InService", f.lifecycle(id))
	f.pass(3 * time.Second)
	require.Equal(t, "EnteringStandby", f.lifecycle(id))
}

func TestAWSSuspendsLaunchAfterADayOfFailures(t *testing.T) {
	f := fleetWith(t, "faults:\n  world:\n    - {kind: no_capacity, group: web, times: -1}\n")
	require.NoError(t, f.resize(autoscaling.UpdateAutoScalingGroupInput{DesiredCapacity: aws.Int32(5)}))
	for range 23 {
		f.pass(time.Hour)
		f.Inspect(func(*world.World) {})
	}
	f.clients = f.production()
	require.Empty(t, f.group().SuspendedProcesses)
	f.pass(2 * time.Hour)
	require.Equal(t, "Launch", *f.group().SuspendedProcesses[0].ProcessName)
}

func TestTargetGroupsAreAttachedAndDetached(t *testing.T) {
	f := newFleet(t)
	arn := f.group().TargetGroupARNs[0]
	_, err := f.scaling.DetachLoadBalancerTargetGroups(
		f.ctx,
		&autoscaling.DetachLoadBalancerTargetGroupsInput{
			AutoScalingGroupName: aws.String("web"), TargetGroupARNs: []string{arn},
		},
	)
	require.NoError(t, err)
	out, err := f.scaling.DescribeLoadBalancerTargetGroups(
		f.ctx, &autoscaling.DescribeLoadBalancerTargetGroupsInput{AutoScalingGroupName: aws.String("web")},
	)
	require.NoError(t, err)
	require.Empty(t, out.LoadBalancerTargetGroups)
	_, err = f.scaling.AttachLoadBalancerTargetGroups(
		f.ctx,
		&autoscaling.AttachLoadBalancerTargetGroupsInput{
			AutoScalingGroupName: aws.String("web"), TargetGroupARNs: []string{arn},
		},
	)
	require.NoError(t, err)
	f.pass(time.Minute)
	require.Equal(t, "healthy", f.target(f.ids()[0]))
}

func TestKeyThatCannotBeUsed(t *testing.T) {
	f := fleetWith(t, `
images:
  - {id: ami-0a1b2c3d4e5f60023, name: web-2.3, os: amazon-linux-2023, app: {name: web, version: "2.3", port: 80, path: /healthz}}
  - {id: ami-0a1b2c3d4e5f60024, name: web-2.4, os: amazon-linux-2023, kms_key: "arn:aws:kms:ap-northeast-1:111122223333:key/k", app: {name: web, version: "2.4", port: 80, path: /healthz}}
faults:
  world:
    - {kind: kms_key_unusable, account: production, times: -1}
`)
	id := f.ids()[0]
	volumes, err := f.ec2.DescribeVolumes(
		f.ctx,
		&ec2.DescribeVolumesInput{
			Filters: []types.Filter{{Name: aws.String("attachment.instance-id"), Values: []string{id}}},
		},
	)
	require.NoError(t, err)
	require.True(t, *volumes.Volumes[0].Encrypted)
	snapshot, err := f.ec2.CreateSnapshot(f.ctx, &ec2.CreateSnapshotInput{VolumeId: volumes.Volumes[0].VolumeId})
	require.NoError(t, err)
	f.pass(5 * time.Minute)
	_, err = f.ec2.CreateReplaceRootVolumeTask(
		f.ctx, &ec2.CreateReplaceRootVolumeTaskInput{InstanceId: &id, SnapshotId: snapshot.SnapshotId},
	)
	require.NoError(t, err, "keys are looked at later")
	f.pass(5 * time.Minute)
	tasks, err := f.ec2.DescribeReplaceRootVolumeTasks(f.ctx, &ec2.DescribeReplaceRootVolumeTasksInput{})
	require.NoError(t, err)
	require.Equal(t, types.ReplaceRootVolumeTaskStateFailed, tasks.ReplaceRootVolumeTasks[0].TaskState)
	_, err = f.ec2.StopInstances(f.ctx, &ec2.StopInstancesInput{InstanceIds: []string{id}})
	require.NoError(t, err)
	f.pass(time.Minute)
	_, err = f.ec2.StartInstances(f.ctx, &ec2.StartInstancesInput{InstanceIds: []string{id}})
	if err == nil { // the group may have ended it meanwhile
		f.pass(20 * time.Second)
		_, reason := f.instanceState(id)
		require.Contains(t, reason, "Client.")
	}
}

func TestActionsPage(t *testing.T) {
	f := newFleet(t)
	f.group()
	request, err := http.NewRequestWithContext(f.ctx, http.MethodGet, "http://aws.test/_sim/actions", nil)
	require.NoError(t, err)
	reply, err := RoundTripper(f.Sim).RoundTrip(request)
	require.NoError(t, err)
	defer reply.Body.Close()
	require.Equal(t, http.StatusOK, reply.StatusCode)
}
