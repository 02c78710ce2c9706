package faultsweep

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

// A sweep that sees nothing would pass for ever: each kind of harm, done by hand after a good wave, must be seen.
func TestSweepSeesHarm(t *testing.T) {
	for name, harm := range map[string]struct {
		do   func(*testing.T, *world.Region, *world.ScalingGroup) // on production
		says string
	}{
		"standby": {func(t *testing.T, _ *world.Region, group *world.ScalingGroup) {
			_, err := group.EnterStandby([]string{group.Members()[0].Instance.ID}, true)
			require.NoError(t, err)
		}, "is Standby"},
		"two out at once": {func(t *testing.T, region *world.Region, group *world.ScalingGroup) {
			group.Min = 0
			both := []string{group.Members()[0].Instance.ID, group.Members()[1].Instance.ID}
			_, err := group.EnterStandby(both, true)
			require.NoError(t, err)
			region.World.Advance(region.World.Now().Add(time.Minute))
			_, err = group.ExitStandby(both)
			require.NoError(t, err)
		}, "2 were out of service at once"},
		"suspended process": {func(_ *testing.T, _ *world.Region, group *world.ScalingGroup) {
			group.Suspended["AZRebalance"] = "by hand"
		}, "suspended are [AZRebalance]"},
		"raised max": {func(_ *testing.T, _ *world.Region, group *world.ScalingGroup) { group.Max++ }, "min, max, desired"},
		"surge instance left": {func(t *testing.T, _ *world.Region, group *world.ScalingGroup) {
			require.NoError(t, group.SetDesired(group.Desired+1))
		}, "5 members serve, 4 are wanted"},
		"mark left on an instance": {func(_ *testing.T, _ *world.Region, group *world.ScalingGroup) {
			group.Members()[0].Instance.Tags[names.TagJournal] = "left"
		}, "still carries the journal's tag"},
		"mark left on the group": {func(_ *testing.T, _ *world.Region, group *world.ScalingGroup) {
			group.Tag(world.GroupTag{Key: names.TagJournal, Value: "left"})
		}, "web: still carries the journal's tag"},
		"detached": {func(t *testing.T, _ *world.Region, group *world.ScalingGroup) {
			_, err := group.Detach([]string{group.Members()[0].Instance.ID}, false)
			require.NoError(t, err)
		}, "runs and is no member of web"},
		"deregistered": {func(t *testing.T, region *world.Region, group *world.ScalingGroup) {
			require.NoError(t, region.TargetGroups()[0].Deregister(group.Members()[0].Instance.ID, 80))
		}, "is not healthy in web"},
		"stopped": {func(t *testing.T, _ *world.Region, group *world.ScalingGroup) {
			require.NoError(t, group.Suspend([]string{"ReplaceUnhealthy", "HealthCheck"}))
			require.NoError(t, group.Members()[0].Instance.Stop())
		}, "is stopped"},
		"install never delivered": {func(t *testing.T, region *world.Region, group *world.ScalingGroup) {
			require.NoError(t, group.Suspend([]string{"ReplaceUnhealthy", "HealthCheck"}))
			id := group.Members()[0].Instance.ID
			require.NoError(t, group.Members()[0].Instance.Stop())
			_, err := region.Send(world.SendSpec{
				Document: "AWS-RunPatchBaseline", Instances: []string{id},
				Parameters: map[string][]string{"Operation": {"Install"}},
			})
			require.NoError(t, err)
		}, "still runs"},
	} {
		t.Run(name, func(t *testing.T) {
			scene, before, _ := aGoodWave(t)
			scene.Sim.Inspect(func(w *world.World) {
				harm.do(t, w.Account(wavetest.Production).Region(wavetest.Tokyo), scene.WebIn(w))
			})
			found := strings.Join(violations(scene, before, tellings{}), "\n")
			require.Contains(t, found, harm.says)
		})
	}
}

