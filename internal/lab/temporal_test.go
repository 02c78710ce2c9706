package lab

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdktemporal "go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

var (
	fleetKey = sdktemporal.NewSearchAttributeKeyKeyword("LabTestFleet")
	countKey = sdktemporal.NewSearchAttributeKeyInt64("LabTestCount")
)

// label sets both attributes, so that it completes only when the server knows them.
func label(ctx workflow.Context, fleet string) (string, error) {
	if err := workflow.UpsertTypedSearchAttributes(ctx, fleetKey.ValueSet(fleet), countKey.ValueSet(3)); err != nil {
		return "", err
	}
	return "labelled " + fleet, nil
}

func start(t *testing.T, options TemporalOptions) *Temporal {
	t.Helper()
	began := time.Now()
	server, err := StartTemporal(t.Context(), options)
	require.NoError(t, err)
	t.Logf("started in %s, %d MiB resident", time.Since(began).Round(time.Millisecond), residentMiB(t))
	return server
}

func stop(t *testing.T, server *Temporal) {
	t.Helper()
	began := time.Now()
	require.NoError(t, server.Stop())
	t.Logf("stopped in %s", time.Since(began).Round(time.Millisecond))
}

// TestTemporalKeepsItsDataAndGainsSearchAttributes is the life of a data folder: a first start knows one attribute, a
// later release two.
func TestTemporalKeepsItsDataAndGainsSearchAttributes(t *testing.T) {
	folder := t.TempDir() + "/data"
	first := map[string]enumspb.IndexedValueType{fleetKey.GetName(): enumspb.INDEXED_VALUE_TYPE_KEYWORD}
	both := map[string]enumspb.IndexedValueType{
		fleetKey.GetName(): enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		countKey.GetName(): enumspb.INDEXED_VALUE_TYPE_INT,
	}
	server := start(t, TemporalOptions{DataDir: folder, SearchAttributes: first})
	require.NoError(t, waitStarted(t, server, "kept"))
	stop(t, server)

	server = start(t, TemporalOptions{DataDir: folder, SearchAttributes: both})
	c, err := server.Dial(t.Context(), client.Options{})
	require.NoError(t, err)
	defer c.Close()

	listed, err := c.OperatorService().ListSearchAttributes(t.Context(),
		&operatorservice.ListSearchAttributesRequest{Namespace: Namespace})
	require.NoError(t, err)
	require.Equal(t, both, listed.GetCustomAttributes())

	w := worker.New(c, "lab-test", worker.Options{})
	w.RegisterWorkflow(label)
	require.NoError(t, w.Start())
	var text string
	require.NoError(t, c.GetWorkflow(t.Context(), "kept", "").Get(t.Context(), &text), "started before the restart")
	require.Equal(t, "labelled web", text)
	require.EventuallyWithT(t, func(collect *assert.CollectT) {
		found, err := c.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{
			Query: "LabTestFleet = 'web' and LabTestCount = 3",
		})
		require.NoError(collect, err)
		require.Len(collect, found.GetExecutions(), 1)
	}, 10*time.Second, 100*time.Millisecond)
	w.Stop()

	requireUI(t, server)
	stop(t, server)
	requireFree(t, server.Address())
	requireFree(t, strings.TrimPrefix(server.UIURL(), "http://"))
}

func TestTemporalRefusesATypeThatChanged(t *testing.T) {
	name := fleetKey.GetName()
	keyword := map[string]enumspb.IndexedValueType{name: enumspb.INDEXED_VALUE_TYPE_KEYWORD}
	number := map[string]enumspb.IndexedValueType{name: enumspb.INDEXED_VALUE_TYPE_INT}
	_, err := missingAttributes(number, keyword)
	require.ErrorContains(t, err, "search attribute LabTestFleet of namespace default has type Keyword, not Int")
	missing, err := missingAttributes(number, nil)
	require.NoError(t, err)
	require.Equal(t, number, missing)
}

func TestTemporalSaysWhichPortIsTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, taken.Close()) }()

	_, err = StartTemporal(t.Context(), TemporalOptions{Listen: taken.Addr().String()})
	require.ErrorContains(t, err, "the Temporal server's address: cannot listen on "+taken.Addr().String())

	_, err = StartTemporal(t.Context(), TemporalOptions{UIListen: taken.Addr().String()})
	require.ErrorContains(t, err, "the Temporal UI's address: cannot listen on "+taken.Addr().String())
}

func waitStarted(t *testing.T, server *Temporal, id string) error {
	t.Helper()
	c, err := server.Dial(t.Context(), client.Options{})
	require.NoError(t, err)
	defer c.Close()
	_, err = c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: id, TaskQueue: "lab-test"}, label, "web")
	return err
}

// requireUI reads the page and, through the UI's own API, the namespace it shows.
func requireUI(t *testing.T, server *Temporal) {
	t.Helper()
	require.Equal(t, server.UIURL()+"/namespaces/default/workflows/wave%2F1", server.WorkflowURL("wave/1"))
	require.Contains(t, get(t, server.WorkflowURL("kept")), "<html")
	require.Contains(
		t, get(t, server.UIURL()+"/api/v1/namespaces/default/workflows/kept"), "WORKFLOW_EXECUTION_STATUS_COMPLETED",
	)
}

func get(t *testing.T, address string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { require.NoError(t, response.Body.Close()) }()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.StatusCode, "%s: %s", address, body)
	return string(body)
}

func requireFree(t *testing.T, address string) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", address)
	require.NoError(t, err, "still in use after Stop")
	require.NoError(t, listener.Close())
}

// residentMiB reads the process's resident memory where Linux tells it, and the heap elsewhere.
func residentMiB(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return int(stats.Sys >> 20)
	}
	var size, resident int
	_, err = fmt.Sscan(string(status), &size, &resident)
	require.NoError(t, err)
	return resident * os.Getpagesize() >> 20
}
