package wave_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

var ofWeb = workflows.PreviewRequest{Plan: "web"}

// readsOnly are the operations of AWS that a preview may call. Asking for a data key is asked as a dry run of AWS's
// own.
func readsOnly(operation string) bool {
	for _, prefix := range []string{"Describe", "List", "Get", "AssumeRole", "BatchGet"} {
		if strings.HasPrefix(operation, prefix) {
			return true
		}
	}
	return operation == "GenerateDataKeyWithoutPlaintext"
}

// previewWave runs PreviewWave as somebody sends it.
func previewWave(scene *wavetest.Scene, request any) (*workflows.PreviewResult, error) {
	scene.Before = scene.Snapshot()
	scene.Env.ExecuteWorkflow(names.PreviewWave, request)
	require.True(scene.T, scene.Env.IsWorkflowCompleted())
	if err := scene.Env.GetWorkflowError(); err != nil {
		return nil, err
	}
	var result workflows.PreviewResult
	require.NoError(scene.T, scene.Env.GetWorkflowResult(&result))
	return &result, nil
}

// previewOf makes a preview and proves from the simulator's log, its world, the evidence and Temporal that it changed
// nothing. may are operations that it may call beside reads.
func previewOf(scene *wavetest.Scene, request workflows.PreviewRequest, may ...string) *patch.Preview {
	scene.T.Helper()
	before := len(scene.Sim.Events())
	evidence, err := scene.Store.ListWaves(scene.T.Context())
	require.NoError(scene.T, err)
	scene.Env.SetOnChildWorkflowStartedListener(func(info *workflow.Info, _ workflow.Context, _ converter.EncodedValues) {
		scene.T.Errorf("it started %s, which may be a lock", info.WorkflowExecution.ID)
	})
	result, err := previewWave(scene, request)
	require.NoError(scene.T, err)
	called := 0
	for _, event := range scene.Sim.Events()[before:] {
		called++
		if !readsOnly(event.Operation) {
			require.Contains(scene.T, may, event.Operation, "%+v", event)
			continue
		}
		require.False(scene.T, event.Effect && event.Service != "sts", "%+v", event)
	}
	require.Positive(scene.T, called, "it looked at nothing")
	require.Equal(scene.T, scene.Before, scene.Snapshot())
	now, err := scene.Store.ListWaves(scene.T.Context())
	require.NoError(scene.T, err)
	require.Equal(scene.T, evidence, now, "it is no wave, and leaves no evidence")
	status, ok := scene.Status()
	require.True(scene.T, ok)
	require.Empty(scene.T, status.Verbs)
	require.Equal(scene.T, result.Outcome, status.Outcome)
	require.Equal(scene.T, len(result.Preview.Blockers) == 0, result.Outcome == patch.WouldRun)
	return &result.Preview
}

// scan lets ScanFleet run, and gives the scene another Temporal so much later.
func scanFirst(scene *wavetest.Scene, later time.Duration) {
	scene.T.Helper()
	scene.Env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: "scan-test", TaskQueue: names.TaskQueue})
	scene.Env.ExecuteWorkflow(names.ScanFleet, workflows.ScanRequest{Plan: "web"})
	require.NoError(scene.T, scene.Env.GetWorkflowError())
	scene.Again(scene.Env.Now().Add(later))
}

func codes(blockers []patch.Blocker) []string {
	list := []string{}
	for _, blocker := range blockers {
		list = append(list, blocker.Code)
	}
	return list
}

