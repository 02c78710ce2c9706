package services_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/stretchr/testify/require"
)

// What clients of Systems Manager met here and not on AWS, each by what AWS answers (API reference and user guide).
func TestWhatClientsOfSystemsManagerMet(t *testing.T) {
	a := inAccount(t, "healthy", "111122223333")
	client, id := ssm.NewFromConfig(a.config), instanceIDs(t, a)[0]
	failed := func(_ any, err error) error { return err }
	rule := func(n int) types.PatchRule {
		return types.PatchRule{
			ApproveAfterDays: aws.Int32(int32(n)), PatchFilterGroup: &types.PatchFilterGroup{PatchFilters: []types.PatchFilter{
				{Key: types.PatchFilterKeySeverity, Values: []string{"Critical"}},
			}},
		}
	}
	baseline := func(change func(*ssm.CreatePatchBaselineInput)) error {
		in := &ssm.CreatePatchBaselineInput{
			Name: aws.String("a-baseline"), OperatingSystem: types.OperatingSystemAmazonLinux2023,
			ApprovalRules: &types.PatchRuleGroup{PatchRules: many(1, rule)},
		}
		change(in)
		return failed(client.CreatePatchBaseline(ctx, in))
	}
	_, err := client.PutParameter(ctx, &ssm.PutParameterInput{
		Name: aws.String("/met/a"), Value: aws.String("x"), Type: types.ParameterTypeString,
	})
	require.NoError(t, err)
	parameter := func(name string) error {
		return failed(client.GetParameter(ctx, &ssm.GetParameterInput{Name: &name}))
	}
	a.document("Met", `
schemaVersion: "0.3"
parameters:
  Yes: {type: Boolean, default: true}
  Number: {type: Integer, default: 1}
  Text: {type: String, default: abc, minChars: 2, maxChars: 4}
mainSteps: [{name: nap, action: "aws:sleep", inputs: {Duration: PT1S}}]
`)
	start := func(name, value string) error {
		a.pass(2 * time.Second)
		return failed(client.StartAutomationExecution(ctx, &ssm.StartAutomationExecutionInput{
			DocumentName: aws.String("Met"), Parameters: map[string][]string{name: {value}},
		}))
	}
	own := func(name string) error {
		return failed(client.CreateDocument(ctx, &ssm.CreateDocumentInput{
			Name: &name, Content: aws.String("schemaVersion: '0.3'"), DocumentType: types.DocumentTypeAutomation,
		}))
	}
	const wrong = "InvalidAutomationExecutionParametersException"
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"an action that is none", baseline(func(in *ssm.CreatePatchBaselineInput) {
			in.RejectedPatchesAction = "FOO"
		}), "ValidationException"},
		{"eleven rules", baseline(func(in *ssm.CreatePatchBaselineInput) {
			in.ApprovalRules.PatchRules = many(11, rule)
		}), "ValidationException"},
		{"five filters", baseline(func(in *ssm.CreatePatchBaselineInput) {
			in.ApprovalRules.PatchRules[0].PatchFilterGroup.PatchFilters = many(5, func(int) types.PatchFilter {
				return types.PatchFilter{Key: types.PatchFilterKeySeverity, Values: []string{"Critical"}}
			})
		}), "ValidationException"},
		{"a short name", baseline(func(in *ssm.CreatePatchBaselineInput) { in.Name = aws.String("ab") }), "ValidationException"},
		{"a space", baseline(func(in *ssm.CreatePatchBaselineInput) { in.Name = aws.String("a b c") }), "ValidationException"},
		{"a parameter by ARN", parameter("arn:aws:ssm:ap-northeast-1:111122223333:parameter/met/a"), ""},
		{"a parameter by version", parameter("/met/a:1"), ""},
		{"by a version that is none", parameter("/met/a:2"), "ParameterVersionNotFound"},
		{"no Boolean", start("Yes", "maybe"), wrong},
		{"no Integer", start("Number", "one"), wrong},
		{"too short", start("Text", "a"), wrong},
		{"too long", start("Text", "abcde"), wrong},
		{"as it should be", start("Text", "abcd"), ""},
		{"a parameter named like AWS's", failed(client.PutParameter(ctx, &ssm.PutParameterInput{
			Name: aws.String("/SSM/x"), Value: aws.String("x"), Type: types.ParameterTypeString,
		})), "ValidationException"},
		{"a document named like support's", own("AWSSupport-Foo"), "ValidationException"},
		{"a document named like Amazon's", own("amazon-foo"), "ValidationException"},
		{"51 tags", failed(client.AddTagsToResource(ctx, &ssm.AddTagsToResourceInput{
			ResourceType: types.ResourceTypeForTaggingDocument, ResourceId: aws.String("Met"),
			Tags: many(51, func(n int) types.Tag {
				return types.Tag{Key: aws.String(fmt.Sprint("k", n)), Value: aws.String("v")}
			}),
		})), "TooManyTagsError"},
		{"51 commands a page", failed(client.ListCommands(
			ctx, &ssm.ListCommandsInput{MaxResults: aws.Int32(51)},
		)), "ValidationException"},
		{"51 invocations a page", failed(client.ListCommandInvocations(
			ctx, &ssm.ListCommandInvocationsInput{MaxResults: aws.Int32(51)},
		)), "ValidationException"},
		{"51 executions a page", failed(client.DescribeAutomationExecutions(
			ctx, &ssm.DescribeAutomationExecutionsInput{MaxResults: aws.Int32(51)},
		)), "ValidationException"},
		{"101 baselines a page", failed(client.DescribePatchBaselines(
			ctx, &ssm.DescribePatchBaselinesInput{MaxResults: aws.Int32(101)},
		)), "ValidationException"},
		{"101 patches a page", failed(client.DescribeInstancePatches(
			ctx, &ssm.DescribeInstancePatchesInput{InstanceId: &id, MaxResults: aws.Int32(101)},
		)), "ValidationException"},
		{"101 states a page", failed(client.DescribeInstancePatchStates(
			ctx, &ssm.DescribeInstancePatchStatesInput{InstanceIds: []string{id}, MaxResults: aws.Int32(101)},
		)), "ValidationException"},
	} {
		t.Run(c.name, func(t *testing.T) { refusedOr(t, c.want, c.err) })
	}
}

