package contract_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	cttypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"

	"github.com/patchtide/patchtide/internal/awssim/contract"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// others are people and services that work on the same instances: each operation is made to succeed, and where a client
// depends on how it fails, to fail.
func others(s *simulator) contract.Scenario {
	return scenario("others", func(c *contract.Clients) []contract.Step {
		const key = "arn:aws:kms:" + tokyo + ":" + staging + ":key/11111111-2222-4333-8444-555555555555"
		stacks, deployments, keys := cloudformation.NewFromConfig(
			c.Config,
		), codedeploy.NewFromConfig(
			c.Config,
		), kms.NewFromConfig(
			c.Config,
		)
		s.Inspect(func(*world.World) {
			s.region.AddMaintenanceWindow(world.MaintenanceSpec{
				Name: "patching", Enabled: true, Schedule: "cron(0 2 ? * SUN *)", Duration: 3, Cutoff: 1,
				Opens: world.Duration(time.Minute),
				Task:  "AWS-RunPatchBaseline", Operation: "Install", Tags: map[string]string{"Role": "web"},
			})
			s.region.AddAssociation(
				world.AssociationsSpec{
					Document: "AWS-RunPatchBaseline", Schedule: "rate(1 day)", Operation: "Install",
					Tags: map[string]string{"Role": "web"},
				},
			)
			s.region.PutCalendar(&world.Calendar{Name: "nights", State: "CLOSED", Changes: s.clock.now().Add(time.Hour)})
			s.region.PutStack(world.Stack{Name: "web", Status: "UPDATE_IN_PROGRESS"})
			s.region.PutDeployment(world.Deployment{ID: "d-ABCDEF111", Status: "InProgress", Targets: []string{c.Managed}})
			s.region.PutDeployment(world.Deployment{ID: "d-ABCDEF222", Status: "Queued"})
			s.region.PutKey(&world.Key{ARN: key, State: "Enabled", Manager: "CUSTOMER"})
		})
		fails := func(err error, with string) error {
			var failure smithy.APIError
			if errors.As(err, &failure) && failure.ErrorCode() == with {
				return nil
			}
			return fmt.Errorf("want %s, got %w", with, err)
		}
		return []contract.Step{
			{Name: "a calendar tells when it changes", Do: func(ctx context.Context) error {
				out, err := c.SSM.GetCalendarState(ctx, &ssm.GetCalendarStateInput{CalendarNames: []string{"nights", "freeze"}})
				if err != nil {
					return err
				}
				if out.State != types.CalendarStateClosed || out.NextTransitionTime == nil {
					return fmt.Errorf("closed with a next transition is what it should be, got %s", out.State)
				}
				return nil
			}},
			{Name: "a maintenance window that patches", Do: func(ctx context.Context) error {
				listed, err := c.SSM.DescribeMaintenanceWindows(ctx, &ssm.DescribeMaintenanceWindowsInput{
					Filters: []types.MaintenanceWindowFilter{{Key: aws.String("Enabled"), Values: []string{"true"}}},
				})
				if err != nil {
					return err
				}
				id := listed.WindowIdentities[len(listed.WindowIdentities)-1].WindowId
				tasks, err := c.SSM.DescribeMaintenanceWindowTasks(ctx, &ssm.DescribeMaintenanceWindowTasksInput{WindowId: id})
				if err != nil {
					return err
				}
				s.clock.pass(5 * time.Minute)
				return errors.Join(
					did(
						c.SSM.GetMaintenanceWindowTask(
							ctx, &ssm.GetMaintenanceWindowTaskInput{WindowId: id, WindowTaskId: tasks.Tasks[0].WindowTaskId},
						),
					),
					did(c.SSM.DescribeMaintenanceWindowTargets(ctx, &ssm.DescribeMaintenanceWindowTargetsInput{WindowId: id})),
					did(c.SSM.DescribeMaintenanceWindowExecutions(ctx, &ssm.DescribeMaintenanceWindowExecutionsInput{WindowId: id})),
				)
			}},
			{Name: "an association that patches", Do: func(ctx context.Context) error {
				listed, err := c.SSM.ListAssociations(ctx, &ssm.ListAssociationsInput{})
				if err != nil {
					return err
				}
				id := listed.Associations[len(listed.Associations)-1].AssociationId
				return did(c.SSM.DescribeAssociation(ctx, &ssm.DescribeAssociationInput{AssociationId: id}))
			}},
			{Name: "stacks", Do: func(ctx context.Context) error {
				return errors.Join(
					did(stacks.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String("web")})),
					fails(
						did(stacks.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String("none")})),
						"ValidationError",
					),
				)
			}},
			{Name: "deployments", Do: func(ctx context.Context) error {
				return errors.Join(
					did(
						deployments.ListDeployments(
							ctx, &codedeploy.ListDeploymentsInput{IncludeOnlyStatuses: []cdtypes.DeploymentStatus{"InProgress", "Queued"}},
						),
					),
					did(
						deployments.ListDeploymentTargets(
							ctx, &codedeploy.ListDeploymentTargetsInput{DeploymentId: aws.String("d-ABCDEF111")},
						),
					),
					fails(
						did(
							deployments.ListDeploymentTargets(
								ctx, &codedeploy.ListDeploymentTargetsInput{DeploymentId: aws.String("d-ABCDEF222")},
							),
						),
						"DeploymentNotStartedException",
					),
				)
			}},
			{Name: "who has changed a baseline", Do: func(ctx context.Context) error {
				trail := cloudtrail.NewFromConfig(c.Config)
				events, err := trail.LookupEvents(ctx, &cloudtrail.LookupEventsInput{
					LookupAttributes: []cttypes.LookupAttribute{{
						AttributeKey: cttypes.LookupAttributeKeyEventName, AttributeValue: aws.String("UpdatePatchBaseline"),
					}},
				})
				if err == nil && len(events.Events) == 0 {
					err = errors.New("CloudTrail tells of no change")
				}
				return errors.Join(err, fails(did(trail.LookupEvents(ctx, &cloudtrail.LookupEventsInput{
					StartTime: aws.Time(s.clock.now()), EndTime: aws.Time(s.clock.now().Add(-time.Hour)),
				})), "InvalidTimeRangeException"))
			}},
			{Name: "what a role may do", Do: func(ctx context.Context) error {
				policies := iam.NewFromConfig(c.Config)
				ask := func(role string, actions ...string) error {
					return did(
						policies.SimulatePrincipalPolicy(
							ctx, &iam.SimulatePrincipalPolicyInput{PolicySourceArn: &role, ActionNames: actions},
						),
					)
				}
				return errors.Join(
					ask(c.Role, "ec2:DescribeInstances", "autoscaling:EnterStandby"),
					fails(ask(c.Role, "EnterStandby"), "InvalidInput"),
					fails(ask(c.Role+"-nobody", "ec2:DescribeInstances"), "NoSuchEntity"),
				)
			}},
			{Name: "keys", Do: func(ctx context.Context) error {
				use := &kms.GenerateDataKeyWithoutPlaintextInput{KeyId: aws.String(key), KeySpec: kmstypes.DataKeySpecAes256}
				err := errors.Join(
					did(keys.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String(key)})),
					did(keys.GenerateDataKeyWithoutPlaintext(ctx, use)),
				)
				use.DryRun = aws.Bool(true)
				err = errors.Join(err, fails(did(keys.GenerateDataKeyWithoutPlaintext(ctx, use)), "DryRunOperationException"))
				s.Inspect(func(*world.World) { s.region.Key(key).State = "Disabled" })
				return errors.Join(err, fails(did(keys.GenerateDataKeyWithoutPlaintext(ctx, use)), "DisabledException"))
			}},
			{Name: "authentication codes", Do: func(ctx context.Context) error {
				const alias = "alias/journal"
				s.Inspect(func(*world.World) {
					s.region.PutKey(
						&world.Key{
							ARN: strings.Replace(key, "1111", "9999", 1), State: "Enabled", Manager: "CUSTOMER", MAC: true, Alias: alias,
						},
					)
				})
				made, err := keys.GenerateMac(
					ctx,
					&kms.GenerateMacInput{
						KeyId: aws.String(alias), Message: []byte("words"), MacAlgorithm: kmstypes.MacAlgorithmSpecHmacSha256,
					},
				)
				if err != nil {
					return err
				}
				verify := func(message string) error {
					return did(
						keys.VerifyMac(
							ctx,
							&kms.VerifyMacInput{
								KeyId: aws.String(alias), Message: []byte(message), Mac: made.Mac, MacAlgorithm: made.MacAlgorithm,
							},
						),
					)
				}
				encrypt := &kms.GenerateDataKeyWithoutPlaintextInput{KeyId: aws.String(alias), KeySpec: kmstypes.DataKeySpecAes256}
				return errors.Join(
					did(keys.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String(alias)})), verify("words"),
					fails(verify("others"), "KMSInvalidMacException"),
					fails(did(keys.GenerateDataKeyWithoutPlaintext(ctx, encrypt)), "InvalidKeyUsageException"),
				)
			}},
		}
	})
}
