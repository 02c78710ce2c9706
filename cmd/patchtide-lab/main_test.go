package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/lab"
	"github.com/patchtide/patchtide/internal/lab/drive"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

func TestWrongCommandLines(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"unknown command":    {[]string{"dance"}, `unknown command "dance" for "patchtide-lab"`},
		"misspelt command":   {[]string{"dmo"}, `unknown command "dmo" for "patchtide-lab"; did you mean demo?`},
		"unknown flag":       {[]string{"aws", "--sped", "60"}, "unknown flag: --sped; did you mean --speed?"},
		"argument too many":  {[]string{"temporal", "now"}, `temporal takes no arguments, and "now" was given`},
		"speed":              {[]string{"aws", "--speed", "0"}, "--speed 0: must be more than 0, for example 60"},
		"speed is no number": {[]string{"aws", "--speed", "fast"}, `--speed "fast" is no number`},
		"listen":             {[]string{"aws", "--listen", "4566"}, `--listen "4566": must be host:port`},
		"temporal by name": {
			[]string{"temporal", "--temporal-listen", "localhost:7233"}, `must be IP:port, for example 127.0.0.1:7233`,
		},
		"worker's temporal": {
			[]string{"worker", "--temporal", "7233", "--data", "d"}, `--temporal "7233": must be host:port`,
		},
		"worker's AWS": {
			[]string{"worker", "--aws", "127.0.0.1:4566", "--data", "d"},
			`--aws "127.0.0.1:4566": must be the simulated AWS's address`,
		},
		"worker's speed":  {[]string{"worker", "--speed", "-1", "--data", "d"}, "--speed -1: must be more than 0"},
		"worker's folder": {[]string{"worker"}, "--data: name the folder"},
		"ui port":         {[]string{"temporal", "--ui-port", "70000"}, "--ui-port 70000: must be between 0 and 65535"},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			require.Equal(t, exitUsage, run(t.Context(), c.args, &stdout, &stderr))
			require.Contains(t, stderr.String(), c.want)
			require.Contains(t, stderr.String(), "--help")
			require.Empty(t, stdout.String())
		})
	}
}

func TestWhatCannotBeStarted(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, taken.Close()) }()
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"unknown scenario": {[]string{"aws", "--listen", "127.0.0.1:0", "--scenario", "no-such"}, "no-such"},
		"worker of real AWS": {
			[]string{"worker", "--aws", "http://ssm.ap-northeast-1.amazonaws.com", "--data", t.TempDir()},
			"must be on this machine",
		},
		"port of AWS": {
			[]string{"aws", "--listen", taken.Addr().String()}, "serve the simulated AWS on --listen " + taken.Addr().String(),
		},
		"port of Temporal": {
			[]string{"temporal", "--temporal-listen", taken.Addr().String()}, "cannot listen on " + taken.Addr().String(),
		},
	} {
		t.Run(name, func(t *testing.T) {
			var stderr bytes.Buffer
			require.Equal(t, exitFailed, run(t.Context(), c.args, io.Discard, &stderr))
			require.Contains(t, stderr.String(), c.want)
		})
	}
}

func TestVersionAndHelp(t *testing.T) {
	var stdout bytes.Buffer
	require.Equal(t, exitDone, run(t.Context(), []string{"version"}, &stdout, io.Discard))
	require.Contains(t, stdout.String(), "patchtide-lab ")
	stdout.Reset()
	require.Equal(t, exitDone, run(t.Context(), []string{}, &stdout, io.Discard)) // nil would be this test's own
	require.Contains(t, stdout.String(), "It never talks to real AWS")
}

// serve runs a command that stays up until its text says where it is, hands the text to check, and then interrupts it.
func serve(t *testing.T, until string, check func(text string), args ...string) {
	t.Helper()
	serveWith(t, startWorker, until, check, args...)
}

// serveWith is serve with another worker.
func serveWith(t *testing.T, start workerStarter, until string, check func(text string), args ...string) {
	t.Helper()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	out := &watched{until: until, seen: make(chan struct{})}
	var stderr bytes.Buffer
	code := make(chan int, 1)
	go func() { code <- runWith(ctx, start, args, out, &stderr) }()
	select {
	case <-out.seen:
		check(out.String())
	case c := <-code:
		t.Fatalf("ended with %d before it was up: %s", c, stderr.String())
	case <-time.After(time.Minute):
		t.Fatal("not up within a minute")
	}
	interrupt()
	require.Equal(t, exitDone, <-code, stderr.String())
}

// watched is a writer that tells when a text has been written.
type watched struct {
	mu    sync.Mutex
	text  bytes.Buffer
	until string
	seen  chan struct{}
	told  bool
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text.Write(p)
	if !w.told && strings.Contains(w.text.String(), w.until) {
		w.told = true
		close(w.seen)
	}
	return len(p), nil
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

func TestAWSAlone(t *testing.T) {
	serve(t, "Ctrl-C", func(text string) {
		address := regexp.MustCompile(`AWS_ENDPOINT_URL=(\S+)`).FindStringSubmatch(text)
		require.Len(t, address, 2, text)
		response, err := http.Get(address[1] + "/_sim/events")
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, http.StatusOK, response.StatusCode)
		require.Contains(t, text, "export AWS_REGION=ap-northeast-1")
		require.True(t, strings.HasSuffix(text, "\nStop it with Ctrl-C.\n"), text)
	}, "aws", "--listen", "127.0.0.1:0")
}

