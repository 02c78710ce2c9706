package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/failure/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// polled is a task queue by its worker.
type polled struct {
	testing.TB
	last  time.Duration // after the beginning it polled last, where it runs no more; mostly before it
	comes time.Duration // after the beginning it polls first, and takes each task at once; 0: it does not
	err   error
	hangs bool // Temporal does, until nobody waits for its answer
	begun time.Time
}

func (p polled) DescribeTaskQueue(
	ctx context.Context, queue string, kind enums.TaskQueueType,
) (*workflowservice.DescribeTaskQueueResponse, error) {
	require.Equal(p, names.TaskQueue, queue)
	require.Equal(p, enums.TASK_QUEUE_TYPE_WORKFLOW, kind)
	if p.hangs {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	at := p.begun.Add(p.last)
	if first := p.begun.Add(p.comes); p.comes > 0 && !time.Now().Before(first) {
		at = time.Now()
	}
	if p.err != nil || p.last == 0 && at.Equal(p.begun) {
		return &workflowservice.DescribeTaskQueueResponse{}, p.err
	}
	return &workflowservice.DescribeTaskQueueResponse{Pollers: []*taskqueue.PollerInfo{{
		Identity: "worker-1", LastAccessTime: timestamppb.New(at),
	}}}, nil
}

// A command that needs a worker and finds none says so within seconds, once, and gives up where none comes.
func TestWhatWaitsForAWorkerSaysSo(t *testing.T) {
	away := serviceerror.NewUnavailable("it is draining")
	for _, c := range []struct {
		name   string
		queue  polled
		takes  time.Duration
		says   string
		gaveUp error
		ends   time.Duration
	}{
		{"no worker runs", polled{}, time.Hour, noWorker, errNoWorker, patience},
		{"the worker went away", polled{last: -3 * time.Minute}, time.Hour, noWorker, errNoWorker, patience},
		{
			"it was killed just now, and is listed still",
			polled{last: -time.Second},
			time.Hour,
			fmt.Sprintf(quietWorker, "worker-1", 4*time.Second), errNoWorker, patience,
		},
		{"one comes in time", polled{comes: 10 * time.Second}, time.Hour, noWorker, nil, time.Hour},
		{
			"one comes in the place of a killed one",
			polled{last: -time.Second, comes: 10 * time.Second},
			time.Hour,
			fmt.Sprintf(quietWorker, "worker-1", 4*time.Second), nil, time.Hour,
		},
		{"a worker runs, and takes its time", polled{last: -40 * time.Second, comes: time.Second}, time.Hour, "", nil, time.Hour},
		{"it is answered at once", polled{last: -40 * time.Second}, time.Second, "", nil, time.Second},
		{"Temporal does not tell", polled{err: errors.New("denied")}, time.Minute, "", nil, time.Minute},
		{"Temporal does not answer", polled{err: away}, time.Hour, noTemporal, errNoTemporal, patience},
		{"Temporal hangs", polled{hangs: true}, time.Hour, noTemporal, errNoTemporal, patience + unservedAfter},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c.queue.TB = t
				var out bytes.Buffer
				failed := errors.New("as it ended")
				begun := time.Now()
				c.queue.begun = begun
				err := sayingUnserved(t.Context(), c.queue, &out, func(ctx context.Context) error {
					select {
					case <-ctx.Done():
					case <-time.After(c.takes):
					}
					return failed
				})
				require.ErrorIs(t, err, failed)
				require.Equal(t, c.ends, time.Since(begun))
				if c.gaveUp != nil {
					require.ErrorIs(t, err, c.gaveUp)
				} else {
					require.EqualError(t, err, failed.Error())
				}
				require.Equal(t, c.says, strings.TrimSuffix(out.String(), "\n"))
			})
		})
	}
}

// given is a workflow for whose result somebody waits.
type given struct {
	client.Client // what is not here is not asked
	client.WorkflowRun
	ends, calls error  // the workflow, and calling it off
	stop        func() // the waiting; nil: it is waited for
	cancelled   bool
}

func (g *given) Get(ctx context.Context, _ any) error {
	if g.stop == nil {
		return g.ends
	}
	g.stop()
	<-ctx.Done()
	return ctx.Err()
}

func (g *given) CancelWorkflow(ctx context.Context, id, run string) error {
	g.cancelled = id == "plan-web" && run == "r" && ctx.Err() == nil
	return g.calls
}

func (g *given) DescribeWorkflowExecution(
	context.Context, string, string,
) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	return nil, errors.New("it is not told what it waits for")
}
func (g *given) GetID() string    { return "plan-web" }
func (g *given) GetRunID() string { return "r" }

// Whoever stops waiting for a result is told what becomes of the workflow: what only looks is called off.
func TestAResultThatNobodyWaitsFor(t *testing.T) {
	failed := errors.New("as it ended")
	for _, c := range []struct {
		name      string
		given     given
		stops     bool
		onlyLooks bool
		says      string // of the error
		called    bool   // off
	}{
		{"it ends well", given{}, false, true, "", false},
		{"it fails", given{ends: failed}, false, true, "as it ended", false},
		{"a look", given{}, true, true, "plan-web was called off", true},
		{
			"a look that cannot be called off",
			given{calls: failed},
			true, true,
			"plan-web could not be called off, and looks once a worker runs: as it ended", true,
		},
		{
			"what changes something",
			given{},
			true, false,
			"nobody waits for plan-web any longer; it goes on in Temporal, or begins once a worker runs", false,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			if c.stops {
				c.given.stop = stop
			}
			cmd := &cobra.Command{}
			cmd.SetContext(ctx)
			err := awaitResult(cmd, &c.given, &c.given, c.onlyLooks, nil)
			if c.says == "" {
				require.NoError(t, err)
			} else {
				require.EqualError(t, err, c.says)
			}
			require.Equal(t, c.called, c.given.cancelled)
		})
	}
}