func aGoodWave(t *testing.T) (*wavetest.Scene, fleetBefore, *patch.WaveResult) {
	scene := sweepScene(t, "decrement")
	before := fleetOf(scene, "decrement")
	result, err := scene.Run(workflows.WaveRequest{Plan: "web"})
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome)
	before.patched = packagesOf(scene)
	require.Empty(t, violations(scene, before, tellings{}))
	require.Empty(t, lies(scene, before, result))
	require.Empty(t, leftAtHold(scene, before, tellings{}))
	return scene, before, result
}

// An install without its reboot leaves a machine on neither version.
func TestSweepSeesHalfAnInstall(t *testing.T) {
	good, _, _ := aGoodWave(t)
	scene := sweepScene(t, "decrement")
	before := fleetOf(scene, "decrement")
	before.patched = packagesOf(good)
	require.Empty(t, violations(scene, before, tellings{}))
	scene.Sim.Inspect(func(w *world.World) {
		region := w.Account(wavetest.Production).Region(wavetest.Tokyo)
		_, err := region.Send(world.SendSpec{
			Document: "AWS-RunPatchBaseline", Instances: []string{scene.WebIn(w).Members()[0].Instance.ID},
			Parameters: map[string][]string{"Operation": {"Install"}, "RebootOption": {"NoReboot"}},
		})
		require.NoError(t, err)
	})
	require.Contains(t, strings.Join(violations(scene, before, tellings{}), "\n"), "waits for a reboot")
}

func TestSweepSeesWhatIsLeftAtAHold(t *testing.T) {
	scene, before, _ := aGoodWave(t)
	scene.Production(func(group *world.ScalingGroup) {
		_, err := group.EnterStandby([]string{group.Members()[0].Instance.ID}, true)
		require.NoError(t, err)
		group.Suspended["ReplaceUnhealthy"] = "by hand"
	})
	found := strings.Join(leftAtHold(scene, before, tellings{}), "\n")
	require.Contains(t, found, "on hold, suspended are [ReplaceUnhealthy]")
	require.Contains(t, found, "on hold, it is EnteringStandby")
}

// What a wave says is compared with the machines: another outcome than the true one is seen.
func TestSweepSeesLies(t *testing.T) {
	scene, before, result := aGoodWave(t)
	instance := &result.Stages[1].Groups[0].Instances[0]
	for _, lie := range []patch.Outcome{patch.RolledBack, patch.NotStarted, patch.Skipped, patch.Failed} {
		instance.Outcome = lie
		require.Len(t, lies(scene, before, result), 1, "%s", lie)
	}
	instance.Outcome = patch.Patched
	before.patched[instance.ID] = before.packages[instance.ID]
	require.Len(t, lies(scene, before, result), 2, "told of the instance, and of the wave that succeeded")
}

// Harm that only the order of the calls shows: the log of a good wave, with something done to it.
func TestSweepSeesHarmfulCalls(t *testing.T) {
	scene, _, _ := aGoodWave(t)
	events := scene.Sim.Events()
	doubled := func(operation string) []awssim.Event {
		at := slices.IndexFunc(events, func(e awssim.Event) bool { return e.Operation == operation && e.Effect })
		return slices.Insert(slices.Clone(events), at, events[at])
	}
	for _, operation := range []string{"StartAutomationExecution", "CreateSnapshot", "EnterStandby"} {
		require.Empty(t, wavetest.DoneTwice(events))
		require.Len(t, wavetest.DoneTwice(doubled(operation)), 1, operation)
	}
	unresumed := slices.DeleteFunc(slices.Clone(events), func(e awssim.Event) bool {
		return e.Operation == "ResumeProcesses"
	})
	require.Empty(t, keptSuspended(events, tellings{}))
	require.NotEmpty(t, keptSuspended(unresumed, tellings{}))
	require.Empty(t, harmfulCalls(events))
	for _, arguments := range []string{`{}`, `{"ScalingProcesses": []}`, `{"ScalingProcesses": ["Launch"]}`} {
		changed := slices.Clone(events)
		at := slices.IndexFunc(changed, func(e awssim.Event) bool { return e.Operation == "SuspendProcesses" })
		changed[at].Arguments = json.RawMessage(arguments)
		require.Len(t, harmfulCalls(changed), 1, arguments)
	}
}

