package screen

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavelog"
)

var update = flag.Bool("update", false, "write testdata anew")

func TestMain(m *testing.M) {
	flag.Parse()
	time.Local = time.UTC // what is drawn shows the reader's own time
	os.Exit(m.Run())
}

func at(minute, second int) time.Time { return time.Date(2026, 11, 22, 2, minute, second, 0, time.UTC) }

// running is a wave whose second stage is patched, with so many instances in production.
func running(production int) Look {
	web := patch.GroupStatus{Current: []string{"p"}}
	for i := range production {
		web.Instances = append(
			web.Instances, patch.InstanceResult{ID: fmt.Sprintf("i-0b%015d", i), Outcome: patch.NotStarted},
		)
	}
	web.Instances[0].Outcome, web.Instances[0].Ended = patch.Patched, at(9, 0)
	return Look{At: at(10, 0), Status: patch.WaveStatus{
		WaveID: "wave-web-20261122-020000", Plan: "web", State: patch.StateRunning, Stage: "production", Since: at(5, 0),
		Verbs: patch.VerbsIn(patch.StateRunning, false),
		Stages: []patch.StageStatus{
			{Name: "staging", Outcome: patch.Succeeded, Groups: []patch.GroupCounts{{
				Group: "staging/ap-northeast-1/Role=web", WorkflowID: "s", Phase: patch.GroupDone, Outcome: patch.Succeeded,
				Total: 1, Done: 1,
			}}},
			{Name: "production", Groups: []patch.GroupCounts{
				{Group: "production/ap-northeast-1/web", WorkflowID: "w", Phase: patch.GroupPatching, Total: production},
				{Group: "production/us-east-1/web", WorkflowID: "silent", Phase: patch.GroupIdle},
			}},
		},
	}, Details: console.Details{
		Groups: map[string]patch.GroupStatus{
			"s": {Instances: []patch.InstanceResult{{ID: "i-0a", Outcome: patch.Patched, Ended: at(4, 0)}}}, "w": web,
		},
		Instances: map[string]patch.InstanceStatus{"p": {ID: web.Instances[1].ID, Step: patch.StepInstall, Since: at(9, 18)}},
	}}
}

// held is running after its second instance was put back.
func held() Look {
	look := running(3)
	look.Status.State, look.Status.Since, look.Status.Verbs = patch.StateOnHold, at(12, 0), patch.VerbsIn(
		patch.StateOnHold,
		false,
	)
	look.Status.Awaiting = "i-0b000000000000001 was put back: it is unhealthy in its target group " +
		"(Target.FailedHealthChecks). Send retry, skip, roll back or abort."
	until := at(42, 0)
	look.Status.Until, look.Status.Otherwise, look.Status.Hold = &until, patch.RollBack, 1
	look.Status.RollsBack = patch.RollsBack{Stage: 1, Wave: 2}
	group := look.Details.Groups["w"]
	group.Current = nil
	group.Instances[1].Outcome, group.Instances[1].Reason = patch.RolledBack, "return to service: it is unhealthy"
	look.Details.Groups["w"] = group
	look.Status.Stages[1].Groups[0].Phase = patch.GroupHeld
	return look
}

var happened = EventsMsg{
	{
		At: at(5, 0), Kind: wavelog.OfPerson, Stage: "production", What: "approve", Actor: "alice",
		Reason: "staging looks well",
	},
	{
		At: at(9, 0), Kind: wavelog.OfInstance, Group: "production/ap-northeast-1/web", Instance: "i-0b000000000000000",
		What: "patched", Outcome: patch.Patched,
	},
	{
		At: at(9, 18), Kind: wavelog.OfInstance, Group: "production/ap-northeast-1/web", Instance: "i-0b000000000000001",
		What: "install",
	},
}

// watched is a screen and what it did.
type watched struct {
	*Model
	t    *testing.T
	sent []string // verbs told, with their requests
	tell error    // the wave's answer
	next Look
}

