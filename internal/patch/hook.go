package patch

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// HookPoint is where in a wave, or in the saga of an instance, a hook runs.
type HookPoint string

// The points, in the order in which a wave comes to them.
const (
	BeforeWave     HookPoint = "before_wave"     // the wave has its locks, and nothing is changed yet
	BeforeOut      HookPoint = "before_out"      // the instance serves still, and is about to be taken out
	BeforeSnapshot HookPoint = "before_snapshot" // it is out of service and drained
	BeforeInstall  HookPoint = "before_install"  // its backup is taken
	AfterInstall   HookPoint = "after_install"   // it is patched, rebooted and proven, and still out of service
	AfterIn        HookPoint = "after_in"        // it is in service and healthy again, and its bake has not begun
	AfterWave      HookPoint = "after_wave"      // the wave ends, however, and has its locks still
)

// HookPoints lists all points in order.
func HookPoints() []HookPoint {
	return []HookPoint{BeforeWave, BeforeOut, BeforeSnapshot, BeforeInstall, AfterInstall, AfterIn, AfterWave}
}

// OnceAWave reports whether the point is one of the wave's, and of no instance.
func (p HookPoint) OnceAWave() bool { return p == BeforeWave || p == AfterWave }

// Out reports whether the instance is out of service at the point.
func (p HookPoint) Out() bool { return p == BeforeSnapshot || p == BeforeInstall || p == AfterInstall }

// Step is the step of an instance's saga in which the hooks of the point run.
func (p HookPoint) Step() Step { return Step("hooks " + string(p)) }

// HookFailure is what becomes of an instance whose hook fails.
type HookFailure string

// What a failed hook leads to.
const (
	HookUndoes    HookFailure = "undo"     // the instance is put back, and counts as failed
	HookHolds     HookFailure = "hold"     // likewise, and a person decides, whatever max_failures says
	HookContinues HookFailure = "continue" // it is told, and the saga goes on
)

// Hook is something of people's own that a wave does at one of its points.
type Hook struct {
	Name      string      `json:"name"` // each is there once at its point
	Call      HookCall    `json:"call"`
	OnFailure HookFailure `json:"on_failure"`
	Undo      *HookCall   `json:"undo,omitempty"` // undoes it, where the instance is put back; nil: nothing does
	// InRollBack is whether it also runs where an instance is put back.
	InRollBack bool `json:"in_roll_back,omitempty"`
}

// HookCall is what a hook does: exactly one of Run, Document, Lambda and Webhook is set.
type HookCall struct {
	Run        string            `json:"run,omitempty"`        // a script on the instance: of sh, or of PowerShell
	Document   string            `json:"document,omitempty"`   // a Command document or an Automation runbook
	Parameters map[string]string `json:"parameters,omitempty"` // of the document
	Lambda     *HookFunction     `json:"lambda,omitempty"`
	Webhook    *HookWebhook      `json:"webhook,omitempty"`
	// Place is where a document or a function is, at points of the wave; nil: where the instance is.
	Place   *Place   `json:"place,omitempty"`
	Timeout Duration `json:"timeout"`
}

// HookWebhook is an address that is asked by POST.
type HookWebhook struct {
	URLFrom    string `json:"url_from"`    // where the worker reads it: env:NAME, file:PATH or ssm:/NAME
	SecretFrom string `json:"secret_from"` // likewise, of the key that requests are signed with
}

// Kind is the key of the configuration by which the call was written.
func (c HookCall) Kind() string {
	switch {
	case c.Run != "":
		return "run"
	case c.Document != "":
		return "document"
	case c.Lambda != nil:
		return "lambda"
	}
	return "webhook"
}

// Words say in a line what the call does.
func (c HookCall) Words() string {
	switch c.Kind() {
	case "run":
		line, more, _ := strings.Cut(strings.TrimSpace(c.Run), "\n")
		if more != "" {
			line += " ..."
		}
		return "run " + Clip(line, 60)
	case "document":
		return "document " + c.Document
	case "lambda":
		return "lambda " + c.Lambda.Function
	}
	return "webhook " + c.Webhook.URLFrom
}

// Starts reports whether the call starts something in AWS that goes on by itself, is found again by its token and can
// be stopped.
func (c HookCall) Starts() bool { return c.Run != "" || c.Document != "" }