func TestSweepSeesRoomWhileZonesAreEvened(t *testing.T) {
	scene := sweepScene(t, "surge")
	result, err := scene.Run(workflows.WaveRequest{Plan: "web"})
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome)
	events := scene.Sim.Events()
	require.Empty(t, roomWhileBalanced(events, nil))
	balanced := slices.DeleteFunc(events, func(e awssim.Event) bool { return e.Operation == "SuspendProcesses" })
	require.NotEmpty(t, roomWhileBalanced(balanced, nil))
	require.Empty(t, roomWhileBalanced(balanced, []string{"AZRebalance"}))
}

// A case is told by its text, and a pair begins with what the undisturbed wave does not do.
func TestSweepCasesAreTheirText(t *testing.T) {
	first := call{"111122223333", "EnterStandby", "i-1", 1}
	then := call{"111122223333", "ExitStandby", "i-1", 2}
	for _, c := range []sweepCase{
		{fleet: "surge", trouble: timeoutAfter, at: first, decide: []patch.Verb{patch.Retry, patch.Abort}},
		{fleet: "decrement", trouble: cancelled, at: first, then: &then, forGood: true, decide: []patch.Verb{patch.Abort}},
		{fleet: "decrement", trouble: workerStopped2, at: first, then: &then, decide: []patch.Verb{patch.Abort}},
		{fleet: "surge", trouble: undoDenied, at: first, forGood: true, decide: []patch.Verb{patch.Abort}},
	} {
		again, err := parseCase(c.String())
		require.NoError(t, err)
		require.Equal(t, c, again)
	}
	_, err := parseCase("decrement: a bad day at 111122223333 EnterStandby(i-1)#1; at holds abort")
	require.ErrorContains(t, err, "is no trouble")

	describe := call{"111122223333", "DescribeInstances", "", 7}
	retried := call{"111122223333", "EnterStandby", "i-1", 2}
	require.Nil(t, compensation([]call{first, then}, []call{first, describe, retried, then}))
	require.Nil(t, compensation([]call{first, then}, []call{first}), "it stopped, and had nothing to undo")
	resume := call{"111122223333", "ResumeProcesses", "web", 1}
	require.Equal(t, &resume, compensation([]call{first, then}, []call{first, describe, resume, then}))
}

// What is told as succeeded is compared with the machines: with those of a fleet that nothing was done to, a good
// wave's result is a lie.
func TestSweepSeesWhatLacksPatches(t *testing.T) {
	good, _, result := aGoodWave(t)
	require.Empty(t, good.Untrue(result))

	other := sweepScene(t, "decrement")
	require.Contains(t, strings.Join(other.Untrue(result), "\n"), "which is told to have succeeded, and is behind by")

	result.Stages[0].Groups[0].Instances[0].Outcome = patch.RolledBack
	require.Contains(t, strings.Join(good.Untrue(result), "\n"), "it has what was put back on")
}

// A machine that waits for a reboot is told as such, or it is a lie.
func TestSweepSeesAnUntoldReboot(t *testing.T) {
	_, _, result := aGoodWave(t)
	scene := sweepScene(t, "decrement")
	scene.Production(func(group *world.ScalingGroup) {
		_, err := group.Region.Send(world.SendSpec{
			Document: "AWS-RunPatchBaseline", Instances: []string{group.Members()[0].Instance.ID},
			Parameters: map[string][]string{"Operation": {"Install"}, "RebootOption": {"NoReboot"}},
		})
		require.NoError(t, err)
		group.Region.World.Advance(group.Region.World.Now().Add(time.Hour))
	})
	require.Contains(t, strings.Join(scene.Untrue(result), "\n"), "waits for a reboot that nobody is told of")
}

