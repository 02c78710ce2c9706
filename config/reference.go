package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/patchtide/patchtide/baselines"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/strictyaml"
)

// Reference returns docs/configuration.md, made from the types' tags.
func Reference() string {
	var b strings.Builder
	b.WriteString(`# Configuration

<!-- Made from config/*.go by "go generate ./config". Change the tags there, not this page. -->

One YAML file, ` +
		"`" + DefaultFile + "`" + `; [config/example.yaml](../config/example.yaml) is a commented one that runs, and
[config/schema.json](../config/schema.json) gives editors completion. --config, or ` + "`" + FileVariable + "`" + ` in the
environment, names another one. "patchtide check --config FILE" names every mistake with its line, and asks nothing of
AWS.

Nothing is guessed: an unknown key is an error, a number is not text, and an account id without quotes is a number.
Durations are written like 90s, 30m, 1h30m or 3d: a day is 24 hours. Anchors, aliases and merge keys are not supported.
There are no secrets in the file: keys that end in _from say where one is kept.
`)
	section(
		&b, "The process",
		"These may also be given as a flag or in the environment. A flag wins over the environment, the environment over "+
			"the file, the file over the default. Nothing else can be overridden.",
	)
	b.WriteString("| key | flag | environment | default | meaning |\n|---|---|---|---|---|\n")
	for _, s := range SettingsTable() {
		fmt.Fprintf(&b, "| `%s` | `--%s` | `%s` | %s | %s |\n", s.Key, s.Flag, s.Env, fallback(s.field), meaning(s.field))
	}
	section(&b, "The journal's earlier keys", "To rotate the key, name the new one here first, for every worker, "+
		"and restart them; then exchange it with that of journal_key_from. So no worker meets a key that it does not know.")
	fields(&b, reflect.TypeFor[OlderKeys]())
	for _, part := range parts() {
		section(&b, part.title, part.text)
		fields(&b, part.of)
	}
	section(&b, "plans[].timing", "Intervals and budgets. The defaults suit most fleets.")
	b.WriteString("| key | default | meaning |\n|---|---|---|\n")
	for _, t := range TimingTable() {
		fmt.Fprintf(&b, "| `%s` | `%s` | %s |\n", t.Key, shortDuration(t.Default), t.Doc)
	}
	section(&b, "notify[]", "Each entry has exactly one of these keys.")
	fields(&b, reflect.TypeFor[Notify]())
	b.WriteByte('\n')
	fieldsOfEach(&b, reflect.TypeFor[Notify]())
	section(
		&b, "Your own patch baselines",
		"One file for each in baselines_dir, NAME.yaml, beside the built-in "+strings.Join(baselines.Names(), ", ")+
			". They may add to the built-in ones, not replace them.",
	)
	fields(&b, reflect.TypeFor[baselines.Baseline]())
	section(
		&b, "rules[] of a baseline",
		"A patch that matches all filters of a rule is approved by it; a filter that is left out matches everything.",
	)
	fields(&b, reflect.TypeFor[baselines.Rule]())
	return b.String()
}

// part is a table of the reference: the keys of a type.
type part struct {
	title, text string
	of          reflect.Type
}

