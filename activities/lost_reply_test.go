package activities_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
)

// Every change is made once although the first reply of each is lost, with Temporal's own retries in simulated time.
func TestNothingIsDoneTwiceWhenRepliesAreLost(t *testing.T) {
	f := newFleet(t)
	f.LoseFirst(
		"SuspendProcesses",
		"ResumeProcesses",
		"EnterStandby",
		"ExitStandby",
		"CreateTags",
		"DeleteTags",
		"CreateOrUpdateTags",
		"SetDesiredCapacity",
		"UpdateAutoScalingGroup",
		"TerminateInstanceInAutoScalingGroup",
		"DetachInstances",
		"SendCommand",
	)
	type none = struct{}
	before := must[patch.GroupState](f, f.aws.InspectGroup, activities.InspectGroupInput{Group: production})
	member := before.Members[0]
	it := instance(production, member.ID)
	mark := activities.MarkInstanceInput{Instance: it, Journal: activities.Journal{WaveID: "wave-1", Record: "there"}}
	processes := activities.ProcessesInput{Group: production, Processes: []string{"AZRebalance"}}

	must[none](f, f.aws.MarkInstance, mark)
	must[none](f, f.aws.MarkGroup, activities.MarkGroupInput{Group: production, Journal: mark.Journal})
	must[activities.Raised](
		f, f.aws.RaiseDesired, activities.RaiseInput{Group: production, DesiredBefore: 4, By: 1, MaxBefore: 6, RaiseMax: 1},
	)
	surge := must[activities.SurgeInstances](
		f, f.aws.AwaitSurge, activities.AwaitSurgeInput{Group: production, Known: memberIDs(before), By: 1, Pace: pace},
	)
	must[none](f, f.aws.SuspendProcesses, processes)
	must[none](f, f.aws.EnterStandby, activities.EnterStandbyInput{Instance: it, Pace: pace})
	must[none](
		f, f.aws.AwaitOutOfService, activities.AwaitOutOfServiceInput{Instance: it, Targets: member.Targets, Pace: pace},
	)
	must[none](f, f.aws.ExitStandby, activities.ExitStandbyInput{Instance: it, Pace: pace})
	returned := must[activities.Returned](
		f, f.aws.AwaitInService, activities.AwaitInServiceInput{Instance: it, Before: member.Targets, Pace: pace},
	)
	require.True(t, returned.Member.Serving(true))
	observe := activities.ObserveHealthInput{
		Instance: it, Platform: patch.Linux, TargetGroups: []string{before.TargetGroups[0].ARN}, Pace: pace,
		Checks: []patch.HealthCheck{{TargetGroup: "auto"}, {HTTP: &patch.HTTPCheck{Path: "/healthz", Port: 80}}},
	}
	seen := must[patch.HealthObservation](f, f.aws.ObserveHealth, observe)
	require.Equal(t, 200, seen.Answers[0].Status, "the command sent by one attempt is read by the next")
	require.LessOrEqual(t, f.Effects("SendCommand"), 2, "a lost reply costs one more command that only reads")
	must[patch.HealthObservation](
		f, f.aws.AwaitHealthy, activities.AwaitHealthyInput{Observe: observe, Before: member.Targets, Since: seen},
	)
	must[none](f, f.aws.ResumeProcesses, processes)
	must[none](
		f, f.aws.TerminateSurgeInstance,
		activities.TerminateSurgeInstanceInput{Group: production, ID: surge.IDs[0], DesiredBefore: 4, By: 1},
	)
	must[none](f, f.aws.LowerMax, activities.MaxInput{Group: production, MaxBefore: 6, By: 1})
	must[none](f, f.aws.UnmarkGroup, activities.MarkGroupInput{Group: production, Journal: mark.Journal})
	must[none](f, f.aws.UnmarkInstance, mark)

	f.Pass(20 * time.Minute)
	after := must[patch.GroupState](f, f.aws.InspectGroup, activities.InspectGroupInput{Group: production})
	require.Equal(t, memberIDs(before), memberIDs(after))
	require.Equal(t, []int{4, 6}, []int{after.Desired, after.Max})
	require.Empty(t, after.Suspended)
	for operation, times := range map[string]int{
		"EnterStandby": 1, "ExitStandby": 1, "SuspendProcesses": 1, "ResumeProcesses": 1, "SetDesiredCapacity": 0,
		"UpdateAutoScalingGroup": 2, "TerminateInstanceInAutoScalingGroup": 1, "CreateTags": 1, "CreateOrUpdateTags": 1,
	} {
		require.Equal(t, times, f.Effects(operation), operation)
	}
}

// A bake of which nothing is asked on the instance ends well only by its budget: the last word of a watch is NotReady.
func TestWatchLastsUntilItsBudgetIsSpent(t *testing.T) {
	f := newFleet(t)
	watch := bakeOf(f, patch.HealthCheck{TargetGroup: "auto"})
	began := f.Clock()
	_, err := run[*patch.Bake](f, 5*time.Minute, f.aws.WatchBake, watch)
	requireType(t, err, activities.ErrNotReady)
	require.InDelta(t, 5*time.Minute, f.Clock().Sub(began), float64(time.Minute))
	require.Zero(t, f.Effects("SendCommand"))
}
