package services_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
)

const runbook = `
schemaVersion: "0.3"
parameters:
  InstanceId: {type: "AWS::EC2::Instance::Id"}
  SnapshotId: {type: String, default: ""}
mainSteps:
  - name: install
    action: aws:runCommand
    timeoutSeconds: 1800
    inputs:
      DocumentName: AWS-RunPatchBaseline
      InstanceIds: ["{{ InstanceId }}"]
      Parameters: {Operation: Install, SnapshotId: "{{ SnapshotId }}"}
outputs: [install.Output]
`

func instanceIDs(t *testing.T, a *account) []string {
	t.Helper()
	out, err := ec2.NewFromConfig(a.config).DescribeInstances(ctx, &ec2.DescribeInstancesInput{})
	require.NoError(t, err)
	var ids []string
	for _, reservation := range out.Reservations {
		ids = append(ids, *reservation.Instances[0].InstanceId)
	}
	return ids
}

func rule(days int32, severities, classifications []string) types.PatchRule {
	filters := []types.PatchFilter{{Key: types.PatchFilterKeyProduct, Values: []string{"AmazonLinux2023"}}}
	if severities != nil {
		filters = append(filters, types.PatchFilter{Key: types.PatchFilterKeySeverity, Values: severities})
	}
	if classifications != nil {
		filters = append(filters, types.PatchFilter{Key: types.PatchFilterKeyClassification, Values: classifications})
	}
	return types.PatchRule{
		ApproveAfterDays: aws.Int32(days), PatchFilterGroup: &types.PatchFilterGroup{PatchFilters: filters},
		ComplianceLevel: types.PatchComplianceLevelCritical,
	}
}

func register(t *testing.T, client *ssm.Client) string {
	t.Helper()
	created, err := client.CreatePatchBaseline(ctx, &ssm.CreatePatchBaselineInput{
		Name: aws.String("patchtide-amazon-linux-2023"), OperatingSystem: types.OperatingSystemAmazonLinux2023,
		ClientToken: aws.String("once"),
		ApprovalRules: &types.PatchRuleGroup{PatchRules: []types.PatchRule{
			rule(0, []string{"Critical"}, []string{"Security"}), rule(7, nil, nil),
		}},
	})
	require.NoError(t, err)
	_, err = client.RegisterPatchBaselineForPatchGroup(ctx, &ssm.RegisterPatchBaselineForPatchGroupInput{
		BaselineId: created.BaselineId, PatchGroup: aws.String("amazon-linux-2023"),
	})
	require.NoError(t, err)
	return *created.BaselineId
}

