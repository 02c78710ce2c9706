package main

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/pending"
	"github.com/patchtide/patchtide/internal/wavelog"
)

// forgotten is a Temporal that knows no wave.
type forgotten struct{ pending.Describer }

func (forgotten) GetWorkflowHistory(
	context.Context, string, string, bool, enums.HistoryEventFilterType,
) client.HistoryEventIterator {
	return forgotten{}
}
func (forgotten) HasNext() bool { return true }
func (forgotten) Next() (*historypb.HistoryEvent, error) {
	return nil, serviceerror.NewNotFound("workflow not found")
}

// logs runs `wave logs` against a Temporal that knows no wave.
func logs(t *testing.T, wave string, flags ...string) (string, error) {
	t.Helper()
	root := newRoot()
	cmd, _, err := root.Find([]string{"wave", "logs"})
	require.NoError(t, err)
	require.NoError(t, cmd.ParseFlags(flags))
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetContext(t.Context())
	err = tellLogs(cmd, forgotten{}, wave, false)
	return out.String(), err
}

func TestLogsOfAWaveThatTemporalHasForgotten(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "evidence")
	path := file(t, "evidence: ./evidence", "evidence: "+folder)
	store, err := evidence.Open(t.Context(), folder, evidence.Options{Signer: evidence.GenerateKey()})
	require.NoError(t, err)
	at := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	require.NoError(
		t, store.PutWave(t.Context(), "wave-web-1", activities.WaveDocument{Version: 1, Status: patch.WaveStatus{
			State: patch.StateClosed, Since: at,
			Decisions: []patch.Decision{{
				Verb: patch.Abort, Actor: "alice", Reason: "not now", Point: patch.Point{Stage: "staging"}, At: at,
			}},
		}, Result: patch.WaveResult{Outcome: patch.Aborted, Reason: "aborted: alice: not now"}}))
	require.NoError(t, store.Close())

	text, err := logs(t, "wave-web-1", "--config", path)
	require.NoError(t, err)
	require.Contains(t, text, "stage staging  abort by alice: not now\n")
	require.Contains(t, text, "wave  aborted: alice: not now\n")

	text, err = logs(t, "wave-web-1", "--config", path, "--json")
	require.NoError(t, err)
	decoder := json.NewDecoder(bytes.NewBufferString(text))
	var first wavelog.Event
	require.NoError(t, decoder.Decode(&first))
	require.Equal(
		t, wavelog.Event{At: at, Kind: wavelog.OfPerson, Stage: "staging", What: "abort", Actor: "alice", Reason: "not now"},
		first,
	)
	require.True(t, decoder.More(), "a document a line")

	_, err = logs(t, "wave-web-2", "--config", path)
	require.ErrorContains(t, err, "there is no wave wave-web-2 in this namespace, and "+folder+" has no evidence of it")
	_, err = logs(t, "wave-web-2", "--config", filepath.Join(t.TempDir(), "none.yaml"))
	require.ErrorContains(t, err, "there is no wave wave-web-2")
	require.ErrorContains(t, err, "--config")
}
