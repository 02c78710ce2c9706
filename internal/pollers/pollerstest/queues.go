// Package pollerstest is a Temporal whose queues are polled as a test says.
package pollerstest

import (
	"context"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Queues are all polled by the same workers. Asked for anything else they panic.
type Queues struct {
	client.Client
	Now time.Time
	Ago map[string]time.Duration // before Now, when each polled last, by its identity
}

// DescribeTaskQueue tells who polled it, and when.
func (q Queues) DescribeTaskQueue(
	context.Context, string, enums.TaskQueueType,
) (*workflowservice.DescribeTaskQueueResponse, error) {
	answer := &workflowservice.DescribeTaskQueueResponse{}
	for identity, ago := range q.Ago {
		answer.Pollers = append(answer.Pollers, &taskqueue.PollerInfo{
			Identity: identity, LastAccessTime: timestamppb.New(q.Now.Add(-ago)),
		})
	}
	return answer, nil
}