func watch(t *testing.T, first Look, change ...func(*Options)) *watched {
	w := &watched{t: t, next: first}
	o := Options{
		First: first, Actor: "alice", Now: func() time.Time { return at(10, 3) },
		Look: func(context.Context) Look { return w.next },
		Tell: func(_ context.Context, sent patch.Decision) error {
			w.sent = append(w.sent, fmt.Sprintf("%s %s %q %s%d%s",
				sent.Verb, sent.Actor, sent.Reason, sent.Scope, sent.MaxParallelGroups, sent.Until))
			return w.tell
		},
	}
	for _, c := range change {
		c(&o)
	}
	w.Model = New(t.Context(), o)
	w.do(tea.WindowSizeMsg{Width: 100, Height: 28})
	return w
}

// do hands the screen a message and whatever comes of it at once; timers and questions are left out. It reports whether
// it ends.
func (w *watched) do(msg tea.Msg) (quits bool) {
	w.t.Helper()
	_, cmd := w.Update(msg)
	if cmd == nil || isTimer(msg) {
		return false
	}
	switch answer := cmd().(type) {
	case tea.QuitMsg:
		return true
	case toldMsg:
		return w.do(answer)
	}
	return false
}

// isTimer tells the messages that are answered by waiting: for those the caller hands on what comes then.
func isTimer(msg tea.Msg) bool {
	if look, ok := msg.(lookMsg); ok {
		return look.Err != nil || !look.Closed && !look.Status.Asks()
	}
	_, ticked := msg.(tickMsg)
	return ticked
}

// press hands over keys: a name in brackets such as "<enter>", anything else is typed.
func (w *watched) press(keys ...string) (quits bool) {
	w.t.Helper()
	named := map[string]tea.KeyPressMsg{
		"<enter>": {Code: tea.KeyEnter}, "<esc>": {Code: tea.KeyEscape}, "<tab>": {Code: tea.KeyTab},
		"<ctrl+c>": {Code: 'c', Mod: tea.ModCtrl},
		"<down>":   {Code: tea.KeyDown}, "<backspace>": {Code: tea.KeyBackspace},
	}
	for _, key := range keys {
		if msg, ok := named[key]; ok {
			quits = w.do(msg)
			continue
		}
		for _, r := range key {
			quits = w.do(tea.KeyPressMsg{Code: r, Text: string(r)})
		}
	}
	return quits
}

func (w *watched) text() string {
	lines := strings.Split(ansi.Strip(w.View().Content), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return strings.Join(lines, "\n") + "\n"
}

func TestWhatTheScreenShows(t *testing.T) {
	for name, c := range map[string]struct {
		look          Look
		width, height int
		then          func(*watched)
	}{
		"running": {running(3), 100, 28, func(*watched) {}},
		"on hold": {held(), 100, 28, func(*watched) {}},
		"dialog":  {held(), 100, 28, func(w *watched) { w.press("B", "<enter>", "logins fail") }},
		"no answer": {
			running(3), 100, 28, func(w *watched) { w.do(lookMsg{Err: errors.New("connection refused")}) },
		},
		"dialog, narrow, with what is wrong in it": {asksMuch(), 60, 20, func(w *watched) {
			w.press("B", "zzz", "<enter>", "bad", "<enter>")
		}},
		"narrow":                     {held(), 60, 20, func(*watched) {}},
		"usual":                      {held(), 80, 24, func(*watched) {}},
		"large":                      {held(), 120, 40, func(*watched) {}},
		"what may be sent":           {held(), 120, 40, func(w *watched) { w.press("?") }},
		"what may be sent, scrolled": {held(), 60, 20, func(w *watched) { w.press("?", "<down>", "<down>", "<down>") }},
		"tiny":                       {held(), 40, 8, func(*watched) {}},
		"many instances":             {running(300), 100, 28, func(*watched) {}},
		"each of them":               {running(300), 100, 28, func(w *watched) { w.press("i", "<down>", "<down>", "<down>") }},
		"before any answer": {
			Look{Status: patch.WaveStatus{WaveID: "wave-web-1", Plan: "web", State: patch.StateResolving}},
			80, 16,
			func(*watched) {},
		},
		"eta":                {estimated(), 100, 28, func(*watched) {}},
		"something stranded": {stranded(), 100, 28, func(*watched) {}},
	} {
		t.Run(name, func(t *testing.T) {
			w := watch(t, c.look)
			w.do(happened)
			w.do(tea.WindowSizeMsg{Width: c.width, Height: c.height})
			c.then(w)
			text := w.text()
			lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
			require.LessOrEqual(t, len(lines), c.height)
			for _, line := range lines {
				require.LessOrEqual(t, ansi.StringWidth(line), c.width)
			}
			golden := filepath.Join("testdata", strings.NewReplacer(" ", "-", ",", "").Replace(name)+".txt")
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(text), 0o600))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), text)
		})
	}
}

