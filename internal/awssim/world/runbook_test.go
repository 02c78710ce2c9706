package world

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRunbookMistakesAreNamed(t *testing.T) {
	r := staging(newWorld(t, "healthy"))
	step := `{"schemaVersion":"0.3","parameters":{"P":{"type":"String"}},"mainSteps":[%s]}`
	cases := []struct{ name, content, code, want string }{
		{"not a runbook", "schemaVersion: '2.2'\n", "InvalidDocumentSchemaVersion", "2.2"},
		{"no steps", "schemaVersion: '0.3'\n", "InvalidDocumentContent", "mainSteps"},
		{"unknown key", "schemaVersion: '0.3'\nmainStep: []\n", "InvalidDocumentContent", "mainStep"},
		{
			"unmodelled action", fmt.Sprintf(step, `{"name":"a","action":"aws:executeScript"}`), "NotModelled",
			"aws:executeScript",
		},
		{
			"no action", fmt.Sprintf(step, `{"name":"a","action":"aws:fly"}`), "InvalidDocumentContent", "aws:fly",
		},
		{
			"a hyphen", fmt.Sprintf(step, `{"name":"a-b","action":"aws:pause"}`), "InvalidDocumentContent", "a-b",
		},
		{
			"an input that is needed", fmt.Sprintf(step, `{"name":"a","action":"aws:runCommand"}`), "InvalidDocumentContent",
			"DocumentName",
		},
		{
			"Or of one",
			fmt.Sprintf(step, `{"name":"a","action":"aws:branch","inputs":{"Choices":[{"NextStep":"a","Or":[{}]}]}}`),
			"InvalidDocumentContent", "Or",
		},
		{
			"branch to nowhere", fmt.Sprintf(step, `{"name":"a","action":"aws:branch","inputs":{"Choices":[{"NextStep":"b"}]}}`),
			"InvalidDocumentContent", `"b"`,
		},
		{
			"unmodelled input", fmt.Sprintf(step, `{"name":"a","action":"aws:sleep","inputs":{"Timestamp":"x"}}`),
			"NotModelled", "Timestamp",
		},
		{
			"an input that the action lacks", fmt.Sprintf(step, `{"name":"a","action":"aws:sleep","inputs":{"Time":"x"}}`),
			"InvalidDocumentContent", "Time",
		},
		{
			"outputs of a command", fmt.Sprintf(step, `{"name":"a","action":"aws:runCommand","inputs":{"DocumentName":"x"},`+
				`"outputs":[{"Name":"o","Selector":"$.x"}]}`), "NotModelled", "outputs",
		},
		{
			"unmodelled type", `{"schemaVersion":"0.3","parameters":{"P":{"type":"StringMap"}},"mainSteps":[{}]}`, "NotModelled",
			"StringMap",
		},
		{
			"a default that is not allowed",
			`{"schemaVersion":"0.3","parameters":{"P":{"type":"String","default":"c","allowedValues":["a"]}},"mainSteps":[{}]}`,
			"InvalidDocumentContent", `"c"`,
		},
		{
			"no type", `{"schemaVersion":"0.3","parameters":{"P":{"type":"Text"}},"mainSteps":[{}]}`, "InvalidDocumentContent",
			"Text",
		},
		{
			"unknown reference", fmt.Sprintf(step, `{"name":"a","action":"aws:sleep","inputs":{"Duration":"{{ Q }}"}}`),
			"InvalidDocumentContent", "{{ Q }}",
		},
		{
			"same name twice", fmt.Sprintf(step, `{"name":"a","action":"aws:pause"},{"name":"a","action":"aws:pause"}`),
			"InvalidDocumentContent", `"a"`,
		},
		{
			"jump to nowhere", fmt.Sprintf(step, `{"name":"a","action":"aws:sleep","onFailure":"step:b"}`),
			"InvalidDocumentContent", "step:b",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := r.CreateDocument("Bad", "Automation", "YAML", c.content, "", nil)
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, c.code)
		})
	}
}
