package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// born is a wave that was just started: its preflight takes so long, and then refuses it or lets it in.
type born struct {
	waitingFor // what it waits for
	client.WorkflowRun
	begun    time.Time
	takes    time.Duration
	refused  error
	outcome  patch.Outcome // it has closed then
	unserved bool
}

func (b *born) GetID() string    { return "wave-web-1" }
func (b *born) GetRunID() string { return "r" }

func (b *born) Get(ctx context.Context, _ any) error {
	ends := time.After(b.takes)
	if b.unserved || b.refused == nil && b.outcome == "" {
		ends = nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-ends:
		return b.refused
	}
}

func (b *born) QueryWorkflow(
	ctx context.Context, _, _, _ string, _ ...any,
) (converter.EncodedValue, error) {
	if b.unserved {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	status := patch.WaveStatus{WaveID: "wave-web-1", Plan: "web", State: patch.StatePreflight}
	switch {
	case time.Since(b.begun) < b.takes || b.refused != nil:
	case b.outcome != "":
		status.State, status.Outcome = patch.StateClosed, b.outcome
	default:
		status.State = patch.StateAwaitingApproval
	}
	payloads, err := converter.GetDefaultDataConverter().ToPayloads(status)
	return client.NewValue(payloads), err
}

func (b *born) DescribeTaskQueue(
	context.Context, string, enums.TaskQueueType,
) (*workflowservice.DescribeTaskQueueResponse, error) {
	if b.unserved {
		return &workflowservice.DescribeTaskQueueResponse{}, nil
	}
	return &workflowservice.DescribeTaskQueueResponse{Pollers: []*taskqueue.PollerInfo{{
		LastAccessTime: timestamppb.Now(),
	}}}, nil
}

// A refusal is one document with --json, with its code, and an error all the same.
func TestARefusalIsADocument(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cmd, _, err := newRoot().Find([]string{"wave", "start"})
		require.NoError(t, err)
		require.NoError(t, cmd.Flags().Set("json", "true"))
		var out bytes.Buffer
		cmd.SetOut(&out)
		cmd.SetErr(io.Discard)
		cmd.SetContext(t.Context())
		wave := born{refused: temporal.NewNonRetryableApplicationError("web is locked", "GroupLocked", nil), begun: time.Now()}
		err = start(cmd, &wave, starting{}, "", func() (client.WorkflowRun, error) { return &wave, nil })
		require.ErrorContains(t, err, "wave-web-1 was refused: GroupLocked: web is locked")
		var told started
		require.NoError(t, json.Unmarshal(out.Bytes(), &told))
		require.Equal(t, []any{"wave-web-1", patch.StateClosed, patch.Refused, "GroupLocked", "web is locked"},
			[]any{told.WaveID, told.State, told.Outcome, told.Code, told.Reason})
	})
}

// Whoever starts a wave learns whether it was let in, and why not; it is waited for neither for ever nor in silence.
func TestStartTellsTheVerdict(t *testing.T) {
	refusal := temporal.NewNonRetryableApplicationError("Frozen: production: frozen by ann; ask ann", "Frozen", nil)
	unknown := temporal.NewNonRetryableApplicationError("plan nosuch: there is none", "InvalidInput", nil)
	in := "wave-web-1\nIt is awaiting approval.\nWatch it: patchtide wave watch wave-web-1\n"
	for _, c := range []struct {
		name       string
		wave       born
		how        starting
		leaves     time.Duration // Ctrl-C
		says, errs string
		aside      []string // on stderr
		after      time.Duration
	}{
		{"let in", born{takes: time.Second}, starting{}, 0, in, "", nil, time.Second},
		{
			"refused",
			born{refused: fmt.Errorf("wave-web-1: %w", refusal)},
			starting{},
			0, "",
			"wave-web-1 was refused: Frozen: production: frozen by ann; ask ann", nil, 0,
		},
		{
			"refused without a code before its words",
			born{refused: unknown},
			starting{},
			0, "",
			"wave-web-1 was refused: InvalidInput: plan nosuch: there is none", nil, 0,
		},
		{
			"refused with what a form is to be given",
			born{refused: temporal.NewNonRetryableApplicationError(
				`there is no plan "wbe"; it knows web`+names.RightInput+`{"plan": "web"}`, "InvalidInput", nil,
			)},
			starting{},
			0, "",
			`wave-web-1 was refused: InvalidInput: there is no plan "wbe"; it knows web`, nil, 0,
		},
		{
			"refused while it is watched",
			born{refused: refusal},
			starting{watch: true},
			0, "",
			"wave-web-1 was refused: Frozen: production: frozen by ann; ask ann", nil, 0,
		},
		{
			"it has ended badly",
			born{takes: time.Second, outcome: patch.Aborted},
			starting{},
			0,
			"wave-web-1\nIt has closed: aborted. More: patchtide wave show wave-web-1\n", "exit 1", nil, time.Second,
		},
		{
			"a long preflight",
			born{takes: time.Hour},
			starting{},
			0,
			"wave-web-1\nIts preflight goes on.\nWatch it: patchtide wave watch wave-web-1\n", "",
			[]string{"wave-web-1 is in its preflight, for whose verdict this waits until ", awayFromAWS},
			verdictWait,
		},
		{
			"no worker",
			born{unserved: true},
			starting{},
			0, "",
			errNoWorker.Error() + ". wave-web-1 waits in Temporal, and begins once one runs",
			[]string{noWorker},
			patience,
		},
		{
			"no worker while it is watched",
			born{unserved: true},
			starting{watch: true},
			0, "",
			errNoWorker.Error() + ". wave-web-1 waits in Temporal, and begins once one runs",
			[]string{noWorker},
			patience,
		},
		{
			"nobody waits",
			born{takes: time.Hour},
			starting{noWait: true},
			0,
			"wave-web-1\nWatch it: patchtide wave watch wave-web-1\n", "", nil, 0,
		},
		{
			"nobody waits any longer",
			born{takes: time.Hour},
			starting{},
			time.Second, "",
			"nobody waits for the verdict on wave-web-1 any longer; it goes on. See it: patchtide wave show wave-web-1", nil,
			time.Second,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cmd, _, err := newRoot().Find([]string{"wave", "start"})
				require.NoError(t, err)
				var out, aside bytes.Buffer
				cmd.SetOut(&out)
				cmd.SetErr(&aside)
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				if c.leaves > 0 {
					time.AfterFunc(c.leaves, stop)
				}
				cmd.SetContext(ctx)
				c.wave.begun = time.Now()
				err = start(cmd, &c.wave, c.how, "", func() (client.WorkflowRun, error) { return &c.wave, nil })
				var exit *exitError
				switch {
				case c.errs == "":
					require.NoError(t, err)
				case errors.As(err, &exit):
					require.Equal(t, c.errs, fmt.Sprintf("exit %d", exit.code))
				default:
					require.EqualError(t, err, c.errs)
				}
				require.Equal(t, c.says, out.String())
				for _, said := range c.aside {
					require.Contains(t, aside.String(), said)
				}
				require.Equal(t, len(c.aside) == 0, aside.Len() == 0, aside.String())
				require.InDelta(t, c.after.Seconds(), time.Since(c.wave.begun).Seconds(), 2*verdictEvery.Seconds())
				stop()
			})
		})
	}
}
