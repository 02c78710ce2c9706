package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows"
)

// What Temporal lets a history have.
const (
	mostEvents = 51_200
	mostBytes  = 50 << 20
)

// speedOfGroups leaves each attempt, whose budget is divided by it, seconds on a busy machine: little is waited for
// where nothing is installed.
const speedOfGroups = 30

// accountsOfGroups have the groups of a large plan: AWS's quotas are an account's.
const accountsOfGroups = 10

// planOfGroups is a scenario, and a configuration with its plan, of so many groups of one instance each. Nothing is
// missing on any: what is measured is what a wave costs, whatever its instances do.
func planOfGroups(groups int) (scenario, configuration string) {
	var accounts, fleet, plan strings.Builder
	for account := range accountsOfGroups {
		id := fmt.Sprintf("1111000000%02d", account)
		fmt.Fprintf(&accounts, "  - {name: a%d, id: %q, role_arn: 'arn:aws:iam::%s:role/patchtide',\n"+
			"     external_id_from: 'env:%s', automation_role_arn: 'arn:aws:iam::%s:role/patchtide-automation',\n"+
			"     regions: [ap-northeast-1]}\n", account, id, id, externalIDEnv, id)
		fmt.Fprintf(&fleet, "  - name: a%d\n    id: %q\n    roles: [{name: patchtide, external_id: patchtide-lab}, "+
			"{name: patchtide-automation}]\n    regions:\n      - name: ap-northeast-1\n        auto_scaling_groups:\n",
			account, id)
		for i := range groups / accountsOfGroups {
			fmt.Fprintf(&fleet, "          - {name: web-%04d, min: 0, desired: 1, max: 1, zones: [ap-northeast-1a], "+
				"health_check_type: EC2, grace: 60s, image: web-2.4, tags: {PatchGroup: amazon-linux-2023}}\n", i)
			fmt.Fprintf(&plan, "          - {account: a%d, region: ap-northeast-1, auto_scaling_group: web-%04d}\n",
				account, i)
		}
	}
	scenario = "extends: fleet\ndescription: Many groups, and nothing is missing.\nseed: 1\n" +
		"patches:\n  - {os: amazon-linux-2023, id: vim-minimal.x86_64, version: \"2:9.1.1706-1.amzn2023.0.1\", " +
		"severity: Medium, classification: Security, age_days: 0}\naccounts:\n" + fleet.String()
	configuration = "accounts:\n" + accounts.String() + "plans:\n  - name: web\n    baseline: amazon-linux-2023\n" +
		"    backup: snapshot\n    restore: root_volume\n    stages:\n      - name: production\n" +
		"        max_parallel_groups: 40\n        groups:\n" + plan.String() +
		"evidence: ./evidence\nsingle_worker: true\njournal_key_from: file:journal.key\n"
	return scenario, configuration
}

// A wave of as many groups as a plan may have, on a real server: minutes, so only where it is asked for.
func TestLargePlanOfGroups(t *testing.T) {
	if os.Getenv("PATCHTIDE_LARGE") == "" {
		t.Skip("PATCHTIDE_LARGE is not set; `make large` sets it")
	}
	const waveID = "wave-large"
	scenario, configuration := planOfGroups(patch.MostGroups)
	file := filepath.Join(t.TempDir(), "many-groups.yaml")
	require.NoError(t, os.WriteFile(file, []byte(scenario), 0o600))
	l, err := open(t.Context(), laboratoryOptions{
		aws:      awsOptions{listen: "127.0.0.1:0", speed: speedOfGroups, scenario: file},
		temporal: temporalOptions{listen: "127.0.0.1:0"},
	}, func(ctx context.Context, in workerInput) (func(), error) {
		return startWorkerOf(ctx, in, []byte(configuration))
	}, t.Output())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.close()) })

	began := time.Now()
	options := client.StartWorkflowOptions{ID: waveID, TaskQueue: names.TaskQueue}
	wave, err := l.client.ExecuteWorkflow(t.Context(), options, names.PatchWave,
		workflows.WaveRequest{Plan: demoPlan, Actor: "a test", Reason: "how large its history is"})
	require.NoError(t, err)
	var result patch.WaveResult
	ended := make(chan error, 1)
	go func() { ended <- wave.Get(t.Context(), &result) }()
	ticker := time.NewTicker(15 * time.Second)
	defer ticker.Stop()
	for over := false; !over; {
		select {
		case err := <-ended:
			require.NoError(t, err)
			over = true
		case <-ticker.C:
		}
		if !over {
			retryHeld(t, l.client, waveID)
		}
		events, bytes := historyOf(t, l.client, waveID)
		t.Logf("after %s: %d events, %.1f MB", time.Since(began).Round(time.Second), events, float64(bytes)/(1<<20))
	}
	require.Equal(t, patch.Succeeded, result.Outcome, "%s", result.Reason)
	require.Len(t, result.Stages[0].Groups, patch.MostGroups)
	events, bytes := historyOf(t, l.client, waveID)
	t.Logf("%d groups: %d events, %.1f a group, and %d bytes, %d a group, in %s", patch.MostGroups, events,
		float64(events)/patch.MostGroups, bytes, bytes/patch.MostGroups, time.Since(began).Round(time.Second))
	require.Less(t, events, int64(mostEvents*3/4))
	require.Less(t, bytes, int64(mostBytes/2))
}

// retryHeld answers a hold as whoever is on call would where a busy machine has let an attempt's time run out.
func retryHeld(t *testing.T, temporal client.Client, waveID string) {
	t.Helper()
	value, err := temporal.QueryWorkflow(t.Context(), waveID, "", names.QueryStatus)
	if err != nil {
		return // it was busy with its history for longer than a query waits
	}
	var status patch.WaveStatus
	require.NoError(t, value.Get(&status))
	if status.State != patch.StateOnHold {
		return
	}
	t.Logf("on hold: %s", status.Awaiting)
	_, err = temporal.UpdateWorkflow(t.Context(), client.UpdateWorkflowOptions{
		WorkflowID: waveID, UpdateName: string(patch.Retry), WaitForStage: client.WorkflowUpdateStageCompleted,
		Args: []any{workflows.VerbRequest{
			Actor: "a test", Reason: "the machine was busy", Point: status.Point(),
		}},
	})
	require.NoError(t, err)
}

// historyOf is how many events a workflow's history has, and how many bytes.
func historyOf(t *testing.T, temporal client.Client, workflowID string) (events, bytes int64) {
	t.Helper()
	described, err := temporal.DescribeWorkflowExecution(t.Context(), workflowID, "")
	require.NoError(t, err)
	info := described.GetWorkflowExecutionInfo()
	return info.GetHistoryLength(), info.GetHistorySizeBytes()
}