func TestAPreviewTellsWhatAWaveWouldDoInItsOrder(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: estimated("{patch: 22m}")})
	scanFirst(scene, 3*time.Hour)
	preview := previewOf(scene, ofWeb)
	require.Empty(t, preview.Blockers)
	require.Equal(t, []int{6, 6, 36, 6}, []int{preview.Instances, preview.Due, preview.Missing, preview.Reboots})
	require.Equal(t, []string{"the approval of production"}, preview.NotCounted)
	require.Equal(t, "2h17m0s", preview.Takes.String(), "two at 22m30s, then four at 23m")
	require.Equal(t, preview.At.Add(preview.Takes.D()), preview.Ends)
	require.Contains(t, preview.Loses, "root volume")

	staging, production := preview.Stages[0], preview.Stages[1]
	require.Equal(t, patch.Strategy{AtOnce: 1}, staging.Groups[0].Strategy, "chosen by tags")
	require.Equal(t, &patch.GroupNumbers{Min: 2, Max: 6, Desired: 4}, production.Groups[0].Numbers)
	require.Equal(t, patch.CapacityDecrement, production.Groups[0].Strategy.Mode)
	require.Equal(t, "45m0s", production.Begins.String())
	begins := []string{}
	for _, instance := range production.Groups[0].Instances {
		begins = append(begins, instance.Begins.String())
		require.Equal(t, patch.WouldPatch, instance.Does)
		require.Equal(t, patch.MissingPatch{
			ID: "openssl-libs.x86_64", Severity: "Critical", Version: "1:3.2.2-1.amzn2023.0.7",
		}, instance.Missing[0], "the worst first")
		require.Equal(t, patch.MissingPatch{ID: "sqlite-libs.x86_64", Severity: "Low", Version: "0:3.40.0-1.amzn2023.0.6"}, instance.Missing[5])
		require.True(t, instance.Reboot)
		require.Empty(t, instance.JudgedBy)
		require.InDelta(t, 3*60, instance.Age.D().Minutes(), 10)
		require.True(t, instance.InTime, "at any time")
	}
	require.Equal(t, []string{"45m0s", "1h8m0s", "1h31m0s", "1h54m0s"}, begins)

	// A wave takes them in just that order.
	scene.Again(scene.Env.Now().Add(time.Minute))
	var taken []string
	scene.Env.SetOnChildWorkflowStartedListener(func(info *workflow.Info, _ workflow.Context, _ converter.EncodedValues) {
		if info.WorkflowType.Name == names.PatchInstance {
			id := info.WorkflowExecution.ID
			taken = append(taken, id[strings.LastIndex(id, "/")+1:])
		}
	})
	_, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	var told []string
	for _, stage := range preview.Stages {
		for _, instance := range stage.Groups[0].Instances {
			told = append(told, instance.ID)
		}
	}
	require.Equal(t, told, taken)
}

// Nobody scanned: what is missing is not known, and they count as due. A scan of the preview's own is the one thing it
// may do.
func TestAPreviewScansOnlyWhereItIsAskedTo(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
	preview := previewOf(scene, ofWeb)
	require.Equal(t, []int{6, 6, 0}, []int{preview.Instances, preview.Due, preview.Missing})
	for _, stage := range preview.Stages {
		for _, instance := range stage.Groups[0].Instances {
			require.Equal(t, patch.WouldScan, instance.Does)
		}
	}
	require.Contains(t, strings.Join(preview.Notes, "\n"), "6 were never scanned")

	scene.Again(scene.Env.Now().Add(time.Hour))
	preview = previewOf(scene, workflows.PreviewRequest{Plan: "web", Scan: true}, "SendCommand")
	scans, asked := 0, 0
	for _, event := range scene.Effects("SendCommand") {
		if strings.Contains(string(event.Arguments), "AWS-RunShellScript") { // one of each group, which versions it has
			asked++
			continue
		}
		scans++
		require.Contains(t, string(event.Arguments), `"Scan"`)
		require.NotContains(t, string(event.Arguments), "Install")
	}
	require.Equal(t, []int{2, 2}, []int{scans, asked})
	for _, stage := range preview.Stages {
		held := stage.Groups[0].Held
		require.NotNil(t, held, preview.Notes)
		require.Equal(t, stage.Groups[0].Instances[0].ID, held.Instance)
		require.Equal(t, "0:8.11.1-4.amzn2023.0.1", held.Versions["curl-minimal.x86_64"])
		for _, missing := range stage.Groups[0].Instances[0].Missing {
			require.NotEmpty(t, held.Versions[missing.ID], missing.ID)
			require.NotEqual(t, missing.Version, held.Versions[missing.ID])
		}
	}
	require.Positive(t, preview.Missing)
	require.Contains(t, strings.Join(preview.Notes, "\n"), "judged by another baseline",
		"the plan's is not registered yet, and registering it would be a change")
}

