package reconcile_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

// What a dead saga had begun is looked for by the tokens that its record names, and not by those that whoever heals
// would make up: a later version may make them otherwise.
func TestWhatWasBegunIsFoundByTheTokensOfItsRecord(t *testing.T) {
	for _, begun := range []string{"StartAutomationExecution", "CreateReplaceRootVolumeTask"} {
		t.Run(begun, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "bad-patch"})
			scene.DieAt(wavetest.Production, begun, 1)
			made := len(scene.Effects(begun))
			documents, _, err := scene.Control.Evidence.ListJournal(t.Context(), "wave-test")
			require.NoError(t, err)
			open := 0
			for _, document := range documents {
				var record journal.Record
				require.NoError(t, json.Unmarshal(document, &record))
				if record.Instance != "" && !record.Ended {
					open++
					record.Policy.Run = "of which other tokens would be made"
					require.NoError(t, scene.Control.Evidence.AppendJournal(t.Context(), "wave-test", record.Name(), record))
				}
			}
			require.Equal(t, 1, open)
			result := scene.Reconcile(workflows.ReconcileRequest{}, time.Hour)
			require.Empty(t, result.Failed)
			require.Len(t, scene.Effects(begun), made, "what was begun is found again")
			require.Len(t, scene.Effects("CreateReplaceRootVolumeTask"), 1, "and put back")
			scene.RequireInvariants(nil, wavetest.Except{})
		})
	}
}
