package reconcile_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

// Whoever may set tags puts the pointer to a finished wave's record on an instance that a person has on standby: its
// root as it was before the patch must not come back.
func TestAnEndedRecordIsNotActedUponAgain(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: wavetest.Unattended})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome)
	var id string
	scene.Production(func(g *world.ScalingGroup) {
		member := g.Members()[0].Instance
		id = member.ID
		_, err := g.EnterStandby([]string{id}, true)
		require.NoError(t, err)
		member.Tags[names.TagJournal] = "wave-test " + wavetest.Production + "/" + wavetest.Tokyo + "/" + id
	})
	told := scene.Reconcile(workflows.ReconcileRequest{}, time.Hour)
	require.Empty(t, told.Failed)
	require.Empty(t, scene.Effects("CreateReplaceRootVolumeTask"), "its patch was taken back: %+v", told.Healed)
	require.Empty(t, scene.Effects("ExitStandby")[len(scene.Effects("EnterStandby")):])
	require.Len(t, told.Healed, 1)
	require.Contains(t, told.Healed[0].State, "had ended")
	scene.Production(func(g *world.ScalingGroup) {
		require.Equal(t, world.LifecycleStandby, g.Members()[0].State, "a person has it there")
		require.NotContains(t, g.Members()[0].Instance.Tags, names.TagJournal, "the mark leads nowhere and is taken off")
	})
	record, err := scene.Control.Evidence.ReadJournal(t.Context(), "wave-test",
		wavetest.Production+"/"+wavetest.Tokyo+"/"+id)
	require.NoError(t, err)
	kept, err := journal.DecodeUntold(record, "wave-test")
	require.NoError(t, err)
	require.NotNil(t, kept.Patched, "a roll back finds it still")
}

// A record is acted upon only where it is known that the run which wrote it died, here and lately.
func TestReconcileTellsOfRecordsWhoseOwnerItDoesNotKnow(t *testing.T) {
	for _, c := range []struct {
		name  string
		given func(*wavetest.Scene)
		later time.Duration
		says  string
	}{
		{"another Temporal wrote it", func(s *wavetest.Scene) {
			s.Control.NamespaceID = "of another cluster"
		}, time.Hour, "another Temporal"},
		{"it closed normally", func(s *wavetest.Scene) {
			s.Ended = activities.RunCompleted
		}, time.Hour, "closed normally"},
		{"its run is not known", func(s *wavetest.Scene) {
			s.Ended = activities.RunUnknown
		}, time.Hour, "is not known"},
		{"it is too old", func(*wavetest.Scene) {}, 15 * 24 * time.Hour, "too old"},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
			scene.DieAt(wavetest.Production, "StartAutomationExecution", 1)
			changes := func() int { // but what is past its retention
				return len(slices.DeleteFunc(scene.Mutations(wavetest.Production), func(change string) bool {
					return strings.HasPrefix(change, "DeleteSnapshot ")
				}))
			}
			before := changes()
			c.given(scene)
			result := scene.Reconcile(workflows.ReconcileRequest{}, c.later)
			require.Equal(t, before, changes(), "%+v", result.Healed)
			require.Empty(t, result.Healed)
			require.Len(t, result.Untrusted, 2, "the group and its instance: %+v", result)
			for _, found := range result.Untrusted {
				require.Contains(t, found.State, c.says)
				require.NotEmpty(t, found.WhatToDo)
			}
		})
	}
}

// A released instance serves: who puts the quarantine's old tag back neither hides it nor has it ended.
func TestAnEndedQuarantineIsNotActedUponAgain(t *testing.T) {
	scene, id := quarantineOne(t, "production", nil)
	scene.Sim.Inspect(func(w *world.World) { w.Advance(w.Now().Add(wavetest.Settled)) })
	result, err := scene.EndQuarantine(wavetest.ReleaseRequest(id))
	require.NoError(t, err)
	require.Equal(t, patch.Released, result.Ended.Outcome, "%+v", result.Ended)
	findInstance(scene, id, func(instance *world.Instance) {
		instance.Tags[names.TagQuarantine] = "wave-test " + wavetest.Production + "/" + wavetest.Tokyo + "/" + id + " -"
	})
	told := scene.Reconcile(workflows.ReconcileRequest{}, 100*time.Hour)
	require.Empty(t, told.Quarantined)
	require.Contains(t, wavetest.Resources(told.Untrusted), "instance "+id)
	require.Contains(t, told.Untrusted[0].State, "its quarantine ended on")
	findInstance(scene, id, func(instance *world.Instance) { require.Equal(t, world.Running, instance.State) })
}