func TestAPreviewTellsOfRoomByOneMore(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Fleet: wavetest.Sized(4, 4, 4), Config: estimated("{patch: 22m}"),
	})
	preview := previewOf(scene, ofWeb)
	require.Empty(t, preview.Blockers, "with one more there is room")
	group := preview.Stages[1].Groups[0]
	require.Equal(t, patch.Strategy{Mode: patch.CapacitySurge, AtOnce: 1, RaiseMax: 1}, group.Strategy)
	require.Equal(t, "5m0s", (group.Instances[0].Begins - group.Begins).String(), "it is launched first")

	scene = wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Fleet: wavetest.Sized(4, 4, 4),
		Config: wavetest.PlanWith("capacity: auto", "capacity: decrement"),
	})
	preview = previewOf(scene, ofWeb)
	require.Contains(t, codes(preview.Blockers), "NoRoom")
	require.Contains(t, preview.Stages[1].Groups[0].Refused, "NoRoom: desired 4 - 1 would fall below min 4")
}

// A wave stops at the first thing in its way; a preview names them all, each with what to do.
func TestAPreviewNamesEverythingInTheWay(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: calendars})
	scene.Frozen = patch.Freezes{{Account: "production", Actor: "alice", Reason: "incident 4711", Since: scene.Env.Now()}}
	group := patch.Group{
		Account: patch.Account{Name: "production", ID: wavetest.Production}, Region: wavetest.Tokyo, AutoScalingGroup: "web",
	}
	scene.Locks[names.GroupLock(group)] = "wave-other"
	scene.Locks[names.ServiceLock("web")] = "wave-other"
	var first, second string
	scene.Production(func(g *world.ScalingGroup) {
		first, second = g.Members()[0].Instance.ID, g.Members()[1].Instance.ID
		g.Region.PutCalendar(&world.Calendar{Name: "freeze", State: "CLOSED"})
		g.Suspended["Launch"], g.Suspended["HealthCheck"] = "by hand", "by hand"
		inStack(g, "UPDATE_IN_PROGRESS")
		g.Region.PutDeployment(world.Deployment{ID: "d-ABCDEF111", Status: "InProgress", Targets: []string{first}})
		g.Region.PutDeployment(world.Deployment{ID: "d-ABCDEF222", Status: "InProgress", Targets: []string{second}})
		g.Region.PutAlarm(stop(g, "arn:aws:automate:ap-northeast-1:ec2:stop", true))
		g.Region.AddMaintenanceWindow(patching(15*time.Minute, "Install"))
		delete(g.Members()[2].Instance.Tags, "PatchGroup")
	})
	openCalendar(scene, wavetest.Staging)
	preview := previewOf(scene, ofWeb)
	got := codes(preview.Blockers)
	for _, code := range []string{
		"Frozen", "GroupLocked", "ServiceLocked", "CalendarClosed", "ProcessSuspended", "StackUpdateRunning",
		"DeploymentRunning", "StoppedByAlarm", "OtherPatcher", "NotInPatchGroup",
	} {
		require.Contains(t, got, code)
	}
	about := map[string][]patch.Blocker{}
	for _, blocker := range preview.Blockers {
		about[blocker.Code] = append(about[blocker.Code], blocker)
		require.NotEmpty(t, blocker.WhatToDo, "%+v", blocker)
		require.NotEmpty(t, blocker.What)
	}
	require.Len(t, about["DeploymentRunning"], 2, "both")
	require.ElementsMatch(t, []string{
		first,
		second,
	}, append(about["DeploymentRunning"][0].Instances, about["DeploymentRunning"][1].Instances...))
	require.Len(t, about["ProcessSuspended"], 2, "each process once, not once an instance")
	require.Contains(t, about["GroupLocked"][0].What, "wave wave-other")
	require.Contains(t, about["Frozen"][0].What, "incident 4711")
	require.Contains(t, about["NotInPatchGroup"][0].WhatToDo, "aws ec2 create-tags --region ap-northeast-1 --resources i-")
	require.Len(t, preview.Stages[1].Groups[0].Instances, 4, "the rest is told all the same")
}

