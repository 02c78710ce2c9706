package services_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

const nap = `
schemaVersion: "0.3"
parameters:
  InstanceId: {type: String}
  Length: {type: String, default: PT1M}
mainSteps:
  - {name: find, action: "aws:executeAwsApi", inputs: {Service: ec2, Api: DescribeInstances, InstanceIds: ["{{ InstanceId }}"]}}
  - {name: nap, action: "aws:sleep", inputs: {Duration: "{{ Length }}"}}
`

func (a *account) children(parent string) []types.AutomationExecutionMetadata {
	a.t.Helper()
	out, err := ssm.NewFromConfig(a.config).DescribeAutomationExecutions(ctx, &ssm.DescribeAutomationExecutionsInput{
		Filters: []types.AutomationExecutionFilter{
			{Key: types.AutomationExecutionFilterKeyParentExecutionId, Values: []string{parent}},
		},
	})
	require.NoError(a.t, err)
	return out.AutomationExecutionMetadataList
}

func onTargets(key string, values ...string) *ssm.StartAutomationExecutionInput {
	return &ssm.StartAutomationExecutionInput{
		DocumentName: aws.String("Nap"), TargetParameterName: aws.String("InstanceId"),
		Targets: []types.Target{{Key: &key, Values: values}},
	}
}

// Source: user guide, "Run automations that use targets and rate controls"; API reference of StartAutomationExecution.
func TestAutomationRunsOnTargets(t *testing.T) {
	const nobody = "i-00000000000000000"
	for _, c := range []struct {
		name        string
		in          *ssm.StartAutomationExecutionInput
		many        string // MaxConcurrency
		errors      string // MaxErrors
		children    int
		atOnce      int
		status      types.AutomationExecutionStatus
		lastTarget  types.AutomationExecutionStatus
		concurrency string // shown
	}{
		{"by tag", onTargets("tag:Role", "web"), "", "", 4, 4, "Success", "Success", "10"},
		{"one after the other", onTargets("tag:Role", "web"), "1", "0", 4, 1, "Success", "Success", "1"},
		{"half at once", onTargets("tag:Role", "web"), "50%", "0", 4, 2, "Success", "Success", "50%"},
		{"all instances", onTargets("AWS::EC2::Instance", "*"), "2", "0", 4, 2, "Success", "Success", "2"},
		{"an error too many", onTargets("ParameterValues", nobody, "WEB"), "1", "", 1, 1, "Failed", "Cancelled", "1"},
		{"an error that is allowed", onTargets("ParameterValues", nobody, "WEB"), "1", "1", 2, 1, "Failed", "Success", "1"},
		{"nobody has the tag", onTargets("tag:Role", "none"), "", "", 0, 0, "Failed", "", "10"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := inAccount(t, "healthy", "111122223333")
			a.document("Nap", nap)
			for n, value := range c.in.Targets[0].Values {
				if value == "WEB" {
					c.in.Targets[0].Values[n] = instanceIDs(t, a)[0]
				}
			}
			c.in.MaxConcurrency, c.in.MaxErrors = given(c.many), given(c.errors)
			started, err := ssm.NewFromConfig(a.config).StartAutomationExecution(ctx, c.in)
			require.NoError(t, err)
			run, most := *started.AutomationExecutionId, 0
			for range 30 {
				a.pass(10 * time.Second)
				running := 0
				for _, child := range a.children(run) {
					if child.AutomationExecutionStatus == types.AutomationExecutionStatusInprogress {
						running++
					}
					require.NotEmpty(t, *child.Target)
				}
				most = max(most, running)
			}
			require.Len(t, a.children(run), c.children)
			e := a.execution(run)
			require.Equal(t, c.status, e.AutomationExecutionStatus, aws.ToString(e.FailureMessage))
			require.Equal(t, c.atOnce, max(most, min(c.children, c.atOnce)))
			require.LessOrEqual(t, most, c.atOnce)
			require.Equal(t, "InstanceId", *e.TargetParameterName)
			require.Equal(t, c.in.Targets, e.Targets)
			require.Equal(t, c.concurrency, *e.MaxConcurrency)
			if c.lastTarget == "" {
				return
			}
			require.Len(t, e.ResolvedTargets.ParameterValues, len(e.StepExecutions))
			last := e.StepExecutions[len(e.StepExecutions)-1]
			require.Equal(t, c.lastTarget, last.StepStatus)
			require.Equal(t, "aws:executeAutomation", *last.Action)
			require.Equal(t, *last.StepName, last.Inputs["InstanceId"])
		})
	}
}

