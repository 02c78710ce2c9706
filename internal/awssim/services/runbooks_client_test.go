package services_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
)

func (a *account) start(document string, parameters map[string][]string) string {
	a.t.Helper()
	out, err := ssm.NewFromConfig(a.config).StartAutomationExecution(ctx, &ssm.StartAutomationExecutionInput{
		DocumentName: aws.String(document), Parameters: parameters,
	})
	require.NoError(a.t, err)
	return *out.AutomationExecutionId
}

func (a *account) execution(id string) *types.AutomationExecution {
	a.t.Helper()
	out, err := ssm.NewFromConfig(a.config).GetAutomationExecution(
		ctx, &ssm.GetAutomationExecutionInput{AutomationExecutionId: &id},
	)
	require.NoError(a.t, err)
	return out.AutomationExecution
}

func (a *account) document(name, content string) {
	a.t.Helper()
	_, err := ssm.NewFromConfig(a.config).CreateDocument(ctx, &ssm.CreateDocumentInput{
		Name: &name, Content: &content, DocumentFormat: types.DocumentFormatYaml, DocumentType: types.DocumentTypeAutomation,
	})
	require.NoError(a.t, err)
}

func (a *account) lifecycles() map[string]string {
	a.t.Helper()
	out, err := autoscaling.NewFromConfig(a.config).DescribeAutoScalingInstances(
		ctx, &autoscaling.DescribeAutoScalingInstancesInput{},
	)
	require.NoError(a.t, err)
	states := map[string]string{}
	for _, instance := range out.AutoScalingInstances {
		states[*instance.InstanceId] = *instance.LifecycleState
	}
	return states
}

func stepStatus(e *types.AutomationExecution, name string) string {
	for _, step := range e.StepExecutions {
		if *step.StepName == name {
			return string(step.StepStatus)
		}
	}
	return ""
}

// AWS's own way to patch an instance of a group, with its defect: what the patch broke goes back to service.
func TestAWSPatchesAnAsgInstance(t *testing.T) {
	a := inAccount(t, "bad-patch", "111122223333")
	id := instanceIDs(t, a)[0]
	run := a.start(
		"AWS-PatchAsgInstance",
		map[string][]string{
			"InstanceId": {id}, "AutomationAssumeRole": {"arn:aws:iam::111122223333:role/patchtide-automation"},
		},
	)
	a.pass(50 * time.Second)
	require.Equal(t, "EnteringStandby", a.lifecycles()[id])
	a.pass(15 * time.Second)
	require.Equal(t, "Success", stepStatus(a.execution(run), "EnterStandby"))
	require.Equal(t, "EnteringStandby", a.lifecycles()[id], "it never waits for Standby")
	a.pass(5 * time.Minute)
	require.Equal(t, "Standby", a.lifecycles()[id])
	a.pass(10 * time.Minute)
	e := a.execution(run)
	require.Equal(t, types.AutomationExecutionStatusSuccess, e.AutomationExecutionStatus, aws.ToString(e.FailureMessage))
	require.NotEqual(t, "Standby", a.lifecycles()[id], "it is back, broken as it is")
	children, err := ssm.NewFromConfig(a.config).DescribeAutomationExecutions(ctx, &ssm.DescribeAutomationExecutionsInput{
		Filters: []types.AutomationExecutionFilter{
			{Key: types.AutomationExecutionFilterKeyParentExecutionId, Values: []string{run}},
		},
	})
	require.NoError(t, err)
	require.Len(t, children.AutomationExecutionMetadataList, 2)
}

func TestAWSPatchAsgInstanceAtMinimum(t *testing.T) {
	a := inAccount(t, "healthy", "111122223333")
	_, err := autoscaling.NewFromConfig(a.config).UpdateAutoScalingGroup(ctx, &autoscaling.UpdateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String("web"), MinSize: aws.Int32(4),
	})
	require.NoError(t, err)
	run := a.start("AWS-PatchAsgInstance", map[string][]string{"InstanceId": {instanceIDs(t, a)[0]}})
	a.pass(2 * time.Minute)
	e := a.execution(run)
	require.Equal(t, types.AutomationExecutionStatusFailed, e.AutomationExecutionStatus)
	require.Contains(t, *e.FailureMessage, "min-size=4", "desired equal to min is refused, with AWS's words")
}

