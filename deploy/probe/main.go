// Probe answers a container's health check where the image has no shell and no other program:
//
//	probe tcp HOST:PORT      somebody accepts connections there
//	probe pollers QUEUE      a worker asked Temporal for workflow tasks of the queue within the last two minutes; the
//	                         connection is read as Temporal's own tools read it (TEMPORAL_ADDRESS and so on)
//
// It exits with 0 when all is well, 1 when it is not and 2 when it was called wrongly.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/log"
)

// patience is below the time that compose gives a health check, so that the reason gets into its log.
const patience = 4 * time.Second

// recent is twice a long poll's minute: a worker that is well always has one under way.
const recent = 2 * time.Minute

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	os.Exit(exitCode(run(ctx, os.Args[1:]), os.Stderr))
}

var errUsage = errors.New("usage: probe tcp HOST:PORT | probe pollers QUEUE")

func exitCode(err error, stderr io.Writer) int {
	if err == nil {
		return 0
	}
	fmt.Fprintln(stderr, "probe:", err)
	if errors.Is(err, errUsage) {
		return 2
	}
	return 1
}

func run(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return errUsage
	}
	switch args[0] {
	case "tcp":
		return tcp(ctx, args[1])
	case "pollers":
		options, err := envconfig.LoadDefaultClientOptions()
		if err != nil {
			return fmt.Errorf("read Temporal's settings: %w", err)
		}
		options.Logger = log.NewStructuredLogger(slog.New(slog.DiscardHandler))
		temporal, err := client.DialContext(ctx, options)
		if err != nil {
			return fmt.Errorf("reach Temporal: %w", err)
		}
		defer temporal.Close()
		return pollers(ctx, temporal, args[1], time.Now())
	}
	return errUsage
}

func tcp(ctx context.Context, address string) error {
	connection, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return connection.Close()
}

// describer is the one call of Temporal's client that is needed.
type describer interface {
	DescribeTaskQueue(ctx context.Context, taskQueue string, taskQueueType enumspb.TaskQueueType) (
		*workflowservice.DescribeTaskQueueResponse, error,
	)
}

func pollers(ctx context.Context, temporal describer, queue string, now time.Time) error {
	answer, err := temporal.DescribeTaskQueue(ctx, queue, enumspb.TASK_QUEUE_TYPE_WORKFLOW)
	if err != nil {
		return fmt.Errorf("describe task queue %s: %w", queue, err)
	}
	for _, poller := range answer.GetPollers() {
		if now.Sub(poller.GetLastAccessTime().AsTime()) < recent {
			return nil
		}
	}
	return fmt.Errorf("nobody asked for work of task queue %s within the last %s", queue, recent)
}