// asksMuch asks in as many lines as a question may take.
func asksMuch() Look {
	look := held()
	look.Status.Awaiting = strings.Repeat("production/ap-northeast-1/web: i-0000 rolled back: health checks: a long story. ", 9)
	return look
}

func estimated() Look {
	look := running(3)
	eta := patch.ETA{At: at(10, 0), Left: patch.Duration(25 * time.Minute), Done: at(35, 0)}
	look.Status.ETA, look.Status.Stages[1].ETA, look.Status.Stages[1].Groups[0].ETA = &eta, &eta, &eta
	return look
}

func stranded() Look {
	look := held()
	look.Status.Stranded = []patch.Stranded{
		{
			Account: "production", Region: "ap-northeast-1", Resource: "i-0b000000000000001", State: "in standby",
			WhatToDo: "exit standby by hand",
		},
	}
	look.Status.NotTold = []string{"slack file:chat: it answered 404"}
	return look
}

func TestVerbsAreSentWithAReasonAndNeverWithout(t *testing.T) {
	w := watch(t, held())
	w.press("t", "<enter>")
	require.Contains(t, w.text(), "a reason is needed")
	require.Empty(t, w.sent)
	w.press("the repository is back", "<enter>")
	require.Equal(t, []string{`retry alice "the repository is back" 0`}, w.sent)
	require.Contains(t, w.text(), "wave-web-20261122-020000 accepted retry")
	require.NotContains(t, w.text(), "sends it", "the dialog is closed")
	w.do(lookMsg(held()))
	require.Contains(t, w.text(), "accepted retry")
	w.do(lookMsg(running(3)))
	require.NotContains(t, w.text(), "accepted retry", "the wave has gone on since")
}

func TestWhoMayNotApproveIsToldBeforeHeTries(t *testing.T) {
	look := running(3)
	look.Status.State, look.Status.Verbs = patch.StateAwaitingApproval, patch.VerbsIn(patch.StateAwaitingApproval, false)
	look.Status.NotBy = "alice"
	w := watch(t, look)
	w.press("x")
	require.NotContains(t, w.text(), "somebody other", "anybody may reject")
	w.press("<esc>", "a")
	require.Contains(t, w.text(), "By somebody other than alice, who started the wave")
}

func TestADialogSentBackSendsNothing(t *testing.T) {
	w := watch(t, held())
	w.press("A", "stop it", "<esc>")
	require.Empty(t, w.sent)
	require.False(t, w.Left(), "esc leaves the dialog, not the screen")
	require.NotContains(t, w.text(), "sends it")
}

func TestWhatElseAVerbNeeds(t *testing.T) {
	w := watch(t, held())
	w.press("B", "<enter>", "logins fail", "<enter>")
	require.Equal(t, []string{`roll_back alice "logins fail" stage0`}, w.sent, "the stage is the default")
	w.press("c", "two", "<enter>", "the fleet is quiet", "<enter>")
	require.Contains(t, w.text(), `"two" is no number`)
	w.press("<tab>", "<backspace>", "<backspace>", "<backspace>", "2", "<enter>", "<enter>")
	require.Equal(t, `set_concurrency alice "the fleet is quiet" 2`, w.sent[1])
}

func TestARefusalKeepsWhatWasTyped(t *testing.T) {
	w := watch(t, held())
	w.tell = errors.New("what was decided last is being carried out")
	w.press("s", "odd machine", "<enter>")
	require.Contains(t, w.text(), "what was decided last is being carried out")
	require.Contains(t, w.text(), "odd machine")
	w.tell = nil
	w.press("<enter>")
	require.Len(t, w.sent, 2)
	require.Equal(t, w.sent[0], w.sent[1], "in the same words")
}

