package main

import (
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/scenarios"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/lab"
	"github.com/patchtide/patchtide/internal/lab/drive"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavelog"
	"github.com/patchtide/patchtide/workflows"
)

// product builds cmd/patchtide once: what operators run is tried as they run it.
var product = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "patchtide-")
	if err != nil {
		return "", err
	}
	binary := filepath.Join(folder, "patchtide")
	build := exec.Command("go", "build", "-o", binary, "../patchtide")
	build.Stderr = os.Stderr
	return binary, build.Run()
})

// operator runs one command line of the product against the scene's Temporal, and returns its exit code and stdout.
func (b *crashScene) operator(args ...string) (code int, stdout string) {
	b.t.Helper()
	binary, err := product()
	require.NoError(b.t, err)
	ctx, cancel := context.WithTimeout(b.t.Context(), waveBudget)
	defer cancel()
	cmd := exec.CommandContext(
		ctx, binary, append(args, "--temporal-address", b.address, "--temporal-namespace", lab.Namespace)...,
	)
	cmd.Dir = b.t.TempDir() // no configuration file: an operator's machine needs none
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		require.NotNil(b.t, cmd.ProcessState, "%v", err)
	}
	b.t.Logf("patchtide %s: exit %d %s", strings.Join(args, " "), cmd.ProcessState.ExitCode(), errs.String())
	return cmd.ProcessState.ExitCode(), out.String()
}

// ofFive is the healthy scenario with five in production.
func ofFive(t *testing.T) string {
	t.Helper()
	fleet, err := fs.ReadFile(scenarios.Files, "fleet.yaml")
	require.NoError(t, err)
	text := strings.Replace(string(fleet), "desired: 4", "desired: 5", 1)
	require.NotEqual(t, string(fleet), text)
	file := filepath.Join(t.TempDir(), "five.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text+"\nexpect: {outcome: succeeded}\n"), 0o600))
	return file
}

const productionLock = "patch-group/111122223333/ap-northeast-1/web"

// TestAClosedWaveIsRolledBack runs a wave on a real server whose groups begin their history anew after two instances,
// and rolls it back from its evidence by the command line, twice.
func TestAClosedWaveIsRolledBack(t *testing.T) {
	t.Parallel()
	b := newCrashScene(t, ofFive(t))
	require.NoError(t, b.startWorker())
	const waveID = "wave-web-five"
	driver := &drive.Driver{Temporal: b.client, Console: console.New(io.Discard, nil, time.Now)}
	result, err := driver.Run(
		t.Context(), waveID, workflows.WaveRequest{Plan: demoPlan, Actor: drive.Actor, Reason: "a test", ContinueAfter: 2},
	)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, result.Reason)
	require.Equal(
		t, map[string]string{"staging": "patched patched", "production": "patched patched patched patched patched"},
		outcomes(result),
	)
	require.Equal(t, 3, b.runs(productionLock), "two, two and one")
	require.Equal(t, 7, effects(b.aws.Events(), "StartAutomationExecution"), "each instance once")

	b.requireLogged(waveID, 7)
	rollBack := func(want patch.Outcome) (status patch.WaveStatus) {
		code, stdout := b.operator(
			"wave", "roll-back", waveID, "--reason", "the new openssl breaks logins", "--watch", "--json",
		)
		require.Equal(t, exitDone, code, stdout)
		require.NoError(t, json.Unmarshal([]byte(stdout), &status))
		require.Equal(t, want, status.Outcome)
		require.Equal(t, waveID, status.PutsBack)
		return status
	}
	// What was for a stage of it, or a hold, comes too late: it is not taken for a roll back of all stages.
	code, _ := b.operator("wave", "roll-back", waveID, "--stage", "production", "--hold", "2", "--reason", "late")
	require.Equal(t, exitUsage, code)
	require.Zero(t, effects(b.aws.Events(), "CreateReplaceRootVolumeTask"))
	rollBack(patch.RolledBack)
	require.Equal(t, 7, effects(b.aws.Events(), "CreateReplaceRootVolumeTask"))
	before := effects(b.aws.Events(), "EnterStandby")
	rollBack(patch.NothingPutBack)
	require.Equal(t, 7, effects(b.aws.Events(), "CreateReplaceRootVolumeTask"), "what is put back already is left alone")
	require.Equal(t, before, effects(b.aws.Events(), "EnterStandby"))
	var again patch.WaveResult
	require.NoError(t, b.client.GetWorkflow(t.Context(), names.RollBack(waveID), "").Get(t.Context(), &again))
	require.Equal(t, map[string]string{
		"staging": "rolled_back rolled_back", "production": "rolled_back rolled_back rolled_back rolled_back rolled_back",
	}, outcomes(again))

	// A misspelt wave must not look like one that is being put back, nor a wave of a misspelt plan like one that goes on.
	code, stdout := b.operator("wave", "roll-back", "wave-misspelt", "--reason", "the new openssl breaks logins")
	require.Equal(t, exitFailed, code, stdout)
	require.Empty(t, stdout)
	code, _ = b.operator("wave", "start", "nosuch", "--id", "wave-nosuch", "--reason", "a test", "--watch")
	require.Equal(t, exitFailed, code)
	code, stdout = b.operator("wave", "show", "wave-nosuch")
	require.Equal(t, exitFailed, code, stdout)
	require.Contains(t, stdout, "closed: refused  at 20")
	require.Contains(t, stdout, " UTC\nWhy: InvalidInput: there is no plan \"nosuch\"")
	require.NoError(t, b.stopWorker())
	require.Empty(t, b.violations())
}