// Words say in a line what the hook is and when it ends.
func (h Hook) Words() string {
	words := fmt.Sprintf("%s: %s, within %s, on failure %s", h.Name, h.Call.Words(), h.Call.Timeout, h.OnFailure)
	if h.Undo != nil {
		words += "; undone by " + h.Undo.Words()
	}
	if h.InRollBack {
		words += "; also in a roll back"
	}
	return words
}

// Hooks are those of a stage, or of a plan as a whole, by their point, in order.
type Hooks map[HookPoint][]Hook

// At are the hooks of a point; of what is put back, only those that run then.
func (h Hooks) At(point HookPoint, putsBack bool) []Hook {
	return slices.DeleteFunc(slices.Clone(h[point]), func(hook Hook) bool { return putsBack && !hook.InRollBack })
}

// Find is the hook of that name at a point; nil: there is none.
func (h Hooks) Find(point HookPoint, name string) *Hook {
	for i := range h[point] {
		if h[point][i].Name == name {
			return &h[point][i]
		}
	}
	return nil
}

// Without are the hooks but for those of a point.
func (h Hooks) Without(point HookPoint) Hooks {
	rest := Hooks{}
	for _, other := range HookPoints() {
		if hooks := h[other]; other != point && hooks != nil {
			rest[other] = hooks
		}
	}
	return rest
}

// HookTime is how long hooks may take at most.
type HookTime struct {
	Forward Duration // while an instance is patched
	Back    Duration // while it is put back: undos, and those that run then as well
}

// words add the hooks to what an instance may need; "" where it has none.
func (t HookTime) words() string {
	if t == (HookTime{}) {
		return ""
	}
	return fmt.Sprintf(", hooks %s and their undos %s", t.Forward, t.Back)
}

// Time is how long the hooks of one instance may take, each until its timeout.
func (h Hooks) Time() (t HookTime) {
	for _, point := range HookPoints() {
		if point.OnceAWave() {
			continue
		}
		for _, hook := range h[point] {
			t.Forward += hook.Call.Timeout
			if hook.Undo != nil {
				t.Back += hook.Undo.Timeout
			}
			if hook.InRollBack {
				t.Back += hook.Call.Timeout
			}
		}
	}
	return t
}

// each is the hooks with each call changed.
func (h Hooks) each(change func(*HookCall)) Hooks {
	if h == nil {
		return nil
	}
	changed := Hooks{}
	for _, point := range HookPoints() {
		hooks := slices.Clone(h[point])
		for i := range hooks {
			change(&hooks[i].Call)
			if hooks[i].Undo != nil {
				undo := *hooks[i].Undo
				change(&undo)
				hooks[i].Undo = &undo
			}
		}
		if hooks != nil {
			changed[point] = hooks
		}
	}
	return changed
}

// Documents are those that hooks run, each once, sorted.
func (h Hooks) Documents() []string {
	return h.named(func(call HookCall) string { return call.Document })
}

// named are what the calls of the hooks, and of their undos, name, each once, sorted.
func (h Hooks) named(of func(HookCall) string) (names []string) {
	h.each(func(call *HookCall) {
		if name := of(*call); name != "" {
			names = append(names, name)
		}
	})
	slices.Sort(names)
	return slices.Compact(names)
}

// HookAbout is what a hook is told: as variables of its script, or as the document that a webhook gets.
// Fields are added, never renamed or given another meaning.
type HookAbout struct {
	Version  int       `json:"version"` // of this shape: 1
	Token    string    `json:"token"`   // the same in every repetition of this call, and of no other
	Point    HookPoint `json:"point"`
	Hook     string    `json:"hook"`
	Undo     bool      `json:"undo"`      // it is the hook's undo that is asked
	RollBack bool      `json:"roll_back"` // the instance is being put back
	Wave     string    `json:"wave"`
	Plan     string    `json:"plan"`
	Stage    string    `json:"stage,omitempty"`
	Group    string    `json:"group,omitempty"` // account/region/name
	Instance string    `json:"instance,omitempty"`
	Outcome  Outcome   `json:"outcome,omitempty"` // after_wave: how the wave ends
}

// HookVariable is one variable of a hook's script.
type HookVariable struct{ Name, Value string }