// Every verb has a key, says what it does, asks for its fields, and is sent as it was typed.
func TestEveryVerbCanBeSentFromTheScreen(t *testing.T) {
	for _, verb := range patch.Verbs() {
		t.Run(string(verb), func(t *testing.T) {
			spec, look := verb.Spec(), held()
			look.Status.Verbs = []patch.Verb{verb}
			w := watch(t, look)
			require.Contains(t, w.text(), spec.Key+" "+strings.ReplaceAll(string(verb), "_", " "))
			w.press(spec.Key)
			require.NotNil(t, w.dialog, "its key opens nothing")
			require.Contains(t, w.text(), spec.Short)
			want := patch.Decision{Verb: verb, Actor: "alice", Reason: spec.Reason}
			for _, field := range spec.Fields {
				require.Contains(t, w.text(), field.Label)
				require.NoError(t, field.Set(&want, field.Example))
				if field.Preset == "" {
					w.press(field.Example)
				}
				w.press("<enter>")
			}
			w.press(spec.Reason, "<enter>")
			require.Equal(t, []string{fmt.Sprintf("%s %s %q %s%d%s",
				verb, want.Actor, want.Reason, want.Scope, want.MaxParallelGroups, want.Until)}, w.sent)
		})
	}
}

func TestKeysOfVerbsThatTheWaveDoesNotTake(t *testing.T) {
	w := watch(t, running(3))
	w.press("a", "x", "t", "s", "r", "w")
	require.Nil(t, w.dialog)
	require.Contains(t, w.text(), "wave-web-20261122-020000 is running and does not take extend window now")
	w.press("z")
	require.NotContains(t, w.text(), "does not take", "it is about the last key")
	w.press("p")
	require.NotNil(t, w.dialog)
	w.do(lookMsg(held())) // meanwhile it holds by itself
	require.Contains(t, w.text(), "The wave does not take it any more: it is on hold")
}

func TestHowTheScreenEnds(t *testing.T) {
	closed := held()
	closed.Closed, closed.Status.State, closed.Status.Outcome = true, patch.StateClosed, patch.RolledBack
	for name, c := range map[string]struct {
		untilHold bool
		do        func(*watched) bool
		ends      bool
		left      bool
	}{
		"q":                     {false, func(w *watched) bool { return w.press("q") }, true, true},
		"ctrl+c":                {false, func(w *watched) bool { return w.press("<ctrl+c>") }, true, true},
		"ctrl+c in a dialog":    {false, func(w *watched) bool { return w.press("p", "<ctrl+c>") }, true, true},
		"q typed into a reason": {false, func(w *watched) bool { return w.press("p", "q") }, false, false},
		"the wave closes":       {false, func(w *watched) bool { return w.do(lookMsg(closed)) }, true, false},
		"it holds":              {true, func(w *watched) bool { return w.do(lookMsg(held())) }, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := watch(t, running(3), func(o *Options) { o.UntilHold = c.untilHold })
			require.Equal(t, c.ends, c.do(w))
			require.Equal(t, c.left, w.Left())
			require.Empty(t, w.sent, "leaving tells the wave nothing")
		})
	}
}

// Temporal is away for a while: the screen keeps what it knew, says since when, and goes on asking.
func TestAnOutage(t *testing.T) {
	w := watch(t, running(3))
	_, next := w.Update(lookMsg{Err: errors.New("connection refused")})
	require.NotNil(t, next, "it asks again")
	require.Contains(t, w.text(), "No answer since 02:10:00 UTC (3s): connection refused")
	require.Contains(t, w.text(), "install")
	require.NoError(t, w.Last().Err)
	w.do(lookMsg(running(3)))
	require.NotContains(t, w.text(), "No answer")
}

func TestOldEventsAreLetGo(t *testing.T) {
	w := watch(t, running(3))
	for range 3 {
		w.do(make(EventsMsg, mostEvents-1))
	}
	w.do(happened)
	require.Len(t, w.events, mostEvents)
	require.Equal(t, happened[2], w.events[mostEvents-1])
}
