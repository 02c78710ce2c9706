package main

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/notify"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/temporalui"
)

// Every verb has a command that says what the verb does and has a flag for each thing that it takes.
func TestEveryVerbHasACommand(t *testing.T) {
	for _, verb := range patch.Verbs() {
		t.Run(string(verb), func(t *testing.T) {
			cmd, _, err := newRoot().Find([]string{"wave", verb.Command()})
			require.NoError(t, err)
			require.Equal(t, verb.Command(), cmd.Name())
			require.NotEmpty(t, cmd.Short)
			require.NotNil(t, cmd.Flags().Lookup("reason"))
			for _, field := range verb.Spec().Fields {
				flag := cmd.Flags().Lookup(field.Flag())
				require.NotNil(t, flag, field.Flag())
				require.Equal(t, field.Usage, flag.Usage)
				require.Empty(t, flag.DefValue)
				require.NoError(t, flag.Value.Set(field.Example))
				require.Equal(t, field.Example, flag.Value.String())
			}
		})
	}
}

func TestWhatARefusalSays(t *testing.T) {
	no := temporal.NewApplicationError("the wave is running: it takes pause, not skip", "")
	require.EqualError(t, refused("wave-1", "skip", no),
		"wave-1 refused skip: the wave is running: it takes pause, not skip")
	away := errors.New("connection lost")
	require.EqualError(t, refused("wave-1", "skip", away), "tell wave-1 skip: connection lost", "nobody refused")
}

// askedInVain answers every question with one error.
type askedInVain struct{ err error }

func (a askedInVain) QueryWorkflow(
	context.Context, string, string, string, ...any,
) (converter.EncodedValue, error) {
	return nil, a.err
}

func TestWhoDoesNotAnswerIsSaid(t *testing.T) {
	for _, c := range []struct {
		name  string
		err   error
		want  string
		other string
	}{
		{"Temporal", serviceerror.NewUnavailable("connection refused"), "Temporal does not answer", "a worker must run"},
		{"a worker", errors.New("no poller seen"), "a worker must run to answer", "Temporal does not answer"},
		{"nobody knows it", serviceerror.NewNotFound("no such workflow"), "there is no wave wave-1", "a worker must run"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := askWave(t.Context(), askedInVain{c.err}, "wave-1")
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), c.other)
		})
	}
}

// A verb for a wave that has closed is answered by how it ended, and when.
func TestAVerbAfterTheEnd(t *testing.T) {
	at := time.Date(2026, 11, 22, 2, 0, 0, 0, time.Local)
	for _, c := range []struct {
		name     string
		outcome  patch.Outcome
		tally    patch.Tally
		putsBack string
		says     string
	}{
		{"it left some patched", patch.Aborted, patch.Tally{patch.Patched: 1}, "", "aborted"},
		{"it put all back", patch.RolledBack, patch.Tally{patch.RolledBack: 2}, "", ""},
		{"nothing was begun", patch.Refused, nil, "", ""},
		{"it failed", patch.Failed, nil, "", "failed"},
		{"one of it is in quarantine", patch.Aborted, patch.Tally{patch.Quarantined: 1}, "", "aborted"},
		{"a roll back", patch.RolledBack, patch.Tally{patch.RolledBack: 2}, "wave-0", ""},
		{"a roll back that did not end well", patch.Aborted, patch.Tally{patch.Failed: 1}, "wave-0", "aborted"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status := patch.WaveStatus{
				WaveID: "wave-1", PutsBack: c.putsBack, State: patch.StateClosed, Outcome: c.outcome, Since: at,
				Stages: []patch.StageStatus{{Groups: []patch.GroupCounts{{Tally: c.tally}}}},
			}
			_, _, err := aimedAt(status, patch.Decision{Verb: patch.Retry})
			when := " at 2026-11-22 02:00:00 " + at.Format("MST")
			if c.says == "" {
				require.EqualError(t, err, "wave-1 has closed: "+c.outcome.Words()+when+"; it left nothing patched, and nothing can "+
					"be done to it any more")
				return
			}
			require.EqualError(t, err, "wave-1 has closed: "+c.says+when+"; all that can be done to it is to put back "+
				"what it left patched: patchtide wave roll-back "+cmp.Or(c.putsBack, "wave-1")+" --reason \"...\"")
		})
	}
}

