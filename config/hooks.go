package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/patchtide/patchtide/internal/patch"
)

// PlanHooks are a plan's hooks: those of the wave, and those of each instance of every stage, before the stage's own.
type PlanHooks struct {
	BeforeWave []Hook `yaml:"before_wave" example:"[{name: announce, webhook: {url_from: 'ssm:/patchtide/hooks/url', secret_from: 'ssm:/patchtide/hooks/key'}}]" doc:"Once a wave, when it has its locks and nothing is changed yet. One that fails, and does not say continue, ends the wave there."`
	StageHooks `yaml:",inline"`
	AfterWave  []Hook `yaml:"after_wave" example:"[{name: announce, webhook: {url_from: 'ssm:/patchtide/hooks/url', secret_from: 'ssm:/patchtide/hooks/key'}}]" doc:"Once a wave that has begun, as it ends, however it does; it has its locks still. One that fails is told."`
}

// StageHooks are the hooks of each instance.
type StageHooks struct {
	BeforeOut      []Hook `yaml:"before_out" example:"[{name: drain, run: /opt/cluster/drain, undo: {run: /opt/cluster/undrain}}]" doc:"While the instance serves still, just before it is taken out of service."`
	BeforeSnapshot []Hook `yaml:"before_snapshot" example:"[{name: stop, run: systemctl stop web, undo: {run: systemctl start web}}]" doc:"When it is out of service and drained, before its backup is taken."`
	BeforeInstall  []Hook `yaml:"before_install" example:"[{name: disarm, run: /opt/agent/disarm}]" doc:"When its backup is taken, before anything is installed."`
	AfterInstall   []Hook `yaml:"after_install" example:"[{name: warm-up, run: /opt/web/warm-up}]" doc:"When it is patched, rebooted and proven by a scan, before it returns to service."`
	AfterIn        []Hook `yaml:"after_in" example:"[{name: smoke, run: /opt/web/smoke-test}]" doc:"When it is in service again and its health checks are well, before its bake."`
}

// Hook is something of people's own at a point of a wave.
type Hook struct {
	Name       string `yaml:"name" required:"true" pattern:"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$" example:"drain" doc:"What people call it; each of a point has another."`
	HookCall   `yaml:",inline"`
	OnFailure  patch.HookFailure `yaml:"on_failure" enum:"undo,hold,continue" computed:"undo; at after_wave continue" example:"hold" doc:"What follows where it fails or does not end in time. undo: the instance is put back as after a failed health check, and counts as failed; hold: likewise, and the wave holds until a person decides, whatever max_failures says; continue: it is told, and the wave goes on. At before_wave undo ends the wave, which has changed nothing, and there is no hold; after_wave only continues."`
	Undo       *HookCall         `yaml:"undo" example:"{run: systemctl start web}" doc:"What undoes it where the instance is put back, also where the hook itself failed. One that fails is told, and keeps nothing from being put back. At before_wave: where the wave ends there. Not for after_wave."`
	InRollBack bool              `yaml:"in_roll_back" default:"false" example:"true" doc:"Whether it also runs where an instance is put back, by a roll back or because it failed: at the same point of that way, where putting its root volume back stands for the install. Not for hooks of the wave."`
}

// HookCall is what is done: exactly one of run, document, lambda and webhook is there.
type HookCall struct {
	Run        string            `yaml:"run" example:"systemctl stop web" doc:"A script of at most 1024 characters, for sh, or for PowerShell on Windows, as root or SYSTEM. Its variables are in docs/hooks.md. Not for hooks of the wave. Systems Manager keeps it and what it prints: no secrets."`
	Document   string            `yaml:"document" pattern:"^[A-Za-z0-9_.:/-]{3,200}$" example:"web-drain" doc:"A Command document of Systems Manager, which runs on the instance, or an Automation runbook, in the instance's account and region. For a hook of the wave only a runbook."`
	Parameters map[string]string `yaml:"parameters" example:"{Instance: '${PATCHTIDE_INSTANCE}'}" doc:"The document's parameters, in which the variables of scripts are filled in, written like the one of the example. Systems Manager keeps them: no secrets."`
	Lambda     *HookFunction     `yaml:"lambda" example:"{function: 'web-drain:live'}" doc:"A function of Lambda, which is invoked and waited for. It is told what a webhook is told."`
	Webhook    *HookWebhook      `yaml:"webhook" example:"{url_from: 'ssm:/patchtide/hooks/url', secret_from: 'ssm:/patchtide/hooks/key'}" doc:"An HTTPS address that is asked by a signed POST of JSON."`
	Account    string            `yaml:"account" example:"production" doc:"Of a document or a function of the wave: the account whose role asks for it. Of an instance's it is the instance's."`
	Region     string            `yaml:"region" example:"ap-northeast-1" doc:"Likewise, the region."`
	Timeout    patch.Duration    `yaml:"timeout" min:"5s" max:"12h" default:"5m" example:"10m" doc:"How long it may take; then it is stopped and has failed. All of an instance's, with those of its undos, count into what it needs of a window."`
}