// parts are the tables of keys that stand in the file, but for those that have their own.
func parts() []part {
	return []part{
		{"accounts[]", "One entry for each account.", reflect.TypeFor[Account]()},
		{"plans[]", "One entry for each plan.", reflect.TypeFor[Plan]()},
		{"plans[].stages[]", "Stages run in the order they are written.", reflect.TypeFor[Stage]()},
		{
			"plans[].stages[].groups[]", "An Auto Scaling group, or instances or managed nodes chosen by tags.",
			reflect.TypeFor[Group](),
		},
		{
			"plans[].stages[].approval", "Or true alone, for the defaults of its keys. Also that of a step.",
			reflect.TypeFor[Approval](),
		},
		{
			"plans[].stages[].steps[]", "Or the share alone, as in `steps: [1, 10%, 100%]`.", reflect.TypeFor[Step](),
		},
		{"plans[].exclude", "Also that of a stage, which leaves out these and its own.", reflect.TypeFor[Exclude]()},
		{
			"plans[].after_plan", "Or the plan's name alone, as in `after_plan: database`.", reflect.TypeFor[AfterPlan](),
		},
		{
			"plans[].image", "Or from alone, as in `image: patched_instance`. Also that of a stage, in place of all that its " +
				"plan's says. docs/decisions/0033-image-closure.md says what a group launches from then.",
			reflect.TypeFor[Image](),
		},
		{
			"plans[].stages[].root_image", "Or the parameter alone, as in `root_image: /aws/service/...`.",
			reflect.TypeFor[RootImage](),
		},
		{"plans[].stages[].canary", "", reflect.TypeFor[Canary]()},
		{
			"plans[].baseline", "Or the name alone, as in `baseline: amazon-linux-2023`. Also that of a stage and of a group.",
			reflect.TypeFor[Baseline](),
		},
		{
			"plans[].stages[].after", "Or the duration alone, as in `after: 3d`. docs/planning.md says what a wave does meanwhile. Also the " +
				"soak of a step.",
			reflect.TypeFor[After](),
		},
		{"plans[].stages[].health[]", "Each entry has exactly one of these keys.", reflect.TypeFor[HealthCheck]()},
		{"plans[].stages[].health[].http", "", reflect.TypeFor[HTTPCheck]()},
		{
			"plans[].stages[].health[].https",
			"From a Linux instance it is asked by curl, from Windows by TLS 1.2.", reflect.TypeFor[HTTPSCheck](),
		},
		{
			"plans[].stages[].health[].command",
			"Everything that a stage asks on an instance is one command of Run Command, as root or SYSTEM: at each look, and " +
				"for the length of the bake, in which it looks by itself and tells each failure with its time.",
			reflect.TypeFor[CommandCheck](),
		},
		{
			"plans[].stages[].health[].metric",
			"Exactly one of at_most, at_least and peers is there. It judges in the bake, by whole periods since the return; " +
				"docs/planning.md says how, and which metrics tell of a single instance.",
			reflect.TypeFor[MetricCheck](),
		},
		{"plans[].stages[].health[].metric.metrics[]", "", reflect.TypeFor[Metric]()},
		{
			"plans[].stages[].health[].metric.peers",
			"The members of the same group that the wave has not begun yet and that are healthy in its target groups; where " +
				"none is left, the instance itself as it was before it went out.",
			reflect.TypeFor[MetricPeers](),
		},
		{"plans[].stages[].health[].metric.requests", "", reflect.TypeFor[Requests]()},
		{"plans[].stages[].on_failure", "", reflect.TypeFor[OnFailure]()},
		{
			"plans[].hooks", "docs/hooks.md says what runs when, with examples; a stage has those of an instance.",
			reflect.TypeFor[PlanHooks](),
		},
		{"plans[].stages[].hooks", "", reflect.TypeFor[StageHooks]()},
		{"plans[].hooks, each", "Exactly one of run, document, lambda and webhook is there.", reflect.TypeFor[Hook]()},
		{
			"plans[].hooks, each undo", "Exactly one of run, document, lambda and webhook is there.",
			reflect.TypeFor[HookCall](),
		},
		{"plans[].hooks, each lambda", "", reflect.TypeFor[HookFunction]()},
		{"plans[].hooks, each webhook", "", reflect.TypeFor[HookWebhook]()},
		{
			"plans[].quarantine",
			"An instance that is on neither version for sure, or ill after it was put back, is taken out of its group, which " +
				"launches another; one chosen by tags stays deregistered. `patchtide quarantine` lists, releases and terminates " +
				"them.",
			reflect.TypeFor[Quarantine](),
		},
		{
			"plans[].windows[]", "What AWS's maintenance windows call schedule, offset, duration and cutoff is meant so here.",
			reflect.TypeFor[Window](),
		},
		{
			"blackout[] and plans[].blackout[]", "Nothing is begun on these days; putting back is allowed at any time.",
			reflect.TypeFor[Blackout](),
		},
		{
			"plans[].estimates",
			"They tell how long a wave is likely to take; in a plan with a window they also decide whether an instance is " +
				"begun.",
			reflect.TypeFor[Estimates](),
		},
	}
}

