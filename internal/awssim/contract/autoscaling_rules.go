package contract

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
)

func scalingErrors() Scenario {
	return Scenario{Name: "auto scaling, refusals", Steps: func(c *Clients) []Step {
		var g *group
		nobody := aws.String(c.Prefix + "nobody")
		return []Step{
			{"a group that does not exist is not described", func(ctx context.Context) error {
				out, err := c.Scaling.DescribeAutoScalingGroups(
					ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{*nobody}},
				)
				if err != nil {
					return err
				}
				return same("groups", 0, len(out.AutoScalingGroups))
			}},
			{"a group that does not exist is not changed", func(ctx context.Context) error {
				_, err := c.Scaling.SuspendProcesses(
					ctx, &autoscaling.SuspendProcessesInput{AutoScalingGroupName: nobody, ScalingProcesses: []string{"AZRebalance"}},
				)
				return refused(err, "ValidationError")
			}},
			{"a stranger has no health here", func(ctx context.Context) error {
				_, err := c.Scaling.SetInstanceHealth(
					ctx,
					&autoscaling.SetInstanceHealthInput{
						InstanceId: aws.String("i-0123456789abcdef0"), HealthStatus: aws.String("Healthy"),
					},
				)
				// A role whose policy names groups is denied: of a stranger there is no group to name.
				return refused(err, "ValidationError", "AccessDenied")
			}},
			{"a health that is none", func(ctx context.Context) (err error) {
				if g, err = c.newGroup(ctx, "errors", sizes{1, 1, 2}); err != nil {
					return err
				}
				id, err := g.member(ctx)
				if err != nil {
					return err
				}
				_, err = c.Scaling.SetInstanceHealth(
					ctx, &autoscaling.SetInstanceHealthInput{InstanceId: &id, HealthStatus: aws.String("Fine")},
				)
				return refused(err, "ValidationError")
			}},
			{"a group cannot want less than min or more than max", func(ctx context.Context) error {
				_, low := c.Scaling.SetDesiredCapacity(
					ctx, &autoscaling.SetDesiredCapacityInput{AutoScalingGroupName: g.name, DesiredCapacity: aws.Int32(0)},
				)
				_, high := c.Scaling.SetDesiredCapacity(
					ctx, &autoscaling.SetDesiredCapacityInput{AutoScalingGroupName: g.name, DesiredCapacity: aws.Int32(3)},
				)
				return errors.Join(refused(low, "ValidationError"), refused(high, "ValidationError"))
			}},
			{"min cannot be over max", func(ctx context.Context) error {
				return refused(g.resize(ctx, autoscaling.UpdateAutoScalingGroupInput{MinSize: aws.Int32(5)}), "ValidationError")
			}},
			{"a group of a name in use", func(ctx context.Context) error {
				template, err := c.template(ctx, "again")
				if err != nil {
					return err
				}
				_, err = c.Scaling.CreateAutoScalingGroup(ctx, &autoscaling.CreateAutoScalingGroupInput{
					AutoScalingGroupName: g.name, MinSize: aws.Int32(0), MaxSize: aws.Int32(0), AvailabilityZones: c.Zones,
					LaunchTemplate: &types.LaunchTemplateSpecification{LaunchTemplateId: &template},
				})
				return refused(err, "AlreadyExists", "AlreadyExistsFault")
			}},
		}
	}}
}

