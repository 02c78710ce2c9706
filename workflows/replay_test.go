package workflows_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

// histories are what waves of released code left in a real server's history, made by `make fixtures`. Waves live for
// days: code that cannot replay them would break those under way when it is deployed.
func histories(t *testing.T) []string {
	files, err := filepath.Glob("testdata/histories/*/*.json") // a folder for each release, and next
	require.NoError(t, err)
	require.NotEmpty(t, files, "there are no histories; make them with `make fixtures`")
	return files
}

func TestReplayOfSavedHistories(t *testing.T) {
	kinds := map[string]int{}
	for _, file := range histories(t) {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(file), "testdata/histories/"), ".json")
		t.Run(name, func(t *testing.T) {
			replayer := worker.NewWorkflowReplayer()
			workflows.Register(replayer)
			require.NoError(t, replay(t, replayer, file))
		})
		for _, kind := range replayed {
			if strings.Contains(name, "-"+kind+"-") {
				kinds[kind]++
			}
		}
	}
	require.Len(t, kinds, len(replayed), "each workflow has a history: %v", kinds)
}

// replayed are the workflows that `make fixtures` meets. Freeze, OpenWindow, Quarantine and HoldService are not among
// them: they hold a few steps each, and the laboratory's scenarios have no use for them.
var replayed = []string{
	names.PatchWave, names.PatchGroup, names.PatchInstance, names.Notify, names.ScanFleet, names.RollBackWave,
	names.RestoreInstance, names.Reconcile,
}

// A replay that notices nothing would prove nothing.
func TestReplayNoticesAnotherOrderOfSteps(t *testing.T) {
	replayer := worker.NewWorkflowReplayer()
	replayer.RegisterWorkflowWithOptions(func(ctx workflow.Context, _ workflows.WaveRequest) (*patch.WaveResult, error) {
		return nil, workflow.Sleep(ctx, 1)
	}, workflow.RegisterOptions{Name: names.PatchWave})
	require.ErrorContains(t,
		replay(t, replayer, filepath.Join("testdata", "histories", "next", "healthy-PatchWave-1.json")), "TMPRL1100")
}

// replay plays a saved history as the run that it was: the ids of what a wave starts are made of its run's.
func replay(t *testing.T, replayer worker.WorkflowReplayer, file string) error {
	document, err := os.Open(file)
	require.NoError(t, err)
	defer func() { require.NoError(t, document.Close()) }()
	whole, err := client.HistoryFromJSON(document, client.HistoryJSONOptions{})
	require.NoError(t, err)
	started := whole.Events[0].GetWorkflowExecutionStartedEventAttributes()
	return replayer.ReplayWorkflowHistoryWithOptions(wavetest.QuietLogger(), whole, worker.ReplayWorkflowHistoryOptions{
		OriginalExecution: workflow.Execution{ID: started.GetWorkflowId(), RunID: started.GetOriginalExecutionRunId()},
	})
}

var (
	identities = regexp.MustCompile(`"identity":"([^"]*)"`)
	payloads   = regexp.MustCompile(`"data":"([^"]*)"`)
)

// Histories are public: neither the machine that recorded them nor a secret may stand in them.
func TestHistoriesTellNothingOfTheirMachineAndNoSecret(t *testing.T) {
	scenario, err := world.LoadScenario("healthy")
	require.NoError(t, err)
	for _, file := range histories(t) {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, identity := range identities.FindAllSubmatch(text, -1) {
			require.Contains(t, []string{"patchtide-lab", "history-service"}, string(identity[1]), file)
		}
		require.NotContains(t, string(text), `"stackTrace":"`, "%s holds paths of the machine that recorded it", file)
		for _, payload := range payloads.FindAllSubmatch(text, -1) {
			data, err := base64.StdEncoding.DecodeString(string(payload[1]))
			require.NoError(t, err)
			for _, secret := range []string{
				scenario.Home.SecretAccessKey, scenario.Home.AccessKeyID, "external_id", "ExternalID",
			} {
				require.NotContains(t, string(data), secret, file)
			}
		}
	}
}
