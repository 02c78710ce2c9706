package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// CommandAPI is the part of Run Command that finds and stops commands.
type CommandAPI interface {
	ListCommands(ctx context.Context, in *ssm.ListCommandsInput, opts ...func(*ssm.Options)) (
		*ssm.ListCommandsOutput, error,
	)
	ListCommandInvocations(ctx context.Context, in *ssm.ListCommandInvocationsInput, opts ...func(*ssm.Options)) (
		*ssm.ListCommandInvocationsOutput, error,
	)
	CancelCommand(ctx context.Context, in *ssm.CancelCommandInput, opts ...func(*ssm.Options)) (
		*ssm.CancelCommandOutput, error,
	)
}

// AutomationAPI is the part of Automation that runs the runbook.
type AutomationAPI interface {
	StartAutomationExecution(ctx context.Context, in *ssm.StartAutomationExecutionInput, opts ...func(*ssm.Options)) (
		*ssm.StartAutomationExecutionOutput, error,
	)
	GetAutomationExecution(ctx context.Context, in *ssm.GetAutomationExecutionInput, opts ...func(*ssm.Options)) (
		*ssm.GetAutomationExecutionOutput, error,
	)
	DescribeAutomationExecutions(
		ctx context.Context,
		in *ssm.DescribeAutomationExecutionsInput,
		opts ...func(*ssm.Options),
	) (*ssm.DescribeAutomationExecutionsOutput, error)
	DescribeAutomationStepExecutions(
		ctx context.Context,
		in *ssm.DescribeAutomationStepExecutionsInput,
		opts ...func(*ssm.Options),
	) (*ssm.DescribeAutomationStepExecutionsOutput, error)
	StopAutomationExecution(ctx context.Context, in *ssm.StopAutomationExecutionInput, opts ...func(*ssm.Options)) (
		*ssm.StopAutomationExecutionOutput, error,
	)
}

// DocumentAPI registers the runbook.
type DocumentAPI interface {
	CreateDocument(ctx context.Context, in *ssm.CreateDocumentInput, opts ...func(*ssm.Options)) (
		*ssm.CreateDocumentOutput, error,
	)
	UpdateDocument(ctx context.Context, in *ssm.UpdateDocumentInput, opts ...func(*ssm.Options)) (
		*ssm.UpdateDocumentOutput, error,
	)
	DescribeDocument(ctx context.Context, in *ssm.DescribeDocumentInput, opts ...func(*ssm.Options)) (
		*ssm.DescribeDocumentOutput, error,
	)
	GetDocument(ctx context.Context, in *ssm.GetDocumentInput, opts ...func(*ssm.Options)) (*ssm.GetDocumentOutput, error)
}

// PatchAPI is the part of Patch Manager that keeps baselines and reads patch states.
type PatchAPI interface {
	DescribeInstancePatchStates(
		ctx context.Context,
		in *ssm.DescribeInstancePatchStatesInput,
		opts ...func(*ssm.Options),
	) (*ssm.DescribeInstancePatchStatesOutput, error)
	DescribeInstancePatches(ctx context.Context, in *ssm.DescribeInstancePatchesInput, opts ...func(*ssm.Options)) (
		*ssm.DescribeInstancePatchesOutput, error,
	)
	DescribePatchBaselines(ctx context.Context, in *ssm.DescribePatchBaselinesInput, opts ...func(*ssm.Options)) (
		*ssm.DescribePatchBaselinesOutput, error,
	)
	GetPatchBaseline(ctx context.Context, in *ssm.GetPatchBaselineInput, opts ...func(*ssm.Options)) (
		*ssm.GetPatchBaselineOutput, error,
	)
	CreatePatchBaseline(ctx context.Context, in *ssm.CreatePatchBaselineInput, opts ...func(*ssm.Options)) (
		*ssm.CreatePatchBaselineOutput, error,
	)
	UpdatePatchBaseline(ctx context.Context, in *ssm.UpdatePatchBaselineInput, opts ...func(*ssm.Options)) (
		*ssm.UpdatePatchBaselineOutput, error,
	)
	RegisterPatchBaselineForPatchGroup(
		ctx context.Context,
		in *ssm.RegisterPatchBaselineForPatchGroupInput,
		opts ...func(*ssm.Options),
	) (*ssm.RegisterPatchBaselineForPatchGroupOutput, error)
	GetPatchBaselineForPatchGroup(
		ctx context.Context,
		in *ssm.GetPatchBaselineForPatchGroupInput,
		opts ...func(*ssm.Options),
	) (*ssm.GetPatchBaselineForPatchGroupOutput, error)
}

// NodeAPI is the part that reads and writes the tags of managed nodes, which EC2 does not know.
type NodeAPI interface {
	ListTagsForResource(ctx context.Context, in *ssm.ListTagsForResourceInput, opts ...func(*ssm.Options)) (
		*ssm.ListTagsForResourceOutput, error,
	)
	AddTagsToResource(ctx context.Context, in *ssm.AddTagsToResourceInput, opts ...func(*ssm.Options)) (
		*ssm.AddTagsToResourceOutput, error,
	)
	RemoveTagsFromResource(ctx context.Context, in *ssm.RemoveTagsFromResourceInput, opts ...func(*ssm.Options)) (
		*ssm.RemoveTagsFromResourceOutput, error,
	)
}