// Sources: AWS's runbook reference of AWS-PatchInstanceWithRollback (parameters, "Document Steps") and of
// AWS-PatchAsgInstance (parameters); a public copy of the latter's content for its steps.
func TestAWSsRunbooksAreAsTheyAre(t *testing.T) {
	a := inAccount(t, "healthy", "111122223333")
	client := ssm.NewFromConfig(a.config)
	for _, c := range []struct {
		document   string
		steps      []string
		parameters []string
	}{
		{
			"AWS-PatchAsgInstance", []string{
				"createPatchGroupTags aws:createTags", "EnterStandby aws:executeAutomation",
				"installMissingOSUpdates aws:runCommand", "SleepToCompleteInstall aws:sleep", "ExitStandby aws:executeAutomation",
				"CompletePatchGroupTags aws:createTags", "SleepBeforeNextInstance aws:sleep",
			}, []string{"AutomationAssumeRole", "InstanceId", "LambdaRoleArn", "WaitForInstance", "WaitForReboot"},
		},
		{
			"AWS-PatchInstanceWithRollback", []string{
				"createDocumentStack aws:createStack", "IdentifyRootVolume aws:invokeLambdaFunction",
				"PrePatchSnapshot aws:executeAutomation", "installMissingUpdates aws:runCommand",
				"SleepThruInstallation aws:invokeLambdaFunction", "CheckCompliance aws:invokeLambdaFunction",
				"SaveComplianceReportToS3 aws:invokeLambdaFunction", "ReportSuccessOrFailure aws:invokeLambdaFunction",
				"RestoreFromSnapshot aws:invokeLambdaFunction", "DeleteSnapshot aws:invokeLambdaFunction",
				"deleteCloudFormationTemplate aws:deleteStack",
			}, []string{"AutomationAssumeRole", "InstanceId", "LambdaAssumeRole", "ReportS3Bucket"},
		},
	} {
		t.Run(c.document, func(t *testing.T) {
			a.pass(2 * time.Second)
			var steps, parameters []string
			for _, step := range a.execution(a.start(c.document, map[string][]string{
				"InstanceId": {instanceIDs(t, a)[0]},
			})).StepExecutions {
				steps = append(steps, *step.StepName+" "+*step.Action)
			}
			require.Equal(t, c.steps, steps)
			described, err := client.DescribeDocument(ctx, &ssm.DescribeDocumentInput{Name: &c.document})
			require.NoError(t, err)
			for _, parameter := range described.Document.Parameters {
				parameters = append(parameters, *parameter.Name)
			}
			require.Equal(t, c.parameters, parameters)
			a.pass(2 * time.Second)
			for _, other := range []string{"WaitForNothing", "ReportS3Bucket"} {
				_, err = client.StartAutomationExecution(ctx, &ssm.StartAutomationExecutionInput{
					DocumentName: &c.document, Parameters: map[string][]string{"InstanceId": {"i-1"}, other: {"x"}},
				})
				want := "InvalidAutomationExecutionParametersException"
				if other == "ReportS3Bucket" && c.document != "AWS-PatchAsgInstance" {
					want = "NotModelled"
				}
				require.Equal(t, want, code(t, err))
				a.pass(2 * time.Second)
			}
		})
	}
}

