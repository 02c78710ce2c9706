package main

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/workflows"
)

// printed runs `patchtide links --json`.
func printed(t *testing.T, args ...string) map[string]link {
	t.Helper()
	code, stdout, stderr := call(t, append([]string{"links", "--json", "--actor", "alice"}, args...)...)
	require.Equal(t, exitDone, code, stderr)
	var list []link
	require.NoError(t, json.Unmarshal([]byte(stdout), &list))
	links := map[string]link{}
	for _, l := range list {
		require.NotContains(t, links, l.For, "every link is told once")
		links[l.For] = l
	}
	return links
}

func TestEveryStartHasAFormAndAnInputThatItTakes(t *testing.T) {
	links := printed(
		t, "--config", file(t), "--temporal-ui", "https://temporal.example.com/", "--temporal-namespace", "ops",
	)
	check := func(what, workflow, idBegins string, into interface{ UnmarshalJSON([]byte) error }, validate func() error) {
		t.Helper()
		l, ok := links[what]
		require.True(t, ok, what)
		require.Equal(t, linkStart, l.Kind)
		address, err := url.Parse(l.URL)
		require.NoError(t, err)
		require.Equal(t, "https://temporal.example.com/namespaces/ops/workflows/start-workflow", strings.Split(l.URL, "?")[0])
		require.Equal(t, workflow, address.Query().Get("workflowType"))
		require.Equal(t, names.TaskQueue, address.Query().Get("taskQueue"))
		require.True(t, strings.HasPrefix(address.Query().Get("workflowId"), idBegins), address.Query().Get("workflowId"))
		require.NoError(t, into.UnmarshalJSON(l.Input))
		require.NoError(t, validate(), "the input is right as it stands: %s", l.Input)
	}
	var wave workflows.WaveRequest
	check("start a wave of web", "PatchWave", "wave-web-", &wave, func() error { return wave.Validate() })
	var preview workflows.PreviewRequest
	check("show what a wave of web would do", "PreviewWave", "plan-web-", &preview,
		func() error { return preview.Validate() })
	require.Equal(t, workflows.WaveRequest{Plan: "web", Actor: "alice", Reason: "monthly patches"}, wave)
	var scan workflows.ScanRequest
	check("scan web", "ScanFleet", "scan-web-", &scan, func() error { return scan.Validate() })
	var back workflows.RollBackRequest
	check("roll back a closed wave", "RollBackWave", "roll-back-WAVE", &back, func() error { return back.Validate() })
	var tell, heal workflows.ReconcileRequest
	check("reconcile: only tell", "Reconcile", "patchtide-reconcile", &tell, func() error { return tell.Validate() })
	require.True(t, tell.DryRun)
	check("reconcile: put back", "Reconcile", "patchtide-reconcile", &heal, func() error { return heal.Validate() })
	var quarantine workflows.QuarantineRequest
	check(
		"list what is in quarantine", "Quarantine", "patchtide-quarantine-list", &quarantine,
		func() error { return quarantine.Validate() },
	)

	freeze := links["freeze and unfreeze"]
	require.Equal(t, "https://temporal.example.com/namespaces/ops/workflows/patchtide-freeze", freeze.URL)
	var request workflows.FreezeRequest
	require.NoError(t, request.UnmarshalJSON(freeze.Input))
	require.NoError(t, request.Validate())
}

func TestViewsAndPages(t *testing.T) {
	windowed := file(
		t, "    stages:\n",
		"    windows: [{schedule: \"cron(0 2 ? * SUN#2 *)\", time_zone: Asia/Tokyo, duration: 4h, cutoff: 1h}]\n    stages:\n",
	)
	links := printed(
		t, "--config", windowed, "--temporal-ui", "http://localhost:8080", "--wave", "wave-web-1", "--save-views",
	)
	require.Equal(
		t, "http://localhost:8080/namespaces/default/schedules/patchtide-window-web", links["the windows of web"].URL,
	)
	require.Equal(t, "http://localhost:8080/namespaces/default/workflows/wave-web-1", links["wave-web-1"].URL)
	require.Contains(t, links["roll back a closed wave"].URL, "workflowId=roll-back-wave-web-1")
	require.Empty(t, links["roll back a closed wave"].Note)
	for name, part := range map[string]string{
		"on hold": `"on_hold" AND ExecutionStatus = "Running"`, "awaiting approval": `"awaiting_approval"`,
		"waits for a person": "IN (",
		"waves running":      `ExecutionStatus = "Running"`, "failed this week": "CloseTime > ",
		"nobody was told": `"Notify"`,
	} {
		address, err := url.Parse(links[name].URL)
		require.NoError(t, err)
		require.Contains(t, address.Query().Get("query"), part)
		require.Equal(t, name, address.Query().Get("savedQuery"))
	}
}

func TestLinksNeedNoFileWherePlansAreNamed(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("PATCHTIDE_TEMPORAL_UI", "http://localhost:8080")
	links := printed(t, "--plan", "web", "--plan", "batch")
	require.Contains(t, links, "start a wave of web")
	require.Contains(t, links, "start a wave of batch")
	code, stdout, _ := call(t, "links", "--plan", "web")
	require.Equal(t, exitDone, code)
	require.Contains(t, stdout, "START  start a wave of web")
	require.Contains(t, stdout, `input: {"plan":"web"`)
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"neither file nor plan", nil, "patchtide.yaml: cannot be read"},
		{"a plan that the file has not", []string{"--plan", "wbe", "--config", file(t)}, "--plan wbe: there is none in"},
		{"no address", []string{"--plan", "web"}, "temporal_ui is not set"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "no address" {
				t.Setenv("PATCHTIDE_TEMPORAL_UI", "")
			}
			code, stdout, stderr := call(t, append([]string{"links"}, c.args...)...)
			require.Equal(t, exitUsage, code)
			require.Empty(t, stdout)
			require.Contains(t, stderr, c.want)
		})
	}
}