func section(b *strings.Builder, title, text string) {
	fmt.Fprintf(b, "\n## %s\n\n", title)
	if text != "" {
		b.WriteString(wrapped(text) + "\n\n")
	}
}

// wrapped is the text in lines of at most 120 columns, as every page of docs.
func wrapped(text string) string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > 120 {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return strings.Join(append(lines, line), "\n")
}

const fieldsHead = "| key | type | default | meaning |\n|---|---|---|---|\n"

func fields(b *strings.Builder, of reflect.Type) {
	b.WriteString(fieldsHead)
	for _, f := range strictyaml.Fields(of) {
		field(b, "", f)
	}
}

// fieldsOfEach lists the keys below each of a type's keys, which stand before them: two may have one of the same name.
func fieldsOfEach(b *strings.Builder, of reflect.Type) {
	b.WriteString(fieldsHead)
	for _, above := range strictyaml.Fields(of) {
		for _, f := range strictyaml.Fields(strictyaml.Indirect(above.Type)) {
			field(b, above.Key+".", f)
		}
	}
}

func field(b *strings.Builder, above string, f strictyaml.Field) {
	fmt.Fprintf(b, "| `%s%s` | %s | %s | %s |\n", above, f.Key, typeName(f), fallback(f), meaning(f))
}

func typeName(f strictyaml.Field) string {
	t := strictyaml.Indirect(f.Type)
	switch {
	case t == reflect.TypeFor[patch.Duration]() && f.Max != "":
		return fmt.Sprintf("duration, %s-%s", f.Min, f.Max)
	case t == reflect.TypeFor[patch.Duration]() && f.Min != "" && f.Min != "0s":
		return "duration, from " + f.Min + " on"
	case t == reflect.TypeFor[patch.Duration]():
		return "duration"
	case t == reflect.TypeFor[patch.Share]():
		return fmt.Sprintf("number, %s-%s, or percentage", f.Min, f.Max)
	case t == reflect.TypeFor[After]():
		return "duration, or keys"
	case t == reflect.TypeFor[Baseline]():
		return "text, or keys"
	case t == reflect.TypeFor[Approval]():
		return "true or false, or keys"
	case len(f.Enum) > 0:
		return "`" + strings.Join(f.Enum, "`, `") + "`"
	}
	switch t.Kind() {
	case reflect.Slice:
		return "list"
	case reflect.Map, reflect.Struct:
		return "keys"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int32:
		return fmt.Sprintf("number, %s-%s", f.Min, f.Max)
	case reflect.Float64:
		if f.Min != "" {
			return "number, from " + f.Min + " on"
		}
		return "number"
	}
	return "text"
}

func fallback(f strictyaml.Field) string {
	switch {
	case f.Required:
		return "required"
	case f.Default != "":
		return "`" + f.Default + "`"
	case f.Computed != "":
		return f.Computed
	case f.Type.Kind() == reflect.Struct:
		return "the defaults of its keys"
	}
	return "none"
}

func meaning(f strictyaml.Field) string {
	text := f.Doc
	if len(f.Enum) > 0 && strictyaml.Indirect(f.Type).Kind() == reflect.String && f.Default == f.Example {
		return cell(text)
	}
	if f.Example != "" && f.Example != f.Default {
		text += " Example: `" + f.Key + ": " + f.Example + "`"
	}
	return cell(text)
}

// cell keeps a text from ending its table's cell.
func cell(text string) string { return strings.ReplaceAll(text, "|", "\\|") }

// shortDuration leaves out the zero units that time.Duration writes: 1h30m, not 1h30m0s.
func shortDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
