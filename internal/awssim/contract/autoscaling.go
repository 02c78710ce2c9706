package contract

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// template makes a launch template and returns its id.
func (c *Clients) template(ctx context.Context, name string) (string, error) {
	out, err := c.EC2.CreateLaunchTemplate(ctx, &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String(c.Prefix + name),
		LaunchTemplateData: &ec2types.RequestLaunchTemplateData{
			ImageId: &c.Image, InstanceType: ec2types.InstanceType(c.Type),
		},
	})
	if err != nil {
		return "", err
	}
	id := *out.LaunchTemplate.LaunchTemplateId
	c.Later(func(ctx context.Context) error {
		_, err := c.EC2.DeleteLaunchTemplate(ctx, &ec2.DeleteLaunchTemplateInput{LaunchTemplateId: &id})
		return err
	})
	return id, nil
}

// group is an Auto Scaling group that a scenario made.
type group struct {
	*Clients
	name *string
}

// sizes of a group.
type sizes struct{ low, desired, high int32 }

// newGroup makes a group and waits until it has what it wants.
func (c *Clients) newGroup(ctx context.Context, name string, want sizes, targetGroups ...string) (*group, error) {
	template, err := c.template(ctx, name)
	if err != nil {
		return nil, err
	}
	g, err := c.create(ctx, name, want, &autoscaling.CreateAutoScalingGroupInput{
		LaunchTemplate: &types.LaunchTemplateSpecification{LaunchTemplateId: &template}, TargetGroupARNs: targetGroups,
	})
	if err != nil {
		return nil, err
	}
	return g, g.until(ctx, int(want.desired), types.LifecycleStateInService)
}

// newWeighted makes a group in one zone whose instances weigh so much each, and waits for so many of them.
func (c *Clients) newWeighted(ctx context.Context, name string, want sizes, weight, instances int) (*group, error) {
	template, err := c.template(ctx, name)
	if err != nil {
		return nil, err
	}
	g, err := c.create(ctx, name, want, &autoscaling.CreateAutoScalingGroupInput{
		AvailabilityZones: c.Zones[:1],
		MixedInstancesPolicy: &types.MixedInstancesPolicy{LaunchTemplate: &types.LaunchTemplate{
			LaunchTemplateSpecification: &types.LaunchTemplateSpecification{LaunchTemplateId: &template},
			Overrides: []types.LaunchTemplateOverrides{{
				InstanceType: &c.Type, WeightedCapacity: aws.String(strconv.Itoa(weight)),
			}},
		}},
	})
	if err != nil {
		return nil, err
	}
	return g, g.until(ctx, instances, types.LifecycleStateInService)
}

// create makes a group of these sizes, which is deleted when the scenario is over.
func (c *Clients) create(
	ctx context.Context, name string, want sizes, in *autoscaling.CreateAutoScalingGroupInput,
) (*group, error) {
	g := &group{c, aws.String(c.Prefix + name)}
	in.AutoScalingGroupName, in.MinSize, in.DesiredCapacity, in.MaxSize = g.name, &want.low, &want.desired, &want.high
	if len(in.AvailabilityZones) == 0 {
		in.AvailabilityZones = c.Zones
	}
	in.Tags = []types.Tag{{
		Key: aws.String("Name"), Value: aws.String(c.Prefix + name), PropagateAtLaunch: aws.Bool(true), ResourceId: g.name,
		ResourceType: aws.String("auto-scaling-group"),
	}}
	if _, err := c.Scaling.CreateAutoScalingGroup(ctx, in); err != nil {
		return nil, err
	}
	c.Later(func(ctx context.Context) error {
		_, err := c.Scaling.DeleteAutoScalingGroup(
			ctx, &autoscaling.DeleteAutoScalingGroupInput{AutoScalingGroupName: g.name, ForceDelete: aws.Bool(true)},
		)
		if refused(err, "ValidationError") == nil {
			return nil // the scenario has deleted it
		}
		return err
	})
	return g, nil
}

func (g *group) read(ctx context.Context) (types.AutoScalingGroup, error) {
	out, err := g.Scaling.DescribeAutoScalingGroups(
		ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{*g.name}},
	)
	if err != nil {
		return types.AutoScalingGroup{}, err
	}
	if len(out.AutoScalingGroups) != 1 {
		return types.AutoScalingGroup{}, fmt.Errorf("%d groups are named %s", len(out.AutoScalingGroups), *g.name)
	}
	return out.AutoScalingGroups[0], nil
}

// until waits for exactly so many instances in a state.
func (g *group) until(ctx context.Context, count int, state types.LifecycleState) error {
	return g.eventually(ctx, func() (bool, string, error) {
		now, err := g.read(ctx)
		if err != nil {
			return false, "", err
		}
		found := 0
		var states []string
		for _, instance := range now.Instances {
			states = append(states, string(instance.LifecycleState))
			if instance.LifecycleState == state {
				found++
			}
		}
		return found == count, fmt.Sprintf("want %d %s, the group has %s", count, state, strings.Join(states, ", ")), nil
	})
}