func TestScanByRunCommand(t *testing.T) {
	a := staging(t, "healthy")
	client := ssm.NewFromConfig(a.config)
	baseline, ids, snapshot := register(t, client), instanceIDs(t, a), uuid.NewString()
	sent, err := client.SendCommand(ctx, &ssm.SendCommandInput{
		DocumentName: aws.String("AWS-RunPatchBaseline"), InstanceIds: ids, Comment: aws.String("patchtide token"),
		TimeoutSeconds: aws.Int32(600),
		Parameters:     map[string][]string{"Operation": {"Scan"}, "SnapshotId": {snapshot}},
	})
	require.NoError(t, err)
	look := &ssm.GetCommandInvocationInput{
		CommandId: sent.Command.CommandId, InstanceId: &ids[0], PluginName: aws.String("PatchLinux"),
	}
	_, err = client.GetCommandInvocation(ctx, look)
	require.Equal(t, "InvocationDoesNotExist", code(t, err))
	a.pass(5 * time.Second)
	invocation, err := client.GetCommandInvocation(ctx, look)
	require.NoError(t, err)
	require.Equal(t, types.CommandInvocationStatusInProgress, invocation.Status)
	require.EqualValues(t, -1, invocation.ResponseCode)
	for _, guess := range []*string{nil, aws.String("aws:runShellScript")} {
		_, err = client.GetCommandInvocation(ctx, &ssm.GetCommandInvocationInput{
			CommandId: sent.Command.CommandId, InstanceId: &ids[0], PluginName: guess,
		})
		require.Equal(t, "InvalidPluginName", code(t, err))
	}
	a.pass(time.Minute)
	invocations, err := client.ListCommandInvocations(ctx, &ssm.ListCommandInvocationsInput{
		CommandId: sent.Command.CommandId, InstanceId: &ids[0], Details: true,
	})
	require.NoError(t, err)
	plugins := invocations.CommandInvocations[0].CommandPlugins
	require.Len(t, plugins, 3)
	require.Equal(t, "PatchWindows", *plugins[0].Name)
	require.Contains(t, *plugins[0].Output, "Step execution skipped")
	require.Equal(t, types.CommandPluginStatusSuccess, plugins[0].Status, "as the agent tells a step that is not for it")
	require.NotContains(t, *plugins[1].Output, "skipped")
	listed, err := client.ListCommands(ctx, &ssm.ListCommandsInput{InstanceId: &ids[1], Filters: []types.CommandFilter{
		{Key: types.CommandFilterKeyInvokedAfter, Value: aws.String(a.now.Add(-time.Hour).Format(time.RFC3339))},
		{Key: types.CommandFilterKeyDocumentName, Value: aws.String("AWS-RunPatchBaseline")},
	}})
	require.NoError(t, err)
	require.Len(t, listed.Commands, 1)
	require.Equal(t, "patchtide token", *listed.Commands[0].Comment)
	require.Equal(t, types.CommandStatusSuccess, listed.Commands[0].Status)

	states, err := client.DescribeInstancePatchStates(ctx, &ssm.DescribeInstancePatchStatesInput{InstanceIds: ids})
	require.NoError(t, err)
	require.Len(t, states.InstancePatchStates, 2)
	state := states.InstancePatchStates[0]
	require.EqualValues(t, 6, state.MissingCount)
	require.Equal(t, snapshot, *state.SnapshotId)
	require.Equal(t, baseline, *state.BaselineId)
	require.Equal(t, types.PatchOperationTypeScan, state.Operation)
	require.WithinDuration(t, a.now, *state.OperationEndTime, 2*time.Minute)

	missing, err := client.DescribeInstancePatches(ctx, &ssm.DescribeInstancePatchesInput{
		InstanceId: &ids[0], MaxResults: aws.Int32(10),
		Filters: []types.PatchOrchestratorFilter{{Key: aws.String("State"), Values: []string{"Missing"}}},
	})
	require.NoError(t, err)
	require.Len(t, missing.Patches, 6)
	require.Equal(t, "kernel.x86_64", *missing.Patches[0].KBId)
	require.Equal(t, "kernel.x86_64:0:6.1.141-155.222.amzn2023", *missing.Patches[0].Title)
	require.Equal(t, "CVE-2026-38001,CVE-2026-38052", *missing.Patches[0].CVEIds)
	_, err = client.DescribeInstancePatches(
		ctx, &ssm.DescribeInstancePatchesInput{InstanceId: &ids[0], MaxResults: aws.Int32(5)},
	)
	require.Error(t, err, "pages are 10 to 100")
}

