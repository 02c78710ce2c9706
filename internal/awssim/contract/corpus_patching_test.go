package contract_test

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/patchtide/patchtide/internal/awssim/contract"
)

func restOfPatching(s *simulator) contract.Scenario {
	return scenario("the rest of patching", func(c *contract.Clients) []contract.Step {
		return []contract.Step{
			{Name: "a scan is read", Do: func(ctx context.Context) error {
				sent, err := c.SSM.SendCommand(ctx, &ssm.SendCommandInput{
					DocumentName: aws.String("AWS-RunPatchBaseline"), InstanceIds: []string{c.Managed},
					Parameters: map[string][]string{"Operation": {"Scan"}},
				})
				if err != nil {
					return err
				}
				s.clock.pass(5 * time.Minute)
				return errors.Join(
					did(
						c.SSM.ListCommandInvocations(
							ctx, &ssm.ListCommandInvocationsInput{CommandId: sent.Command.CommandId, Details: true},
						),
					),
					did(
						c.SSM.DescribeInstancePatchStates(ctx, &ssm.DescribeInstancePatchStatesInput{InstanceIds: []string{c.Managed}}),
					),
					did(c.SSM.DescribeInstancePatches(ctx, &ssm.DescribeInstancePatchesInput{InstanceId: &c.Managed})),
				)
			}},
			{Name: "an install is cancelled", Do: func(ctx context.Context) error {
				sent, err := c.SSM.SendCommand(ctx, &ssm.SendCommandInput{
					DocumentName: aws.String("AWS-RunPatchBaseline"), InstanceIds: []string{c.Managed},
					Parameters: map[string][]string{"Operation": {"Install"}},
				})
				if err != nil {
					return err
				}
				s.clock.pass(10 * time.Second)
				err = did(c.SSM.CancelCommand(ctx, &ssm.CancelCommandInput{CommandId: sent.Command.CommandId}))
				s.clock.pass(10 * time.Minute)
				return err
			}},
			{Name: "baselines change", Do: func(ctx context.Context) error {
				usual, err := c.SSM.GetDefaultPatchBaseline(
					ctx, &ssm.GetDefaultPatchBaselineInput{OperatingSystem: types.OperatingSystemAmazonLinux2023},
				)
				if err != nil {
					return err
				}
				mine, err := c.SSM.CreatePatchBaseline(
					ctx,
					&ssm.CreatePatchBaselineInput{Name: aws.String("corpus"), OperatingSystem: types.OperatingSystemAmazonLinux2023},
				)
				if err != nil {
					return err
				}
				return errors.Join(
					did(
						c.SSM.UpdatePatchBaseline(
							ctx,
							&ssm.UpdatePatchBaselineInput{
								BaselineId: mine.BaselineId, Description: aws.String("changed"), RejectedPatches: []string{"vim*"},
							},
						),
					),
					did(c.SSM.RegisterDefaultPatchBaseline(ctx, &ssm.RegisterDefaultPatchBaselineInput{BaselineId: mine.BaselineId})),
					did(c.SSM.RegisterDefaultPatchBaseline(ctx, &ssm.RegisterDefaultPatchBaselineInput{BaselineId: usual.BaselineId})),
					did(
						c.SSM.RegisterPatchBaselineForPatchGroup(
							ctx, &ssm.RegisterPatchBaselineForPatchGroupInput{BaselineId: mine.BaselineId, PatchGroup: aws.String("corpus")},
						),
					),
					did(c.SSM.DescribePatchGroups(ctx, &ssm.DescribePatchGroupsInput{})),
					did(
						c.SSM.AddTagsToResource(
							ctx,
							&ssm.AddTagsToResourceInput{
								ResourceType: types.ResourceTypeForTaggingPatchBaseline, ResourceId: mine.BaselineId,
								Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}},
							},
						),
					),
					did(
						c.SSM.ListTagsForResource(
							ctx,
							&ssm.ListTagsForResourceInput{
								ResourceType: types.ResourceTypeForTaggingPatchBaseline, ResourceId: mine.BaselineId,
							},
						),
					),
					did(
						c.SSM.RemoveTagsFromResource(
							ctx,
							&ssm.RemoveTagsFromResourceInput{
								ResourceType: types.ResourceTypeForTaggingPatchBaseline, ResourceId: mine.BaselineId, TagKeys: []string{"a"},
							},
						),
					),
				)
			}},
		}
	})
}

// approval waits for a person.
const approval = `{"schemaVersion":"0.3","mainSteps":[{"name":"ask","action":"aws:approve","inputs":{"Approvers":["arn:aws:iam::222233334444:role/patchtide"]},"isEnd":true}]}`

func restOfSSM(s *simulator) contract.Scenario {
	return scenario("the rest of Systems Manager", func(c *contract.Clients) []contract.Step {
		return []contract.Step{
			{Name: "an approval", Do: func(ctx context.Context) error {
				name := aws.String("Corpus-Approval")
				err := did(
					c.SSM.CreateDocument(
						ctx,
						&ssm.CreateDocumentInput{
							Name: name, Content: aws.String(approval), DocumentType: types.DocumentTypeAutomation,
							DocumentFormat: types.DocumentFormatJson,
						},
					),
				)
				s.clock.pass(time.Minute)
				started, startErr := c.SSM.StartAutomationExecution(ctx, &ssm.StartAutomationExecutionInput{DocumentName: name})
				if err := errors.Join(err, startErr); err != nil {
					return err
				}
				s.clock.pass(time.Minute)
				return errors.Join(
					did(
						c.SSM.GetAutomationExecution(
							ctx, &ssm.GetAutomationExecutionInput{AutomationExecutionId: started.AutomationExecutionId},
						),
					),
					did(
						c.SSM.SendAutomationSignal(
							ctx,
							&ssm.SendAutomationSignalInput{
								AutomationExecutionId: started.AutomationExecutionId, SignalType: types.SignalTypeApprove,
							},
						),
					),
					did(
						c.SSM.DescribeAutomationStepExecutions(
							ctx, &ssm.DescribeAutomationStepExecutionsInput{AutomationExecutionId: started.AutomationExecutionId},
						),
					),
				)
			}},
			{Name: "other patchers and calendars", Do: func(ctx context.Context) error {
				return errors.Join(
					did(c.SSM.DescribeMaintenanceWindows(ctx, &ssm.DescribeMaintenanceWindowsInput{})),
					did(c.SSM.ListAssociations(ctx, &ssm.ListAssociationsInput{})),
					did(c.SSM.GetCalendarState(ctx, &ssm.GetCalendarStateInput{CalendarNames: []string{"freeze"}})),
				)
			}},
		}
	})
}