// member returns the id of an instance in service.
func (g *group) member(ctx context.Context) (string, error) {
	now, err := g.read(ctx)
	if err != nil {
		return "", err
	}
	at := slices.IndexFunc(
		now.Instances, func(i types.Instance) bool { return i.LifecycleState == types.LifecycleStateInService },
	)
	if at < 0 {
		return "", errors.New("no instance is in service")
	}
	return *now.Instances[at].InstanceId, nil
}

func (g *group) enter(ctx context.Context, id string, decrement bool) error {
	_, err := g.Scaling.EnterStandby(
		ctx,
		&autoscaling.EnterStandbyInput{
			AutoScalingGroupName: g.name, InstanceIds: []string{id}, ShouldDecrementDesiredCapacity: &decrement,
		},
	)
	return err
}

func (g *group) exit(ctx context.Context, id string) error {
	_, err := g.Scaling.ExitStandby(
		ctx, &autoscaling.ExitStandbyInput{AutoScalingGroupName: g.name, InstanceIds: []string{id}},
	)
	return err
}

func (g *group) resize(ctx context.Context, in autoscaling.UpdateAutoScalingGroupInput) error {
	in.AutoScalingGroupName = g.name
	_, err := g.Scaling.UpdateAutoScalingGroup(ctx, &in)
	return err
}

func (g *group) wants(ctx context.Context, desired int32) error {
	now, err := g.read(ctx)
	if err != nil {
		return err
	}
	return same("desired capacity", desired, *now.DesiredCapacity)
}

