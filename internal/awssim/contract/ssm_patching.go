package contract

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/google/uuid"
)

func baselines() Scenario {
	return Scenario{Name: "patch baselines", Steps: func(c *Clients) []Step {
		var id *string
		group := aws.String(c.Prefix + "group")
		return []Step{
			{"a baseline is made and read back", func(ctx context.Context) error {
				out, err := c.SSM.CreatePatchBaseline(ctx, &ssm.CreatePatchBaselineInput{
					Name: aws.String(c.Prefix + "baseline"), OperatingSystem: types.OperatingSystemAmazonLinux2023,
					Description: aws.String("critical at once"),
					ApprovalRules: &types.PatchRuleGroup{PatchRules: []types.PatchRule{{
						ApproveAfterDays: aws.Int32(0), ComplianceLevel: types.PatchComplianceLevelCritical,
						PatchFilterGroup: &types.PatchFilterGroup{
							PatchFilters: []types.PatchFilter{{Key: types.PatchFilterKeySeverity, Values: []string{"Critical"}}},
						},
					}}},
				})
				if err != nil {
					return err
				}
				id = out.BaselineId
				c.Later(func(ctx context.Context) error {
					_, err := c.SSM.DeletePatchBaseline(ctx, &ssm.DeletePatchBaselineInput{BaselineId: id})
					return err
				})
				read, err := c.SSM.GetPatchBaseline(ctx, &ssm.GetPatchBaselineInput{BaselineId: id})
				if err != nil {
					return err
				}
				return errors.Join(
					same("operating system", types.OperatingSystemAmazonLinux2023, read.OperatingSystem),
					same("rules", 1, len(read.ApprovalRules.PatchRules)),
					same("days", 0, *read.ApprovalRules.PatchRules[0].ApproveAfterDays),
				)
			}},
			{"it is found by name", func(ctx context.Context) error {
				out, err := c.SSM.DescribePatchBaselines(
					ctx,
					&ssm.DescribePatchBaselinesInput{
						Filters: []types.PatchOrchestratorFilter{{Key: aws.String("NAME_PREFIX"), Values: []string{c.Prefix}}},
					},
				)
				if err != nil {
					return err
				}
				return same("baselines", 1, len(out.BaselineIdentities))
			}},
			{"a patch group gets it", func(ctx context.Context) error {
				if _, err := c.SSM.RegisterPatchBaselineForPatchGroup(
					ctx, &ssm.RegisterPatchBaselineForPatchGroupInput{BaselineId: id, PatchGroup: group},
				); err != nil {
					return err
				}
				c.Later(func(ctx context.Context) error {
					_, err := c.SSM.DeregisterPatchBaselineForPatchGroup(
						ctx, &ssm.DeregisterPatchBaselineForPatchGroupInput{BaselineId: id, PatchGroup: group},
					)
					return err
				})
				out, err := c.SSM.GetPatchBaselineForPatchGroup(
					ctx,
					&ssm.GetPatchBaselineForPatchGroupInput{PatchGroup: group, OperatingSystem: types.OperatingSystemAmazonLinux2023},
				)
				if err != nil {
					return err
				}
				return same("baseline", *id, *out.BaselineId)
			}},
			{"while a group has it, it is not deleted", func(ctx context.Context) error {
				_, err := c.SSM.DeletePatchBaseline(ctx, &ssm.DeletePatchBaselineInput{BaselineId: id})
				return refused(err, "ResourceInUseException")
			}},
			{"one that does not exist", func(ctx context.Context) error {
				_, err := c.SSM.GetPatchBaseline(ctx, &ssm.GetPatchBaselineInput{BaselineId: aws.String("pb-0123456789abcdef0")})
				return refused(err, "DoesNotExistException")
			}},
		}
	}}
}

// calm is how long to wait between calls of which AWS takes one a second.
const calm = 2 * time.Second