func TestInstallByAutomation(t *testing.T) {
	a := staging(t, "healthy")
	client := ssm.NewFromConfig(a.config)
	register(t, client)
	ids, token := instanceIDs(t, a), uuid.NewString()
	created, err := client.CreateDocument(ctx, &ssm.CreateDocumentInput{
		Name: aws.String("Patchtide-Install"), Content: aws.String(runbook), DocumentFormat: types.DocumentFormatYaml,
		DocumentType: types.DocumentTypeAutomation,
	})
	require.NoError(t, err)
	described, err := client.DescribeDocument(
		ctx, &ssm.DescribeDocumentInput{Name: aws.String("Patchtide-Install"), DocumentVersion: aws.String("1")},
	)
	require.NoError(t, err)
	require.Equal(t, *created.DocumentDescription.Hash, *described.Document.Hash)
	got, err := client.GetDocument(ctx, &ssm.GetDocumentInput{Name: aws.String("Patchtide-Install")})
	require.NoError(t, err)
	require.Equal(t, runbook, *got.Content)

	key := "patchtide:attempt:" + token
	request := &ssm.StartAutomationExecutionInput{
		DocumentName: aws.String("Patchtide-Install"), DocumentVersion: aws.String("1"), ClientToken: &token,
		Parameters: map[string][]string{"InstanceId": {ids[0]}}, Tags: []types.Tag{{Key: &key, Value: aws.String("")}},
	}
	started, err := client.StartAutomationExecution(ctx, request)
	require.NoError(t, err)
	find := func() []types.AutomationExecutionMetadata {
		out, err := client.DescribeAutomationExecutions(
			ctx, &ssm.DescribeAutomationExecutionsInput{Filters: []types.AutomationExecutionFilter{
				{Key: types.AutomationExecutionFilterKeyTagKey, Values: []string{key}},
				{Key: types.AutomationExecutionFilterKeyDocumentNamePrefix, Values: []string{"Patchtide-"}},
				{
					Key:    types.AutomationExecutionFilterKeyStartTimeAfter,
					Values: []string{a.now.Add(-time.Hour).Format(time.RFC3339)},
				},
			}})
		require.NoError(t, err)
		return out.AutomationExecutionMetadataList
	}
	require.Empty(t, find(), "reads lag")
	a.pass(3 * time.Second)
	require.Len(t, find(), 1)
	again, err := client.StartAutomationExecution(ctx, request)
	require.NoError(t, err)
	require.Equal(t, *started.AutomationExecutionId, *again.AutomationExecutionId)

	a.pass(4 * time.Minute)
	out, err := client.GetAutomationExecution(
		ctx, &ssm.GetAutomationExecutionInput{AutomationExecutionId: started.AutomationExecutionId},
	)
	require.NoError(t, err)
	execution := out.AutomationExecution
	require.Equal(
		t, types.AutomationExecutionStatusSuccess, execution.AutomationExecutionStatus,
		aws.ToString(execution.FailureMessage),
	)
	step := execution.StepExecutions[0]
	require.Equal(t, "install", *step.StepName)
	require.Equal(t, "0", *step.ResponseCode)
	require.Contains(t, step.Outputs["Output"][0], "Installed 6 packages")
	invocation, err := client.GetCommandInvocation(
		ctx, &ssm.GetCommandInvocationInput{
			CommandId: &step.Outputs["CommandId"][0], InstanceId: &ids[0], PluginName: aws.String("PatchLinux"),
		},
	)
	require.NoError(t, err)
	require.Equal(t, types.CommandInvocationStatusSuccess, invocation.Status)
	steps, err := client.DescribeAutomationStepExecutions(
		ctx, &ssm.DescribeAutomationStepExecutionsInput{AutomationExecutionId: started.AutomationExecutionId},
	)
	require.NoError(t, err)
	require.Len(t, steps.StepExecutions, 1)
	tags, err := client.ListTagsForResource(
		ctx,
		&ssm.ListTagsForResourceInput{
			ResourceType: types.ResourceTypeForTaggingAutomation, ResourceId: started.AutomationExecutionId,
		},
	)
	require.NoError(t, err)
	require.Equal(t, key, *tags.TagList[0].Key)
	_, err = client.StopAutomationExecution(
		ctx,
		&ssm.StopAutomationExecutionInput{AutomationExecutionId: started.AutomationExecutionId, Type: types.StopTypeCancel},
	)
	require.Equal(t, "InvalidAutomationStatusUpdateException", code(t, err))
	_, err = client.GetAutomationExecution(
		ctx, &ssm.GetAutomationExecutionInput{AutomationExecutionId: aws.String(uuid.NewString())},
	)
	require.Equal(t, "AutomationExecutionNotFoundException", code(t, err))
}