func standbyRules() Scenario {
	return Scenario{Name: "auto scaling, standby", Steps: func(c *Clients) []Step {
		var g *group
		var id string
		return []Step{
			{"an instance goes into standby and desired goes down", func(ctx context.Context) (err error) {
				if g, err = c.newGroup(ctx, "standby", sizes{1, 2, 2}); err != nil {
					return err
				}
				if id, err = g.member(ctx); err != nil {
					return err
				}
				if err := g.enter(ctx, id, true); err != nil {
					return err
				}
				return errors.Join(g.until(ctx, 1, types.LifecycleStateStandby), g.wants(ctx, 1))
			}},
			{"it stays Healthy and listed", func(ctx context.Context) error {
				out, err := c.Scaling.DescribeAutoScalingInstances(
					ctx, &autoscaling.DescribeAutoScalingInstancesInput{InstanceIds: []string{id}},
				)
				if err != nil {
					return err
				}
				return errors.Join(
					same("health", "HEALTHY", *out.AutoScalingInstances[0].HealthStatus),
					same("state", "Standby", *out.AutoScalingInstances[0].LifecycleState),
				)
			}},
			{"it comes back and desired goes up", func(ctx context.Context) error {
				if err := g.exit(ctx, id); err != nil {
					return err
				}
				return errors.Join(g.until(ctx, 2, types.LifecycleStateInService), g.wants(ctx, 2))
			}},
			{"without decrement a replacement is launched", func(ctx context.Context) error {
				if err := g.enter(ctx, id, false); err != nil {
					return err
				}
				if err := errors.Join(
					g.until(ctx, 1, types.LifecycleStateStandby), g.until(ctx, 2, types.LifecycleStateInService), g.wants(ctx, 2),
				); err != nil {
					return err
				}
				now, err := g.read(ctx)
				if err != nil {
					return err
				}
				return same("members", 3, len(now.Instances))
			}},
			{"it comes back once max allows it", func(ctx context.Context) error {
				if err := g.resize(ctx, autoscaling.UpdateAutoScalingGroupInput{MaxSize: aws.Int32(3)}); err != nil {
					return err
				}
				if err := g.exit(ctx, id); err != nil {
					return err
				}
				return errors.Join(g.until(ctx, 3, types.LifecycleStateInService), g.wants(ctx, 3))
			}},
			{"it cannot leave a second time", func(ctx context.Context) error {
				return refused(g.exit(ctx, id), "ValidationError")
			}},
			{"a stranger cannot enter", func(ctx context.Context) error {
				return refused(g.enter(ctx, "i-0123456789abcdef0", true), "ValidationError")
			}},
			{"desired does not go over max on the way back", func(ctx context.Context) error {
				if err := g.enter(ctx, id, false); err != nil {
					return err
				}
				if err := errors.Join(
					g.until(ctx, 1, types.LifecycleStateStandby), g.until(ctx, 3, types.LifecycleStateInService),
				); err != nil {
					return err
				}
				return refused(g.exit(ctx, id), "ValidationError")
			}},
			{"desired does not go under min", func(ctx context.Context) error {
				if err := g.resize(ctx, autoscaling.UpdateAutoScalingGroupInput{MinSize: aws.Int32(3)}); err != nil {
					return err
				}
				other, err := g.member(ctx)
				if err != nil {
					return err
				}
				return refused(g.enter(ctx, other, true), "ValidationError")
			}},
			{"the one that was refused is still in service", func(ctx context.Context) error {
				return errors.Join(g.until(ctx, 3, types.LifecycleStateInService), g.wants(ctx, 3))
			}},
			{"it cannot enter a second time", func(ctx context.Context) error {
				return refused(g.enter(ctx, id, true), "ValidationError")
			}},
		}
	}}
}

