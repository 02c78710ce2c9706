package world

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// runbook is an Automation document of schema 0.3, as far as it is modelled; any other key is refused when it is
// registered.
type runbook struct {
	SchemaVersion string                      `yaml:"schemaVersion"`
	Description   string                      `yaml:"description"`
	AssumeRole    string                      `yaml:"assumeRole"`
	Parameters    map[string]runbookParameter `yaml:"parameters"`
	MainSteps     []runbookStep               `yaml:"mainSteps"`
	Outputs       []string                    `yaml:"outputs"`

	owned bool // by AWS
}

type runbookParameter struct {
	Type           string `yaml:"type"` // String, StringList, Boolean, Integer, or an AWS:: type
	Description    string `yaml:"description"`
	Default        any    `yaml:"default"`
	AllowedValues  []any  `yaml:"allowedValues"`
	AllowedPattern string `yaml:"allowedPattern"`
	MinItems       int    `yaml:"minItems"`
	MaxItems       int    `yaml:"maxItems"`
	MinChars       int    `yaml:"minChars"`
	MaxChars       int    `yaml:"maxChars"`
}

type runbookStep struct {
	Name           string         `yaml:"name"`
	Description    string         `yaml:"description"`
	Action         string         `yaml:"action"`
	Inputs         map[string]any `yaml:"inputs"`
	TimeoutSeconds int            `yaml:"timeoutSeconds"`
	MaxAttempts    int            `yaml:"maxAttempts"`
	OnFailure      string         `yaml:"onFailure"` // Abort, Continue, Cancel or step:name
	OnCancel       string         `yaml:"onCancel"`  // Abort or step:name
	Outputs        []stepOutput   `yaml:"outputs"`   // of aws:executeAwsApi
	IsCritical     *bool          `yaml:"isCritical"`
	IsEnd          bool           `yaml:"isEnd"`
	NextStep       string         `yaml:"nextStep"`
}

func (p runbookParameter) isList() bool {
	return p.Type == "StringList" || strings.HasPrefix(p.Type, "List<")
}

// critical reports whether the step's failure makes the whole execution Failed. A step that says nothing is, unless its
// failure is to be passed over.
func (s runbookStep) critical() bool {
	if s.IsCritical == nil {
		return s.OnFailure != "Continue"
	}
	return *s.IsCritical
}

// stepOutput is a value that aws:executeAwsApi takes out of a reply.
type stepOutput struct {
	Name     string `yaml:"Name"`
	Selector string `yaml:"Selector"`
	Type     string `yaml:"Type"` // String, StringList, Integer or Boolean

	path selector
}

// apiActions are those that make an API call of any kind: their inputs beyond these are the call's own.
var apiActions = []string{"aws:executeAwsApi", "aws:assertAwsResourceProperty", "aws:waitForAwsResourceProperty"}

// stepInputs lists, for each action that is modelled, the inputs that are.
var stepInputs = map[string][]string{
	"aws:runCommand": {"DocumentName", "InstanceIds", "Parameters", "TimeoutSeconds", "Comment"},
	"aws:sleep":      {"Duration"},
	"aws:branch":     {"Choices", "Default"},
	"aws:createTags": {"ResourceType", "ResourceIds", "Tags"},
	"aws:approve":    {"NotificationArn", "Message", "MinRequiredApprovals", "Approvers"},
	"aws:pause":      {},

	"aws:executeAutomation":          {"DocumentName", "DocumentVersion", "RuntimeParameters"},
	"aws:executeAwsApi":              {"Service", "Api"},
	"aws:assertAwsResourceProperty":  {"Service", "Api", "PropertySelector", "DesiredValues"},
	"aws:waitForAwsResourceProperty": {"Service", "Api", "PropertySelector", "DesiredValues"},
}

var reference = regexp.MustCompile(`\{\{\s*([A-Za-z0-9_.:-]+)\s*\}\}`)

// parseRunbook reads a runbook as YAML or JSON. Errors are InvalidDocumentSchemaVersion and InvalidDocumentContent, and
// NotModelled for what AWS would take.
func parseRunbook(content string) (*runbook, error) { return parseBook(content, false) }

