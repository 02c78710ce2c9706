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

// The image of a later wave is named as long as a group launches from it: one that was put back leaves the one before.
func TestWhichImageIsNewer(t *testing.T) {
	group := patch.Group{Account: patch.Account{Name: "production"}, Region: "r", AutoScalingGroup: "web"}
	document := func(image patch.ImageRenewal) activities.WaveDocument {
		return activities.WaveDocument{
			Version: 1, Status: patch.WaveStatus{Plan: "web"},
			Result: patch.WaveResult{Stages: []patch.StageResult{{Groups: []patch.GroupResult{{
				Account: "production", Region: "r", Name: "web", Image: &image,
			}}}}},
		}
	}
	renewed := func(id string) activities.WaveDocument {
		return document(patch.ImageRenewal{Image: id, Version: 2, Reaches: true})
	}
	const early, mine, next = "wave-web-20261101-020000", "wave-web-20261108-020000", "wave-web-20261115-020000"
	const last = "wave-web-20261122-020000"
	for _, c := range []struct {
		name, of  string
		documents map[string]activities.WaveDocument
		newer     activities.NewerImage
	}{
		{"none", mine, nil, activities.NewerImage{}},
		{
			"an earlier wave's is not", mine,
			map[string]activities.WaveDocument{early: renewed("ami-1")},
			activities.NewerImage{},
		},
		{
			"the last of two", mine,
			map[string]activities.WaveDocument{next: renewed("ami-2"), last: renewed("ami-3")},
			activities.NewerImage{Wave: last, Image: "ami-3"},
		},
		{
			"the last was put back", mine, map[string]activities.WaveDocument{
				next: renewed("ami-2"), last: renewed("ami-3"),
				names.RollBack(last): document(patch.ImageRenewal{Image: "ami-3", Version: 2, PutBack: "it is back"}),
			}, activities.NewerImage{Wave: next, Image: "ami-2"},
		},
		{
			"of a wave that a person has named nobody knows", "wave-web-tonight",
			map[string]activities.WaveDocument{early: renewed("ami-1")},
			activities.NewerImage{},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			store, err := evidence.Open(t.Context(), "mem://", evidence.Options{Signer: evidence.GenerateKey()})
			require.NoError(t, err)
			for wave, document := range c.documents {
				require.NoError(t, store.PutWave(t.Context(), wave, document))
			}
			control := &activities.Control{Evidence: worker.Journal(store)}
			found, err := control.FindNewerImage(t.Context(), activities.FindNewerImageInput{
				Plan: "web", WaveID: c.of, Group: group,
			})
			require.NoError(t, err)
			require.Equal(t, c.newer, *found)
		})
	}
}