// requireLogged asks the product for what a wave did: each of its instances once, also where a group's history began
// anew, and the wave's end.
func (b *crashScene) requireLogged(waveID string, instances int) {
	b.t.Helper()
	code, stdout := b.operator("wave", "logs", waveID, "--follow", "--json")
	require.Equal(b.t, exitDone, code)
	patched, last := map[string]int{}, wavelog.Event{}
	for decoder := json.NewDecoder(strings.NewReader(stdout)); decoder.More(); {
		var event wavelog.Event
		require.NoError(b.t, decoder.Decode(&event), stdout)
		require.False(b.t, event.At.Before(last.At), "in order: %v, then %v", last, event)
		if last = event; event.Outcome == patch.Patched {
			patched[event.Instance]++
		}
	}
	require.Len(b.t, patched, instances)
	for instance, times := range patched {
		require.Equal(b.t, 1, times, instance)
	}
	require.Equal(b.t, wavelog.OfWave, last.Kind)
	require.Equal(b.t, patch.Succeeded, last.Outcome)

	code, stdout = b.operator("wave", "watch", waveID, "--plain")
	require.Equal(b.t, exitDone, code)
	require.Contains(b.t, stdout, waveID+"  plan "+demoPlan+"  closed: succeeded")
}

// runs counts the runs that continue-as-new made of a workflow, the last one backwards.
func (b *crashScene) runs(id string) int {
	b.t.Helper()
	run := ""
	for count := 1; ; count++ {
		events := b.client.GetWorkflowHistory(b.t.Context(), id, run, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		first, err := events.Next()
		require.NoError(b.t, err)
		if run = first.GetWorkflowExecutionStartedEventAttributes().GetContinuedExecutionRunId(); run == "" {
			return count
		}
	}
}

// dieAt kills the worker inside the next call of that operation in production, and tells of it on the channel.
func (b *crashScene) dieAt(operation string) <-chan string {
	struck := make(chan string, 1)
	done := false
	b.aws.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		b.mu.Lock()
		defer b.mu.Unlock()
		if done || b.worker == nil || call.Operation != operation || call.Account != "111122223333" {
			return awssim.Fault{}
		}
		done = true
		_ = b.worker.signal(syscall.SIGKILL) // whoever waits for struck waits for its end
		struck <- call.Resource
		return awssim.Fault{}
	})
	return struck
}

// strand begins a wave, kills the worker once an instance of production goes into standby, and terminates the wave. It
// returns the lock of that instance.
func (b *crashScene) strand(waveID string) string {
	b.t.Helper()
	struck := b.dieAt("EnterStandby")
	closed := b.drive(waveID)
	select {
	case <-struck:
	case err := <-closed:
		b.t.Fatalf("%s ended before an instance went into standby: %v", waveID, err)
	}
	b.mu.Lock()
	dead := b.worker
	b.worker = nil
	b.mu.Unlock()
	dead.kill()
	b.terminate(waveID)
	require.Error(b.t, <-closed)
	events := b.aws.Events()
	var in struct{ InstanceIds []string }
	for _, event := range slices.Backward(events) {
		if event.Effect && event.Operation == "EnterStandby" {
			require.NoError(b.t, json.Unmarshal(event.Arguments, &in))
			break
		}
	}
	require.Len(b.t, in.InstanceIds, 1)
	return "patch-instance/111122223333/ap-northeast-1/" + in.InstanceIds[0]
}

func (b *crashScene) terminate(id string) {
	b.t.Helper()
	require.NoError(b.t, b.client.TerminateWorkflow(b.t.Context(), id, "", "a test of what that leaves"))
}

// closedAt waits until a workflow has closed, which is never by a termination, and tells when.
func (b *crashScene) closedAt(id string) time.Time {
	b.t.Helper()
	var at time.Time
	b.eventually(func() bool {
		description, err := b.client.DescribeWorkflowExecution(b.t.Context(), id, "")
		info := description.GetWorkflowExecutionInfo()
		at = info.GetCloseTime().AsTime()
		return err == nil && info.GetStatus() == enums.WORKFLOW_EXECUTION_STATUS_COMPLETED
	}, id+" ends by itself")
	return at
}

func (b *crashScene) requireRuns(ids ...string) {
	b.t.Helper()
	for _, id := range ids {
		description, err := b.client.DescribeWorkflowExecution(b.t.Context(), id, "")
		require.NoError(b.t, err)
		require.Equal(b.t, enums.WORKFLOW_EXECUTION_STATUS_RUNNING, description.GetWorkflowExecutionInfo().GetStatus(), id)
	}
}

