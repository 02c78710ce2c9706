package services_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/stretchr/testify/require"
)

const greeting = `
schemaVersion: "2.2"
description: Says who was greeted.
parameters:
  Names: {type: StringList, description: Whom to greet.}
  Code: {type: String, default: "0", allowedPattern: "[0-9]"}
mainSteps:
  - {action: "aws:runShellScript", name: hello, inputs: {timeoutSeconds: "60", runCommand: ["echo hello {{ Names }}"]}}
  - action: aws:runPowerShellScript
    name: windows
    precondition: {StringEquals: [platformType, Windows]}
    inputs: {runCommand: ["Write-Output hello"]}
  - {action: "aws:runShellScript", name: leave, inputs: {runCommand: ["exit {{ Code }}"]}}
  - {action: "aws:runShellScript", name: after, inputs: {runCommand: ["echo after"]}}
`

// Sources: API references of CreateDocument and DescribeDocument; guide, "Command document plugin reference".
func TestACommandDocumentOfOnesOwn(t *testing.T) {
	a := staging(t, "healthy")
	client := ssm.NewFromConfig(a.config)
	made, err := client.CreateDocument(ctx, &ssm.CreateDocumentInput{
		Name: aws.String("Greet"), Content: aws.String(greeting), DocumentFormat: types.DocumentFormatYaml,
	})
	require.NoError(t, err)
	require.Equal(t, types.DocumentTypeCommand, made.DocumentDescription.DocumentType, "the type of one that names none")
	described, err := client.DescribeDocument(ctx, &ssm.DescribeDocumentInput{Name: aws.String("Greet")})
	require.NoError(t, err)
	document := described.Document
	require.Equal(t, "2.2", *document.SchemaVersion)
	require.Equal(t, "Says who was greeted.", *document.Description)
	require.ElementsMatch(t, []types.PlatformType{"Windows", "Linux", "MacOS"}, document.PlatformTypes)
	require.Equal(t, "Code Names", *document.Parameters[0].Name+" "+*document.Parameters[1].Name)
	require.Equal(t, types.DocumentParameterTypeStringList, document.Parameters[1].Type)
	id := instanceIDs(t, a)[0]
	for _, c := range []struct {
		name       string
		document   string
		version    string
		parameters map[string][]string
		code       string
		status     types.CommandInvocationStatus
		plugins    string
	}{
		{
			"all goes well", "Greet", "1",
			map[string][]string{"Names": {"a", "b"}},
			"", "Success",
			"hello Success, windows Success, leave Success, after Success",
		},
		{
			"a step fails", "Greet", "$LATEST",
			map[string][]string{"Names": {"a"}, "Code": {"3"}},
			"", "Failed",
			"hello Success, windows Success, leave Failed, after Success",
		},
		{"no such version", "Greet", "2", map[string][]string{"Names": {"a"}}, "InvalidDocumentVersion", "", ""},
		{"no such version of AWS's", "AWS-RunShellScript", "99", map[string][]string{"commands": {"true"}}, "InvalidDocumentVersion", "", ""},
		{"a parameter is missing", "Greet", "", nil, "InvalidParameters", "", ""},
		{"a parameter too many", "Greet", "", map[string][]string{"Names": {"a"}, "X": {"b"}}, "InvalidParameters", "", ""},
		{"a value that is not allowed", "Greet", "", map[string][]string{"Names": {"a"}, "Code": {"x"}}, "InvalidParameters", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := &ssm.SendCommandInput{DocumentName: &c.document, InstanceIds: []string{id}, Parameters: c.parameters}
			if c.version != "" {
				in.DocumentVersion = &c.version
			}
			sent, err := client.SendCommand(ctx, in)
			refusedOr(t, c.code, err)
			if c.code != "" {
				return
			}
			a.pass(time.Minute)
			list, err := client.ListCommandInvocations(
				ctx, &ssm.ListCommandInvocationsInput{CommandId: sent.Command.CommandId, Details: true},
			)
			require.NoError(t, err)
			require.Equal(t, c.status, list.CommandInvocations[0].Status)
			var plugins []string
			for _, plugin := range list.CommandInvocations[0].CommandPlugins {
				plugins = append(plugins, *plugin.Name+" "+string(plugin.Status))
			}
			require.Equal(t, c.plugins, strings.Join(plugins, ", "))
			read := func(plugin *string) (*ssm.GetCommandInvocationOutput, error) {
				return client.GetCommandInvocation(ctx, &ssm.GetCommandInvocationInput{
					CommandId: sent.Command.CommandId, InstanceId: &id, PluginName: plugin,
				})
			}
			_, err = read(nil)
			require.Equal(t, "InvalidPluginName", code(t, err), "the document has several steps")
			hello, err := read(aws.String("hello"))
			require.NoError(t, err)
			require.Equal(t, "hello "+strings.Join(c.parameters["Names"], " ")+"\n", *hello.StandardOutputContent)
		})
	}
}

func TestCommandDocumentsAreChecked(t *testing.T) {
	client := ssm.NewFromConfig(staging(t, "healthy").config)
	step := func(text string) string { return `{"schemaVersion":"2.2","mainSteps":[` + text + `]}` }
	for _, c := range []struct{ name, kind, content, code string }{
		{"no JSON", "Command", "{", "InvalidDocumentContent"},
		{"a runbook's schema", "Command", `{"schemaVersion":"0.3"}`, "InvalidDocumentSchemaVersion"},
		{"an older schema", "Command", `{"schemaVersion":"1.2"}`, "NotModelled"},
		{"no steps", "Command", `{"schemaVersion":"2.2"}`, "InvalidDocumentContent"},
		{"an odd key", "Command", `{"schemaVersion":"2.2","steps":[]}`, "InvalidDocumentContent"},
		{"no plugin", "Command", step(`{"action":"aws:fly","name":"a"}`), "InvalidDocumentContent"},
		{"another plugin", "Command", step(`{"action":"aws:runDocument","name":"a","inputs":{}}`), "NotModelled"},
		{"no commands", "Command", step(`{"action":"aws:runShellScript","name":"a","inputs":{}}`), "InvalidDocumentContent"},
		{
			"no such input", "Command", step(`{"action":"aws:runShellScript","name":"a","inputs":{"run":["true"]}}`),
			"InvalidDocumentContent",
		},
		{
			"an input that is not modelled", "Command",
			step(`{"action":"aws:runShellScript","name":"a","inputs":{"runCommand":["true"],"onFailure":"exit"}}`), "NotModelled",
		},
		{
			"no such parameter", "Command",
			step(`{"action":"aws:runShellScript","name":"a","inputs":{"runCommand":["echo {{ Who }}"]}}`), "InvalidDocumentContent",
		},
		{"another type", "Session", `{"schemaVersion":"1.0"}`, "NotModelled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := client.CreateDocument(ctx, &ssm.CreateDocumentInput{
				Name: aws.String("Bad"), Content: &c.content, DocumentType: types.DocumentType(c.kind),
			})
			refusedOr(t, c.code, err)
		})
	}
}