// HookFunction is a function of Lambda and what it is told.
type HookFunction struct {
	Function   string            `yaml:"function" required:"true" pattern:"^(arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:function:)?[A-Za-z0-9_-]{1,64}(:([$]LATEST|[A-Za-z0-9_-]{1,128}))?$" example:"web-drain:live" doc:"Its name, in the instance's account and region, or its ARN, where its own policy lets others invoke it; an alias or a version after a colon."`
	Parameters map[string]string `yaml:"parameters" example:"{Mode: fast}" doc:"What it is told beside, as parameters, in which the variables of scripts are filled in. They are in Temporal's history: no secrets."`
}

// HookWebhook is an address and what its requests are signed with.
type HookWebhook struct {
	URLFrom    Source `yaml:"url_from" required:"true" example:"ssm:/patchtide/hooks/url" doc:"Where the worker reads the address: env:NAME, file:PATH or ssm:/NAME."`
	SecretFrom Source `yaml:"secret_from" required:"true" example:"ssm:/patchtide/hooks/key" doc:"Where the worker reads the key of the signature: env:NAME, file:PATH or ssm:/NAME."`
}

// pointed are the hooks by their point.
func (h StageHooks) pointed() map[patch.HookPoint][]Hook {
	return map[patch.HookPoint][]Hook{
		patch.BeforeOut: h.BeforeOut, patch.BeforeSnapshot: h.BeforeSnapshot, patch.BeforeInstall: h.BeforeInstall,
		patch.AfterInstall: h.AfterInstall, patch.AfterIn: h.AfterIn,
	}
}

func (h PlanHooks) pointed() map[patch.HookPoint][]Hook {
	all := h.StageHooks.pointed()
	all[patch.BeforeWave], all[patch.AfterWave] = h.BeforeWave, h.AfterWave
	return all
}

// hookKinds are the keys of which a hook has exactly one.
var hookKinds = []string{"run", "document", "lambda", "webhook"}

// mostHooks bounds the hooks of a point: they travel with the plan to each instance's workflow.
const mostHooks = 10

// hookExample is a hook as it may be written.
const hookExample = "{name: stop, run: systemctl stop web}"

// checkHooks finds what is wrong with the hooks of a plan and its stages. The plan's run before each stage's, and so no
// two of a point have one name.
func (v *validator) checkHooks(at string, plan Plan) {
	v.checkPointed(at+".hooks", plan.Hooks.pointed(), nil)
	for i, stage := range plan.Stages {
		v.checkPointed(fmt.Sprintf("%s.stages[%d].hooks", at, i), stage.Hooks.pointed(), plan.Hooks.pointed())
	}
}

func (v *validator) checkPointed(at string, hooks, before map[patch.HookPoint][]Hook) {
	for _, point := range patch.HookPoints() {
		place := at + "." + string(point)
		v.notEmpty(place, len(hooks[point]), string(point)+": ["+hookExample+"]")
		if most := len(hooks[point]) + len(before[point]); most > mostHooks && len(hooks[point]) > 0 {
			v.doc.Problem(place, "has %d hooks with those of the plan, and may have %d: let one call the others", most,
				mostHooks)
		}
		names := map[string]string{}
		for i, hook := range hooks[point] {
			each := fmt.Sprintf("%s[%d]", place, i)
			v.unique(names, each+".name", hook.Name, "hook")
			if slices.ContainsFunc(before[point], func(other Hook) bool { return other.Name == hook.Name && hook.Name != "" }) {
				v.doc.Problem(each+".name", "the plan has a hook %s at %s already; give this one another name", hook.Name, point)
			}
			v.checkHook(each, point, hook)
		}
	}
}

func (v *validator) checkHook(at string, point patch.HookPoint, hook Hook) {
	v.checkHookCall(at, point, hook.HookCall)
	switch {
	case point == patch.AfterWave && hook.OnFailure != "" && hook.OnFailure != patch.HookContinues:
		v.doc.Problem(at+".on_failure", "the wave is over by then: after_wave only continues; remove it")
	case point == patch.BeforeWave && hook.OnFailure == patch.HookHolds:
		v.doc.Problem(at+".on_failure", "nothing is changed by then: write undo, which ends the wave, or continue")
	}
	if hook.Undo != nil {
		if point == patch.AfterWave {
			v.doc.Problem(at+".undo", "nothing is put back after after_wave; remove it")
		}
		v.checkHookCall(at+".undo", point, *hook.Undo)
	}
	if point.OnceAWave() && hook.InRollBack {
		v.doc.Problem(at+".in_roll_back", "is for hooks of an instance, and %s is once a wave; remove it", point)
	}
}