func TestDocumentsAreToldAsTheyAre(t *testing.T) {
	a := inAccount(t, "healthy", "111122223333")
	client := ssm.NewFromConfig(a.config)
	name := aws.String("AWS-RunPatchBaseline")
	described, err := client.DescribeDocument(ctx, &ssm.DescribeDocumentInput{Name: name})
	require.NoError(t, err)
	var parameters []string
	for _, parameter := range described.Document.Parameters {
		parameters = append(parameters, *parameter.Name)
	}
	require.Subset(t, parameters, []string{"Operation", "SnapshotId", "RebootOption", "BaselineOverride"})
	require.Len(t, described.Document.PlatformTypes, 3)
	content, err := client.GetDocument(ctx, &ssm.GetDocumentInput{Name: name})
	require.NoError(t, err)
	for _, step := range []string{"PatchWindows", "PatchLinux", "PatchMacOS"} {
		require.Contains(t, *content.Content, step)
	}
	a.document("Met", "schemaVersion: '0.3'\nmainSteps: [{name: nap, action: 'aws:sleep', inputs: {Duration: PT1S}}]\n")
	asJSON, err := client.GetDocument(ctx, &ssm.GetDocumentInput{
		Name: aws.String("Met"), DocumentFormat: types.DocumentFormatJson,
	})
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(*asJSON.Content, "{"), *asJSON.Content)
	own, err := client.ListDocuments(ctx, &ssm.ListDocumentsInput{Filters: []types.DocumentKeyValuesFilter{
		{Key: aws.String("Owner"), Values: []string{"Self"}},
	}})
	require.NoError(t, err)
	require.Len(t, own.DocumentIdentifiers, 1)
	versions, err := client.ListDocumentVersions(ctx, &ssm.ListDocumentVersionsInput{Name: aws.String("Met")})
	require.NoError(t, err)
	require.True(t, versions.DocumentVersions[0].IsDefaultVersion)
	for name, want := range map[string]string{"global:ACCOUNT_ID": "", "global:NOBODY": "InvalidDocumentContent"} {
		_, err := client.CreateDocument(ctx, &ssm.CreateDocumentInput{
			Name: aws.String("Own-" + strings.ReplaceAll(name, ":", "-")), DocumentType: types.DocumentTypeAutomation,
			DocumentFormat: types.DocumentFormatYaml, Content: aws.String("schemaVersion: '0.3'\n" +
				"mainSteps: [{name: nap, action: 'aws:sleep', inputs: {Duration: '{{ " + name + " }}'}}]\n"),
		})
		refusedOr(t, want, err)
	}
	for _, action := range []string{
		"changeInstanceState", "createStack", "executeScript", "invokeLambdaFunction", "updateVariable",
	} {
		_, err := client.CreateDocument(ctx, &ssm.CreateDocumentInput{
			Name: aws.String("Own"), DocumentType: types.DocumentTypeAutomation, DocumentFormat: types.DocumentFormatYaml,
			Content: aws.String("schemaVersion: '0.3'\nmainSteps: [{name: a, action: 'aws:" + action + "', inputs: {}}]\n"),
		})
		require.Equal(t, "NotModelled", code(t, err), action)
	}
}