// parseBook is parseRunbook also for AWS's own runbooks, which have actions that nobody else's may have here.
func parseBook(content string, owned bool) (*runbook, error) {
	book := runbook{owned: owned}
	if err := yaml.UnmarshalWithOptions([]byte(content), &book, yaml.Strict()); err != nil {
		return nil, invalidContent("%s", yaml.FormatError(err, false, false))
	}
	if book.SchemaVersion != "0.3" {
		return nil, api.Errorf("InvalidDocumentSchemaVersion", "The document's schemaVersion is %q; an Automation runbook "+
			"has 0.3.", book.SchemaVersion)
	}
	if len(book.MainSteps) == 0 {
		return nil, invalidContent("mainSteps is empty.")
	}
	for _, name := range slices.Sorted(maps.Keys(book.Parameters)) {
		kind := book.Parameters[name].Type
		known := slices.Contains([]string{"String", "StringList", "Boolean", "Integer"}, kind) ||
			strings.HasPrefix(kind, "AWS::") || strings.HasPrefix(kind, "List<AWS::")
		switch {
		case kind == "StringMap" || kind == "MapList":
			return nil, api.NotModelled("the type %s, of the runbook's parameter %s", kind, name)
		case !known:
			return nil, invalidContent("parameter %s has type %q, which does not exist.", name, kind)
		}
		if err := book.Parameters[name].check(name); err != nil {
			return nil, err
		}
	}
	for n := range book.MainSteps {
		if err := book.checkStep(n); err != nil {
			return nil, err
		}
	}
	if match := reference.FindStringSubmatch(book.AssumeRole); match != nil {
		if err := book.checkReference(match[1]); err != nil {
			return nil, err
		}
	}
	for _, output := range book.Outputs {
		if err := book.checkReference(output); err != nil {
			return nil, err
		}
	}
	return &book, nil
}

func (b *runbook) checkStep(n int) error {
	step := b.MainSteps[n]
	if step.Name == "" || b.index(step.Name) != n {
		return invalidContent("step %d has no name, or one that is taken: %q.", n+1, step.Name)
	}
	modelled, known := stepInputs[step.Action]
	if slices.Contains(otherActions, step.Action) && !b.owned {
		return api.NotModelled("the Automation action %s, of step %s", step.Action, step.Name)
	}
	if !known && !b.owned {
		return invalidContent("step %s: there is no action %q.", step.Name, step.Action)
	}
	for _, input := range slices.Sorted(maps.Keys(step.Inputs)) {
		switch {
		case slices.Contains(modelled, input), slices.Contains(apiActions, step.Action), b.owned:
		case slices.Contains(otherInputs[step.Action], input):
			return api.NotModelled("the input %s of %s, of step %s", input, step.Action, step.Name)
		default:
			return invalidContent("step %s: %s has no input %s.", step.Name, step.Action, input)
		}
	}
	switch target, jumps := strings.CutPrefix(step.OnFailure, "step:"); {
	case jumps && b.index(target) >= 0:
	case slices.Contains([]string{"", "Abort", "Continue", "Cancel"}, step.OnFailure):
	default:
		return invalidContent(
			"step %s: onFailure %q is neither Abort, Continue, Cancel nor step:<name of a step>.",
			step.Name,
			step.OnFailure,
		)
	}
	if step.NextStep != "" && b.index(step.NextStep) < 0 {
		return invalidContent("step %s: there is no step %q to go to.", step.Name, step.NextStep)
	}
	if target, jumps := strings.CutPrefix(step.OnCancel, "step:"); step.OnCancel != "" && step.OnCancel != "Abort" &&
		(!jumps || b.index(target) < 0) {
		return invalidContent("step %s: onCancel %q is neither Abort nor step:<name of a step>.", step.Name, step.OnCancel)
	}
	if err := b.MainSteps[n].checkAPI(); err != nil {
		return err
	}
	if err := b.checkShape(step); err != nil {
		return err
	}
	return eachText(step.Inputs, func(text string) error {
		for _, match := range reference.FindAllStringSubmatch(text, -1) {
			if err := b.checkReference(match[1]); err != nil {
				return fmt.Errorf("step %s: %w", step.Name, err)
			}
		}
		return nil
	})
}

func (b *runbook) checkReference(name string) error {
	if _, known := b.Parameters[name]; known {
		return nil
	}
	if step, _, dotted := strings.Cut(name, "."); dotted && b.index(step) >= 0 {
		return nil
	}
	if name == "automation:EXECUTION_ID" || name == "global:DATE" || name == "global:DATE_TIME" ||
		name == "global:REGION" || name == "global:ACCOUNT_ID" {
		return nil
	}
	return invalidContent("{{ %s }} is neither a parameter nor a step's output.", name)
}

func (b *runbook) index(step string) int {
	return slices.IndexFunc(b.MainSteps, func(s runbookStep) bool { return s.Name == step })
}

func invalidContent(format string, args ...any) error {
	return api.Errorf("InvalidDocumentContent", format, args...)
}