// "If the patching step fails, the tag value might still be set to Completed even though the runbook execution status
// reports Failed", says AWS's reference of the runbook.
func TestAFailedPatchOfAWSsRunbookIsCompletedAndFailed(t *testing.T) {
	a := withScenario(t, "extends: healthy\nfaults:\n  world:\n    - {kind: install_fails, account: production}\n", "111122223333")
	id := instanceIDs(t, a)[0]
	run := a.start("AWS-PatchAsgInstance", map[string][]string{"InstanceId": {id}})
	a.pass(30 * time.Minute)
	require.Equal(t, types.AutomationExecutionStatusFailed, a.execution(run).AutomationExecutionStatus)
	require.Equal(t, "Success", stepStatus(a.execution(run), "CompletePatchGroupTags"))
	tags, err := ec2.NewFromConfig(a.config).DescribeTags(ctx, &ec2.DescribeTagsInput{
		Filters: []ec2types.Filter{filter("resource-id", id), filter("key", "AutoPatchInstanceInASG")},
	})
	require.NoError(t, err)
	require.Equal(t, "Completed", *tags.Tags[0].Value)
}

func TestAWSPatchesWithRollback(t *testing.T) {
	for _, tc := range []struct {
		name, faults string
		want         types.AutomationExecutionStatus
		restored     string
	}{
		{"compliant", "", types.AutomationExecutionStatusSuccess, "Pending"},
		{
			"the installation fails", "faults:\n  world:\n    - {kind: install_fails, account: staging}\n",
			types.AutomationExecutionStatusFailed, "Success",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := withScenario(t, "extends: healthy\n"+tc.faults, "222233334444")
			run := a.start("AWS-PatchInstanceWithRollback", map[string][]string{"InstanceId": {instanceIDs(t, a)[0]}})
			for range 60 {
				a.pass(time.Minute)
				a.execution(run)
			}
			e := a.execution(run)
			require.Equal(t, tc.want, e.AutomationExecutionStatus, aws.ToString(e.FailureMessage))
			require.Equal(t, tc.restored, stepStatus(e, "RestoreFromSnapshot"))
			require.Equal(t, "Success", stepStatus(e, "DeleteSnapshot"))
			snapshots, err := ec2.NewFromConfig(a.config).DescribeSnapshots(ctx, &ec2.DescribeSnapshotsInput{})
			require.NoError(t, err)
			require.Empty(t, snapshots.Snapshots, "it deletes its snapshot, whatever came of the patches")
		})
	}
}

const approvalRunbook = `
schemaVersion: "0.3"
mainSteps:
  - name: ask
    action: aws:approve
    onFailure: step:refused
    nextStep: find
    inputs:
      Message: patch production?
      MinRequiredApprovals: 1
      Approvers: ["arn:aws:iam::222233334444:role/patchtide"]
  - name: refused
    action: aws:sleep
    isEnd: true
    inputs: {Duration: PT1S}
  - name: find
    action: aws:executeAwsApi
    inputs:
      Service: ec2
      Api: DescribeInstances
      Filters: [{Name: "tag:Role", Values: [web]}]
    outputs:
      - {Name: Ids, Selector: "$..InstanceId", Type: StringList}
      - {Name: First, Selector: "$.Reservations[0].Instances[0].InstanceId", Type: String}
  - name: branch
    action: aws:branch
    inputs:
      Choices:
        - {NextStep: stop, Variable: "{{ find.First }}", StartsWith: i-}
      Default: refused
  - name: stop
    action: aws:executeAwsApi
    inputs: {Service: ec2, Api: StopInstances, InstanceIds: "{{ find.Ids }}"}
  - name: stopped
    action: aws:waitForAwsResourceProperty
    timeoutSeconds: 600
    inputs:
      Service: ec2
      Api: DescribeInstances
      InstanceIds: "{{ find.Ids }}"
      PropertySelector: "$..State.Name"
      DesiredValues: [stopped]
  - name: still
    action: aws:assertAwsResourceProperty
    inputs:
      Service: ec2
      Api: DescribeInstances
      InstanceIds: ["{{ find.First }}"]
      PropertySelector: "$.Reservations[0].Instances[0].State.Name"
      DesiredValues: [running]
outputs: [find.Ids, ask.ApprovalStatus]
`

