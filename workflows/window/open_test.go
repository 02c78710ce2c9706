package window_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

// opens starts OpenWindow as a schedule would, at a time that is due.
func opens(story wavetest.Story, due time.Time, planName string) workflow.ChildWorkflowFuture {
	child := workflow.WithChildOptions(story.Ctx, workflow.ChildWorkflowOptions{
		WorkflowID: names.OpenWindowID(planName, 1) + "-" + due.UTC().Format(time.RFC3339),
		TypedSearchAttributes: temporal.NewSearchAttributes(
			temporal.NewSearchAttributeKeyTime(names.ScheduledTime).ValueSet(due),
			temporal.NewSearchAttributeKeyKeyword(names.ScheduledBy).ValueSet(names.WindowSchedule(planName, 1)),
		),
	})
	return workflow.ExecuteChildWorkflow(child, names.OpenWindow, workflows.OpenWindowRequest{Plan: planName})
}

func openedBy(story wavetest.Story, f workflow.ChildWorkflowFuture) workflows.WindowOpened {
	var result workflows.WindowOpened
	require.NoError(story.Scene.T, f.Get(story.Ctx, &result))
	return result
}

// Tokyo's second Sunday of November 2036 is the 9th: 02:00 there is 17:00 of the 8th.
var (
	secondSunday = `{schedule: "cron(0 2 ? * SUN#2 *)", time_zone: Asia/Tokyo, duration: 4h, cutoff: 1h}`
	sundayOpens  = time.Date(2036, 11, 8, 17, 0, 0, 0, time.UTC)
)

func TestOpenWindowStartsTheWaveOfItsOpeningOnce(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Config: wavetest.InWindow(secondSunday), Start: sundayOpens.Add(-time.Hour),
	})
	scene.Plans.Scheduled = true
	heard := scene.Listen("chat")
	var first, second workflows.WindowOpened
	scene.Play(func(story wavetest.Story) {
		story.Until(sundayOpens.Add(3 * time.Minute)) // jitter
		opened := opens(story, sundayOpens, "web")
		story.Later(10 * time.Minute)
		// The schedule is told again, by hand: another workflow, the same opening.
		child := workflow.WithChildOptions(story.Ctx, workflow.ChildWorkflowOptions{WorkflowID: "open-by-hand"})
		again := workflow.ExecuteChildWorkflow(child, names.OpenWindow, workflows.OpenWindowRequest{Plan: "web"})
		second = openedBy(story, again)
		first = openedBy(story, opened)
		story.Later(7 * time.Hour)
	})
	require.Equal(t, "wave-web-20361108-170000", first.WaveID, "%+v", first)
	require.True(t, first.Started)
	require.True(t, first.Opens.Equal(sundayOpens))
	require.Equal(t, patch.Succeeded, first.Outcome)
	require.False(t, second.Started)
	require.Equal(t, first.WaveID, second.WaveID)
	require.Contains(t, second.Why, "was started before")
	require.ElementsMatch(t, []patch.NoticeKind{
		patch.NoticeStarted, patch.NoticeScheduleSkipped, patch.NoticeFinished,
	}, heard.Kinds("chat"))
	require.Len(t, scene.Effects("EnterStandby"), 4, "one wave")
}

