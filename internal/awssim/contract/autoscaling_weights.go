package contract

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
)

// weights are a group whose desired counts what its instances weigh, two each.
func weights() Scenario {
	return Scenario{Name: "auto scaling, weights", Steps: func(c *Clients) []Step {
		var g *group
		var id string
		return []Step{
			{"it launches until desired is reached, and goes over it", func(ctx context.Context) (err error) {
				if g, err = c.newWeighted(ctx, "weights", sizes{1, 3, 3}, 2, 2); err != nil {
					return err
				}
				return g.wants(ctx, 3)
			}},
			{"it tells its policy and what each weighs", func(ctx context.Context) error {
				now, err := g.read(ctx)
				if err != nil {
					return err
				}
				var found []error
				for _, instance := range now.Instances {
					found = append(found, same("weight", "2", aws.ToString(instance.WeightedCapacity)))
				}
				overrides := now.MixedInstancesPolicy.LaunchTemplate.Overrides
				return errors.Join(append(found, same("overrides", 1, len(overrides)),
					same("weight of the type", "2", aws.ToString(overrides[0].WeightedCapacity)))...)
			}},
			{"standby takes desired down by the weight", func(ctx context.Context) (err error) {
				if id, err = g.member(ctx); err != nil {
					return err
				}
				if err := g.enter(ctx, id, true); err != nil {
					return err
				}
				return errors.Join(g.until(ctx, 1, types.LifecycleStateStandby), g.wants(ctx, 1))
			}},
			{"desired does not go under min by the next one's weight", func(ctx context.Context) error {
				other, err := g.member(ctx)
				if err != nil {
					return err
				}
				return refused(g.enter(ctx, other, true), "ValidationError")
			}},
			{"it comes back with its weight", func(ctx context.Context) error {
				if err := g.exit(ctx, id); err != nil {
					return err
				}
				return errors.Join(g.until(ctx, 2, types.LifecycleStateInService), g.wants(ctx, 3))
			}},
			{"one that is terminated with decrement takes its weight with it", func(ctx context.Context) error {
				if _, err := c.Scaling.TerminateInstanceInAutoScalingGroup(
					ctx, &autoscaling.TerminateInstanceInAutoScalingGroupInput{
						InstanceId: &id, ShouldDecrementDesiredCapacity: aws.Bool(true),
					}); err != nil {
					return err
				}
				return errors.Join(g.wants(ctx, 1), g.until(ctx, 1, types.LifecycleStateInService))
			}},
		}
	}}
}

func standbyOfWeight() Question {
	return Question{
		Name: "standby-of-a-weight",
		Asks: "In a group that counts weights and whose instances weigh two: by how much does standby with decrement take " +
			"desired down, and its end up again?",
		Believed: "2 down, 2 up",
		Doubts:   map[string]string{"standby-counts-instances": "1 down, 1 up"},
		Matters: "room is counted in weights; where standby takes something else, the first instance shows it and returns " +
			"untouched, and the wave goes no further",
		Ask: func(ctx context.Context, c *Clients) (string, error) {
			g, err := c.newWeighted(ctx, "weight", sizes{0, 4, 6}, 2, 2)
			if err != nil {
				return "", err
			}
			id, err := g.member(ctx)
			if err != nil {
				return "", err
			}
			if err := g.enter(ctx, id, true); err != nil {
				return codeOf(err)
			}
			if err := g.until(ctx, 1, types.LifecycleStateStandby); err != nil {
				return "", err
			}
			out, err := g.read(ctx)
			if err != nil {
				return "", err
			}
			if err := g.exit(ctx, id); err != nil {
				return codeOf(err)
			}
			back, err := g.read(ctx)
			if err != nil {
				return "", err
			}
			return fmt.Sprintf("%d down, %d up", 4-*out.DesiredCapacity, *back.DesiredCapacity-*out.DesiredCapacity), nil
		},
	}
}
