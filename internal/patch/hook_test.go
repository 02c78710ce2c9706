package patch_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

func TestCheckHooks(t *testing.T) {
	view := patch.View{Group: webGroup, Around: &patch.Interference{Hooks: []string{"there is no document drain"}}}
	for level, refused := range map[patch.Level]bool{
		patch.LevelWave: true, patch.LevelGroup: true, patch.LevelInstance: false, patch.LevelPutBack: false,
	} {
		refusal := patch.First(level, view)
		if refused {
			requireRefusal(t, refusal, patch.RefusedHook, webGroup.String())
		} else {
			require.Nil(t, refusal, level)
		}
	}
}

// Hooks count into what an instance needs until their timeouts: forwards, and where it is put back.
func TestTheTimeOfHooks(t *testing.T) {
	call := func(timeout patch.Duration) patch.HookCall { return patch.HookCall{Run: "true", Timeout: timeout} }
	undo := call(2 * minute)
	hooks := patch.Hooks{
		patch.BeforeWave: {{Name: "wave", Call: call(99 * minute)}},
		patch.BeforeOut:  {{Name: "a", Call: call(minute), Undo: &undo}, {Name: "b", Call: call(4 * minute)}},
		patch.AfterIn:    {{Name: "c", Call: call(8 * minute), InRollBack: true}},
	}
	require.Equal(t, patch.HookTime{Forward: 13 * minute, Back: 10 * minute}, hooks.Time())
	require.Equal(t, patch.HookTime{Forward: 8 * minute, Back: 8 * minute}, hooks.Without(patch.BeforeOut).Time())
	require.Equal(t, patch.HookTime{}, patch.Hooks(nil).Time())

	plan := patch.Plan{Estimates: &patch.Estimates{Patch: 30 * minute}, Restore: patch.RestoreNone}
	without, with := plan.Budget(patch.Stage{}, nil), plan.Budget(patch.Stage{Hooks: hooks}, nil)
	require.Equal(t, 23*time.Minute, with.Total()-without.Total())
	require.Equal(t, 13*minute, with.OnItsWay()-without.OnItsWay())
	now := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	window := &patch.Window{Opens: now, Cutoff: now.Add(52 * time.Minute), Closes: now.Add(time.Hour)}
	fits, _ := window.HasRoomFor(now, without)
	require.True(t, fits)
	fits, why := window.HasRoomFor(now, with)
	require.False(t, fits)
	require.Contains(t, why, "hooks 13m0s and their undos 10m0s")
}

func TestWhichHooksRunInARollBack(t *testing.T) {
	hooks := patch.Hooks{patch.BeforeOut: {{Name: "a"}, {Name: "b", InRollBack: true}}}
	require.Len(t, hooks.At(patch.BeforeOut, false), 2)
	require.Equal(t, "b", hooks.At(patch.BeforeOut, true)[0].Name)
	require.Len(t, hooks.At(patch.BeforeOut, true), 1)
	require.Empty(t, hooks.At(patch.AfterIn, false))
	require.Equal(t, "b", hooks.Find(patch.BeforeOut, "b").Name)
	require.Nil(t, hooks.Find(patch.AfterIn, "b"))
}

// In the laboratory a hook's time passes as fast as everything else, and never so fast that a busy machine ends it.
func TestHooksAreScaled(t *testing.T) {
	undo := patch.HookCall{Timeout: 120 * minute}
	hook := patch.Hook{Name: "a", Call: patch.HookCall{Timeout: 120 * minute}, Undo: &undo}
	plan := patch.Plan{
		Hooks:  patch.Hooks{patch.BeforeWave: {hook}},
		Stages: []patch.Stage{{Hooks: patch.Hooks{patch.AfterIn: {hook, {Name: "b", Call: patch.HookCall{Timeout: minute}}}}}},
	}
	scaled := plan.Scaled(60)
	require.Equal(t, 2*minute, scaled.Hooks[patch.BeforeWave][0].Call.Timeout)
	require.Equal(t, 2*minute, scaled.Stages[0].Hooks[patch.AfterIn][0].Undo.Timeout)
	require.Equal(t, patch.Duration(patch.MinBudget), scaled.Stages[0].Hooks[patch.AfterIn][1].Call.Timeout)
	require.Equal(t, 120*minute, plan.Stages[0].Hooks[patch.AfterIn][0].Undo.Timeout, "the plan itself stays")
}

// What hooks said is bounded where it travels.
func TestHooksOfABriefResult(t *testing.T) {
	result := patch.InstanceResult{}
	for range 20 {
		result.Hooks = append(result.Hooks,
			patch.HookRun{Name: "good", Result: patch.HookOK, Output: strings.Repeat("x", patch.MostHookOutput)})
	}
	result.Hooks = append(result.Hooks, patch.HookRun{
		Name: "bad", Result: patch.HookFailed, Output: strings.Repeat("x", patch.MostHookOutput) + "the end",
	})
	brief := result.Brief()
	require.Len(t, brief.Hooks, 1, "of many those that did not end well")
	require.LessOrEqual(t, len(brief.Hooks[0].Output), 210)
	require.True(t, strings.HasSuffix(brief.Hooks[0].Output, "the end"))
	require.Len(t, result.Hooks, 21, "the result itself stays")
}

func TestTheVariablesOfAHook(t *testing.T) {
	about := patch.HookAbout{
		Token: "t", Point: patch.BeforeOut, Hook: "drain", Wave: "w", Plan: "web", Stage: "production",
		Group: "production/ap-northeast-1/web", Instance: "i-1", Undo: true,
	}
	require.Equal(t, "i-1 of production/ap-northeast-1/web, true, ${HOME}",
		about.Filled("${PATCHTIDE_INSTANCE} of ${PATCHTIDE_GROUP}, ${PATCHTIDE_UNDO}, ${HOME}"))
	seen := map[string]bool{}
	for _, variable := range about.Variables() {
		require.True(t, strings.HasPrefix(variable.Name, "PATCHTIDE_"))
		require.False(t, seen[variable.Name])
		seen[variable.Name] = true
	}
}