func processes() Scenario {
	return Scenario{Name: "auto scaling, processes", Steps: func(c *Clients) []Step {
		var g *group
		suspended := func(ctx context.Context) (map[string]bool, error) {
			now, err := g.read(ctx)
			names := map[string]bool{}
			for _, process := range now.SuspendedProcesses {
				names[*process.ProcessName] = true
			}
			return names, err
		}
		suspend := func(ctx context.Context, names ...string) error {
			_, err := c.Scaling.SuspendProcesses(
				ctx, &autoscaling.SuspendProcessesInput{AutoScalingGroupName: g.name, ScalingProcesses: names},
			)
			return err
		}
		resume := func(ctx context.Context, names ...string) error {
			_, err := c.Scaling.ResumeProcesses(
				ctx, &autoscaling.ResumeProcessesInput{AutoScalingGroupName: g.name, ScalingProcesses: names},
			)
			return err
		}
		exactly := func(ctx context.Context, want ...string) error {
			names, err := suspended(ctx)
			if err != nil {
				return err
			}
			for _, name := range want {
				if !names[name] {
					return fmt.Errorf("%s is not suspended; these are: %v", name, names)
				}
			}
			return same("number of suspended processes", len(want), len(names))
		}
		return []Step{
			{"named processes are suspended, twice without harm", func(ctx context.Context) (err error) {
				if g, err = c.newGroup(ctx, "processes", sizes{0, 1, 2}); err != nil {
					return err
				}
				for range 2 {
					if err := suspend(ctx, "AZRebalance", "ReplaceUnhealthy"); err != nil {
						return err
					}
				}
				return exactly(ctx, "AZRebalance", "ReplaceUnhealthy")
			}},
			{"only the named ones are resumed", func(ctx context.Context) error {
				if err := resume(ctx, "AZRebalance"); err != nil {
					return err
				}
				return exactly(ctx, "ReplaceUnhealthy")
			}},
			{"an unhealthy instance stays while ReplaceUnhealthy is suspended", func(ctx context.Context) error {
				id, err := g.member(ctx)
				if err != nil {
					return err
				}
				if _, err := c.Scaling.SetInstanceHealth(
					ctx,
					&autoscaling.SetInstanceHealthInput{
						InstanceId: &id, HealthStatus: aws.String("Unhealthy"), ShouldRespectGracePeriod: aws.Bool(false),
					},
				); err != nil {
					return err
				}
				if err := c.Pass(ctx, patience/10); err != nil {
					return err
				}
				now, err := g.read(ctx)
				if err != nil {
					return err
				}
				if len(now.Instances) != 1 {
					return fmt.Errorf("the group has %d instances", len(now.Instances))
				}
				return errors.Join(
					same("the member", id, *now.Instances[0].InstanceId), same("health", "Unhealthy", *now.Instances[0].HealthStatus),
				)
			}},
			{"it is replaced once the process resumes", func(ctx context.Context) error {
				id := ""
				if now, err := g.read(ctx); err == nil {
					id = *now.Instances[0].InstanceId
				}
				if err := resume(ctx, "ReplaceUnhealthy"); err != nil {
					return err
				}
				return c.eventually(ctx, func() (bool, string, error) {
					fresh, err := g.member(ctx)
					return err == nil && fresh != id, "no other instance is in service", nil
				})
			}},
			{"nothing is launched while Launch is suspended", func(ctx context.Context) error {
				if err := suspend(ctx, "Launch"); err != nil {
					return err
				}
				if err := g.resize(ctx, autoscaling.UpdateAutoScalingGroupInput{DesiredCapacity: aws.Int32(2)}); err != nil {
					return err
				}
				if err := c.Pass(ctx, patience/10); err != nil {
					return err
				}
				now, err := g.read(ctx)
				if err != nil {
					return err
				}
				return same("members", 1, len(now.Instances))
			}},
			{"it is once Launch resumes", func(ctx context.Context) error {
				if err := resume(ctx, "Launch"); err != nil {
					return err
				}
				return g.until(ctx, 2, types.LifecycleStateInService)
			}},
			{"no names means all of them", func(ctx context.Context) error {
				if err := suspend(ctx); err != nil {
					return err
				}
				names, err := suspended(ctx)
				if err != nil {
					return err
				}
				for _, name := range []string{
					"Launch", "Terminate", "HealthCheck", "ReplaceUnhealthy",
					"AZRebalance", "ScheduledActions", "AlarmNotification", "AddToLoadBalancer", "InstanceRefresh",
				} {
					if !names[name] {
						return fmt.Errorf("%s is not suspended; these are: %v", name, names)
					}
				}
				if err := resume(ctx); err != nil {
					return err
				}
				return exactly(ctx)
			}},
			{"a recurring action tells its rule and its next time", func(ctx context.Context) error {
				name := aws.String(c.Prefix + "nightly")
				_, err := c.Scaling.PutScheduledUpdateGroupAction(ctx, &autoscaling.PutScheduledUpdateGroupActionInput{
					AutoScalingGroupName: g.name, ScheduledActionName: name, Recurrence: aws.String("30 2 1 1 *"),
					TimeZone: aws.String("Asia/Tokyo"), MinSize: aws.Int32(0),
				})
				if err != nil {
					return err
				}
				out, err := c.Scaling.DescribeScheduledActions(
					ctx, &autoscaling.DescribeScheduledActionsInput{AutoScalingGroupName: g.name},
				)
				if err != nil {
					return err
				}
				if len(out.ScheduledUpdateGroupActions) != 1 || out.ScheduledUpdateGroupActions[0].StartTime == nil {
					return fmt.Errorf("%d actions, or one that has no next time", len(out.ScheduledUpdateGroupActions))
				}
				action := out.ScheduledUpdateGroupActions[0]
				_, err = c.Scaling.DeleteScheduledAction(
					ctx, &autoscaling.DeleteScheduledActionInput{AutoScalingGroupName: g.name, ScheduledActionName: name},
				)
				return errors.Join(
					err, same("recurrence", "30 2 1 1 *", aws.ToString(action.Recurrence)),
					same("time zone", "Asia/Tokyo", aws.ToString(action.TimeZone)),
					same("its time of day in UTC", "17:30", action.StartTime.UTC().Format("15:04")),
				)
			}},
			{"a process that does not exist", func(ctx context.Context) error {
				return refused(suspend(ctx, "Sleep"), "ValidationError")
			}},
		}
	}}
}
