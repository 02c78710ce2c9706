package world

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// maxDocument is the size of a document: "up to 64 KB", says the API reference of CreateDocument.
const maxDocument = 64 << 10

var reservedDocuments = []string{"aws", "amazon", "amzn"}

// checkDocumentName refuses the prefixes that the API reference of CreateDocument reserves.
func checkDocumentName(name string) error {
	for _, prefix := range reservedDocuments {
		if strings.HasPrefix(strings.ToLower(name), prefix) {
			return api.Errorf("ValidationException", "Document name %s begins with the reserved prefix %s.", name, prefix)
		}
	}
	return nil
}

func checkDocumentSize(content string) error {
	if len(content) > maxDocument {
		return api.Errorf("MaxDocumentSizeExceeded", "The document has %d bytes; the most is %d.", len(content), maxDocument)
	}
	return nil
}

// otherActions are Automation's actions that this world cannot run.
var otherActions = []string{
	"aws:changeInstanceState", "aws:copyImage", "aws:createImage", "aws:createStack", "aws:deleteImage",
	"aws:deleteStack", "aws:executeScript", "aws:executeStateMachine", "aws:invokeLambdaFunction", "aws:invokeWebhook",
	"aws:loop", "aws:runInstances", "aws:updateVariable",
}

// otherInputs are those of the actions that this world runs otherwise, which it cannot obey (the actions' reference).
var otherInputs = map[string][]string{
	"aws:runCommand": {
		"CloudWatchOutputConfig", "DocumentHash", "DocumentHashType", "DocumentVersion", "MaxConcurrency", "MaxErrors",
		"NotificationConfig", "OutputS3BucketName", "OutputS3KeyPrefix", "ServiceRoleArn", "Targets",
	},
	"aws:sleep": {"Timestamp"},
	"aws:executeAutomation": {
		"MaxConcurrency", "MaxErrors", "TargetLocations", "TargetMaps", "TargetParameterName", "Targets",
	},
}

// neededInputs are those without which an action is refused; those of API calls are checked with the call.
var neededInputs = map[string][]string{
	"aws:runCommand": {"DocumentName"}, "aws:sleep": {"Duration"}, "aws:branch": {"Choices"},
	"aws:createTags": {"ResourceIds", "Tags"}, "aws:approve": {"Approvers"}, "aws:executeAutomation": {"DocumentName"},
}

var stepName = regexp.MustCompile(`^[a-zA-Z0-9_]+$`)

// checkShape refuses what the guide's description of a step excludes.
func (b *runbook) checkShape(step runbookStep) error {
	if !stepName.MatchString(step.Name) {
		return invalidContent("step %q: a step's name holds letters, digits and underscores.", step.Name)
	}
	for _, input := range neededInputs[step.Action] {
		if step.Inputs[input] == nil {
			return invalidContent("step %s: %s needs the input %s.", step.Name, step.Action, input)
		}
	}
	if step.Action != "aws:branch" {
		return nil
	}
	targets := []string{textOf(step.Inputs["Default"])}
	choices, _ := step.Inputs["Choices"].([]any)
	for _, each := range choices {
		choice, _ := each.(map[string]any)
		targets = append(targets, textOf(choice["NextStep"]))
		if err := checkChoice(choice); err != nil {
			return err
		}
	}
	for _, target := range targets {
		if target != "" && !strings.Contains(target, "{{") && b.index(target) < 0 {
			return invalidContent("step %s: there is no step %q to go to.", step.Name, target)
		}
	}
	return nil
}

// checkChoice refuses And and Or of fewer than two.
func checkChoice(choice map[string]any) error {
	for _, operator := range slices.Sorted(maps.Keys(choice)) {
		if operator != "And" && operator != "Or" {
			continue
		}
		parts, _ := choice[operator].([]any)
		if len(parts) < 2 {
			return invalidContent("Expect at least two expressions for operator: %s", operator)
		}
		for _, each := range parts {
			part, _ := each.(map[string]any)
			if err := checkChoice(part); err != nil {
				return err
			}
		}
	}
	return nil
}

// check refuses a default that the parameter itself does not allow (unverified: by the guide's description).
func (p runbookParameter) check(name string) error {
	if p.Default == nil || len(p.AllowedValues) == 0 {
		return nil
	}
	for _, value := range texts(p.Default) {
		if !slices.Contains(texts(p.AllowedValues), value) {
			return invalidContent("parameter %s: the default %q is not among the allowed values.", name, value)
		}
	}
	return nil
}

// accepts checks a value against the parameter's type and lengths; the text says what is wrong with it.
func (p runbookParameter) accepts(value string) string {
	_, notNumber := strconv.Atoi(value)
	length := utf8.RuneCountInString(value)
	switch {
	case p.Type == "Boolean" && value != "true" && value != "false":
		return "is no Boolean"
	case p.Type == "Integer" && notNumber != nil:
		return "is no Integer"
	case p.MinChars > 0 && length < p.MinChars:
		return "is shorter than minChars " + strconv.Itoa(p.MinChars)
	case p.MaxChars > 0 && length > p.MaxChars:
		return "is longer than maxChars " + strconv.Itoa(p.MaxChars)
	}
	return ""
}