func (v *validator) checkHookCall(at string, point patch.HookPoint, call HookCall) {
	v.exactlyOne(at, hookExample, hookKinds...)
	switch {
	case call.Run != "" && point.OnceAWave():
		v.doc.Problem(at+".run", "runs on an instance, and %s is once a wave; write a webhook, a lambda, or a document that "+
			"is an Automation runbook", point)
	case len(call.Run) > longestCommand:
		v.doc.Problem(at+".run", "has %d characters, and may have %d: keep the script on the machine, and run it here",
			len(call.Run), longestCommand)
	case strings.Contains(call.Run, "{{"):
		v.doc.Problem(at+".run", "holds {{, which Systems Manager would take for a parameter of its own; keep the script on "+
			"the machine, and run it here")
	case strings.HasPrefix(call.Run, "#!"):
		v.doc.Problem(at+".run", "is run by sh or PowerShell, and #! has no meaning in it; keep the script on the machine, "+
			"and run it here")
	}
	switch {
	case call.Document != "" || len(call.Parameters) == 0:
	case call.Lambda != nil:
		v.doc.Problem(at+".parameters", "of a function stand below lambda, beside its name")
	default:
		v.doc.Problem(at+".parameters", "are a document's")
	}
	if call.Webhook != nil {
		checkSource(v.doc, at+".webhook.url_from", call.Webhook.URLFrom, "url_from: ssm:/patchtide/hooks/url", "env", "file",
			"ssm")
		checkSource(v.doc, at+".webhook.secret_from", call.Webhook.SecretFrom, "secret_from: ssm:/patchtide/hooks/key", "env",
			"file", "ssm")
	}
	v.checkHookPlace(at, point, call)
}

// checkHookPlace wants an account and a region of what is in one and of no instance.
func (v *validator) checkHookPlace(at string, point patch.HookPoint, call HookCall) {
	wanted, what := point.OnceAWave() && (call.Document != "" || call.Lambda != nil), "document"
	if call.Lambda != nil {
		what = "function"
	}
	for _, written := range [][2]string{{"account", call.Account}, {"region", call.Region}} {
		switch key, value := written[0], written[1]; {
		case wanted && value == "":
			v.doc.Problem(at, "needs %s: a %s of the wave is in no instance's account and region", key, what)
		case !wanted && value != "":
			v.doc.Problem(at+"."+key, "is for a document or a function of before_wave and after_wave; remove it")
		}
	}
	if region := functionOf(call).Region(); wanted && region != "" && call.Region != "" && region != call.Region {
		v.doc.Problem(at+".region", "the function's ARN is of %s, and Lambda is asked in %s; write the same", region,
			call.Region)
	}
	account, known := v.accounts[call.Account]
	switch {
	case !wanted || call.Account == "" || len(v.file.Accounts) == 0:
	case !known:
		v.doc.Problem(at+".account", "there is no account %q; known: %s", call.Account,
			strings.Join(slices.Sorted(maps.Keys(v.accounts)), ", "))
	case call.Region != "" && !slices.Contains(account.Regions, call.Region):
		v.doc.Problem(at+".region", "%q is none of the regions of account %s; write one of %s, or add it there", call.Region,
			account.Name, strings.Join(account.Regions, ", "))
	}
}

// functionOf is a call's function; the zero value where it is none.
func functionOf(call HookCall) (function patch.HookFunction) {
	if call.Lambda != nil {
		function.Function, function.Parameters = call.Lambda.Function, maps.Clone(call.Lambda.Parameters)
	}
	return function
}

// resolveHooks are those of the points of the wave, or of those of an instance, the first sets' before the others'.
func (c *Config) resolveHooks(onceAWave bool, sets ...map[patch.HookPoint][]Hook) patch.Hooks {
	var resolved patch.Hooks
	for _, point := range patch.HookPoints() {
		for _, set := range sets {
			for _, hook := range set[point] {
				if point.OnceAWave() != onceAWave {
					continue
				}
				if resolved == nil {
					resolved = patch.Hooks{}
				}
				resolved[point] = append(resolved[point], c.resolveHook(point, hook))
			}
		}
	}
	return resolved
}

func (c *Config) resolveHook(point patch.HookPoint, hook Hook) patch.Hook {
	resolved := patch.Hook{
		Name: hook.Name, Call: c.resolveHookCall(hook.HookCall), OnFailure: hook.OnFailure, InRollBack: hook.InRollBack,
	}
	switch {
	case point == patch.AfterWave:
		resolved.OnFailure = patch.HookContinues
	case hook.OnFailure == "":
		resolved.OnFailure = patch.HookUndoes
	}
	if hook.Undo != nil {
		undo := c.resolveHookCall(*hook.Undo)
		resolved.Undo = &undo
	}
	return resolved
}

func (c *Config) resolveHookCall(call HookCall) patch.HookCall {
	resolved := patch.HookCall{
		Run: call.Run, Document: call.Document, Parameters: maps.Clone(call.Parameters), Timeout: call.Timeout,
	}
	if call.Lambda != nil {
		function := functionOf(call)
		resolved.Lambda = &function
	}
	if call.Webhook != nil {
		resolved.Webhook = &patch.HookWebhook{
			URLFrom: string(call.Webhook.URLFrom), SecretFrom: string(call.Webhook.SecretFrom),
		}
	}
	if call.Account != "" {
		account, _ := c.Account(call.Account) // Parse refused unknown ones
		resolved.Place = &patch.Place{Account: patch.Account{Name: account.Name, ID: account.ID}, Region: call.Region}
	}
	return resolved
}