func TestTargetsOfAnAutomationAreChecked(t *testing.T) {
	a := staging(t, "healthy")
	a.document("Nap", nap)
	client := ssm.NewFromConfig(a.config)
	for _, c := range []struct {
		name   string
		change func(*ssm.StartAutomationExecutionInput)
		code   string
	}{
		{"no parameter", func(in *ssm.StartAutomationExecutionInput) { in.TargetParameterName = nil }, "ValidationException"},
		{"no targets", func(in *ssm.StartAutomationExecutionInput) { in.Targets = nil }, "ValidationException"},
		{"another parameter", func(in *ssm.StartAutomationExecutionInput) {
			in.TargetParameterName = aws.String("Other")
		}, "InvalidAutomationExecutionParametersException"},
		{"a parameter that the runbook lacks", func(in *ssm.StartAutomationExecutionInput) {
			in.Parameters = map[string][]string{"Other": {"x"}}
		}, "InvalidAutomationExecutionParametersException"},
		{"none at once", func(in *ssm.StartAutomationExecutionInput) {
			in.MaxConcurrency = aws.String("0")
		}, "ValidationException"},
		{"a group of resources", func(in *ssm.StartAutomationExecutionInput) {
			in.Targets[0].Key = aws.String("ResourceGroup")
		}, "NotModelled"},
		{"rates without targets", func(in *ssm.StartAutomationExecutionInput) {
			in.Targets, in.TargetParameterName, in.MaxErrors = nil, nil, aws.String("1")
			in.Parameters = map[string][]string{"InstanceId": {"i-0"}}
		}, "NotModelled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a.pass(2 * time.Second)
			in := onTargets("ParameterValues", "i-1")
			c.change(in)
			_, err := client.StartAutomationExecution(ctx, in)
			refusedOr(t, c.code, err)
		})
	}
}

func TestAnAutomationOnTargetsIsStoppedAndStartedOnce(t *testing.T) {
	a := inAccount(t, "healthy", "111122223333")
	client := ssm.NewFromConfig(a.config)
	a.document("Nap", nap)
	in := onTargets("tag:Role", "web")
	in.MaxConcurrency, in.ClientToken = aws.String("1"), aws.String(uuid.NewString())
	first, err := client.StartAutomationExecution(ctx, in)
	require.NoError(t, err)
	a.pass(10 * time.Second)
	again, err := client.StartAutomationExecution(ctx, in)
	require.NoError(t, err)
	require.Equal(t, *first.AutomationExecutionId, *again.AutomationExecutionId)
	a.pass(10 * time.Second)
	in.MaxConcurrency = aws.String("2")
	_, err = client.StartAutomationExecution(ctx, in)
	require.Equal(t, "IdempotentParameterMismatch", code(t, err))
	_, err = client.StopAutomationExecution(ctx, &ssm.StopAutomationExecutionInput{
		AutomationExecutionId: first.AutomationExecutionId, Type: types.StopTypeCancel,
	})
	require.NoError(t, err)
	a.pass(20 * time.Second)
	require.Equal(
		t, types.AutomationExecutionStatusCancelled, a.execution(*first.AutomationExecutionId).AutomationExecutionStatus,
	)
	children := a.children(*first.AutomationExecutionId)
	require.Len(t, children, 1, "those that had not begun never did")
	require.Equal(t, types.AutomationExecutionStatusCancelled, children[0].AutomationExecutionStatus)
}

// given is nil for the empty text.
func given(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
