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

// Without those that were put back, and those on which nothing was installed, what was changed is added up.
func TestReadChanges(t *testing.T) {
	kept, err := evidence.Open(t.Context(), "mem://", evidence.Options{Signer: evidence.GenerateKey()})
	require.NoError(t, err)
	control := &activities.Control{Evidence: worker.Journal(kept)}
	const wave = "wave-web-1"
	change := patch.PackageChange{Name: "openssl.x86_64", From: "1", To: "2"}
	after := &patch.MachineFacts{BootID: "b"}
	for id, after := range map[string]*patch.MachineFacts{"i-1": after, "i-2": after, "i-3": after, "i-4": nil} {
		_, err := control.SaveInstance(t.Context(), activities.SaveInstanceInput{Details: patch.InstanceDetails{
			WaveID: wave, Group: "g", Instance: id, MissingBefore: []string{"openssl.x86_64"},
			Changes: []patch.PackageChange{change}, After: after,
		}})
		require.NoError(t, err)
	}
	read, err := control.ReadChanges(t.Context(), activities.ReadChangesInput{
		WaveID: wave, Without: []string{"i-3"}, Due: []string{"kernel.x86_64", "openssl.x86_64"},
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
