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
	"github.com/patchtide/patchtide/internal/notify"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/screen"
	"github.com/patchtide/patchtide/internal/temporalui"
)

const heldReason = "i-1 rolled back: return to service: it is unhealthy in target group web (Target.FailedHealthChecks)"

// situation is a wave where somebody looks at it.
func situation(state patch.WaveState, change func(*patch.WaveStatus)) patch.WaveStatus {
	status := patch.WaveStatus{
		WaveID: "wave-web-1", Plan: "web", State: state, Stage: "production", Since: at,
		Verbs: patch.VerbsIn(state, false), RollsBack: patch.RollsBack{Stage: 1, Wave: 3},
		Stages: []patch.StageStatus{
			{Name: "staging", Outcome: patch.Succeeded, Groups: []patch.GroupCounts{
				{Group: "staging/r/web", Phase: patch.GroupDone, Total: 2, Done: 2, Patched: 2},
			}},
			{Name: "production", Groups: []patch.GroupCounts{
				{Group: "production/r/web", Phase: patch.GroupPatching, Total: 4, Done: 1, Patched: 1},
			}},
		},
	}
	if change != nil {
		change(&status)
	}
	return status
}

func asks(text string, then patch.Verb) func(*patch.WaveStatus) {
	return func(s *patch.WaveStatus) {
		until := at.Add(30 * time.Minute)
		s.Hold, s.Awaiting, s.Otherwise, s.Until = 2, text, then, &until
		s.Stages[1].Groups[0].Phase, s.Stages[1].Groups[0].Reason = patch.GroupHeld, heldReason
		s.Stages[1].Groups[0].Failed = []patch.InstanceResult{{ID: "i-1", Outcome: patch.RolledBack, Reason: "it is unhealthy"}}
	}
}

func closed(outcome patch.Outcome, reason string) patch.WaveStatus {
	return situation(patch.StateClosed, func(s *patch.WaveStatus) {
		s.Outcome, s.Reason, s.Verbs = outcome, reason, nil
		s.Stages[1].Groups[0].Phase, s.Stages[1].Groups[0].Outcome = patch.GroupDone, outcome
	})
}

func situations() map[string]patch.WaveStatus {
	all := map[string]patch.WaveStatus{
		"awaiting approval": situation(patch.StateAwaitingApproval, asks("Stage production: 4 instances, 24 patches missing "+
			"in all. Send approve or reject.", patch.Reject)),
		"on hold": situation(patch.StateOnHold, asks("production/r/web: "+heldReason+". Send retry, skip, roll_back or "+
			"abort.", patch.RollBack)),
		"on hold, paused and frozen": situation(patch.StateOnHold, asks("production/r/web: "+heldReason+". It is paused by "+
			"ann: looking: what is retried or left begins after resume. account production is frozen by bob since 2026-11-22 "+
			"02:00 UTC: sale: nothing begins there until that is lifted. Send retry, skip, roll_back or abort.", patch.RollBack)),
		"quarantined at a hold": situation(patch.StateOnHold, func(s *patch.WaveStatus) {
			asks("production/r/web: i-1 quarantined: its restore failed. Send retry, skip, roll_back or abort.", patch.RollBack)(s)
			s.Stages[1].Groups[0].Failed[0].Outcome = patch.Quarantined
		}),
		"closed with one in quarantine": situation(patch.StateClosed, func(s *patch.WaveStatus) {
			s.Outcome, s.Verbs = patch.Failed, nil
			s.Stages[1].Groups[0].Phase, s.Stages[1].Groups[0].Outcome = patch.GroupDone, patch.Failed
			s.Stages[1].Groups[0].Failed = []patch.InstanceResult{{ID: "i-1", Outcome: patch.Quarantined}}
		}),
		"frozen": situation(patch.StateRunning, func(s *patch.WaveStatus) {
			s.Stages[1].Groups[0].Phase = patch.GroupPaused
			s.Stages[1].Groups[0].Reason = "account production is frozen by bob since 2026-11-22 02:00 UTC: sale"
		}),
		"paused": situation(patch.StatePaused, func(s *patch.WaveStatus) {
			s.Awaiting = "paused by ann: looking. An instance under way ends first. Send resume, roll_back or abort."
		}),
		"aborting":             situation(patch.StateAborting, nil),
		"rolling back a stage": situation(patch.StateRollingBack, nil),
		"rolling back a wave": situation(patch.StateRollingBack, func(s *patch.WaveStatus) {
			s.Stage, s.PutsBack, s.Plan = "staging", "wave-web-0", "web"
		}),
		"lost its group": situation(patch.StateOnHold, asks("production/r/web: "+lostReason+". Send retry, skip, roll_back or "+
			"abort.", patch.RollBack)),
		"an undo fails": situation(patch.StateRollingBack, func(s *patch.WaveStatus) {
			s.FailingUndos = []patch.FailingUndo{{
				Group: "production/r/web", Instance: "i-1", Step: patch.StepStandby, Act: "ExitStandby", Since: at, Attempt: 12,
				Error: "AccessDenied", At: at,
			}}
			s.Awaiting = patch.Asks("", s.FailingUndos)
		}),
		"parked": situation(patch.StateParked, func(s *patch.WaveStatus) {
			s.Awaiting = "the window closed before 3 instances. Send resume to go on in the window that opens at 2026-11-23 02:00 UTC."
			s.NextWindow = &patch.Window{Opens: at.Add(24 * time.Hour)}
		}),
		"gaps": closed(patch.SucceededWithGaps, "production/r/web: not reached: i-9 it joined meanwhile"),
		"something is stranded": situation(patch.StateRunning, func(s *patch.WaveStatus) {
			s.Stranded = []patch.Stranded{{
				Account: "production", Region: "r", Resource: "instance i-1", State: "in standby", WhatToDo: "return it to service",
			}}
			s.NotTold = []string{"on_hold: the channel ops: 503"}
		}),
	}
	gaps := all["gaps"]
	gaps.Stages[1].Groups[0].Gaps = []patch.Gap{{Instance: "i-9", Why: "it joined meanwhile"}}
	for _, outcome := range []patch.Outcome{
		patch.Succeeded, patch.SucceededWithSkips, patch.RolledBack, patch.NothingPutBack, patch.Aborted, patch.Failed,
	} {
		all["closed as "+string(outcome)] = closed(outcome, "why it ended as "+string(outcome))
	}
	for _, check := range patch.Checks() {
		refused := closed(patch.Failed, string(check.Code)+": production/r/web: "+check.When+" → "+check.WhatToDo)
		refused.Stages = []patch.StageStatus{} // nothing was begun
		all["refused as "+string(check.Code)] = refused
	}
	return all
}

