package workflows_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows"
)

// inWindow gives the plan web, whose gates are open, a window.
func inWindow(window string) func([]byte) []byte {
	return func(file []byte) []byte {
		return plan("    stages:\n      - name: staging\n", "    window: "+window+"\n    stages:\n      - name: staging\n")(unattended(file))
	}
}

// opens starts OpenWindow as a schedule would, at a time that is due.
func (h history) opens(due time.Time, planName string) workflow.ChildWorkflowFuture {
	child := workflow.WithChildOptions(h.ctx, workflow.ChildWorkflowOptions{
		WorkflowID:            names.OpenWindowID(planName) + "-" + due.UTC().Format(time.RFC3339),
		TypedSearchAttributes: temporal.NewSearchAttributes(temporal.NewSearchAttributeKeyTime(names.ScheduledTime).ValueSet(due)),
	})
	return workflow.ExecuteChildWorkflow(child, names.OpenWindow, workflows.OpenWindowRequest{Plan: planName})
}

// until lets time pass until a moment.
func (h history) until(at time.Time) { h.later(at.Sub(workflow.Now(h.ctx))) }

func (h history) opened(f workflow.ChildWorkflowFuture) workflows.WindowOpened {
	var result workflows.WindowOpened
	require.NoError(h.b.t, f.Get(h.ctx, &result))
	return result
}

// Tokyo's second Sunday of November 2036 is the 9th: 02:00 there is 17:00 of the 8th.
var (
	secondSunday = `{schedule: "cron(0 2 ? * SUN#2 *)", time_zone: Asia/Tokyo, duration: 4h, cutoff: 1h}`
	sundayOpens  = time.Date(2036, 11, 8, 17, 0, 0, 0, time.UTC)
)

func TestOpenWindowStartsTheWaveOfItsOpeningOnce(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy", config: inWindow(secondSunday), start: sundayOpens.Add(-time.Hour)})
	b.plans.scheduled = true
	heard := b.listen("chat")
	var first, second workflows.WindowOpened
	b.play(func(h history) {
		h.until(sundayOpens.Add(3 * time.Minute)) // jitter
		opened := h.opens(sundayOpens, "web")
		h.later(10 * time.Minute)
		// The schedule is told again, by hand: another workflow, the same opening.
		child := workflow.WithChildOptions(h.ctx, workflow.ChildWorkflowOptions{WorkflowID: "open-by-hand"})
		again := workflow.ExecuteChildWorkflow(child, names.OpenWindow, workflows.OpenWindowRequest{Plan: "web"})
		second = h.opened(again)
		first = h.opened(opened)
		h.later(7 * time.Hour)
	})
	require.Equal(t, "wave-web-20361108-170000", first.WaveID, "%+v", first)
	require.True(t, first.Started)
	require.True(t, first.Opens.Equal(sundayOpens))
	require.Equal(t, patch.Succeeded, first.Outcome)
	require.False(t, second.Started)
	require.Equal(t, first.WaveID, second.WaveID)
	require.Contains(t, second.Why, "was started before")
	require.ElementsMatch(t, []patch.NoticeKind{patch.NoticeStarted, patch.NoticeScheduleSkipped, patch.NoticeFinished}, heard.kinds("chat"))
	require.Len(t, b.effects("EnterStandby"), 4, "one wave")
}

func TestOpenWindowTellsWhyNoWaveStarts(t *testing.T) {
	for _, c := range []struct {
		name   string
		window string
		plan   string
		at     time.Duration // after the opening that is due
		prior  func(*bench, history)
		why    string
		fails  bool
	}{
		{name: "the worker came back after the cutoff", window: secondSunday, plan: "web", at: 3 * time.Hour, why: "the window's cutoff was at 2036-11-09T05:00:00+09:00"},
		{name: "told by hand on another day", window: secondSunday, plan: "web", at: -48 * time.Hour, why: "the window opens at 2036-11-09T02:00:00+09:00"},
		{name: "another wave holds the group", window: secondSunday, plan: "web", why: "is being patched by", prior: func(_ *bench, h history) {
			child := workflow.WithChildOptions(h.ctx, workflow.ChildWorkflowOptions{WorkflowID: "wave-before"})
			wave := workflow.ExecuteChildWorkflow(child, names.PatchWave, theWeb)
			require.NoError(h.b.t, wave.GetChildWorkflowExecution().Get(h.ctx, nil))
			h.later(2 * time.Minute)
		}},
		{name: "the plan has lost its window", window: secondSunday, plan: "web", why: "has no window any more", prior: func(b *bench, _ history) { b.plans.scheduled = false }},
		{name: "somebody froze production", window: secondSunday, plan: "web", why: "incident 4711", prior: func(b *bench, h history) {
			b.freezes = b.freezes.With(patch.Freeze{Account: "production", Actor: "ann", Reason: "incident 4711", Since: workflow.Now(h.ctx)})
		}},
		{name: "nobody knows whether it is frozen", window: secondSunday, plan: "web", why: "counts as frozen", prior: func(b *bench, _ history) {
			b.freezeLost = errors.New("no worker answers")
		}},
		{name: "the plan is gone", window: secondSunday, plan: "wbe", why: `there is no plan "wbe"`, fails: true},
		{name: "the schedule has ended", window: `{schedule: "cron(0 2 1 1 ? 2030)", duration: 4h}`, plan: "web", why: "never opens after", fails: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, benchOptions{scenario: "healthy", config: inWindow(c.window), start: sundayOpens.Add(c.at)})
			b.plans.scheduled = true
			heard := b.listen("chat")
			changed := 0
			b.play(func(h history) {
				if c.prior != nil {
					c.prior(b, h)
				}
				due := sundayOpens
				if c.at < 0 {
					due = workflow.Now(h.ctx)
				}
				changed = len(b.effects("EnterStandby"))
				opened := h.opens(due, c.plan)
				if c.fails {
					require.ErrorContains(t, opened.Get(h.ctx, nil), c.why)
				} else {
					result := h.opened(opened)
					require.False(t, result.Started)
					require.Contains(t, result.Why, c.why)
				}
				require.Len(t, b.effects("EnterStandby"), changed)
				h.later(7 * time.Hour)
			})
			kinds := heard.kinds("chat")
			require.Contains(t, kinds, patch.NoticeScheduleSkipped)
			for _, notice := range heard.heard["chat"] {
				if notice.Kind == patch.NoticeScheduleSkipped {
					require.Contains(t, notice.Why, c.why)
					require.NotEmpty(t, notice.WhatToDo)
					require.Equal(t, "patchtide-window-"+c.plan, notice.Subject)
				}
			}
		})
	}
}