func automation() Scenario {
	return Scenario{Name: "automation", Steps: func(c *Clients) []Step {
		var name *string
		token := uuid.NewString()
		key := "patchtide:attempt:" + token
		start := func(ctx context.Context, duration string) (*string, error) {
			if err := c.Pass(ctx, calm); err != nil {
				return nil, err
			}
			out, err := c.SSM.StartAutomationExecution(ctx, &ssm.StartAutomationExecutionInput{
				DocumentName: name, Parameters: map[string][]string{"Duration": {duration}},
				Tags: []types.Tag{{Key: &key, Value: aws.String("")}},
			})
			if err != nil {
				return nil, err
			}
			return out.AutomationExecutionId, nil
		}
		ends := func(ctx context.Context, id *string, want types.AutomationExecutionStatus) error {
			return c.eventually(ctx, func() (bool, string, error) {
				out, err := c.SSM.GetAutomationExecution(ctx, &ssm.GetAutomationExecutionInput{AutomationExecutionId: id})
				if err != nil {
					return false, "", err
				}
				status := out.AutomationExecution.AutomationExecutionStatus
				return status == want, fmt.Sprintf("it is %s, not %s", status, want), nil
			})
		}
		var id *string
		return []Step{
			{"an execution runs its steps and succeeds", func(ctx context.Context) (err error) {
				if name, err = c.document(ctx, "automation", "one"); err != nil {
					return err
				}
				if id, err = start(ctx, "PT10S"); err != nil {
					return err
				}
				return ends(ctx, id, types.AutomationExecutionStatusSuccess)
			}},
			{"it is found by the key of a tag", func(ctx context.Context) error {
				return c.eventually(ctx, func() (bool, string, error) {
					out, err := c.SSM.DescribeAutomationExecutions(
						ctx,
						&ssm.DescribeAutomationExecutionsInput{
							Filters: []types.AutomationExecutionFilter{
								{Key: types.AutomationExecutionFilterKeyTagKey, Values: []string{key}},
							},
						},
					)
					if err != nil || len(out.AutomationExecutionMetadataList) != 1 {
						return false, "not found", err
					}
					return true, "", same("id", *id, *out.AutomationExecutionMetadataList[0].AutomationExecutionId)
				})
			}},
			{"its steps are told", func(ctx context.Context) error {
				out, err := c.SSM.DescribeAutomationStepExecutions(
					ctx, &ssm.DescribeAutomationStepExecutionsInput{AutomationExecutionId: id},
				)
				if err != nil {
					return err
				}
				if len(out.StepExecutions) != 1 {
					return fmt.Errorf("%d steps", len(out.StepExecutions))
				}
				step := out.StepExecutions[0]
				return errors.Join(
					same("action", "aws:sleep", *step.Action), same("status", types.AutomationExecutionStatusSuccess, step.StepStatus),
				)
			}},
			{"a stopped one is cancelled", func(ctx context.Context) error {
				long, err := start(ctx, "PT1H")
				if err != nil {
					return err
				}
				if err := ends(ctx, long, types.AutomationExecutionStatusInprogress); err != nil {
					return err
				}
				if _, err := c.SSM.StopAutomationExecution(
					ctx, &ssm.StopAutomationExecutionInput{AutomationExecutionId: long, Type: types.StopTypeCancel},
				); err != nil {
					return err
				}
				return ends(ctx, long, types.AutomationExecutionStatusCancelled)
			}},
			{"a parameter that the runbook lacks", func(ctx context.Context) error {
				if err := c.Pass(ctx, calm); err != nil {
					return err
				}
				_, err := c.SSM.StartAutomationExecution(
					ctx, &ssm.StartAutomationExecutionInput{DocumentName: name, Parameters: map[string][]string{"Surprise": {"x"}}},
				)
				return refused(err, "InvalidAutomationExecutionParametersException")
			}},
			{"a runbook that does not exist", func(ctx context.Context) error {
				if err := c.Pass(ctx, calm); err != nil {
					return err
				}
				_, err := c.SSM.StartAutomationExecution(
					ctx, &ssm.StartAutomationExecutionInput{DocumentName: aws.String(c.Prefix + "nobody")},
				)
				return refused(err, "AutomationDefinitionNotFoundException")
			}},
			{"an execution that does not exist", func(ctx context.Context) error {
				none := strings.Repeat("0", 8) + "-0000-4000-8000-000000000000"
				_, err := c.SSM.GetAutomationExecution(ctx, &ssm.GetAutomationExecutionInput{AutomationExecutionId: &none})
				return refused(err, "AutomationExecutionNotFoundException")
			}},
		}
	}}
}