// drawn is what each place says of a wave, without the marks of its form.
func drawn(t *testing.T, status patch.WaveStatus) map[string]string {
	t.Helper()
	view := screen.New(t.Context(), screen.Options{First: screen.Look{At: at, Status: status}, Now: func() time.Time { return at }})
	view.Update(tea.WindowSizeMsg{Width: 400, Height: 120})
	seen := view.View().Content
	view.Update(tea.KeyPressMsg{Code: '?', Text: "?"})
	seen += view.View().Content
	return map[string]string{
		"wave show": flat(console.Status(status, patch.Waits{}, console.Page{Width: 80, Terminal: true})),
		"a ticket":  flat(console.Status(status, patch.Waits{}, console.Page{})),
		"the UI":    flat(waveDetails(status, "default")),
		"screen":    flat(seen),
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
	require.GreaterOrEqual(t, len(situations()), 20)
	for name, status := range situations() {
		t.Run(name, func(t *testing.T) {
			want := []string{strings.ReplaceAll(string(status.State), "_", " "), status.Awaiting, status.Reason}
			if status.Outcome != "" {
				want = append(want, strings.ReplaceAll(string(status.Outcome), "_", " "))
			}
			told := brief.Of(status)
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
					want = append(want, group.Group, group.Reason)
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
			for place, said := range drawn(t, status) {
				for _, part := range want {
					require.Contains(t, said, flat(part), place)
				}
			}
			// Lines tell what changes; what is asked, until when and what then is in them as well.
			var lines bytes.Buffer
			console.New(&lines, nil, func() time.Time { return at }).Update(console.View(status, console.Details{}))
			said := flat(lines.String())
			for _, part := range []string{want[0], status.Awaiting, status.Waits(), told.Silence(console.Moment)} {
				require.Contains(t, said, flat(part), "plain lines")
			}
			document, err := json.Marshal(status)
			require.NoError(t, err)
			var again patch.WaveStatus
			require.NoError(t, json.Unmarshal(document, &again))
			require.Equal(t, brief.Of(status), brief.Of(again), "--json holds all that a person is told")
		})
	}
}

// A notice of a hold says what its wave's status says.
func TestANoticeOfAHoldSaysWhatItsStatusSays(t *testing.T) {
	for name, status := range situations() {
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
				Why: status.Awaiting, Otherwise: status.Otherwise, Until: status.Until, RollsBack: status.RollsBack,
				Verbs: slices.DeleteFunc(slices.Clone(status.Verbs), func(v patch.Verb) bool { return !v.Decides() }),
			}
			for _, failed := range status.Stages[1].Groups[0].Failed {
				notice.Instances = append(notice.Instances, patch.NoticedInstance{ID: failed.ID, Outcome: failed.Outcome})
			}
			said := notify.Compose(notice, temporalui.UI{})
			require.Equal(t, status.Awaiting, said.Why)
			require.Contains(t, said.WhatToDo, brief.Of(status).Quarantine())
			require.Contains(t, said.WhatToDo, "If nobody answers by 2026-11-22 02:40 UTC, ")
			for i, choice := range brief.Told(notice).Choices() {
				require.Equal(t, notify.Command{When: choice.When, Line: choice.Command}, said.Commands[i])
				require.Contains(t, brief.Of(status).Choices(), choice)
			}
		})
	}
}
