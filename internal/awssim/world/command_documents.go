package world

import (
	"encoding/json"
	"regexp"
	"slices"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// CommandParameter is a parameter of a Command document.
type CommandParameter struct {
	Name        string   `json:"-"`
	Type        string   `json:"type"` // String or StringList
	Description string   `json:"description"`
	Default     *string  `json:"default,omitempty"` // nil: it must be given
	Allowed     []string `json:"allowedValues,omitempty"`
	Pattern     string   `json:"allowedPattern,omitempty"`
	MaxChars    int      `json:"maxChars,omitempty"`
}

// commandDocument is a document of Amazon's that Run Command runs, as far as it is modelled.
type commandDocument struct {
	name, description string
	platforms         []string
	parameters        []CommandParameter
}

var none, hour, twoHours, ifNeeded = "", "3600", "7200", "RebootIfNeeded"

const (
	idPattern     = `(^$)|^[a-fA-F0-9]{8}-([a-fA-F0-9]{4}-){3}[a-fA-F0-9]{12}$`
	sourcePattern = `(^$)|^https://.+$|^s3://([^/]+)/(.*?([^/]+))$`
	// seconds up to 48 hours, and up to 10
	twoDaysPattern  = `([1-9][0-9]{0,4})|(1[0-6][0-9]{4})|(17[0-1][0-9]{3})|(172[0-7][0-9]{2})|(172800)`
	tenHoursPattern = `([1-9][0-9]{0,3})|([1-2][0-9]{4})|(3[0-5][0-9]{3})|(36000)`
)

// commandDocuments are the published ones. Patterns of AWS-RunPatchBaseline's are by its guide; unverified.
var commandDocuments = []commandDocument{
	{
		"AWS-RunPatchBaseline", "Scans for or installs patches from a patch baseline.",
		[]string{"Windows", "Linux", "MacOS"},
		[]CommandParameter{
			{Name: "Operation", Type: "String", Description: "What to do.", Allowed: []string{"Scan", "Install"}},
			{Name: "AssociationId", Type: "String", Description: "An association.", Default: &none, Pattern: idPattern},
			{Name: "SnapshotId", Type: "String", Description: "A snapshot of the baseline.", Default: &none, Pattern: idPattern},
			{
				Name: "InstallOverrideList", Type: "String", Description: "A list of patches to install.", Default: &none,
				Pattern: sourcePattern, MaxChars: 256,
			},
			{
				Name: "RebootOption", Type: "String", Description: "Whether to reboot.", Default: &ifNeeded,
				Allowed: []string{"RebootIfNeeded", "NoReboot"},
			},
			{
				Name: "BaselineOverride", Type: "String", Description: "Baselines to use instead.", Default: &none,
				Pattern: sourcePattern, MaxChars: 256,
			},
			{
				Name: "StepTimeoutSeconds", Type: "String", Description: "How long a step may take.", Default: &twoHours,
				Pattern: tenHoursPattern,
			},
		},
	},
	{"AWS-RunShellScript", "Runs a shell script.", []string{"Linux", "MacOS"}, scriptParameters},
	{"AWS-RunPowerShellScript", "Runs a PowerShell script.", []string{"Windows", "Linux", "MacOS"}, scriptParameters},
}

var scriptParameters = []CommandParameter{
	{Name: "commands", Type: "StringList", Description: "The commands."},
	{Name: "workingDirectory", Type: "String", Description: "Where to run them.", Default: &none, MaxChars: 4096},
	{
		Name: "executionTimeout", Type: "String", Description: "How long they may take.", Default: &hour,
		Pattern: twoDaysPattern,
	},
}

// content is the document as GetDocument gives it; of the scripts there are the steps, not the text.
func (d commandDocument) content() string {
	parameters := map[string]CommandParameter{}
	for _, parameter := range d.parameters {
		parameters[parameter.Name] = parameter
	}
	var steps []map[string]any
	for _, step := range stepsOf(d.name) {
		action := "aws:runShellScript"
		if step.windows {
			action = "aws:runPowerShellScript"
		}
		entry := map[string]any{"action": action, "name": step.name, "inputs": map[string]any{"runCommand": []string{}}}
		if step.platform != "" {
			entry["precondition"] = map[string]any{"StringEquals": []string{"platformType", step.platform}}
		}
		steps = append(steps, entry)
	}
	text, err := json.Marshal(map[string]any{
		"schemaVersion": "2.2", "description": d.description, "parameters": parameters, "mainSteps": steps,
	})
	if err != nil {
		panic("a document of texts is JSON: " + err.Error())
	}
	return string(text)
}

// checkParameters refuses parameters a Command document lacks, missing ones it needs, and values it does not allow.
func (c *commandContent) checkParameters(document string, given map[string][]string) error {
	for name := range given {
		if !slices.ContainsFunc(c.parameters, func(p CommandParameter) bool { return p.Name == name }) {
			return api.Errorf("InvalidParameters", "Parameter %s is not defined in document %s.", name, document)
		}
	}
	for _, parameter := range c.parameters {
		values, there := given[parameter.Name]
		if !there || len(values) == 0 {
			if parameter.Default == nil {
				return api.Errorf("InvalidParameters", "Parameter %s of document %s is missing.", parameter.Name, document)
			}
			continue
		}
		if err := parameter.check(values); err != nil {
			return err
		}
	}
	return nil
}

func (p CommandParameter) check(values []string) error {
	if p.Type == "String" && len(values) != 1 {
		return api.Errorf("InvalidParameters", "Parameter %s takes one value, not %d.", p.Name, len(values))
	}
	for _, value := range values {
		switch {
		case len(p.Allowed) > 0 && !slices.Contains(p.Allowed, value):
			return api.Errorf("InvalidParameters", "Parameter %s is %q; allowed are %q.", p.Name, value, p.Allowed)
		case p.MaxChars > 0 && len(value) > p.MaxChars:
			return api.Errorf("InvalidParameters", "Parameter %s is longer than %d characters.", p.Name, p.MaxChars)
		case p.Pattern != "" && !regexp.MustCompile(`^(?:`+p.Pattern+`)$`).MatchString(value):
			return api.Errorf("InvalidParameters", "Parameter %s is %q; it must match %s.", p.Name, value, p.Pattern)
		}
	}
	return nil
}