// A group that cannot be read does not hide the others.
func TestAPreviewGoesOnWhereAGroupCannotBeRead(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Config: wavetest.PlanWith("auto_scaling_group: web", "auto_scaling_group: wbe"),
	})
	preview := previewOf(scene, ofWeb)
	require.Equal(t, []string{"GroupNotFound"}, codes(preview.Blockers))
	require.Contains(t, preview.Blockers[0].What, "wbe")
	require.Equal(t, "it could not be read", preview.Stages[1].Groups[0].Refused)
	require.Len(t, preview.Stages[0].Groups[0].Instances, 2)
}

func TestAPreviewSaysInWhichWindowAndHowMuchFits(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Config: estimated("{patch: 30m, rollback: 30m, snapshot: 0s, volume: 0s}"),
	})
	opens := scene.Env.Now().Add(24 * time.Hour)
	scene.Plans.Within = &patch.Window{Opens: opens, Cutoff: opens.Add(3 * time.Hour), Closes: opens.Add(4 * time.Hour)}
	preview := previewOf(scene, ofWeb)
	require.Empty(t, preview.Blockers, "it could run when the window opens")
	require.Equal(t, opens.UTC(), preview.Begins.UTC())
	require.Equal(t, []int{6, 4}, []int{preview.Due, preview.InTime})
	require.False(t, preview.Stages[1].Groups[0].Instances[2].InTime)
	notes := strings.Join(preview.Notes, "\n")
	require.Contains(t, notes, "OutsideWindow")
	require.Contains(t, notes, "4 of 6 fit before the window's cutoff")

	scene.Again(scene.Env.Now().Add(time.Hour))
	now := scene.Env.Now()
	scene.Plans.Within = &patch.Window{
		Opens: now.Add(-time.Hour), Cutoff: now.Add(20 * time.Minute), Closes: now.Add(time.Hour),
	}
	preview = previewOf(scene, ofWeb)
	require.Equal(t, []string{"WindowEndsTooSoon", "WindowEndsTooSoon"}, codes(preview.Blockers), "of either group")
	require.Zero(t, preview.InTime)
}

func TestAPreviewsInput(t *testing.T) {
	for name, c := range map[string]struct{ input, want string }{
		"what a wave takes": {`{"plan": "web", "actor": "you"}`, `unknown field "actor"`},
		"misspelt":          {`{"plan": "web", "scans": true}`, `unknown field "scans"`},
		"no plan":           {`{"scan": true}`, "plan: is missing"},
		"unknown plan":      {`{"plan": "api"}`, `no plan "api"`},
	} {
		t.Run(name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
			_, err := previewWave(scene, json.RawMessage(c.input))
			require.ErrorContains(t, err, c.want)
			require.Empty(t, scene.Mutations(wavetest.Production))
		})
	}
}

// Systems Manager keeps what it learnt of a root volume that is not there any more; a preview does not believe it.
func TestAPreviewAfterARootWasReplaced(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: wavetest.Unattended})
	_, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	var replaced string
	scene.Sim.Inspect(func(w *world.World) {
		region := w.Account(wavetest.Staging).Region(wavetest.Tokyo)
		replaced = region.Instances()[0].ID
		_, err := region.ReplaceRoot(replaced, "", "", false, nil)
		require.NoError(t, err)
	})
	scene.Again(scene.Env.Now().Add(time.Hour))
	seen := 0
	for _, instance := range previewOf(scene, ofWeb).Stages[0].Groups[0].Instances {
		if instance.ID != replaced {
			require.Equal(t, patch.WouldNothing, instance.Does)
			continue
		}
		seen++
		require.Equal(t, patch.WouldScan, instance.Does)
		require.True(t, instance.Outdated)
	}
	require.Equal(t, 1, seen)
}
