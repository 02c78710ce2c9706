package property

import (
	"time"

	"pgregory.net/rapid"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
)

// scriptHook is a hook of production's stage.
type scriptHook struct {
	Point      string
	Does       string `json:",omitempty"` // one of the constants below
	Failure    string `json:",omitempty"` // "" is undo
	Undo       string `json:",omitempty"` // "": it has none; else what that does, or undoes
	InRollBack bool   `json:",omitempty"`
	Lambda     bool   `json:",omitempty"` // it and its undo are functions that do so, in place of scripts
}

// What a script's hooks, and their undos, do.
const (
	hookWell  = ""
	hookFails = "fails"
	hookHangs = "hangs"
	undoes    = "undoes"
)

var hookScripts = map[string]string{
	hookWell: "echo $PATCHTIDE_TOKEN", hookFails: "exit 3", hookHangs: "sleep 100000", undoes: "echo undo",
}

// functions are those that do what the scripts do.
func functions() []world.FunctionSpec {
	return []world.FunctionSpec{
		{Name: functionOf(hookWell), Says: "well"},
		{Name: functionOf(hookFails), Fails: "unhandled"},
		{Name: functionOf(hookHangs), Takes: world.Duration(time.Hour)},
		{Name: functionOf(undoes), Says: "undo"},
	}
}

func functionOf(does string) string { return "hook-" + or(does, "well") }

// callOf is what does so.
func (h scriptHook) callOf(does string) patch.HookCall {
	call := patch.HookCall{Run: hookScripts[does], Timeout: patch.Duration(time.Minute)}
	if h.Lambda {
		call.Run, call.Lambda = "", &patch.HookFunction{Function: functionOf(does)}
	}
	return call
}

// drawHook draws a hook, which of a script that passes ends well.
func drawHook(t *rapid.T, passes bool) scriptHook {
	does, undo := []string{hookWell}, []string{"", undoes}
	if !passes {
		does = append(does, hookWell, hookWell, hookFails, hookHangs, hookWell)
		undo = append(undo, hookFails, hookHangs)
	}
	return scriptHook{
		Point: rapid.SampledFrom([]string{
			string(patch.BeforeOut), string(patch.BeforeSnapshot), string(patch.BeforeInstall), string(patch.AfterInstall),
			string(patch.AfterIn),
		}).Draw(t, "point"),
		Does:       rapid.SampledFrom(does).Draw(t, "does"),
		Failure:    rapid.SampledFrom([]string{"", "continue", "hold"}).Draw(t, "on failure"),
		Undo:       rapid.SampledFrom(undo).Draw(t, "undo"),
		InRollBack: rapid.Bool().Draw(t, "in roll back"),
		Lambda:     rapid.Bool().Draw(t, "a function"),
	}
}

// hooks are the script's, as the plan has them.
func (p scriptPlan) hooks() patch.Hooks {
	hooks := patch.Hooks{}
	for i, drawn := range p.Hooks {
		hook := patch.Hook{
			Name: string(rune('a' + i)), OnFailure: patch.HookFailure(or(drawn.Failure, string(patch.HookUndoes))),
			Call:       drawn.callOf(drawn.Does),
			InRollBack: drawn.InRollBack,
		}
		if drawn.Undo != "" {
			undo := drawn.callOf(drawn.Undo)
			hook.Undo = &undo
		}
		hooks[patch.HookPoint(drawn.Point)] = append(hooks[patch.HookPoint(drawn.Point)], hook)
	}
	return hooks
}
