package activities

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/patch"
)

// TestRunbook holds what must be true of it whatever else changes.
func TestRunbook(t *testing.T) {
	var book struct {
		SchemaVersion string `yaml:"schemaVersion"`
		Parameters    map[string]struct {
			Type string `yaml:"type"`
		} `yaml:"parameters"`
		MainSteps []struct {
			Name           string         `yaml:"name"`
			Action         string         `yaml:"action"`
			MaxAttempts    int            `yaml:"maxAttempts"`
			TimeoutSeconds int            `yaml:"timeoutSeconds"`
			OnFailure      string         `yaml:"onFailure"`
			IsCritical     bool           `yaml:"isCritical"`
			Inputs         map[string]any `yaml:"inputs"`
		} `yaml:"mainSteps"`
	}
	require.NoError(t, yaml.Unmarshal([]byte(runbookYAML), &book))
	require.Equal(t, "0.3", book.SchemaVersion)
	require.Equal(t, "StringList", book.Parameters["FactsScript"].Type)
	require.Len(t, book.MainSteps, 3)
	for _, step := range book.MainSteps {
		require.Equal(t, "aws:runCommand", step.Action)
		require.Equal(t, 1, step.MaxAttempts, "%s: a second attempt would patch twice", step.Name)
		require.NotContains(t, step.Inputs, "Targets")
		require.Len(t, step.Inputs["InstanceIds"], 1)
		require.Contains(t, step.Inputs["Comment"], "automation:EXECUTION_ID", "%s: commands are found by it", step.Name)
	}
	install := book.MainSteps[1]
	// An account without a role for Automation has what starts it for twelve hours: an install of the longest budget that
	// such an account's plans may have ends before, by the runbook's own time-outs.
	facts := book.MainSteps[0].TimeoutSeconds + book.MainSteps[2].TimeoutSeconds
	timing := patch.DefaultTiming()
	timing.Install = patch.LongestAsCaller
	delivery, execution := aws.Speed(1).Share(timing.Install)
	lasts := timing.Install.D() + time.Duration(facts+int(delivery+execution))*time.Second + timing.Stop.D()
	require.Less(t, lasts, patch.CallersSession.D())
	require.Equal(t, "AWS-RunPatchBaseline", install.Inputs["DocumentName"])
	require.Greater(t, install.TimeoutSeconds, aws.MostInstall+600, "longer than delivery and the longest install")
	require.Equal(t, "Continue", install.OnFailure)
	require.True(t, install.IsCritical)
	for name := range (&AWS{Connector: noRoles{}}).runbookParameters(StartInstallInput{SnapshotID: "x"}) {
		require.Contains(t, book.Parameters, name)
	}
}

type noRoles struct{ aws.Connector }

func (noRoles) AutomationRole(patch.Account) string { return "arn:aws:iam::111122223333:role/x" }

func TestSameDocument(t *testing.T) {
	asJSON, err := yaml.YAMLToJSON([]byte(runbookYAML))
	require.NoError(t, err)
	require.True(t, json.Valid(asJSON))
	require.True(t, sameDocument(string(asJSON), runbookYAML), "another layout of the same")
	require.False(t, sameDocument(strings.Replace(runbookYAML, "maxAttempts: 1", "maxAttempts: 2", 1), runbookYAML))
	require.False(t, sameDocument("", runbookYAML))
}

// Somebody's own copy of the runbook in one account must not exhaust the worker of all accounts: nothing is decoded
// that could be larger than it is written.
func TestADocumentThatCouldExhaustTheWorkerIsNotOurs(t *testing.T) {
	bomb := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range 3 {
		bomb += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1, strings.Repeat(fmt.Sprintf("*a%d, ", i), 9)+fmt.Sprintf("*a%d", i))
	}
	for name, document := range map[string]string{
		"aliases":         bomb,
		"a merge key":     "a: &a {b: c}\nd:\n  <<: *a\n",
		"an anchor alone": "a: &a 1\n",
		"too long":        "# " + strings.Repeat("x", longestDocument) + "\na: 1\n",
		"too deep":        strings.Repeat("[", 1000) + strings.Repeat("]", 1000),
	} {
		t.Run(name, func(t *testing.T) {
			require.True(t, meaning(document) == "", "it was decoded")
			require.False(t, sameDocument(document, runbookYAML))
		})
	}
	require.Less(t, len(runbookYAML), longestDocument)
	require.NotEmpty(t, meaning(runbookYAML))
}
