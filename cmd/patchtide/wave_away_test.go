package main

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/patch"
)

// While Temporal is away a wave's evidence tells how it stood; the command fails all the same, for that may be old.
func TestAWaveIsToldByItsEvidenceWhileTemporalIsAway(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "patchtide.yaml")
	require.NoError(t, os.WriteFile(file, config.Example(), 0o600))
	t.Setenv("PATCHTIDE_EVIDENCE", filepath.Join(folder, "evidence"))
	store, err := evidence.Open(t.Context(), filepath.Join(folder, "evidence"), evidence.Options{Signer: evidence.GenerateKey()})
	require.NoError(t, err)
	at := time.Date(2026, 11, 8, 3, 0, 0, 0, time.UTC)
	require.NoError(t, store.PutWave(t.Context(), "wave-web-1", activities.WaveDocument{Version: 1, Status: patch.WaveStatus{
		WaveID: "wave-web-1", Plan: "web", State: patch.StateParked, Since: at, Verbs: []patch.Verb{patch.Resume},
		Decisions: []patch.Decision{{Verb: patch.Approve, Actor: "ann", Reason: "well", At: at.Add(-time.Hour)}},
	}}))
	require.NoError(t, store.Close())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close()) // nobody listens there

	for _, c := range []struct {
		name string
		args []string
		says []string
	}{
		{
			"show",
			[]string{"show", "wave-web-1"},
			[]string{"Temporal does not answer; the wave's evidence tells how it stood at", "parked"},
		},
		{"show as a document", []string{"show", "wave-web-1", "--json"}, []string{`"from_evidence": true`}},
		{"logs", []string{"logs", "wave-web-1"}, []string{"approve by ann: well", "that is what the wave's evidence tells"}},
		{"of which there is no evidence", []string{"show", "wave-web-2"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := newRoot()
			var out bytes.Buffer
			root.SetOut(&out)
			root.SetErr(&out)
			root.SetArgs(append(append([]string{"wave"}, c.args...), "--config", file, "--temporal-address", listener.Addr().String()))
			err := root.ExecuteContext(t.Context())
			require.ErrorContains(t, err, "Temporal at "+listener.Addr().String()+" does not answer")
			for _, said := range c.says {
				require.Contains(t, out.String(), said)
			}
			require.NotContains(t, out.String(), "patchtide wave resume", "nobody takes it")
			if c.says == nil {
				require.Empty(t, out.String())
			}
		})
	}
}