// TestATerminatedWave terminates waves in the middle of an instance while no worker runs, each of which has patched
// staging. The first time the children live: they put back what they hold, and only then is the service's lock free.
// The second time everything is terminated: nothing owns what is left, and `patchtide reconcile` puts it back. What
// either had patched is rolled back after that, from its journal and evidence.
func TestATerminatedWave(t *testing.T) {
	t.Parallel()
	b := newCrashScene(t, "healthy")
	const first, second, service = "wave-web-terminated", "wave-web-everything", "patch-service/web"
	missing := b.behind()
	require.NoError(t, b.startWorker())
	instance := b.strand(first)
	b.requireRuns(productionLock, instance, service)
	code, stands := b.operator("wave", "show", first)
	require.Equal(t, exitFailed, code)
	require.Contains(t, stands, "terminated while running: production", "which Temporal tells without a worker")
	require.NoError(t, b.startWorker())
	b.rollBackTerminated(first, missing) // it waits for the children, who have only begun
	code, stands = b.operator("wave", "show", first)
	require.Equal(t, exitFailed, code)
	require.Contains(t, stands, "When it was heard of last, it stood so:")
	require.Regexp(t, `staging/ap-northeast-1/Role=web +\| succeeded +\| 2 of 2`, stands)
	require.Regexp(t, `production/ap-northeast-1/web +\| patching`, stands)
	put, group, free := b.closedAt(instance), b.closedAt(productionLock), b.closedAt(service)
	require.False(t, group.Before(put), "a group waits for its instance")
	require.False(t, free.Before(group), "the service is locked until everything is put back")
	require.Equal(t, b.before, fleetNow(b.aws), "the children have put everything back")

	instance = b.strand(second)
	for _, id := range []string{service, productionLock, instance} {
		b.terminate(id)
	}
	require.NoError(t, b.startWorker())
	require.NotEqual(t, b.before, fleetNow(b.aws), "an instance is in standby")
	reconcile := func(extra ...string) (code int, result workflows.Reconciliation) {
		code, stdout := b.operator(append([]string{"reconcile", "--reason", "a test", "--json"}, extra...)...)
		require.NoError(t, json.Unmarshal([]byte(stdout), &result), stdout)
		return code, result
	}
	var told workflows.Reconciliation
	b.eventually(func() bool {
		var code int
		code, told = reconcile("--dry-run")
		return code == exitFailed && len(told.TooRecent) == 0 && len(told.Healed) == 2
	}, "what is left has been left long enough")
	require.NotEqual(t, b.before, fleetNow(b.aws), "a dry run changes nothing")
	code, healed := reconcile()
	require.Equal(t, exitDone, code, "%+v", healed)
	require.Len(t, healed.Healed, 2, "the instance and its group: %+v", healed)
	require.Empty(t, healed.Failed)
	code, again := reconcile()
	require.Equal(t, exitDone, code)
	require.Empty(t, again.Healed)
	b.rollBackTerminated(second, missing)
	require.NoError(t, b.stopWorker())
	require.Empty(t, b.violations())
}

// behind is by how many packages each machine is behind.
func (b *crashScene) behind() map[string]int {
	behind := map[string]int{}
	eachRegion(b.aws, func(where string, region *world.Region) {
		for _, instance := range region.Instances() {
			behind[where+instance.ID] = instance.BehindBy()
		}
	})
	return behind
}

// rollBackTerminated rolls back a wave that had patched both instances of staging before it was terminated: each gets
// its root volume back once, and every machine misses what it did before.
func (b *crashScene) rollBackTerminated(waveID string, missing map[string]int) {
	b.t.Helper()
	now := b.behind()
	patched := 0
	for machine, behind := range missing {
		require.Positive(b.t, behind, machine)
		if now[machine] != behind {
			patched++
		}
	}
	require.Equal(b.t, 2, patched, "those of staging: %v, and before %v", now, missing)
	restored := effects(b.aws.Events(), "CreateReplaceRootVolumeTask")
	code, stdout := b.operator(
		"wave", "roll-back", waveID, "--scope", "wave", "--reason", "it was terminated", "--watch", "--json",
	)
	require.Equal(b.t, exitDone, code, stdout)
	var status patch.WaveStatus
	require.NoError(b.t, json.Unmarshal([]byte(stdout), &status), stdout)
	require.Equal(b.t, patch.RolledBack, status.Outcome)
	require.Equal(b.t, waveID, status.PutsBack)
	var result patch.WaveResult
	require.NoError(b.t, b.client.GetWorkflow(b.t.Context(), names.RollBack(waveID), "").Get(b.t.Context(), &result))
	require.Contains(b.t, result.Reason, "did not end by itself")
	require.Equal(b.t, "rolled_back rolled_back", outcomes(result)["staging"], "%+v", result)
	require.Equal(b.t, 2, effects(b.aws.Events(), "CreateReplaceRootVolumeTask")-restored, "each once")
	require.Equal(b.t, missing, b.behind(), "every machine misses what it did before")
	require.Equal(b.t, b.before, fleetNow(b.aws), "and the fleet is as it was")
}