// eachText visits every text in a tree of maps and lists.
func eachText(value any, visit func(string) error) error {
	switch v := value.(type) {
	case string:
		return visit(v)
	case []any:
		for _, item := range v {
			if err := eachText(item, visit); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if err := eachText(v[key], visit); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkAPI checks what a step says of the call it makes.
func (s *runbookStep) checkAPI() error {
	isAPI := slices.Contains(apiActions, s.Action)
	if len(s.Outputs) > 0 && s.Action != "aws:executeAwsApi" {
		return api.NotModelled("outputs that step %s declares of %s", s.Name, s.Action)
	}
	if !isAPI {
		return nil
	}
	needed := []string{"Service", "Api"}
	if s.Action != "aws:executeAwsApi" {
		needed = append(needed, "PropertySelector", "DesiredValues")
		if _, err := parseSelector(textOf(s.Inputs["PropertySelector"])); err != nil {
			return invalidContent("step %s: %v.", s.Name, err)
		}
	}
	for _, input := range needed {
		if s.Inputs[input] == nil {
			return invalidContent("step %s: %s needs the input %s.", s.Name, s.Action, input)
		}
	}
	for n := range s.Outputs {
		output := &s.Outputs[n]
		switch {
		case output.Name != "" && (output.Type == "StringMap" || output.Type == "MapList"):
			return api.NotModelled("the type %s, of output %s of step %s", output.Type, output.Name, s.Name)
		case output.Name == "" ||
			!slices.Contains([]string{"", "String", "StringList", "Integer", "Boolean"}, output.Type):
			return invalidContent(
				"step %s: output %q has no name, or a type that does not exist: %q.", s.Name, output.Name, output.Type,
			)
		}
		path, err := parseSelector(output.Selector)
		if err != nil {
			return invalidContent("step %s: output %s: %v.", s.Name, output.Name, err)
		}
		output.path = path
	}
	return nil
}

// isList reports whether a reference stands for a list: a list parameter, or a step's output that is declared as one.
func (b *runbook) isList(name string) bool {
	if parameter, ok := b.Parameters[name]; ok {
		return parameter.isList()
	}
	step, output, _ := strings.Cut(name, ".")
	n := b.index(step)
	return n >= 0 &&
		slices.ContainsFunc(
			b.MainSteps[n].Outputs,
			func(o stepOutput) bool { return o.Name == output && o.Type == "StringList" },
		)
}

// bind checks the parameters of a start against the runbook and fills in defaults.
func (b *runbook) bind(given map[string][]string) (map[string][]string, error) {
	bound := map[string][]string{}
	wrong := func(format string, args ...any) error {
		return api.Errorf("InvalidAutomationExecutionParametersException", format, args...)
	}
	for name := range given {
		if _, known := b.Parameters[name]; !known {
			return nil, wrong("Parameter %s is not defined in the document.", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.Parameters)) {
		parameter := b.Parameters[name]
		values, present := given[name]
		if !present {
			if parameter.Default == nil {
				return nil, wrong("Parameter %s is missing and has no default.", name)
			}
			bound[name] = texts(parameter.Default)
			continue
		}
		if !parameter.isList() && len(values) != 1 {
			return nil, wrong("Parameter %s is of type %s and takes one value, not %d.", name, parameter.Type, len(values))
		}
		if n := len(values); n < parameter.MinItems || parameter.MaxItems > 0 && n > parameter.MaxItems {
			return nil, wrong("Parameter %s takes %d to %d items, not %d.", name, parameter.MinItems, parameter.MaxItems, n)
		}
		for _, value := range values {
			if problem := parameter.accepts(value); problem != "" {
				return nil, wrong("Parameter %s %s: %q.", name, problem, value)
			}
			if len(parameter.AllowedValues) > 0 && !slices.Contains(texts(parameter.AllowedValues), value) {
				return nil, wrong("Parameter %s is %q; allowed are %q.", name, value, texts(parameter.AllowedValues))
			}
			if parameter.AllowedPattern == "" {
				continue
			}
			pattern, err := regexp.Compile(parameter.AllowedPattern)
			if err != nil {
				return nil, wrong("Parameter %s: allowedPattern %q: %v", name, parameter.AllowedPattern, err)
			}
			if !pattern.MatchString(value) {
				return nil, wrong("Parameter %s is %q; it must match %s.", name, value, parameter.AllowedPattern)
			}
		}
		bound[name] = slices.Clone(values)
	}
	return bound, nil
}

// texts turns a YAML value into the list of texts that Automation passes on.
func texts(value any) []string {
	switch v := value.(type) {
	case nil:
		return nil
	case []string:
		return slices.Clone(v)
	case []any:
		list := make([]string, 0, len(v))
		for _, item := range v {
			list = append(list, fmt.Sprint(item))
		}
		return list
	}
	return []string{fmt.Sprint(value)}
}
