package services_test

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/stretchr/testify/require"
)

func TestPageSizesOfPatchManager(t *testing.T) {
	a := staging(t, "healthy")
	client := ssm.NewFromConfig(a.config)
	id := instanceIDs(t, a)[0]
	for _, tc := range []struct {
		name string
		ask  func(size int32) error
		good []int32
		bad  []int32
	}{
		{"patches", func(size int32) error {
			_, err := client.DescribeInstancePatches(ctx, &ssm.DescribeInstancePatchesInput{InstanceId: &id, MaxResults: &size})
			return err
		}, []int32{10, 100}, []int32{9, 101}},
		{"patch states", func(size int32) error {
			_, err := client.DescribeInstancePatchStates(
				ctx, &ssm.DescribeInstancePatchStatesInput{InstanceIds: []string{id}, MaxResults: &size},
			)
			return err
		}, []int32{10, 100}, []int32{9, 101}},
		{"instance information", func(size int32) error {
			_, err := client.DescribeInstanceInformation(ctx, &ssm.DescribeInstanceInformationInput{MaxResults: &size})
			return err
		}, []int32{5, 50}, []int32{4, 51}},
		{"ids of patch states", func(count int32) error {
			ids := make([]string, count)
			for n := range ids {
				ids[n] = fmt.Sprintf("i-%017x", n)
			}
			_, err := client.DescribeInstancePatchStates(ctx, &ssm.DescribeInstancePatchStatesInput{InstanceIds: ids})
			return err
		}, []int32{1, 50}, []int32{51}},
		{"executions", func(size int32) error {
			_, err := client.DescribeAutomationExecutions(ctx, &ssm.DescribeAutomationExecutionsInput{MaxResults: &size})
			return err
		}, []int32{1, 50}, []int32{51}},
		{"values of a filter", func(count int32) error {
			values := slices.Repeat([]string{"key"}, int(count))
			_, err := client.DescribeAutomationExecutions(
				ctx, &ssm.DescribeAutomationExecutionsInput{Filters: []types.AutomationExecutionFilter{
					{Key: types.AutomationExecutionFilterKeyTagKey, Values: values},
				}})
			return err
		}, []int32{1, 10}, []int32{11}},
		{"ids of a command", func(count int32) error {
			ids := make([]string, count)
			for n := range ids {
				ids[n] = fmt.Sprintf("i-%017x", n)
			}
			ids[0] = id
			_, err := client.SendCommand(
				ctx,
				&ssm.SendCommandInput{
					DocumentName: aws.String("AWS-RunShellScript"), InstanceIds: ids,
					Parameters: map[string][]string{"commands": {"true"}},
				},
			)
			return err
		}, []int32{1}, []int32{51}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, size := range tc.good {
				a.pass(time.Second)
				require.NoError(t, tc.ask(size), "%d", size)
			}
			for _, size := range tc.bad {
				a.pass(time.Second)
				require.Error(t, tc.ask(size), "%d", size)
			}
		})
	}
}

// What a command says is cut at 24,000 characters, and in a list of invocations at 2,500.
func TestOutputOfCommandsIsCut(t *testing.T) {
	var packages strings.Builder
	for n := range 3000 { // versions that do not compress, so that the facts are long
		fmt.Fprintf(&packages, "      p%d.x86_64: \"0:%x\"\n", n, sha256.Sum256([]byte{byte(n), byte(n >> 8)}))
	}
	a := withScenario(t, `extends: healthy
operating_systems:
  - name: amazon-linux-2023
    ssm: AMAZON_LINUX_2023
    platform: Linux
    platform_name: Amazon Linux
    platform_version: "2023"
    product: AmazonLinux2023
    kernel: p0.x86_64
    packages:
`+packages.String()+"patches: []\n", "222233334444")
	client := ssm.NewFromConfig(a.config)
	id := instanceIDs(t, a)[0]
	sent, err := client.SendCommand(ctx, &ssm.SendCommandInput{
		DocumentName: aws.String("AWS-RunShellScript"), InstanceIds: []string{id},
		Parameters: map[string][]string{"commands": {"# patchtide:facts"}},
	})
	require.NoError(t, err)
	a.pass(time.Minute)
	got, err := client.GetCommandInvocation(
		ctx, &ssm.GetCommandInvocationInput{CommandId: sent.Command.CommandId, InstanceId: &id},
	)
	require.NoError(t, err)
	require.Len(t, *got.StandardOutputContent, 24000)
	require.True(t, strings.HasSuffix(*got.StandardOutputContent, "--output truncated--"))
	list, err := client.ListCommandInvocations(
		ctx, &ssm.ListCommandInvocationsInput{CommandId: sent.Command.CommandId, Details: true},
	)
	require.NoError(t, err)
	require.Len(t, *list.CommandInvocations[0].CommandPlugins[0].Output, 2500)
}

func TestStepsOfALongRunbookAreTruncated(t *testing.T) {
	a := staging(t, "healthy")
	client := ssm.NewFromConfig(a.config)
	var steps strings.Builder
	for n := range 120 {
		fmt.Fprintf(&steps, "  - {name: step%d, action: 'aws:sleep', inputs: {Duration: PT1S}}\n", n)
	}
	a.document("Long", "schemaVersion: '0.3'\nmainSteps:\n"+steps.String())
	a.document("Short", "schemaVersion: '0.3'\nmainSteps: [{name: nap, action: 'aws:sleep', inputs: {Duration: PT1S}}]\n")
	long := a.start("Long", nil)
	a.pass(5 * time.Minute)
	require.False(t, a.execution(a.start("Short", nil)).StepExecutionsTruncated)
	e := a.execution(long)
	require.Equal(t, types.AutomationExecutionStatusSuccess, e.AutomationExecutionStatus)
	require.True(t, e.StepExecutionsTruncated)
	require.Less(t, len(e.StepExecutions), 120)
	var names []string
	pages := ssm.NewDescribeAutomationStepExecutionsPaginator(
		client, &ssm.DescribeAutomationStepExecutionsInput{AutomationExecutionId: &long},
	)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		require.NoError(t, err)
		for _, step := range page.StepExecutions {
			names = append(names, *step.StepName)
		}
	}
	require.Len(t, names, 120)
	require.Equal(t, "step119", names[119])
}
