package wave

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/notify"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/screen"
	"github.com/patchtide/patchtide/internal/situations"
	"github.com/patchtide/patchtide/internal/temporalui"
)

// drawn is what each place says of a wave, without the marks of its form.
func drawn(t *testing.T, s situations.Situation) map[string]string {
	t.Helper()
	details := console.Details{Waits: s.Waits, Groups: s.Groups, Instances: s.Instances}
	view := screen.New(t.Context(), screen.Options{
		First: screen.Look{At: at, Status: s.Status, Details: details}, Now: func() time.Time { return at },
	})
	view.Update(tea.WindowSizeMsg{Width: 400, Height: 120})
	seen := view.View().Content
	view.Update(tea.KeyPressMsg{Code: '?', Text: "?"})
	seen += view.View().Content
	document, err := json.Marshal(brief.Write(s.Status, s.Waits, console.Moment, console.Clock))
	require.NoError(t, err)
	return map[string]string{
		"wave show": flat(console.Status(s.Status, s.Waits, console.Page{Width: 80, Terminal: true})),
		"a ticket":  flat(console.Status(s.Status, s.Waits, console.Page{})),
		"the UI":    flat(waveDetails(s.Status, "default")),
		"screen":    flat(seen),
		"--json":    flat(string(document)),
	}
}

// flat is text without colours, Markdown's marks and line breaks.
func flat(text string) string {
	text = strings.NewReplacer(`\`, "", "*", "", "`", "", ">", "", "│", "", "&gt;", "").Replace(ansi.Strip(text))
	return strings.Join(strings.Fields(text), " ")
}

// Wherever somebody looks at a wave, it says the same: where it stands and why, what is asked, what is done when nobody
// answers, what may be sent, when and what that does, and what is not as it should be.
func TestEverySituationIsToldAlike(t *testing.T) {
	require.GreaterOrEqual(t, len(situations.All()), 20)
	for name, s := range situations.All() {
		t.Run(name, func(t *testing.T) {
			status, told := s.Status, brief.Of(s.Status)
			want := []string{strings.ReplaceAll(string(status.State), "_", " "), status.Awaiting, status.Reason}
			if status.Outcome != "" {
				want = append(want, strings.ReplaceAll(string(status.Outcome), "_", " "))
			}
			if status.Until != nil {
				want = append(want, "If nobody answers by ", strings.ReplaceAll(string(status.Otherwise), "_", " ")+" is done.")
			} else {
				want = append(want, told.Silence(nil))
			}
			for _, choice := range told.Choices() {
				want = append(want, choice.When)
			}
			for _, stage := range status.Stages {
				for _, group := range stage.Groups {
					want = append(want, group.Reason)
					for _, now := range group.Now {
						want = append(want, now.Why)
					}
					for _, failed := range group.Failed {
						want = append(want, failed.ID, failed.Reason)
					}
					for _, gap := range group.Gaps {
						want = append(want, gap.Why)
					}
				}
			}
			for _, left := range status.Stranded {
				want = append(want, left.State+". "+left.WhatToDo)
			}
			want = append(want, status.NotTold...)
			want = append(want, told.Quarantine())
			// Of an approval also what it is about. A workflow knows no zone but UTC.
			moment := map[string]func(time.Time) string{"the UI": brief.UTC}
			places := drawn(t, s)
			for _, stage := range status.Stages {
				for _, group := range stage.Groups { // beside the sentences, `--json` has the status with all of them
					for _, place := range []string{"wave show", "a ticket", "the UI", "screen"} {
						require.Contains(t, places[place], group.Group, place)
					}
				}
			}
			for place, said := range places {
				for _, part := range want {
					require.Contains(t, said, flat(part), place)
				}
				if status.State == patch.StateAwaitingApproval {
					at := moment[place]
					if at == nil {
						at = console.Moment
					}
					about := brief.Case(*status.Case, at)
					require.NotEmpty(t, about)
					for _, part := range about {
						require.Contains(t, said, flat(part), place)
					}
				}
			}
			// A workflow does not know what Temporal does with its activities; its page in the UI lists them itself.
			for _, wait := range s.Waits.On {
				for _, place := range []string{"wave show", "a ticket", "screen", "--json"} {
					require.Contains(t, places[place], flat(wait.Failure), place)
					require.Contains(t, places[place], names.Words(wait.Activity)+", attempt ", place)
				}
			}
			// Lines tell what changes; what is asked, until when and what then is in them as well.
			var lines bytes.Buffer
			console.New(&lines, nil, func() time.Time { return at }).Update(console.View(status, console.Details{Waits: s.Waits}))
			said := flat(lines.String())
			for _, part := range []string{want[0], status.Awaiting, status.Waits(), told.Silence(console.Moment)} {
				require.Contains(t, said, flat(part), "plain lines")
			}
			// Evidence keeps the status, of which all of it can be told again.
			document, err := json.Marshal(status)
			require.NoError(t, err)
			var again patch.WaveStatus
			require.NoError(t, json.Unmarshal(document, &again))
			of := func(status patch.WaveStatus) brief.Document {
				return brief.Write(status, s.Waits, brief.UTC, brief.UTC)
			}
			require.Equal(t, of(status), of(again))
		})
	}
}

// A notice of a hold says what its wave's status says.
func TestANoticeOfAHoldSaysWhatItsStatusSays(t *testing.T) {
	for name, s := range situations.All() {
		status := s.Status
		if status.Until == nil {
			continue
		}
		t.Run(name, func(t *testing.T) {
			kind := patch.NoticeOnHold
			if status.State == patch.StateAwaitingApproval {
				kind = patch.NoticeAwaitingApproval
			}
			notice := patch.Notice{
				Kind: kind, At: at, WaveID: status.WaveID, Plan: status.Plan, Stage: status.Stage, Hold: status.Hold,
				NotBy: status.NotBy,
				Why:   status.Awaiting, Otherwise: status.Otherwise, Until: status.Until, RollsBack: status.RollsBack,
				Verbs: slices.DeleteFunc(slices.Clone(status.Verbs), func(v patch.Verb) bool { return !v.Decides() }),
				Case:  status.Case,
			}
			for _, failed := range status.Stages[1].Groups[0].Failed {
				notice.Instances = append(notice.Instances, patch.NoticedInstance{ID: failed.ID, Outcome: failed.Outcome})
			}
			said := notify.Compose(notice, temporalui.UI{})
			require.Equal(t, status.Awaiting, said.Why)
			if status.State == patch.StateAwaitingApproval {
				require.Equal(t, brief.Case(*status.Case, func(at time.Time) string {
					return at.UTC().Format("2006-01-02 15:04 UTC")
				}), said.Details)
			}
			require.Contains(t, said.WhatToDo, brief.Of(status).Quarantine())
			require.Contains(t, said.WhatToDo, "If nobody answers by 2026-11-22 02:40 UTC, ")
			for i, choice := range brief.Told(notice).Choices() {
				require.Equal(t, notify.Command{When: choice.When, Line: choice.Command}, said.Commands[i])
				require.Contains(t, brief.Of(status).Choices(), choice)
			}
		})
	}
}
