package faultsweep

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

// nodesAtHold are to be as before, but those that are told.
func (j *judge) nodesAtHold(before fleetBefore, region *world.Region) {
	for _, node := range region.Nodes() {
		if node.Tags[names.TagJournal] != "" {
			j.wrong(node.ID, "on hold, it carries the journal's tag")
		}
		for _, group := range region.TargetGroups() {
			was := slices.ContainsFunc(before.targets[group.Name], func(target string) bool {
				return strings.HasPrefix(target, node.ID+":")
			})
			if was && wavetest.Registration(group, node.ID, group.Port) == nil {
				j.wrong(node.ID, "on hold, it is not registered in %s", group.Name)
			}
		}
	}
}

// tellingsAt are what a wave on hold reports by name.
func tellingsAt(status patch.WaveStatus) tellings {
	told := tellings{stranded: slices.Clone(status.Stranded)}
	for _, stage := range status.Stages {
		for _, group := range stage.Groups {
			for _, instance := range group.Failed {
				told.stranded = append(told.stranded, instance.Stranded...)
				if instance.Outcome == patch.Quarantined {
					told.quarantined = append(told.quarantined, instance.ID)
				}
			}
		}
	}
	return told
}

// mendable is what is told but for the managed nodes that an install has touched: what fails then, by a denial or
// because the wave is cancelled, nothing can put back, so that they stay out, or serve as they are, and are told.
func (t tellings) mendable(scene *wavetest.Scene, c sweepCase) tellings {
	if c.trouble != accessDenied && c.trouble != cancelled {
		return t
	}
	touched := map[string]bool{}
	for _, event := range scene.Effects("StartAutomationExecution") {
		touched[event.Resource] = patch.IsNode(event.Resource)
	}
	t.stranded = slices.DeleteFunc(slices.Clone(t.stranded), func(left patch.Stranded) bool {
		id, is := strings.CutPrefix(left.Resource, "managed node ")
		return is && touched[id]
	})
	t.quarantined = slices.DeleteFunc(slices.Clone(t.quarantined), func(id string) bool { return touched[id] })
	return t
}

// What is done by hand to nodes after a good wave, or told of them and not so, is seen.
func TestSweepSeesHarmToNodes(t *testing.T) {
	scene := sweepScene(t, "nodes")
	before := fleetOf(scene, "nodes")
	result, err := scene.Run(workflows.WaveRequest{Plan: "web"})
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome)
	before.patched = packagesOf(scene)
	see := func() string {
		return strings.Join(slices.Concat(violations(scene, before, tellings{}), lies(scene, before, result),
			leftAtHold(scene, before, tellings{})), "\n")
	}
	require.Empty(t, see())
	instance := &result.Stages[0].Groups[0].Instances[0]
	instance.Outcome = patch.NotStarted
	require.Contains(t, see(), "is told to be not_started, and was rebooted")
	instance.Outcome = patch.Quarantined
	require.Contains(t, see(), "and tagged as in quarantine: false")
	require.Contains(t, see(), "is in quarantine, and tills sends it requests")
	instance.Outcome = patch.Patched
	boot := before.boots[instance.ID]
	scene.EachRegion(func(region *world.Region) {
		if node := region.Machine(instance.ID); node != nil {
			before.boots[instance.ID] = node.BootID()
		}
	})
	require.Contains(t, see(), "is told to be patched, and was not rebooted")
	before.boots[instance.ID] = boot
	scene.EachRegion(func(region *world.Region) {
		for _, node := range region.Nodes() {
			node.Tags[names.TagJournal] = "left"
			for _, group := range region.TargetGroups() {
				if target := wavetest.Registration(group, node.ID, group.Port); target != nil {
					require.NoError(t, group.Deregister(target.ID(), target.Port))
				}
			}
		}
	})
	seen := see()
	for _, says := range []string{
		"still carries the journal's tag", "is not healthy in tills", "2 were out of service, or at work, at once",
		"on hold, it carries the journal's tag", "on hold, it is not registered in tills",
	} {
		require.Contains(t, seen, says)
	}
}
