package activities_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/worker"
)

// Of the groups that are asked for, and without those that were put back, what was changed is added up.
func TestReadChanges(t *testing.T) {
	kept, err := evidence.Open(t.Context(), "mem://", evidence.Options{Signer: evidence.GenerateKey()})
	require.NoError(t, err)
	control := &activities.Control{Evidence: worker.Journal(kept)}
	const wave, web, api = "wave-web-1", "staging/r/web", "production/r/api"
	change := patch.PackageChange{Name: "openssl.x86_64", From: "1", To: "2"}
	for id, group := range map[string]string{"i-1": web, "i-2": web, "i-3": web, "i-4": api} {
		_, err := control.SaveInstance(t.Context(), activities.SaveInstanceInput{Details: patch.InstanceDetails{
			WaveID: wave, Group: group, Instance: id, MissingBefore: []string{"openssl.x86_64"},
			Changes: []patch.PackageChange{change},
		}})
		require.NoError(t, err)
	}
	read, err := control.ReadChanges(t.Context(), activities.ReadChangesInput{
		WaveID: wave, Groups: []string{web}, Without: []string{"i-3"}, Due: []string{"kernel.x86_64", "openssl.x86_64"},
	})
	require.NoError(t, err)
	require.Equal(t, &activities.ChangesRead{
		Changed: patch.CaseChanged{Instances: 2, Packages: []patch.MergedChange{{PackageChange: change, Instances: 2}}},
		Unseen:  []string{"kernel.x86_64"},
	}, read)

	read, err = control.ReadChanges(t.Context(), activities.ReadChangesInput{WaveID: "wave-none-1", Due: []string{"a"}})
	require.NoError(t, err)
	require.Equal(t, &activities.ChangesRead{Unseen: []string{"a"}}, read)

	away := &activities.Control{Evidence: &store{err: errors.New("away")}}
	_, err = away.ReadChanges(t.Context(), activities.ReadChangesInput{WaveID: wave})
	requireType(t, err, activities.ErrEvidence)
}