func TestFactsByRunCommand(t *testing.T) {
	a := staging(t, "healthy")
	client := ssm.NewFromConfig(a.config)
	ids := instanceIDs(t, a)
	run := func(document, script string) *ssm.GetCommandInvocationOutput {
		sent, err := client.SendCommand(
			ctx,
			&ssm.SendCommandInput{
				DocumentName: &document, InstanceIds: ids[:1], Parameters: map[string][]string{"commands": {script}},
			},
		)
		require.NoError(t, err)
		a.pass(5 * time.Second)
		out, err := client.GetCommandInvocation(
			ctx, &ssm.GetCommandInvocationInput{CommandId: sent.Command.CommandId, InstanceId: &ids[0]},
		)
		require.NoError(t, err)
		return out
	}
	facts := run("AWS-RunShellScript", "# patchtide:facts\nset -eu\n")
	require.Equal(t, types.CommandInvocationStatusSuccess, facts.Status)
	require.Less(t, len(*facts.StandardOutputContent), 24000)
	require.Contains(t, *facts.StandardOutputContent, `"packages_sha256":"`)
	require.Equal(t, 1, strings.Count(*facts.StandardOutputContent, "\n"))
	probe := `# patchtide:probe {"checks":[{"port":80,"path":"/healthz"}]}`
	require.Contains(t, *run("AWS-RunShellScript", probe).StandardOutputContent, "1 200 + ")
	unknown := run("AWS-RunShellScript", "lsb_release -a")
	require.Equal(t, types.CommandInvocationStatusFailed, unknown.Status)
	require.EqualValues(t, 127, unknown.ResponseCode)
	require.Contains(t, *unknown.StandardErrorContent, "sh: line 1: lsb_release: command not found")
	require.Empty(t, *run("AWS-RunPowerShellScript", "# patchtide:facts").StandardOutputContent, "not on this platform")
}

func TestManagedInstances(t *testing.T) {
	a := staging(t, "healthy")
	client := ssm.NewFromConfig(a.config)
	ids := instanceIDs(t, a)
	out, err := client.DescribeInstanceInformation(ctx, &ssm.DescribeInstanceInformationInput{
		Filters:    []types.InstanceInformationStringFilter{{Key: aws.String("InstanceIds"), Values: ids[1:]}},
		MaxResults: aws.Int32(5),
	})
	require.NoError(t, err)
	require.Len(t, out.InstanceInformationList, 1)
	require.Equal(t, types.PingStatusOnline, out.InstanceInformationList[0].PingStatus)
	require.Equal(t, "Amazon Linux", *out.InstanceInformationList[0].PlatformName)
	require.WithinDuration(t, a.now, *out.InstanceInformationList[0].LastPingDateTime, time.Minute)
	_, err = client.SendCommand(ctx, &ssm.SendCommandInput{
		DocumentName: aws.String("AWS-RunShellScript"), InstanceIds: []string{"i-0123456789abcdef0"},
		Parameters: map[string][]string{"commands": {"true"}},
	})
	require.Equal(t, "InvalidInstanceId", code(t, err))
	_, err = client.DescribeInstancePatchStates(
		ctx, &ssm.DescribeInstancePatchStatesInput{InstanceIds: make([]string, 51)},
	)
	require.Equal(t, "ValidationException", code(t, err))
}