// mute is a wave of which nobody answers a question, or not before so many.
type mute struct {
	client.Client // what is not here is not asked
	gives         error
	asked, after  int
}

func (s *mute) QueryWorkflow(context.Context, string, string, string, ...any) (converter.EncodedValue, error) {
	if s.asked++; s.after == 0 || s.asked <= s.after {
		return nil, s.gives
	}
	payloads, err := converter.GetDefaultDataConverter().ToPayloads(patch.WaveStatus{WaveID: "wave-1"})
	return client.NewValue(payloads), err
}

// Temporal gives a question up at once where it has seen no worker for long, and after some seconds where it has: both
// are asked again for as long as is told. What it knows itself is told at once.
func TestAQuestionIsAskedForAsLongAsIsTold(t *testing.T) {
	for _, c := range []struct {
		name  string
		gives error
		after int
		takes time.Duration
		fails bool
	}{
		{"no worker was seen", serviceerror.NewFailedPrecondition("no poller seen"), 0, patience, true},
		{"none takes it", serviceerror.NewDeadlineExceeded("late"), 0, patience, true},
		{"none has begun the wave", serviceerror.NewWorkflowNotReady("no task yet"), 0, patience, true},
		{"one comes", serviceerror.NewFailedPrecondition("no poller seen"), 5, 5 * time.Second, false},
		{"there is no such wave", serviceerror.NewNotFound("no such"), 0, 0, true},
		{"Temporal is away", serviceerror.NewUnavailable("refused"), 0, 0, true},
		{"it ended before it could answer", serviceerror.NewQueryFailed("unknown query"), 0, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				status, err := awaitWave(t.Context(), &mute{gives: c.gives, after: c.after}, "wave-1")
				require.Equal(t, c.fails, err != nil, "%v", err)
				require.Equal(t, c.fails, status == nil)
				require.Equal(t, c.takes, time.Since(begun))
			})
		})
	}
}

// toldWaits is a workflow as Temporal tells of it.
type toldWaits struct {
	waits []*workflow.PendingActivityInfo
	err   error
}

func (l toldWaits) DescribeWorkflowExecution(
	context.Context, string, string,
) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	return &workflowservice.DescribeWorkflowExecutionResponse{
		WorkflowExecutionInfo: &workflow.WorkflowExecutionInfo{
			Execution: &common.WorkflowExecution{WorkflowId: "plan-web"}, Type: &common.WorkflowType{Name: "Plan"},
		},
		PendingActivities: l.waits,
	}, l.err
}

// What takes long says again and again that it goes on and what it waits for, and is silent once it is over.
func TestWhatTakesLongSaysThatItGoesOn(t *testing.T) {
	denied := func(begun time.Time) *workflow.PendingActivityInfo {
		return &workflow.PendingActivityInfo{
			ActivityType: &common.ActivityType{Name: "DescribeGroup"}, Attempt: 1,
			ScheduledTime:           timestamppb.New(begun),
			NextAttemptScheduleTime: timestamppb.New(begun.Add(time.Hour)),
			LastFailure:             &failure.Failure{Message: "throttled by\nAWS"},
		}
	}
	for _, c := range []struct {
		name   string
		looked func(begun time.Time) toldWaits
		says   string
	}{
		{
			"nothing keeps it",
			func(time.Time) toldWaits { return toldWaits{} },
			"plan-web goes on, for 18s by now\nplan-web goes on, for 33s by now\n",
		},
		{
			"an activity is tried again", func(begun time.Time) toldWaits {
				return toldWaits{waits: []*workflow.PendingActivityInfo{denied(begun)}}
			},
			`plan-web goes on, for 3s by now; it waits for:
  describe group, attempt 1, since 00:00:00 UTC: throttled by AWS. Tried again at 01:00:00 UTC
plan-web goes on, for 18s by now; it waits for:
  describe group, attempt 1, since 00:00:00 UTC: throttled by AWS. Tried again at 01:00:00 UTC
plan-web goes on, for 33s by now; it waits for:
  describe group, attempt 1, since 00:00:00 UTC: throttled by AWS. Tried again at 01:00:00 UTC
`,
		},
		{"Temporal does not tell", func(time.Time) toldWaits { return toldWaits{err: errors.New("denied")} }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				stop := sayingStill(t.Context(), c.looked(time.Now()), &out, "plan-web")
				<-time.After(2*stillEvery + 4*time.Second)
				stop()
				<-time.After(2 * stillEvery)
				require.Equal(t, c.says, out.String())
			})
		})
	}
}

// Connecting to a Temporal that takes no connections says for what it waits.
func TestAConnectionThatTakesLongIsTold(t *testing.T) {
	for _, c := range []struct {
		name  string
		takes time.Duration
		says  string
	}{{"it answers", time.Second, ""}, {"it does not", connectWait, noConnection + "\n"}} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				sayingAfter(&out, noConnection, func() { <-time.After(c.takes) })
				require.Equal(t, c.says, out.String())
			})
		})
	}
}