// Variables are those of a script. In the parameters of a document ${PATCHTIDE_WAVE} and so on stand for them.
func (a HookAbout) Variables() []HookVariable {
	return []HookVariable{
		{"PATCHTIDE_TOKEN", a.Token},
		{"PATCHTIDE_POINT", string(a.Point)},
		{"PATCHTIDE_HOOK", a.Hook},
		{"PATCHTIDE_UNDO", fmt.Sprint(a.Undo)},
		{"PATCHTIDE_ROLL_BACK", fmt.Sprint(a.RollBack)},
		{"PATCHTIDE_WAVE", a.Wave},
		{"PATCHTIDE_PLAN", a.Plan},
		{"PATCHTIDE_STAGE", a.Stage},
		{"PATCHTIDE_GROUP", a.Group},
		{"PATCHTIDE_INSTANCE", a.Instance},
		{"PATCHTIDE_OUTCOME", string(a.Outcome)},
	}
}

// Filled is a document's parameter with the variables in their places.
func (a HookAbout) Filled(text string) string {
	var pairs []string
	for _, variable := range a.Variables() {
		pairs = append(pairs, "${"+variable.Name+"}", variable.Value)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// HookEnd is how a call ended, as whoever it was told.
type HookEnd struct {
	Failed string // why; "": it ended well
	Late   bool   // it failed because its time was over
	Output string // the last of what it said: plain, and secrets are cut
}

// HookResult is how a hook's run ended.
type HookResult string

// How a hook's run ends.
const (
	HookOK       HookResult = "ok"
	HookFailed   HookResult = "failed"
	HookTimedOut HookResult = "timed_out"
	HookStopped  HookResult = "stopped" // the wave was cancelled meanwhile
	HookNotRun   HookResult = "not_run" // of an undo: the instance is gone, or must not serve
)

// HookRun is one run of a hook, or of its undo.
type HookRun struct {
	Point  HookPoint  `json:"point"`
	Name   string     `json:"name"`
	Kind   string     `json:"kind"` // run, document, lambda or webhook
	Undo   bool       `json:"undo,omitempty"`
	Result HookResult `json:"result"`
	Why    string     `json:"why,omitempty"` // it did not end well
	Began  time.Time  `json:"began,omitzero"`
	Took   Duration   `json:"took"`
	Output string     `json:"output,omitempty"` // at most MostHookOutput
}

// MostHookOutput is how many bytes of a hook's output are kept: the last ones.
const MostHookOutput = 2 << 10

// Failed reports whether it did not do what it was for.
func (r HookRun) Failed() bool { return r.Result != HookOK }

// Called names the hook for people.
func (r HookRun) Called() string {
	if r.Undo {
		return fmt.Sprintf("the undo of the %s hook %s", r.Point, r.Name)
	}
	return fmt.Sprintf("the %s hook %s", r.Point, r.Name)
}

// String says in a line how it ended.
func (r HookRun) String() string {
	said := fmt.Sprintf("%s (%s) %s in %s", r.Called(), r.Kind, r.Result, r.Took)
	if r.Why != "" {
		said += ": " + r.Why
	}
	return said
}

// How much of hooks travels with an instance's result; its details in the evidence have all.
const (
	mostHookRuns    = 12
	shortHookOutput = 200
)

// briefHooks are the runs as an instance's group keeps them: of those that ended well that they did, of the others the
// last of what they said.
func briefHooks(runs []HookRun) []HookRun {
	if more := len(runs) - mostHookRuns; more > 0 {
		failed := slices.DeleteFunc(slices.Clone(runs), func(r HookRun) bool { return !r.Failed() })
		if len(failed) > mostHookRuns {
			failed = failed[len(failed)-mostHookRuns:]
		}
		runs = failed
	}
	brief := slices.Clone(runs)
	for i := range brief {
		brief[i].Began = time.Time{}
		if !brief[i].Failed() {
			brief[i].Output = ""
		}
		if over := len(brief[i].Output) - shortHookOutput; over > 0 {
			brief[i].Output = "..." + strings.ToValidUTF8(brief[i].Output[over:], "")
		}
		brief[i].Why = Clip(brief[i].Why, longestNote)
	}
	return brief
}
