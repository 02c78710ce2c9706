package main

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/types/known/timestamppb"
)

type fakeTemporal struct {
	lastAccess []time.Time
	err        error
}

func (f fakeTemporal) DescribeTaskQueue(
	_ context.Context, queue string, kind enumspb.TaskQueueType,
) (*workflowservice.DescribeTaskQueueResponse, error) {
	if queue != "patchtide" || kind != enumspb.TASK_QUEUE_TYPE_WORKFLOW {
		return nil, errors.New("asked for another queue")
	}
	answer := &workflowservice.DescribeTaskQueueResponse{}
	for _, at := range f.lastAccess {
		answer.Pollers = append(answer.Pollers, &taskqueue.PollerInfo{LastAccessTime: timestamppb.New(at)})
	}
	return answer, f.err
}

func TestPollers(t *testing.T) {
	now := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		temporal fakeTemporal
		want     string
	}{
		"one just now":        {fakeTemporal{lastAccess: []time.Time{now.Add(-time.Hour), now.Add(-time.Minute)}}, ""},
		"clocks differ a bit": {fakeTemporal{lastAccess: []time.Time{now.Add(time.Second)}}, ""},
		"all gone": {
			fakeTemporal{lastAccess: []time.Time{now.Add(-2 * time.Minute)}}, "nobody asked for work of task queue patchtide",
		},
		"none ever":             {fakeTemporal{}, "nobody asked"},
		"Temporal does not say": {fakeTemporal{err: errors.New("unavailable")}, "describe task queue patchtide: unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			err := pollers(t.Context(), test.temporal, "patchtide", now)
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestTCP(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, run(t.Context(), []string{"tcp", address}))
	require.NoError(t, listener.Close())
	require.Error(t, run(t.Context(), []string{"tcp", address}))
}

func TestExitCodes(t *testing.T) {
	var stderr strings.Builder
	require.Equal(t, 0, exitCode(nil, &stderr))
	require.Empty(t, stderr.String())
	require.Equal(t, 1, exitCode(errors.New("down"), &stderr))
	for _, args := range [][]string{nil, {"tcp"}, {"udp", "localhost:1"}, {"tcp", "a", "b"}} {
		require.Equal(t, 2, exitCode(run(t.Context(), args), &stderr), args)
	}
	require.Contains(t, stderr.String(), "probe: down")
}