// What a notice of a failing undo says to type works: first it stops the wave, and then it names the point that another
// abort is for, which the wave takes.
func TestAFailingUndoIsGivenUpByTheNoticesCommand(t *testing.T) {
	said := notify.Compose(patch.Notice{
		Kind: patch.NoticeUndoFails, Key: "k", WaveID: "wave-1", Stage: "production", Verbs: []patch.Verb{patch.Abort},
	}, temporalui.UI{}).Commands[0]
	words := strings.Fields(strings.ReplaceAll(said.Line, `"..."`, "why"))[1:]
	typed := func(more ...string) patch.Decision {
		cmd, flags, err := newRoot().Find(append(words, more...))
		require.NoError(t, err)
		require.NoError(t, cmd.ParseFlags(flags))
		decision := patch.Decision{Verb: patch.Abort}
		decision.Stage, _ = cmd.Flags().GetString("stage")
		decision.Hold, _ = cmd.Flags().GetInt("hold")
		return decision
	}
	running := patch.WaveStatus{WaveID: "wave-1", State: patch.StateRunning, Stage: "production"}
	require.Equal(t, patch.Point{}, typed().Point, "it is aimed where the wave stands")
	first, _, err := aimedAt(running, typed())
	require.NoError(t, err)
	require.NoError(t, patch.Abort.Means(first.Point, running, []patch.Point{running.Point()}))
	aborting := patch.WaveStatus{WaveID: "wave-1", State: patch.StateAborting, Stage: "production", Hold: 3}
	_, _, err = aimedAt(aborting, typed())
	require.ErrorContains(t, err, "send it with --stage production --hold 3")
	_, flags, _ := strings.Cut(err.Error(), "send it with ")
	second := typed(strings.Fields(flags)...)
	require.NoError(t, patch.Abort.Means(second.Point, aborting, []patch.Point{running.Point(), aborting.Point()}))
	before := patch.Point{Stage: "production"} // as the notice had it
	require.Error(t, patch.Abort.Means(before, aborting, []patch.Point{running.Point(), aborting.Point()}))
}

// Who rolls back is told before it is sent how much that puts back, or that it puts back nothing.
func TestARollBackIsSentWithWhatItPutsBack(t *testing.T) {
	for name, c := range map[string]struct {
		back patch.RollsBack
		says string
	}{
		"some":     {patch.RollsBack{Stage: 1, Wave: 2}, ", to put back 2 patched instances"},
		"none yet": {patch.RollsBack{}, ", to put back what is under way: no instance is patched yet"},
		"none": {
			patch.RollsBack{WhyNot: "no backup is kept", WaveStays: 2},
			", though nothing can be put back: no backup is kept; 2 stay patched",
		},
	} {
		t.Run(name, func(t *testing.T) {
			status := patch.WaveStatus{WaveID: "wave-1", State: patch.StateOnHold, Stage: "p", Hold: 1, RollsBack: c.back}
			_, said, err := aimedAt(status, patch.Decision{Verb: patch.RollBack, Scope: patch.ScopeWave})
			require.NoError(t, err)
			require.Contains(t, said, c.says)
		})
	}
}

// What the refusal of a roll back says to type is taken as it stands.
func TestALossIsAcceptedByTheRefusalsCommand(t *testing.T) {
	words := shellWords(names.VerbCommand(patch.RollBack, "old-wave", "--accept-loss"))
	cmd, rest, err := newRoot().Find(words[1:])
	require.NoError(t, err)
	require.NoError(t, cmd.ParseFlags(rest))
	require.Equal(t, []string{"old-wave"}, cmd.Flags().Args())
	decision := patch.Decision{Verb: patch.RollBack}
	decision.Actor, decision.Reason = "me", cmd.Flag("reason").Value.String()
	require.NoError(t, rightVerb(cmd, decision))
	accepts, err := cmd.Flags().GetBool("accept-loss")
	require.NoError(t, err)
	require.True(t, accepts)
}
