package patch_test

import (
	"cmp"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

// Whoever adds a verb learns here what it lacks: a key, a command, what notices and help say, data that is right, and a
// line in the runbook.
func TestEveryVerbSaysAllThatIsAskedOfIt(t *testing.T) {
	runbook, err := os.ReadFile("../../docs/runbook.md")
	require.NoError(t, err)
	screenKeys := map[string]patch.Verb{"q": "leave", "i": "instances"}
	for _, verb := range patch.Verbs() {
		t.Run(string(verb), func(t *testing.T) {
			spec := verb.Spec()
			require.Equal(t, verb, spec.Verb)
			require.NotEmpty(t, spec.Short, "help")
			require.LessOrEqual(t, len(spec.Short), 100, "a line of help")
			require.NotContains(t, spec.Short+spec.More, "\n")
			require.Contains(t, verb.Help(), spec.Short)
			require.NotEmpty(t, spec.Notice, "what a notice says beside its command")
			require.NotEmpty(t, spec.States, "it is taken in no state")
			require.Subset(t, patch.WaveStates(), spec.States)

			require.Len(t, spec.Key, 1, "its key on the watch screen")
			require.Empty(t, screenKeys[spec.Key], "another has its key")
			screenKeys[spec.Key] = verb

			require.Regexp(t, `^[a-z]+(-[a-z]+)*$`, verb.Command())
			told := strings.Contains(string(runbook), "patchtide wave "+verb.Command()+" ") ||
				strings.Contains(string(runbook), "`"+verb.Command()+"`")
			require.True(t, told, "docs/runbook.md does not say when to send it")

			var example patch.Decision
			require.NotEmpty(t, spec.Reason, "an example of a reason")
			require.NoError(t, json.Unmarshal([]byte(verb.Example()), &example))
			example.Verb = verb
			require.NoError(t, example.Check(), verb.Example())
			require.Equal(t, spec.Reason, example.Reason)
			for _, field := range spec.Fields {
				require.NotEmpty(t, field.Label, "what the screen asks for")
				require.NotEmpty(t, field.Usage, "what its flag says")
				require.Equal(t, field.Example, field.Get(example))
				require.Contains(t, verb.Help(), field.Name, "nobody can guess it")
				typed := patch.Decision{Verb: verb, Actor: "you", Reason: spec.Reason}
				if field.Needed {
					require.ErrorContains(t, typed.Check(), field.Name+": ")
				} else {
					require.NoError(t, typed.Check())
				}
				require.NoError(t, field.Set(&typed, field.Example))
				require.Equal(t, example, typed, "what is typed is what the data says")
			}
		})
	}
}

// What is shown to be sent is taken as it stands, by a wave with a window and by one without.
func TestWhatIsShownIsTaken(t *testing.T) {
	since := time.Date(2026, 11, 22, 2, 10, 0, 0, time.UTC)
	window := &patch.Window{Closes: since.Add(time.Hour)}
	for _, status := range []patch.WaveStatus{
		{Since: since}, {Since: since, Window: window}, {Since: since, Stage: "production", Hold: 2},
	} {
		for _, verb := range patch.Verbs() {
			data, flags := verb.ToSend(status)
			decision := patch.Decision{Verb: verb}
			require.NoError(t, json.Unmarshal([]byte(data), &decision))
			require.NoError(t, decision.Check(), data)
			require.Len(t, flags, 2*len(verb.Spec().Fields)+len(status.Point().Flags()))
			require.Equal(t, status.Point(), decision.Point, "it says what it is for")
		}
	}
}

func TestWrongDecisions(t *testing.T) {
	for _, c := range []struct {
		name     string
		decision patch.Decision
		want     string
	}{
		{"as it should be", patch.Decision{Verb: patch.Skip}, ""},
		{"by nobody", patch.Decision{Verb: patch.Skip, Actor: " "}, "actor: is missing"},
		{"for nothing", patch.Decision{Verb: patch.Skip, Reason: "\t"}, "reason: is missing"},
		{
			"a scope of another verb",
			patch.Decision{Verb: patch.Skip, Scope: patch.ScopeWave},
			"scope: only roll_back has one, not skip",
		},
		{
			"groups of another verb",
			patch.Decision{Verb: patch.Skip, MaxParallelGroups: 1},
			"max_parallel_groups: only set_concurrency has one, not skip",
		},
		{
			"an end of another verb",
			patch.Decision{Verb: patch.Skip, Until: "x"},
			"until: only extend_window has one, not skip",
		},
		{
			"a scope that is none",
			patch.Decision{Verb: patch.RollBack, Scope: "all"},
			`scope: "all" is neither stage nor wave`,
		},
		{"a blame of another verb", patch.Decision{Verb: patch.Retry, Blame: "curl"}, "blame: retry takes none; roll_back, skip"},
		{"a blame of nothing", patch.Decision{Verb: patch.Skip, Blame: "curl,"}, "blame: names no package"},
		{"a blame", patch.Decision{Verb: patch.Skip, Blame: "curl,vim"}, ""},
		{"no scope", patch.Decision{Verb: patch.RollBack}, ""},
		{"no groups at all", patch.Decision{Verb: patch.SetConcurrency}, "max_parallel_groups: must be 1 or more"},
		{
			"fewer than none",
			patch.Decision{Verb: patch.SetConcurrency, MaxParallelGroups: -1},
			"max_parallel_groups: must be 1 or more",
		},
		{
			"an end that is none",
			patch.Decision{Verb: patch.ExtendWindow, Until: "six"},
			`until: "six" is no moment in RFC 3339`,
		},
		{"no end", patch.Decision{Verb: patch.ExtendWindow}, "until: is missing: write when the window is to close"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.decision.Actor = cmp.Or(c.decision.Actor, "ann")
			c.decision.Reason = cmp.Or(c.decision.Reason, "why")
			err := c.decision.Check()
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}

// A wave that has not begun takes no pause, and begins all the same: what keeps it from that is named.
func TestAPauseBeforeTheFirstStage(t *testing.T) {
	for state, then := range map[patch.WaveState]string{
		patch.StatePreflight:        "it begins by itself once that is done, and takes it then",
		patch.StateAwaitingApproval: "nothing of it begins as it stands",
	} {
		require.ErrorContains(t, patch.VerbAllowed(patch.Pause, state, []patch.Verb{patch.Abort}), then)
	}
}

func TestAVerbThatNobodyKnows(t *testing.T) {
	unknown := patch.Verb("dance")
	require.Equal(t, patch.VerbSpec{Verb: unknown}, unknown.Spec())
	require.Empty(t, unknown.Help())
	for _, state := range patch.WaveStates() {
		require.Error(t, patch.VerbAllowed(unknown, state, patch.VerbsIn(state, true)))
	}
}