// Whoever waits for a person and tells nobody is seen, and so is what is stranded and in no notice.
func TestSweepSeesWhoIsNotTold(t *testing.T) {
	for _, tells := range []bool{true, false} {
		scene := sweepScene(t, "decrement")
		ear := scene.Overhear()
		if !tells {
			scene.Control.Notifier = nil
		}
		scene.OnLook = ear.Looked
		result, err := scene.Run(workflows.WaveRequest{Plan: "web"})
		require.NoError(t, err)
		if tells {
			require.Empty(t, ear.Untold(result))
			result.Stranded = []patch.Stranded{{Resource: "instance i-1", State: "left", WhatToDo: "look"}}
			require.Contains(t, strings.Join(ear.Untold(result), "\n"), "nobody was told that instance i-1 is stranded")
			continue
		}
		require.Contains(t, strings.Join(ear.Untold(result), "\n"), "that the wave is awaiting_approval")
	}
}

// A wave that stands still, forgets somebody, or does not do what a person decided is seen.
func TestSweepSeesNoProgress(t *testing.T) {
	scene := sweepScene(t, "decrement")
	progress := scene.Watch()
	result, err := scene.Run(workflows.WaveRequest{Plan: "web"})
	require.NoError(t, err)
	require.Empty(t, progress.Missed(result, false))

	onHold := patch.WaveStatus{State: patch.StateOnHold, Stage: "production"}
	progress.Decided(onHold, patch.RollBack, "")
	require.Contains(t, strings.Join(progress.Missed(result, false), "\n"), "was to be put back, is patched")
	require.Empty(t, progress.Missed(result, true), "somebody ended it before")

	group := &result.Stages[1].Groups[0]
	failed := &group.Instances[0]
	failed.Outcome, failed.Reason = patch.Failed, "no room"
	onHold.Stages = []patch.StageStatus{{
		Name: "production", Groups: []patch.GroupCounts{{Failed: []patch.InstanceResult{*failed}}},
	}}
	progress.Decided(onHold, patch.Retry, "")
	require.Contains(t, strings.Join(progress.Missed(result, false), "\n"), "was to be tried again, was not")

	failed.Reason = ""
	require.Contains(t, strings.Join(progress.Missed(result, false), "\n"), "nobody is told why")
	group.Instances = group.Instances[1:]
	require.Contains(t, strings.Join(progress.Missed(result, false), "\n"), "is named nowhere")
}

func TestSweepSeesAWaveThatStandsStill(t *testing.T) {
	scene := sweepScene(t, "decrement")
	progress, made := scene.Watch(), 0
	look := func(status patch.WaveStatus) { progress.Looked(status, func() int { return made }) }
	running := patch.WaveStatus{State: patch.StateRollingBack}
	scene.Play(func(story wavetest.Story) {
		look(running)
		for range 3 {
			story.Later(wavetest.StandsStill + time.Minute)
			look(patch.WaveStatus{State: patch.StateOnHold})
		}
		look(running)
		made++
		story.Later(wavetest.StandsStill + time.Minute)
		look(running)
		require.Empty(t, progress.Missed(nil, false), "it waits for a person, or changes something")
		story.Later(wavetest.StandsStill + time.Minute)
		look(running)
	})
	require.Contains(t, strings.Join(progress.Missed(nil, false), "\n"), "nothing has come of it since")
}

// Whoever was stopped before and runs is seen, at a hold and in the end.
func TestSweepSeesWhoIsNotStoppedAgain(t *testing.T) {
	scene := sweepScene(t, "stopped")
	before := fleetOf(scene, "stopped")
	require.Len(t, before.stopped, 1)
	require.Empty(t, leftAtHold(scene, before, tellings{}))
	scene.EachRegion(func(region *world.Region) {
		for id := range before.stopped {
			if instance := region.Instance(id); instance != nil {
				require.NoError(t, instance.Start())
			}
		}
	})
	require.Contains(t, strings.Join(leftAtHold(scene, before, tellings{}), "\n"), "and was stopped before")
	found := strings.Join(violations(scene, before, tellings{}), "\n")
	require.Contains(t, found, "is running, and was stopped before: true")
}
