package reconcile_test

import (
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

// A wave dies while another account may copy its image: what it has shared is found by its mark, and taken back once
// the wave is long enough over.
func TestReconcileTakesBackWhatAWaveHasShared(t *testing.T) {
	for _, c := range []struct {
		name, account, operation string
		nth                      int
	}{
		{"its image only is shared", wavetest.Staging, "ModifyImageAttribute", 1},
		{"both are", wavetest.Staging, "ModifySnapshotAttribute", 1},
		{"while it is copied", wavetest.Production, "CopyImage", 1},
		{"its image only is taken back", wavetest.Staging, "ModifyImageAttribute", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Fleet: wavetest.StagingIn("staging", wavetest.Tokyo),
				Config: func(file []byte) []byte {
					file = wavetest.FromElsewhere("staging", wavetest.Tokyo)(file)
					return wavetest.PlanWith("    stages:", "    timing: {act_budget: 72h}\n    stages:")(file) // it dies trying
				},
			})
			scene.DieAt(c.account, c.operation, c.nth)
			require.NotEmpty(t, scene.StillShared())
			foreign := ""
			scene.EachRegion(func(region *world.Region) {
				for _, image := range region.Images() {
					if image.Tags[names.TagShared] == "" || foreign != "" {
						continue
					}
					// Somebody has made an image of their own of it, with its tags, and shares that.
					copied, err := region.CopyImage(world.ImageCopy{
						Source: image.ID, SourceRegion: region.Name, Name: "somebody's", Tags: image.Tags.Clone(),
					})
					require.NoError(t, err)
					copied.SharedWith, foreign = []string{wavetest.Production}, copied.ID
				}
			})
			dry := scene.Reconcile(workflows.ReconcileRequest{DryRun: true}, 2*time.Hour)
			require.Len(t, dry.Healed, 2)
			result := scene.Reconcile(workflows.ReconcileRequest{}, time.Minute)
			require.Empty(t, result.Failed)
			require.Len(t, result.Healed, 2, "%+v", result.Healed)
			for _, healed := range result.Healed {
				require.Contains(t, healed.State, "it was shared with the account "+wavetest.Production)
			}
			left := scene.StillShared()
			require.Len(t, left, 1)
			require.Contains(t, left[0], foreign)
		})
	}
}

// A copy and what it was made of expire as what a wave keeps does: in both accounts, since records name both.
func TestACopyOfAnImageExpiresWithItsSource(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Fleet: wavetest.StagingIn("staging", wavetest.Virginia),
		Config: wavetest.FromElsewhere("staging", wavetest.Virginia),
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome)
	image := result.Stages[1].Images[0]
	require.NotNil(t, image.CopiedFrom)
	after := scene.Reconcile(workflows.ReconcileRequest{}, 100*24*time.Hour)
	require.Empty(t, after.Untrusted)
	require.Empty(t, after.Failed)
	scene.EachRegion(func(region *world.Region) {
		for _, one := range region.Images() {
			require.Empty(t, one.Tags[names.TagWave], "%s of %s", one.ID, region.Account.Name)
		}
		for _, id := range []string{image.SnapshotID, image.CopiedFrom.SnapshotID} {
			require.Nil(t, region.Snapshot(id))
		}
	})
}

// An image that does not go keeps neither the snapshots of others nor replaced volumes: it is told, and tried again.
func TestAnImageThatDoesNotGoKeepsNoBackup(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Fleet: wavetest.StagingIn("staging", wavetest.Virginia),
		Config: wavetest.FromElsewhere("staging", wavetest.Virginia),
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome)
	scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		if call.Operation == "DeregisterImage" {
			return awssim.Fault{Kind: awssim.FaultError, Code: "OperationNotPermitted"}
		}
		return awssim.Fault{}
	})
	after := scene.Reconcile(workflows.ReconcileRequest{}, 100*24*time.Hour)
	require.Len(t, after.Failed, 2, "in each account")
	for _, failed := range after.Failed {
		require.Contains(t, failed.State, "deregister the image ami-")
	}
	for _, stage := range result.Stages {
		for _, one := range stage.Groups[0].Instances {
			scene.EachRegion(func(region *world.Region) { require.Nil(t, region.Snapshot(one.Backup.SnapshotID)) })
		}
	}
}
