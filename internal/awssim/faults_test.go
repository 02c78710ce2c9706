package awssim

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
)

func TestInterceptedFaults(t *testing.T) {
	for _, tc := range []struct {
		name    string
		fault   Fault
		check   func(*testing.T, error)
		applied bool
	}{
		{"none", Fault{}, func(t *testing.T, err error) { require.NoError(t, err) }, true},
		{
			"error before effect",
			Fault{Kind: FaultError},
			func(t *testing.T, err error) { requireCode(t, err, "InternalFailure") }, false,
		},
		{
			"denied",
			Fault{Kind: FaultError, Code: "AccessDenied"},
			func(t *testing.T, err error) { requireCode(t, err, "AccessDenied") }, false,
		},
		{
			"lost reply",
			Fault{Kind: FaultLostReply},
			func(t *testing.T, err error) { require.ErrorIs(t, err, io.ErrUnexpectedEOF) }, true,
		},
		{
			"wrong state",
			Fault{Kind: FaultWrongState},
			func(t *testing.T, err error) { requireCode(t, err, "ValidationError") }, false,
		},
		{
			"a part of one",
			Fault{Kind: FaultPartial},
			func(t *testing.T, err error) { requireCode(t, err, "NotModelled") },
			false,
		},
		{
			"contention",
			Fault{Kind: FaultError, Code: "ResourceContention"},
			func(t *testing.T, err error) { requireCode(t, err, "ResourceContention") }, false,
		},
		{"throttle", Fault{Kind: FaultThrottle}, func(t *testing.T, err error) { requireCode(t, err, "Throttling") }, false},
		{"slow", Fault{Kind: FaultSlow, Delay: time.Hour}, func(t *testing.T, err error) { require.NoError(t, err) }, true},
		{
			"time-out before effect",
			Fault{Kind: FaultTimeout},
			func(t *testing.T, err error) { require.ErrorIs(t, err, context.DeadlineExceeded) }, false,
		},
		{
			"time-out after effect",
			Fault{Kind: FaultTimeout, Effect: true},
			func(t *testing.T, err error) { require.ErrorIs(t, err, context.DeadlineExceeded) }, true,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFleet(t)
			id := f.ids()[0]
			var named CallInfo
			f.SetInterceptor(func(call CallInfo) Fault {
				if call.Operation != "EnterStandby" {
					return Fault{}
				}
				named = call
				return tc.fault
			})
			tc.check(t, f.enter(id, true))
			require.Equal(t, "autoscaling", named.Service)
			require.Equal(t, id, named.Resource)
			require.Equal(t, 1, named.Ordinal)
			require.Equal(t, tc.applied, f.lifecycle(id) == "EnteringStandby")
			var last Event
			for _, event := range f.Events() {
				if event.Operation == "EnterStandby" {
					last = event
				}
			}
			require.Equal(t, tc.applied, last.Effect)
			require.Equal(t, tc.fault.Kind, last.Fault)
			require.JSONEq(
				t, `{"AutoScalingGroupName":"web","InstanceIds":["`+id+`"],"ShouldDecrementDesiredCapacity":true}`,
				string(last.Arguments),
			)
		})
	}
}

func TestFaultRules(t *testing.T) {
	for _, tc := range []struct {
		name string
		rule world.APIFault
		want []bool // which of six describes fail
	}{
		{"every call", world.APIFault{Kind: FaultThrottle}, []bool{true, true, true, true, true, true}},
		{"the second", world.APIFault{Kind: FaultThrottle, Nth: 2}, []bool{false, true, false, false, false, false}},
		{"twice", world.APIFault{Kind: FaultThrottle, Times: 2}, []bool{true, true, false, false, false, false}},
		{"another service", world.APIFault{Kind: FaultThrottle, Service: "ec2"}, make([]bool, 6)},
		{"another operation", world.APIFault{Kind: FaultThrottle, Operation: "EnterStandby"}, make([]bool, 6)},
		{
			"part of the resource",
			world.APIFault{Kind: FaultThrottle, Resource: "we", Nth: 1},
			[]bool{true, false, false, false, false, false},
		},
		{"another resource", world.APIFault{Kind: FaultThrottle, Resource: "db"}, make([]bool, 6)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFleet(t)
			f.AddFault(tc.rule)
			var failed []bool
			for range 6 {
				_, err := f.scaling.DescribeAutoScalingGroups(
					f.ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{"web"}},
				)
				failed = append(failed, err != nil)
			}
			require.Equal(t, tc.want, failed)
		})
	}
}