func TestTemporalAlone(t *testing.T) {
	serve(t, "Ctrl-C", func(text string) {
		require.Regexp(t, `Temporal     127\.0\.0\.1:\d+, namespace default, in memory`, text)
		require.Regexp(t, `Temporal UI  http://127\.0\.0\.1:\d+`, text)
		require.Regexp(t, `export TEMPORAL_ADDRESS=127\.0\.0\.1:\d+\n`, text)
		require.True(t, strings.HasSuffix(text, "\nStop it with Ctrl-C.\n"), text)
	}, "temporal", "--temporal-listen", "127.0.0.1:0", "--ui-port", "0")
}

// toyWave stands for the product's PatchWave, so that the demo itself can be tried: it waits for approval, then ends.
func toyWave(ctx workflow.Context, request demoRequest) (patch.WaveResult, error) {
	id := workflow.GetInfo(ctx).WorkflowExecution.ID
	status := patch.WaveStatus{
		WaveID: id, Plan: request.Plan, State: patch.StateAwaitingApproval, Stage: "production", Since: workflow.Now(ctx),
		Verbs: patch.VerbsIn(patch.StateAwaitingApproval, false), Stages: []patch.StageStatus{},
	}
	if err := workflow.SetQueryHandler(
		ctx, names.QueryStatus, func() (patch.WaveStatus, error) { return status, nil },
	); err != nil {
		return patch.WaveResult{}, err
	}
	var approved drive.Order
	err := workflow.SetUpdateHandler(ctx, string(patch.Approve), func(_ workflow.Context, order drive.Order) error {
		approved = order
		return nil
	})
	if err != nil {
		return patch.WaveResult{}, err
	}
	key := temporal.NewSearchAttributeKeyKeyword(names.AttributeState)
	if err := workflow.UpsertTypedSearchAttributes(ctx, key.ValueSet(string(status.State))); err != nil {
		return patch.WaveResult{}, err
	}
	if err := workflow.Await(ctx, func() bool { return approved.Actor != "" }); err != nil {
		return patch.WaveResult{}, err
	}
	status.State, status.Outcome = patch.StateClosed, patch.Succeeded
	return patch.WaveResult{WaveID: id, Plan: request.Plan, Outcome: patch.Succeeded, Stages: []patch.StageResult{{
		Name: "production", Outcome: patch.Succeeded, Groups: []patch.GroupResult{{
			Account: "production", Region: "ap-northeast-1", Name: "web", Outcome: patch.Succeeded,
			Instances: []patch.InstanceResult{},
		}},
	}}, Stranded: []patch.Stranded{}}, nil
}

// startToy is a worker that knows toyWave only. It checks what the product's worker relies on.
func startToy(t *testing.T) workerStarter {
	return func(_ context.Context, in workerInput) (func(), error) {
		require.DirExists(t, in.Folder)
		require.True(t, strings.HasPrefix(os.Getenv("AWS_ENDPOINT_URL"), "http://127.0.0.1:"))
		require.Equal(t, "patchtide-lab", os.Getenv("PATCHTIDE_EXTERNAL_ID"))
		require.NotEqual(t, "AKIAPRODUCTION000000", os.Getenv("AWS_ACCESS_KEY_ID"))
		w := worker.New(in.Temporal, names.TaskQueue, worker.Options{})
		w.RegisterWorkflowWithOptions(toyWave, workflow.RegisterOptions{Name: names.PatchWave})
		return w.Stop, w.Start()
	}
}

// runFleet is run with the toy in the worker's place.
func runFleet(t *testing.T, stdout, stderr io.Writer, args ...string) error {
	t.Helper()
	root := newRoot(startToy(t))
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	return root.ExecuteContext(t.Context())
}

func TestDemo(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAPRODUCTION000000")
	data := t.TempDir()

	var stdout, stderr bytes.Buffer
	require.NoError(t, runFleet(t, &stdout, &stderr, "demo", "--json", "--data", data))
	var document map[string]any
	decoder := json.NewDecoder(&stdout)
	require.NoError(t, decoder.Decode(&document))
	_, err := decoder.Token()
	require.ErrorIs(t, err, io.EOF, "one document and nothing else")
	require.Equal(t, "succeeded", document["outcome"])
	require.Equal(t, "healthy", document["scenario"])
	require.NotContains(t, document, "pages", "they are gone when it is read")
	require.Contains(t, stderr.String(), "The laboratory approves stage production by itself")
	require.FileExists(t, data+"/"+lab.DatabaseFile)
	require.Equal(t, "AKIAPRODUCTION000000", os.Getenv("AWS_ACCESS_KEY_ID"), "the environment is given back")

	// The toy ends well where the scenario promises a rollback: that is a failure.
	stdout.Reset()
	err = runFleet(t, &stdout, &stderr, "demo", "--scenario", "bad-patch", "--data", data)
	require.ErrorContains(t, err, "scenario bad-patch should end as rolled_back")
	require.Contains(t, stdout.String(), "Out of service at most  0 in production/ap-northeast-1/web")
	_, summary, _ := strings.Cut(stdout.String(), "✓ wave-web-")
	require.Contains(t, summary, "patchtide-lab demo --scenario bad-patch --keep")
	require.NotContains(t, summary, "http", "nothing is there any more")
}