func scalingLife() Scenario {
	return Scenario{Name: "auto scaling, a group's life", Steps: func(c *Clients) []Step {
		var g *group
		return []Step{
			{"a group launches what it wants", func(ctx context.Context) (err error) {
				if g, err = c.newGroup(ctx, "life", sizes{1, 2, 4}); err != nil {
					return err
				}
				now, err := g.read(ctx)
				if err != nil {
					return err
				}
				return errors.Join(
					same("health", "Healthy", *now.Instances[0].HealthStatus),
					same("protected", false, *now.Instances[0].ProtectedFromScaleIn),
					same("kind of checks", "EC2", *now.HealthCheckType), same("cooldown", 300, *now.DefaultCooldown),
				)
			}},
			{"it spreads them over its zones", func(ctx context.Context) error {
				now, err := g.read(ctx)
				if err != nil {
					return err
				}
				if *now.Instances[0].AvailabilityZone == *now.Instances[1].AvailabilityZone {
					return fmt.Errorf("both are in %s", *now.Instances[0].AvailabilityZone)
				}
				return nil
			}},
			{"its instances carry its name and its tags", func(ctx context.Context) error {
				id, err := g.member(ctx)
				if err != nil {
					return err
				}
				instance, err := c.instance(ctx, id)
				if err != nil {
					return err
				}
				tags := map[string]string{}
				for _, tag := range instance.Tags {
					tags[*tag.Key] = *tag.Value
				}
				return errors.Join(
					same("aws:autoscaling:groupName", *g.name, tags["aws:autoscaling:groupName"]), same("Name", *g.name, tags["Name"]),
				)
			}},
			{"an instance tells its group", func(ctx context.Context) error {
				id, err := g.member(ctx)
				if err != nil {
					return err
				}
				out, err := c.Scaling.DescribeAutoScalingInstances(
					ctx, &autoscaling.DescribeAutoScalingInstancesInput{InstanceIds: []string{id, "i-0123456789abcdef0"}},
				)
				if err != nil {
					return err
				}
				if len(out.AutoScalingInstances) != 1 {
					return fmt.Errorf(
						"%d instances came back for one that exists and one that does not", len(out.AutoScalingInstances),
					)
				}
				return same("group", *g.name, *out.AutoScalingInstances[0].AutoScalingGroupName)
			}},
			{"its launches are in its history", func(ctx context.Context) error {
				out, err := c.Scaling.DescribeScalingActivities(
					ctx, &autoscaling.DescribeScalingActivitiesInput{AutoScalingGroupName: g.name},
				)
				if err != nil {
					return err
				}
				if len(out.Activities) < 2 || !strings.HasPrefix(
					*out.Activities[0].Description, "Launching a new EC2 instance: i-",
				) {
					return fmt.Errorf("%d activities", len(out.Activities))
				}
				return same("status", types.ScalingActivityStatusCodeSuccessful, out.Activities[0].StatusCode)
			}},
			{"its tags come and go", func(ctx context.Context) error {
				tag := types.Tag{
					Key: aws.String("Wave"), Value: aws.String("w1"), ResourceId: g.name,
					ResourceType: aws.String("auto-scaling-group"), PropagateAtLaunch: aws.Bool(false),
				}
				if _, err := c.Scaling.CreateOrUpdateTags(
					ctx, &autoscaling.CreateOrUpdateTagsInput{Tags: []types.Tag{tag}},
				); err != nil {
					return err
				}
				out, err := c.Scaling.DescribeTags(
					ctx,
					&autoscaling.DescribeTagsInput{
						Filters: []types.Filter{
							{Name: aws.String("auto-scaling-group"), Values: []string{*g.name}},
							{Name: aws.String("key"), Values: []string{"Wave"}},
						},
					},
				)
				if err != nil {
					return err
				}
				if len(out.Tags) != 1 || *out.Tags[0].Value != "w1" || *out.Tags[0].PropagateAtLaunch {
					return fmt.Errorf("%d tags", len(out.Tags))
				}
				_, err = c.Scaling.DeleteTags(ctx, &autoscaling.DeleteTagsInput{Tags: []types.Tag{tag}})
				return err
			}},
			{"it grows", func(ctx context.Context) error {
				if _, err := c.Scaling.SetDesiredCapacity(
					ctx, &autoscaling.SetDesiredCapacityInput{AutoScalingGroupName: g.name, DesiredCapacity: aws.Int32(3)},
				); err != nil {
					return err
				}
				return g.until(ctx, 3, types.LifecycleStateInService)
			}},
			{"a named instance is terminated with decrement", func(ctx context.Context) error {
				id, err := g.member(ctx)
				if err != nil {
					return err
				}
				_, err = c.Scaling.TerminateInstanceInAutoScalingGroup(
					ctx,
					&autoscaling.TerminateInstanceInAutoScalingGroupInput{
						InstanceId: &id, ShouldDecrementDesiredCapacity: aws.Bool(true),
					},
				)
				if err != nil {
					return err
				}
				if err := c.untilInstance(ctx, id, ec2types.InstanceStateNameTerminated); err != nil {
					return err
				}
				return errors.Join(g.wants(ctx, 2), g.until(ctx, 2, types.LifecycleStateInService))
			}},
			{"a named instance is terminated and replaced", func(ctx context.Context) error {
				id, err := g.member(ctx)
				if err != nil {
					return err
				}
				_, err = c.Scaling.TerminateInstanceInAutoScalingGroup(
					ctx,
					&autoscaling.TerminateInstanceInAutoScalingGroupInput{
						InstanceId: &id, ShouldDecrementDesiredCapacity: aws.Bool(false),
					},
				)
				if err != nil {
					return err
				}
				return c.eventually(ctx, func() (bool, string, error) {
					now, err := g.read(ctx)
					if err != nil {
						return false, "", err
					}
					fresh := 0
					for _, instance := range now.Instances {
						if *instance.InstanceId != id && instance.LifecycleState == types.LifecycleStateInService {
							fresh++
						}
					}
					return fresh == 2, fmt.Sprintf("%d other instances are in service", fresh), nil
				})
			}},
			{"protection from scale-in is kept", func(ctx context.Context) error {
				id, err := g.member(ctx)
				if err != nil {
					return err
				}
				protect := &autoscaling.SetInstanceProtectionInput{
					AutoScalingGroupName: g.name, InstanceIds: []string{id}, ProtectedFromScaleIn: aws.Bool(true),
				}
				if _, err := c.Scaling.SetInstanceProtection(ctx, protect); err != nil {
					return err
				}
				if err := g.resize(ctx, autoscaling.UpdateAutoScalingGroupInput{DesiredCapacity: aws.Int32(1)}); err != nil {
					return err
				}
				if err := g.until(ctx, 1, types.LifecycleStateInService); err != nil {
					return err
				}
				left, err := g.member(ctx)
				if err != nil {
					return err
				}
				return same("the one that is left", id, left)
			}},
			{"an instance that is terminated behind its back is replaced", func(ctx context.Context) error {
				id, err := g.member(ctx)
				if err != nil {
					return err
				}
				if _, err := c.EC2.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{id}}); err != nil {
					return err
				}
				return c.eventually(ctx, func() (bool, string, error) {
					now, err := g.read(ctx)
					if err != nil {
						return false, "", err
					}
					return slices.ContainsFunc(now.Instances, func(i types.Instance) bool {
						return *i.InstanceId != id && i.LifecycleState == types.LifecycleStateInService
					}), "no other instance is in service", nil
				})
			}},
			{"a group with instances is deleted only by force", func(ctx context.Context) error {
				_, err := c.Scaling.DeleteAutoScalingGroup(
					ctx, &autoscaling.DeleteAutoScalingGroupInput{AutoScalingGroupName: g.name},
				)
				return refused(err, "ResourceInUse", "ResourceInUseFault")
			}},
		}
	}}
}
