package main

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// frozenWave is a wave on hold in an account that is frozen.
type frozenWave struct{ unattended }

func (frozenWave) QueryWorkflow(_ context.Context, id, _, _ string, _ ...any) (converter.EncodedValue, error) {
	var answer any = patch.WaveStatus{WaveID: id, State: patch.StateOnHold, Stages: []patch.StageStatus{{
		Groups: []patch.GroupCounts{{Group: "production/r/web", Phase: patch.GroupHeld}},
	}}}
	if id == names.FreezeID {
		answer = patch.FreezeStatus{Freezes: patch.Freezes{{
			Account: "production", Actor: "ann", Reason: "incident", Since: time.Unix(0, 0),
		}}}
	}
	payloads, err := converter.GetDefaultDataConverter().ToPayloads(answer)
	return client.NewValue(payloads), err
}

// Who lets a wave go on while its account is frozen would wait for nothing.
func TestAVerbUnderAFreezeTellsThatNothingBegins(t *testing.T) {
	for verb, want := range map[patch.Verb]string{
		patch.Retry: "account production is frozen by ann since 1970-01-01 00:00 UTC: incident. Nothing begins there until " +
			"that is lifted: patchtide unfreeze --account production --reason ...\n",
		patch.RollBack: "", // which no freeze holds
	} {
		t.Run(string(verb), func(t *testing.T) {
			cmd := &cobra.Command{}
			var said bytes.Buffer
			cmd.SetErr(&said)
			cmd.SetContext(t.Context())
			sayFrozen(cmd, frozenWave{}, "wave-web-1", verb)
			require.Equal(t, want, said.String())
		})
	}
}