func TestOpenWindowTellsWhyNoWaveStarts(t *testing.T) {
	for _, c := range []struct {
		name   string
		window string
		plan   string
		at     time.Duration // after the opening that is due
		prior  func(*wavetest.Scene, wavetest.Story)
		why    string
		todo   string // a part of it
		fails  bool
	}{
		{
			name: "the worker came back after the cutoff", window: secondSunday, plan: "web", at: 3 * time.Hour,
			why: "the window's cutoff was at 2036-11-09T05:00:00+09:00",
		},
		{
			name: "told by hand on another day", window: secondSunday, plan: "web", at: -48 * time.Hour,
			why: "the window opens at 2036-11-09T02:00:00+09:00",
		},
		{
			name: "it opens in a blackout", window: secondSunday + "]\n    blackout: [{from: 2036-11-09, time_zone: Asia/Tokyo, " +
				"reason: stocktaking}", plan: "web",
			why:  "2036-11-08T17:00:00Z does not open: it is in the blackout from 2036-11-09T00:00:00+09:00",
			todo: "the next window opens at 2036-12-13 17:00:00 UTC",
		},
		{
			name: "another wave holds the group", window: secondSunday, plan: "web", why: "is being patched by",
			prior: func(_ *wavetest.Scene, story wavetest.Story) {
				child := workflow.WithChildOptions(story.Ctx, workflow.ChildWorkflowOptions{WorkflowID: "wave-before"})
				wave := workflow.ExecuteChildWorkflow(child, names.PatchWave, wavetest.WebWave)
				require.NoError(story.Scene.T, wave.GetChildWorkflowExecution().Get(story.Ctx, nil))
				story.Later(2 * time.Minute)
			},
		},
		{
			name: "the plan has lost its window", window: secondSunday, plan: "web", why: "has no window any more", todo: "restart the worker",
			prior: func(scene *wavetest.Scene, _ wavetest.Story) { scene.Plans.Scheduled = false },
		},
		{
			name: "somebody froze production", window: secondSunday, plan: "web", why: "incident 4711",
			prior: func(scene *wavetest.Scene, story wavetest.Story) {
				scene.Frozen = patch.Freezes{{
					Account: "production", Actor: "ann", Reason: "incident 4711", Since: workflow.Now(story.Ctx),
				}}
			},
		},
		{
			name: "nobody knows whether it is frozen", window: secondSunday, plan: "web", why: "counts as frozen",
			prior: func(scene *wavetest.Scene, _ wavetest.Story) {
				scene.FreezeLost = errors.New("no worker answers")
			},
		},
		{name: "the plan is gone", window: secondSunday, plan: "wbe", why: `there is no plan "wbe"`, todo: "restart the worker", fails: true},
		{
			name: "the schedule has ended", window: `{schedule: "cron(0 2 1 1 ? 2030)", duration: 4h}`, plan: "web",
			why: "no window of plan web opens after", fails: true,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Config: wavetest.InWindow(c.window), Start: sundayOpens.Add(c.at),
			})
			scene.Plans.Scheduled = true
			heard := scene.Listen("chat")
			changed := 0
			scene.Play(func(story wavetest.Story) {
				if c.prior != nil {
					c.prior(scene, story)
				}
				due := sundayOpens
				if c.at < 0 {
					due = workflow.Now(story.Ctx)
				}
				changed = len(scene.Effects("EnterStandby"))
				opened := opens(story, due, c.plan)
				if c.fails {
					require.ErrorContains(t, opened.Get(story.Ctx, nil), c.why)
				} else {
					result := openedBy(story, opened)
					require.False(t, result.Started)
					require.Contains(t, result.Why, c.why)
				}
				require.Len(t, scene.Effects("EnterStandby"), changed)
				story.Later(7 * time.Hour)
			})
			kinds := heard.Kinds("chat")
			require.Contains(t, kinds, patch.NoticeScheduleSkipped)
			for _, notice := range heard.Heard["chat"] {
				if notice.Kind == patch.NoticeScheduleSkipped {
					require.Contains(t, notice.Why, c.why)
					require.NotEmpty(t, notice.WhatToDo)
					require.Contains(t, notice.WhatToDo, c.todo)
					require.Equal(t, "patchtide-window-"+c.plan, notice.Subject)
				}
			}
		})
	}
}

// Where a worker was away when the first of two windows that overlap opened, the second starts the wave of both.
func TestTheSecondOfTwoWindowsStartsTheWaveOfBoth(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Start: sundayOpens.Add(3*time.Hour + 30*time.Minute), Config: wavetest.InWindow(
			secondSunday + `, {schedule: "cron(30 20 ? * SAT#2 *)", duration: 4h, cutoff: 1h}`,
		),
	})
	scene.Plans.Scheduled = true
	scene.Play(func(story wavetest.Story) {
		result := openedBy(story, opens(story, workflow.Now(story.Ctx), "web"))
		require.True(t, result.Started, "%+v", result)
		require.True(t, result.Opens.Equal(sundayOpens))
		require.Equal(t, "wave-web-20361108-170000", result.WaveID)
		require.Equal(t, patch.Succeeded, result.Outcome)
	})
}

func TestAWaveGoesOnWhenItsOpenWindowIsCancelled(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Config: wavetest.InWindow(secondSunday), Start: sundayOpens,
	})
	scene.Plans.Scheduled = true
	heard := scene.Listen("chat")
	scene.Play(func(story wavetest.Story) {
		ctx, cancel := workflow.WithCancel(story.Ctx)
		opened := opens(wavetest.Story{Ctx: ctx, Scene: scene}, sundayOpens, "web")
		story.Later(10 * time.Minute)
		cancel()
		story.Later(7 * time.Hour)
		require.True(t, opened.IsReady())
	})
	require.Equal(t, []patch.NoticeKind{patch.NoticeStarted, patch.NoticeFinished}, heard.Kinds("chat"))
	require.Equal(t, patch.Succeeded, heard.Heard["chat"][1].Outcome)
}

