package world

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// commandContent is what a version of a Command document says.
type commandContent struct {
	description string
	platforms   []string
	parameters  []CommandParameter
	steps       []commandStep
	own         bool // somebody's own: its steps are run as they are written
}

// commandStep is a step of a Command document.
type commandStep struct {
	name, platform string   // "" is any platform
	windows        bool     // it runs PowerShell
	script         []string // lines, of a document of one's own
	timeout        string   // seconds
}

// runsOn reports whether a Command document has steps for a platform; "" is one that nobody knows.
func (c *commandContent) runsOn(platform string) bool {
	return platform == "" || slices.Contains(c.platforms, platform)
}

// writtenDocument is a Command document of schema 2.2, as far as it is modelled.
type writtenDocument struct {
	SchemaVersion string                      `json:"schemaVersion"`
	Description   string                      `json:"description"`
	Parameters    map[string]CommandParameter `json:"parameters"`
	MainSteps     []struct {
		Action       string              `json:"action"`
		Name         string              `json:"name"`
		Inputs       map[string]any      `json:"inputs"`
		Precondition map[string][]string `json:"precondition"`
	} `json:"mainSteps"`
}

// commandActions are the plugins that this world runs, and commandPlugins the others that the agent has (plugin
// reference of Command documents).
var (
	commandActions = []string{"aws:runShellScript", "aws:runPowerShellScript"}
	commandPlugins = []string{
		"aws:applications", "aws:cloudWatch", "aws:configureContainers", "aws:configureDocker", "aws:configurePackage",
		"aws:domainJoin", "aws:downloadContent", "aws:psModule", "aws:refreshAssociation", "aws:runDockerAction",
		"aws:runDocument", "aws:softwareInventory", "aws:updateAgent", "aws:updateSsmAgent",
	}
	stepKeys = []string{"runCommand", "timeoutSeconds", "workingDirectory"}
	// otherStepKeys are inputs that this world cannot obey.
	otherStepKeys = []string{"finallyStep", "onFailure", "onSuccess", "id", "maxAttempts"}
)

// parseCommandDocument reads a Command document as YAML or JSON. Errors are InvalidDocumentSchemaVersion and
// InvalidDocumentContent, and NotModelled for what AWS would take.
func parseCommandDocument(content string) (*commandContent, error) {
	text, err := yaml.YAMLToJSON([]byte(content))
	if err != nil {
		return nil, invalidContent("%v", err)
	}
	var version struct {
		SchemaVersion string `json:"schemaVersion"`
	}
	if err := json.Unmarshal(text, &version); err != nil {
		return nil, invalidContent("%v", err)
	}
	switch version.SchemaVersion {
	case "2.2":
	case "1.0", "1.2", "2.0":
		return nil, api.NotModelled("Command documents of schemaVersion %s", version.SchemaVersion)
	default:
		return nil, api.Errorf(
			"InvalidDocumentSchemaVersion", "The document's schemaVersion is %q; a Command document has 2.2.",
			version.SchemaVersion,
		)
	}
	var document writtenDocument
	if err := strictJSON(text, &document); err != nil {
		return nil, invalidContent("%v", err)
	}
	found := &commandContent{description: document.Description, own: true}
	for _, name := range slices.Sorted(maps.Keys(document.Parameters)) {
		parameter := document.Parameters[name]
		parameter.Name = name
		if err := parameter.checkItself(); err != nil {
			return nil, err
		}
		found.parameters = append(found.parameters, parameter)
	}
	if len(document.MainSteps) == 0 {
		return nil, invalidContent("mainSteps is empty.")
	}
	for _, step := range document.MainSteps {
		parsed, err := found.parseStep(step.Name, step.Action, step.Inputs, step.Precondition)
		if err != nil {
			return nil, err
		}
		found.steps = append(found.steps, parsed)
	}
	return found, nil
}

func (c *commandContent) parseStep(
	name, action string, inputs map[string]any, precondition map[string][]string,
) (commandStep, error) {
	step := commandStep{name: name, windows: action == "aws:runPowerShellScript", timeout: hour}
	switch {
	case !stepName.MatchString(name) || slices.ContainsFunc(c.steps, func(s commandStep) bool { return s.name == name }):
		return step, invalidContent("step %q has no name of letters, digits and underscores, or one that is taken.", name)
	case slices.Contains(commandPlugins, action):
		return step, api.NotModelled("the plugin %s, of step %s", action, name)
	case !slices.Contains(commandActions, action):
		return step, invalidContent("step %s: there is no plugin %q.", name, action)
	}
	for _, key := range slices.Sorted(maps.Keys(inputs)) {
		switch {
		case slices.Contains(otherStepKeys, key):
			return step, api.NotModelled("the input %s of %s, of step %s", key, action, name)
		case !slices.Contains(stepKeys, key):
			return step, invalidContent("step %s: %s has no input %s.", name, action, key)
		}
	}
	if inputs["runCommand"] == nil {
		return step, invalidContent("step %s: %s needs the input runCommand.", name, action)
	}
	step.script = texts(inputs["runCommand"])
	if seconds := textOf(inputs["timeoutSeconds"]); seconds != "" {
		step.timeout = seconds
	}
	for operator, pair := range precondition {
		known := operator == "StringEquals" && len(pair) == 2 && slices.Contains(pair, "platformType")
		if !known {
			return step, api.NotModelled("the precondition %s of step %s", operator, name)
		}
		step.platform = pair[1-slices.Index(pair, "platformType")]
	}
	if err := c.checkReferences(name, append(step.script, step.timeout)); err != nil {
		return step, err
	}
	for _, platform := range []string{"Windows", "Linux", "MacOS"} {
		fits := step.platform == platform || step.platform == "" && (step.windows || platform != "Windows")
		if fits && !slices.Contains(c.platforms, platform) {
			c.platforms = append(c.platforms, platform)
		}
	}
	return step, nil
}