func TestProbabilityIsAboutRightAndRepeatable(t *testing.T) {
	run := func() (failed int) {
		f := newFleet(t)
		f.AddFault(world.APIFault{Kind: FaultLostReply, Operation: "DescribeAutoScalingGroups", Probability: 0.1})
		for range 300 {
			f.pass(time.Second)
			if _, err := f.scaling.DescribeAutoScalingGroups(f.ctx, &autoscaling.DescribeAutoScalingGroupsInput{}); err != nil {
				failed++
			}
		}
		return failed
	}
	first := run()
	require.InDelta(t, 30, first, 15)
	require.Equal(t, first, run())
}

func TestQuotas(t *testing.T) {
	l := newLab(t, "healthy")
	prod, stage := newClients(l.in(production)), newClients(l.in(staging))
	ctx := context.Background()
	get := func(c clients) error {
		_, err := c.ssm.DescribeAutomationExecutions(ctx, &ssm.DescribeAutomationExecutionsInput{})
		return err
	}
	for range 3 {
		require.NoError(t, get(prod))
	}
	requireCode(t, get(prod), "ThrottlingException")
	require.NoError(t, get(stage), "another account has its own bucket")
	l.pass(334 * time.Millisecond)
	require.NoError(t, get(prod))
	requireCode(t, get(prod), "ThrottlingException")
	require.Equal(t, 2, l.Throttled())
	require.Equal(t, 7, l.Calls()["ssm:DescribeAutomationExecutions"])

	var throttled error
	for range 101 {
		_, throttled = prod.ec2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{})
	}
	requireCode(t, throttled, "RequestLimitExceeded")
}

func TestPagesOfTheSimulator(t *testing.T) {
	f := newFleet(t)
	require.NoError(t, f.enter(f.ids()[0], true))
	server := httptest.NewServer(f.Sim)
	defer server.Close()
	get := func(path string) string {
		reply, err := server.Client().Get(server.URL + path)
		require.NoError(t, err)
		defer reply.Body.Close()
		require.Equal(t, http.StatusOK, reply.StatusCode)
		body, err := io.ReadAll(reply.Body)
		require.NoError(t, err)
		return string(body)
	}
	page := get("/")
	require.Contains(t, page, "EnteringStandby")
	require.Contains(t, page, "min 2 · desired 3 · max 6")
	var log struct {
		Events []Event
		Calls  map[string]int
	}
	require.NoError(t, json.Unmarshal([]byte(get("/_sim/events")), &log))
	require.Equal(t, 1, log.Calls["autoscaling:EnterStandby"])
	require.Equal(t, "sts", log.Events[0].Service)
	require.Equal(t, "arn:aws:sts::"+production+":assumed-role/patchtide/wave", log.Events[len(log.Events)-1].Caller)
	require.Contains(t, get("/_sim/timeline"), `"out": true`)
	reply, err := server.Client().Get(server.URL + "/unknown")
	require.NoError(t, err)
	defer reply.Body.Close()
	require.Equal(t, http.StatusForbidden, reply.StatusCode)
}

func TestAnswersToACancelledRequest(t *testing.T) {
	f := newFleet(t)
	ctx, cancel := context.WithCancel(f.ctx)
	cancel()
	_, err := f.scaling.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{})
	require.True(t, errors.Is(err, context.Canceled))
}

func TestPartialFailure(t *testing.T) {
	f := newFleet(t)
	ids := f.ids()
	f.AddFault(world.APIFault{Kind: FaultPartial, Operation: "EnterStandby", Times: 1})
	require.NoError(t, f.enter(ids[3], true), "one instance has no halves: the rule waits for a call about several")
	_, err := f.scaling.EnterStandby(f.ctx, &autoscaling.EnterStandbyInput{
		AutoScalingGroupName: aws.String("web"), InstanceIds: []string{ids[0], ids[1]},
		ShouldDecrementDesiredCapacity: aws.Bool(false),
	})
	requireCode(t, err, "InternalFailure")
	require.ErrorContains(t, err, ids[1])
	require.Equal(t, "EnteringStandby", f.lifecycle(ids[0]))
	require.Equal(t, "InService", f.lifecycle(ids[1]))
	events := f.Events()
	require.True(t, events[len(events)-3].Effect, "a part of it took effect")
}

func TestWrongStatesByService(t *testing.T) {
	f := newFleet(t)
	f.AddFault(world.APIFault{Kind: FaultWrongState})
	_, err := f.ec2.StopInstances(f.ctx, &ec2.StopInstancesInput{InstanceIds: []string{"i-0123456789abcdef0"}})
	requireCode(t, err, "IncorrectInstanceState")
	_, err = f.ssm.StopAutomationExecution(
		f.ctx, &ssm.StopAutomationExecutionInput{AutomationExecutionId: aws.String("11111111-2222-4333-8444-555555555555")},
	)
	requireCode(t, err, "InvalidAutomationStatusUpdateException")
	_, err = f.ec2.DescribeInstances(f.ctx, &ec2.DescribeInstancesInput{})
	requireCode(t, err, "NotModelled")
}