// In the night in which the clocks of New York are put back, half past one comes twice: both openings are one
// window, which has one wave, and nobody is told of what was to be expected. In the night in which they are put forward
// half past two does not come: whoever asks then gets the window of the week after.
func TestWindowsOverAChangeOfTheClocks(t *testing.T) {
	const half = `{schedule: "cron(30 1 ? * SUN *)", time_zone: America/New_York, duration: 4h, cutoff: 1h}`
	first := time.Date(2036, 11, 2, 5, 30, 0, 0, time.UTC)
	second := first.Add(time.Hour)
	t.Run("back, while the first wave runs", func(t *testing.T) {
		scene := wavetest.New(t, wavetest.Options{
			Scenario: "healthy", Config: wavetest.InWindow(half), Start: first, Fleet: wavetest.Sized(2, 6, 8),
		})
		scene.Plans.Scheduled = true
		heard := scene.Listen("chat")
		scene.Play(func(story wavetest.Story) {
			one := opens(story, first, "web")
			story.Until(second)
			two := openedBy(story, opens(story, second, "web"))
			require.False(t, two.Started)
			require.True(t, two.Joins)
			require.Equal(t, "wave-web-20361102-053000", two.WaveID)
			require.Contains(t, two.Why, "it is one with the window of 2036-11-02T05:30:00Z, which is open still")
			result := openedBy(story, one)
			require.True(t, result.Started)
			require.Equal(t, "wave-web-20361102-053000", result.WaveID)
			require.Equal(t, patch.Succeeded, result.Outcome)
			story.Later(time.Minute)
		})
		require.Equal(t, []patch.NoticeKind{patch.NoticeStarted, patch.NoticeFinished}, heard.Kinds("chat"))
	})
	t.Run("forward", func(t *testing.T) {
		skipped := time.Date(2037, 3, 8, 7, 30, 0, 0, time.UTC) // 03:30 there: 02:30 does not come
		scene := wavetest.New(t, wavetest.Options{
			Scenario: "healthy",
			Config: wavetest.InWindow(
				`{schedule: "cron(30 2 ? * SUN *)", time_zone: America/New_York, duration: 4h, cutoff: 1h}`,
			), Start: skipped,
		})
		scene.Plans.Scheduled = true
		scene.Play(func(story wavetest.Story) {
			result := openedBy(story, opens(story, skipped, "web"))
			require.False(t, result.Started)
			require.Contains(t, result.Why, "the window opens at 2037-03-15T02:30:00-04:00")
		})
		require.Empty(t, scene.Mutations(wavetest.Production))
	})
}

// What a schedule starts wrongly is told; who starts it by hand sees the error.
func TestAScheduleWithAWrongInputIsTold(t *testing.T) {
	for _, scheduled := range []bool{true, false} {
		t.Run(fmt.Sprintf("scheduled %t", scheduled), func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
			heard := scene.Listen("chat")
			scene.Play(func(story wavetest.Story) {
				options := workflow.ChildWorkflowOptions{WorkflowID: "open"}
				if scheduled {
					options.TypedSearchAttributes = temporal.NewSearchAttributes(
						temporal.NewSearchAttributeKeyKeyword(names.ScheduledBy).ValueSet(names.WindowSchedule("web", 1)),
					)
				}
				child := workflow.WithChildOptions(story.Ctx, options)
				opened := workflow.ExecuteChildWorkflow(child, names.OpenWindow, map[string]any{"plans": "web"})
				require.ErrorContains(t, opened.Get(story.Ctx, nil), `unknown field "plans"`)
				story.Later(time.Minute)
			})
			if !scheduled {
				require.Empty(t, heard.Kinds("chat"))
				return
			}
			require.Equal(t, []patch.NoticeKind{patch.NoticeScheduleSkipped}, heard.Kinds("chat"))
			notice := heard.Heard["chat"][0]
			require.Equal(t, "web", notice.Plan)
			require.Contains(t, notice.Why, `its schedule has a wrong input: unknown field "plans"`)
			require.Contains(t, notice.WhatToDo, "patchtide schedule sync")
		})
	}
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
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
			scene.Env.ExecuteWorkflow(names.OpenWindow, c.input)
			err := scene.Env.GetWorkflowError()
			require.ErrorContains(t, err, c.words)
			require.ErrorContains(t, err, `{"plan": "web"}`)
		})
	}
}
