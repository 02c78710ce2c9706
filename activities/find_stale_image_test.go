package activities_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/worker"
)

// An image is owed by the newest wave of the plan that patched the group and was not rolled back since.
func TestWhichImageIsOwed(t *testing.T) {
	group := patch.Group{Account: patch.Account{Name: "production"}, Region: "r", AutoScalingGroup: "web"}
	document := func(plan string, outcome patch.Outcome, stale string, image *patch.ImageRenewal) activities.WaveDocument {
		return activities.WaveDocument{
			Version: 1,
			Status: patch.WaveStatus{Plan: plan, Stages: []patch.StageStatus{{Groups: []patch.GroupCounts{{
				Group: group.String(), Patched: 2, Outcome: outcome, StaleImage: stale,
			}}}}},
			Result: patch.WaveResult{Outcome: outcome, Stages: []patch.StageResult{{Groups: []patch.GroupResult{{
				Account: "production", Region: "r", Name: "web", Image: image,
			}}}}},
		}
	}
	const early, late = "wave-web-20261101-020000", "wave-web-20261108-020000"
	failed := &patch.ImageRenewal{Failed: "denied", Was: patch.Launch{Image: "ami-1"}}
	for _, c := range []struct {
		name      string
		documents map[string]activities.WaveDocument
		owed      activities.StaleImage
	}{
		{name: "none before"},
		{"it was renewed", map[string]activities.WaveDocument{
			early: document("web", patch.SucceededImageStale, "", failed),
			late:  document("web", patch.Succeeded, "", &patch.ImageRenewal{Reaches: true}),
		}, activities.StaleImage{}},
		{"it failed", map[string]activities.WaveDocument{
			early: document("web", patch.SucceededImageStale, "", failed),
		}, activities.StaleImage{Wave: early, Why: "denied", Was: "ami-1"}},
		{"it was told to be stale", map[string]activities.WaveDocument{
			early: document("web", patch.Succeeded, "image stale: ami-1", nil),
		}, activities.StaleImage{Wave: early, Why: "image stale: ami-1"}},
		{"a wave that was aborted did not look", map[string]activities.WaveDocument{
			early: document("web", patch.Succeeded, "", &patch.ImageRenewal{Reaches: true}),
			late:  document("web", patch.Aborted, "", nil),
		}, activities.StaleImage{Wave: late, Why: "it patched the group, and ended before its image was looked at"}},
		{"a wave that was killed has no outcome", map[string]activities.WaveDocument{
			late: document("web", "", "", nil),
		}, activities.StaleImage{Wave: late, Why: "it patched the group, and ended before its image was looked at"}},
		{"what was rolled back owes nothing", map[string]activities.WaveDocument{
			early: document("web", patch.Succeeded, "", &patch.ImageRenewal{Reaches: true}),
			late:  document("web", patch.SucceededImageStale, "", failed), names.RollBack(late): {
				Version: 1, Result: patch.WaveResult{Outcome: patch.RolledBack},
			},
		}, activities.StaleImage{}},
		{"a plan of a longer name is another", map[string]activities.WaveDocument{
			"wave-web-blue-20261108-020000": document("web-blue", patch.SucceededImageStale, "", failed),
		}, activities.StaleImage{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			store, err := evidence.Open(t.Context(), "mem://", evidence.Options{Signer: evidence.GenerateKey()})
			require.NoError(t, err)
			for wave, document := range c.documents {
				require.NoError(t, store.PutWave(t.Context(), wave, document))
			}
			control := &activities.Control{Evidence: worker.Journal(store)}
			found, err := control.FindStaleImage(t.Context(), activities.FindStaleImageInput{
				Plan: "web", WaveID: "wave-web-20261115-020000", Group: group,
			})
			require.NoError(t, err)
			require.Equal(t, c.owed, *found)
		})
	}
}