func TestBaselines(t *testing.T) {
	a := staging(t, "healthy")
	client := ssm.NewFromConfig(a.config)
	id := register(t, client)
	require.Equal(t, id, register(t, client), "the same token, the same baseline")
	got, err := client.GetPatchBaseline(ctx, &ssm.GetPatchBaselineInput{BaselineId: &id})
	require.NoError(t, err)
	require.Equal(t, []string{"amazon-linux-2023"}, got.PatchGroups)
	require.EqualValues(t, 7, *got.ApprovalRules.PatchRules[1].ApproveAfterDays)
	require.EqualValues(t, 0, *got.ApprovalRules.PatchRules[0].ApproveAfterDays)
	_, err = client.UpdatePatchBaseline(
		ctx,
		&ssm.UpdatePatchBaselineInput{BaselineId: &id, Description: aws.String("hash"), RejectedPatches: []string{"kernel*"}},
	)
	require.NoError(t, err)
	got, err = client.GetPatchBaseline(ctx, &ssm.GetPatchBaselineInput{BaselineId: &id})
	require.NoError(t, err)
	require.Equal(t, "hash", *got.Description)
	require.Len(t, got.ApprovalRules.PatchRules, 2, "what an update leaves out stays")
	list, err := client.DescribePatchBaselines(
		ctx, &ssm.DescribePatchBaselinesInput{Filters: []types.PatchOrchestratorFilter{
			{Key: aws.String("NAME_PREFIX"), Values: []string{"patchtide-"}},
			{Key: aws.String("OWNER"), Values: []string{"Self"}},
		}})
	require.NoError(t, err)
	require.Len(t, list.BaselineIdentities, 1)
	group, err := client.GetPatchBaselineForPatchGroup(ctx, &ssm.GetPatchBaselineForPatchGroupInput{
		PatchGroup: aws.String("amazon-linux-2023"), OperatingSystem: types.OperatingSystemAmazonLinux2023,
	})
	require.NoError(t, err)
	require.Equal(t, id, *group.BaselineId)
	groups, err := client.DescribePatchGroups(ctx, &ssm.DescribePatchGroupsInput{})
	require.NoError(t, err)
	require.Equal(t, "patchtide-amazon-linux-2023", *groups.Mappings[0].BaselineIdentity.BaselineName)
	_, err = client.RegisterDefaultPatchBaseline(ctx, &ssm.RegisterDefaultPatchBaselineInput{BaselineId: &id})
	require.NoError(t, err)
	byDefault, err := client.GetDefaultPatchBaseline(
		ctx, &ssm.GetDefaultPatchBaselineInput{OperatingSystem: types.OperatingSystemAmazonLinux2023},
	)
	require.NoError(t, err)
	require.Equal(t, id, *byDefault.BaselineId)
	_, err = client.GetPatchBaseline(ctx, &ssm.GetPatchBaselineInput{BaselineId: aws.String("pb-0123456789abcdef0")})
	require.Equal(t, "DoesNotExistException", code(t, err))
}

func TestParametersCalendarsAndOtherPatchers(t *testing.T) {
	a := staging(t, "healthy")
	client := ssm.NewFromConfig(a.config)
	_, err := client.GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String("/patchtide/slack")})
	require.Equal(t, "ParameterNotFound", code(t, err))
	put := &ssm.PutParameterInput{
		Name: aws.String("/patchtide/slack"), Value: aws.String("https://example.com"), Type: types.ParameterTypeSecureString,
	}
	_, err = client.PutParameter(ctx, put)
	require.NoError(t, err)
	_, err = client.PutParameter(ctx, put)
	require.Equal(t, "ParameterAlreadyExists", code(t, err))
	got, err := client.GetParameters(
		ctx, &ssm.GetParametersInput{Names: []string{"/patchtide/slack", "/none"}, WithDecryption: aws.Bool(true)},
	)
	require.NoError(t, err)
	require.Equal(t, "https://example.com", *got.Parameters[0].Value)
	require.Equal(t, []string{"/none"}, got.InvalidParameters)
	_, err = client.GetCalendarState(ctx, &ssm.GetCalendarStateInput{CalendarNames: []string{"none"}})
	require.Equal(t, "InvalidDocument", code(t, err))
	_, err = client.GetCalendarState(ctx, &ssm.GetCalendarStateInput{CalendarNames: []string{"AWS-RunShellScript"}})
	require.Equal(t, "InvalidDocumentType", code(t, err))
	a.sim.Inspect(func(w *world.World) {
		w.Account("222233334444").Region("ap-northeast-1").PutCalendar(&world.Calendar{
			Name: "nights", State: "CLOSED", Changes: time.Date(2037, 7, 31, 0, 0, 0, 0, time.UTC),
		})
	})
	for at, state := range map[string]types.CalendarState{
		"2037-07-30T11:05:14-0700": types.CalendarStateClosed, "2037-07-30T18:05:14Z": types.CalendarStateClosed,
		"2037-07-30T17:05:14-0700": types.CalendarStateOpen,
	} {
		got, err := client.GetCalendarState(ctx, &ssm.GetCalendarStateInput{
			CalendarNames: []string{"nights"}, AtTime: aws.String(at),
		})
		require.NoError(t, err)
		require.Equal(t, state, got.State, at)
	}
	windows, err := client.DescribeMaintenanceWindows(ctx, &ssm.DescribeMaintenanceWindowsInput{})
	require.NoError(t, err)
	require.Empty(t, windows.WindowIdentities)
	associations, err := client.ListAssociations(ctx, &ssm.ListAssociationsInput{})
	require.NoError(t, err)
	require.Empty(t, associations.Associations)
}