func TestAWaveGoesOnWhenItsOpenWindowIsCancelled(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy", config: inWindow(secondSunday), start: sundayOpens})
	b.plans.scheduled = true
	heard := b.listen("chat")
	b.play(func(h history) {
		ctx, cancel := workflow.WithCancel(h.ctx)
		opened := history{ctx: ctx, b: b}.opens(sundayOpens, "web")
		h.later(10 * time.Minute)
		cancel()
		h.later(7 * time.Hour)
		require.True(t, opened.IsReady())
	})
	require.Equal(t, []patch.NoticeKind{patch.NoticeStarted, patch.NoticeFinished}, heard.kinds("chat"))
	require.Equal(t, patch.Succeeded, heard.heard["chat"][1].Outcome)
}

// In the night in which the clocks of New York are put back, half past one comes twice: both openings have their wave, and the
// second is refused while the first still holds the groups. In the night in which they are put forward half past two
// does not come: whoever asks then gets the window of the week after.
func TestWindowsOverAChangeOfTheClocks(t *testing.T) {
	const half = `{schedule: "cron(30 1 ? * SUN *)", time_zone: America/New_York, duration: 4h, cutoff: 1h}`
	first := time.Date(2036, 11, 2, 5, 30, 0, 0, time.UTC)
	second := first.Add(time.Hour)
	t.Run("back, while the first wave runs", func(t *testing.T) {
		b := newBench(t, benchOptions{scenario: "healthy", config: inWindow(half), start: first, fleet: sized(2, 6, 8)})
		b.plans.scheduled = true
		b.play(func(h history) {
			one := h.opens(first, "web")
			h.until(second)
			two := h.opened(h.opens(second, "web"))
			require.False(t, two.Started)
			require.Equal(t, "wave-web-20361102-063000", two.WaveID)
			require.Contains(t, two.Why, "is being patched by")
			result := h.opened(one)
			require.True(t, result.Started)
			require.Equal(t, "wave-web-20361102-053000", result.WaveID)
			require.Equal(t, patch.Succeeded, result.Outcome)
		})
	})
	t.Run("forward", func(t *testing.T) {
		skipped := time.Date(2037, 3, 8, 7, 30, 0, 0, time.UTC) // 03:30 there: 02:30 does not come
		b := newBench(t, benchOptions{
			scenario: "healthy", config: inWindow(`{schedule: "cron(30 2 ? * SUN *)", time_zone: America/New_York, duration: 4h, cutoff: 1h}`), start: skipped,
		})
		b.plans.scheduled = true
		b.play(func(h history) {
			result := h.opened(h.opens(skipped, "web"))
			require.False(t, result.Started)
			require.Contains(t, result.Why, "the window opens at 2037-03-15T02:30:00-04:00")
		})
		require.Empty(t, b.mutations(accountProduction))
	})
}

func TestOpenWindowRefusesAWrongInput(t *testing.T) {
	for name, c := range map[string]struct {
		input any
		words string
	}{
		"nothing":        {nil, "plan: is missing"},
		"a misspelt key": {map[string]any{"plan": "web", "dry_run": true}, `unknown field "dry_run"`},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, benchOptions{scenario: "healthy"})
			b.env.ExecuteWorkflow(names.OpenWindow, c.input)
			err := b.env.GetWorkflowError()
			require.ErrorContains(t, err, c.words)
			require.ErrorContains(t, err, `{"plan": "web"}`)
		})
	}
}
