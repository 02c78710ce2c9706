package main

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// statuses answer for workflows by their ids; the others answer nothing.
type statuses map[string]any

func (s statuses) QueryWorkflow(
	_ context.Context, id, _, _ string, _ ...any,
) (converter.EncodedValue, error) {
	status, answers := s[id]
	if !answers {
		return nil, errors.New("no poller seen")
	}
	payloads, err := converter.GetDefaultDataConverter().ToPayloads(status)
	if err != nil {
		return nil, err
	}
	return encoded{payloads.GetPayloads()[0].GetData()}, nil
}

type encoded struct{ json []byte }

func (e encoded) HasValue() bool { return true }
func (e encoded) Get(into any) error {
	payload, err := converter.NewJSONPayloadConverter().ToPayload(nil)
	if err != nil {
		return err
	}
	payload.Data = e.json
	return converter.NewJSONPayloadConverter().FromPayload(payload, into)
}

// A wave that is held up beside what its state says is shown so, and waits.
func TestTheListTellsWhatIsPausedOrFrozen(t *testing.T) {
	paused := []patch.Decision{{Verb: patch.Pause}}
	in := func(state patch.WaveState, account string, decisions ...patch.Decision) patch.WaveStatus {
		return patch.WaveStatus{
			State: state, Decisions: decisions, Verbs: patch.VerbsIn(state, false),
			Stages: []patch.StageStatus{
				{Groups: []patch.GroupCounts{{Group: "done/eu/web", Phase: patch.GroupDone}}},
				{Groups: []patch.GroupCounts{{Group: account + "/eu/web", Phase: patch.GroupPatching}}},
			},
		}
	}
	for _, c := range []struct {
		name  string
		wave  any // its status; nil where nobody answers
		state patch.WaveState
		want  string
		waits bool
	}{
		{"it runs", in(patch.StateRunning, "staging"), patch.StateRunning, "running", false},
		{"frozen", in(patch.StateRunning, "frozen"), patch.StateRunning, "running, frozen", true},
		{
			"what is frozen is put back all the same", in(patch.StateRollingBack, "frozen"), patch.StateRollingBack,
			"rolling back", false,
		},
		{"frozen where it is done", in(patch.StateRunning, "staging"), patch.StateRunning, "running", false},
		{"on hold", in(patch.StateOnHold, "staging"), patch.StateOnHold, "on hold", true},
		{
			"on hold, paused and frozen", in(patch.StateOnHold, "frozen", paused...), patch.StateOnHold,
			"on hold, paused, frozen", true,
		},
		{"paused", in(patch.StatePaused, "staging", paused...), patch.StatePaused, "paused", true},
		{
			"resumed since", in(patch.StateRunning, "staging", append(paused, patch.Decision{Verb: patch.Resume})...),
			patch.StateRunning, "running", false,
		},
		{"nobody answers, and it asks", nil, patch.StateOnHold, "on hold", true},
		{"nobody answers", nil, patch.StateRunning, "running", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			freezes := patch.Freezes{{Account: "frozen"}, {Account: "done"}}
			answers := statuses{names.FreezeID: patch.FreezeStatus{Freezes: freezes}}
			if c.wave != nil {
				answers["wave-1"] = c.wave
			}
			waves := []listed{{WaveID: "wave-1", State: string(c.state), Started: time.Unix(0, 0)}}
			unknown := tellHeldUp(t.Context(), answers, waves)
			require.Equal(t, c.want, waves[0].stands())
			require.Equal(t, c.waits, waves[0].Waits)
			if c.wave == nil {
				require.ErrorContains(t, unknown, "a worker must run to answer")
			} else {
				require.NoError(t, unknown)
			}
		})
	}
	waves := []listed{{WaveID: "wave-1", State: "running"}}
	unknown := tellHeldUp(t.Context(), statuses{"wave-1": patch.WaveStatus{}}, waves)
	require.ErrorContains(t, unknown, "what is frozen is not known, which counts as frozen")
}