// checkReferences refuses references to what is no parameter.
func (c *commandContent) checkReferences(step string, lines []string) error {
	for _, line := range lines {
		for _, match := range reference.FindAllStringSubmatch(line, -1) {
			if !slices.ContainsFunc(c.parameters, func(p CommandParameter) bool { return p.Name == match[1] }) {
				return invalidContent("step %s: {{ %s }} is no parameter.", step, match[1])
			}
		}
	}
	return nil
}

// checkItself refuses a parameter that is none.
func (p CommandParameter) checkItself() error {
	switch p.Type {
	case "String", "StringList":
	case "Boolean", "Integer", "MapList", "StringMap":
		return api.NotModelled("the type %s, of parameter %s of a Command document", p.Type, p.Name)
	default:
		return invalidContent("parameter %s has type %q, which does not exist.", p.Name, p.Type)
	}
	if _, err := regexp.Compile(p.Pattern); err != nil {
		return invalidContent("parameter %s: allowedPattern: %v", p.Name, err)
	}
	return nil
}

// resolved are a text's lines with the parameters in their places: a list that stands alone is as many lines.
func (c *Command) resolved(lines []string) []string {
	var all []string
	for _, line := range lines {
		match := reference.FindStringSubmatch(line)
		if match != nil && strings.TrimSpace(line) == match[0] {
			all = append(all, c.values(match[1])...)
			continue
		}
		all = append(all, reference.ReplaceAllStringFunc(line, func(found string) string {
			return strings.Join(c.values(reference.FindStringSubmatch(found)[1]), " ")
		}))
	}
	return all
}

// values are a parameter's, or its default.
func (c *Command) values(name string) []string {
	if values := c.Parameters[name]; len(values) > 0 {
		return values
	}
	for _, parameter := range c.content.parameters {
		if parameter.Name == name && parameter.Default != nil {
			return []string{*parameter.Default}
		}
	}
	return nil
}

// limit is how long a step may take.
func (c *Command) limit(step commandStep) time.Duration {
	seconds, err := strconv.Atoi(strings.Join(c.resolved([]string{step.timeout}), ""))
	if err != nil || seconds < 1 {
		return defaultExecution
	}
	return time.Duration(seconds) * time.Second
}

// runOwn runs the steps of somebody's own document, one after the other: one that fails keeps none of those behind it
// from running, and fails the command (guide on Command documents, schema 2.2).
func (v *Invocation) runOwn(n int) {
	steps := v.Command.content.steps
	if n == len(steps) {
		v.endOwn()
		return
	}
	step, w := steps[n], v.Instance.Region.World
	done := CommandStep{
		Name: step.name, Status: "Success", Details: "Success", Started: w.now, Ended: w.now,
		Stdout: skipped(step.platform, step.name),
	}
	if step.platform != "" && step.platform != v.platform || step.windows != (v.platform == "Windows") {
		v.results = append(v.results, done)
		v.runOwn(n + 1)
		return
	}
	v.runScript(strings.Join(v.Command.resolved(step.script), "\n"), func(came said) {
		done.Code, done.Stdout, done.Stderr = came.code, came.stdout, came.stderr
		done.Ended = w.now
		if done.Code != 0 {
			done.Status, done.Details = "Failed", "Failed"
		}
		v.results = append(v.results, done)
		v.runOwn(n + 1)
	})
}

// endOwn sums the steps up: the first that failed is the command's.
func (v *Invocation) endOwn() {
	worst := v.results[0]
	for _, step := range v.results {
		if worst.Code == 0 && (step.Code != 0 || worst.Started.Equal(worst.Ended)) {
			worst = step
		}
	}
	v.end(worst.Status, worst.Code, worst.Stdout, worst.Stderr)
}

// parseDocument reads a document's content by its type.
func parseDocument(kind, content string) (version DocumentVersion, err error) {
	switch kind {
	case "Automation":
		version.book, err = parseRunbook(content)
	case "Command":
		version.command, err = parseCommandDocument(content)
	default:
		err = api.NotModelled("documents of the type %s", kind)
	}
	return version, err
}