func TestApprovalAndAPISteps(t *testing.T) {
	for _, tc := range []struct {
		name    string
		signal  types.SignalType
		failing string // the step whose failure ends it
		want    []string
	}{
		{"approved", types.SignalTypeApprove, "still", []string{"Approved"}},
		{"rejected", types.SignalTypeReject, "ask", []string{"Rejected"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := staging(t, "healthy")
			client := ssm.NewFromConfig(a.config)
			a.document("Approval", approvalRunbook)
			run := a.start("Approval", nil)
			a.pass(10 * time.Hour)
			require.Equal(t, types.AutomationExecutionStatusWaiting, a.execution(run).AutomationExecutionStatus)
			_, err := client.SendAutomationSignal(
				ctx, &ssm.SendAutomationSignalInput{AutomationExecutionId: &run, SignalType: types.SignalTypeResume},
			)
			require.Equal(t, "InvalidAutomationSignalException", code(t, err))
			_, err = client.SendAutomationSignal(ctx, &ssm.SendAutomationSignalInput{
				AutomationExecutionId: &run, SignalType: tc.signal, Payload: map[string][]string{"Comment": {"go"}},
			})
			require.NoError(t, err)
			a.pass(5 * time.Minute)
			e := a.execution(run)
			require.Equal(t, types.AutomationExecutionStatusFailed, e.AutomationExecutionStatus)
			require.Equal(t, "Failed", stepStatus(e, tc.failing))
			require.Equal(t, tc.want, e.Outputs["ask.ApprovalStatus"])
			if tc.signal == types.SignalTypeApprove {
				require.Len(t, e.Outputs["find.Ids"], 2)
				require.Contains(t, *e.FailureMessage, "value: stopped")
			}
		})
	}
}

func TestNestingAndPausingAndCancelling(t *testing.T) {
	a := staging(t, "healthy")
	client := ssm.NewFromConfig(a.config)
	a.document("Recurse", `
schemaVersion: "0.3"
mainSteps:
  - {name: again, action: "aws:executeAutomation", inputs: {DocumentName: Recurse}}
`)
	run := a.start("Recurse", nil)
	a.pass(time.Minute)
	require.Contains(t, *a.execution(run).FailureMessage, "nested 5 deep")
	all, err := client.DescribeAutomationExecutions(ctx, &ssm.DescribeAutomationExecutionsInput{})
	require.NoError(t, err)
	require.Len(t, all.AutomationExecutionMetadataList, world.AutomationDepth)

	a.document("Pause", `
schemaVersion: "0.3"
mainSteps:
  - {name: hold, action: "aws:pause", onCancel: "step:clean", inputs: {}}
  - {name: end, action: "aws:sleep", isEnd: true, inputs: {Duration: PT1S}}
  - {name: clean, action: "aws:sleep", isEnd: true, inputs: {Duration: PT1M}}
`)
	resumed, stopped := a.start("Pause", nil), ""
	a.pass(2 * time.Second)
	_, err = client.SendAutomationSignal(ctx, &ssm.SendAutomationSignalInput{
		AutomationExecutionId: &resumed, SignalType: types.SignalTypeResume,
		Payload: map[string][]string{"StepName": {"hold"}},
	})
	require.NoError(t, err)
	stopped = a.start("Pause", nil)
	a.pass(5 * time.Second)
	require.Equal(t, types.AutomationExecutionStatusSuccess, a.execution(resumed).AutomationExecutionStatus)
	_, err = client.StopAutomationExecution(
		ctx, &ssm.StopAutomationExecutionInput{AutomationExecutionId: &stopped, Type: types.StopTypeCancel},
	)
	require.NoError(t, err)
	a.pass(10 * time.Second)
	require.Equal(
		t, types.AutomationExecutionStatusInprogress, a.execution(stopped).AutomationExecutionStatus, "it cleans up",
	)
	a.pass(time.Minute)
	require.Equal(t, types.AutomationExecutionStatusCancelled, a.execution(stopped).AutomationExecutionStatus)
	require.Equal(t, "Success", stepStatus(a.execution(stopped), "clean"))
}