// Source: API references of SendCommand, GetCommandInvocation and ListCommandInvocations.
func TestCommandsByTargetsAndTheirPlugins(t *testing.T) {
	a := inAccount(t, "healthy", "111122223333")
	client, id := ssm.NewFromConfig(a.config), instanceIDs(t, a)[0]
	sent, err := client.SendCommand(ctx, &ssm.SendCommandInput{
		DocumentName: aws.String("AWS-RunPatchBaseline"), Parameters: map[string][]string{"Operation": {"Scan"}},
		Targets: []types.Target{{Key: aws.String("tag:Role"), Values: []string{"web"}}}, MaxConcurrency: aws.String("1"),
	})
	require.NoError(t, err)
	a.pass(20 * time.Minute)
	list, err := client.ListCommandInvocations(
		ctx, &ssm.ListCommandInvocationsInput{CommandId: sent.Command.CommandId, Details: true},
	)
	require.NoError(t, err)
	require.Len(t, list.CommandInvocations, 4)
	var plugins []string
	for _, plugin := range list.CommandInvocations[0].CommandPlugins {
		plugins = append(plugins, *plugin.Name)
	}
	require.Equal(t, []string{"PatchWindows", "PatchLinux", "PatchMacOS"}, plugins)
	for plugin, want := range map[string]string{"": "InvalidPluginName", "PatchLinux": "", "PatchFoo": "InvalidPluginName"} {
		in := &ssm.GetCommandInvocationInput{CommandId: sent.Command.CommandId, InstanceId: &id, PluginName: given(plugin)}
		_, err := client.GetCommandInvocation(ctx, in)
		refusedOr(t, want, err)
	}
	for path, count := range map[string]int{"/met": 1, "/": 0} {
		if count == 1 {
			_, err := client.PutParameter(ctx, &ssm.PutParameterInput{
				Name: aws.String("/met/a"), Value: aws.String("x"), Type: types.ParameterTypeString,
			})
			require.NoError(t, err)
		}
		found, err := client.GetParametersByPath(ctx, &ssm.GetParametersByPathInput{Path: &path})
		require.NoError(t, err)
		require.Len(t, found.Parameters, count)
	}
}
