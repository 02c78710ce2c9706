package contract

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

func alarms() Scenario {
	return Scenario{Name: "alarms", Steps: func(c *Clients) []Step {
		name := aws.String(c.Prefix + "alarm")
		read := func(ctx context.Context) (types.MetricAlarm, error) {
			out, err := c.Watch.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{*name}})
			if err != nil {
				return types.MetricAlarm{}, err
			}
			if len(out.MetricAlarms) != 1 {
				return types.MetricAlarm{}, errors.New("the alarm is not there")
			}
			return out.MetricAlarms[0], nil
		}
		put := func(ctx context.Context, periods int32) error {
			_, err := c.Watch.PutMetricAlarm(ctx, &cloudwatch.PutMetricAlarmInput{
				AlarmName: name, Namespace: aws.String("Patchtide/Contract"), MetricName: aws.String("Errors"),
				Statistic: types.StatisticSum,
				Period:    aws.Int32(60), EvaluationPeriods: &periods, Threshold: aws.Float64(1.5),
				ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold,
				Dimensions:         []types.Dimension{{Name: aws.String("Service"), Value: aws.String("web")}},
			})
			return err
		}
		return []Step{
			{"an alarm is made and read back", func(ctx context.Context) error {
				if err := put(ctx, 2); err != nil {
					return err
				}
				c.Later(func(ctx context.Context) error {
					_, err := c.Watch.DeleteAlarms(ctx, &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{*name}})
					return err
				})
				alarm, err := read(ctx)
				if err != nil {
					return err
				}
				return errors.Join(
					same("period", 60, *alarm.Period), same("periods", 2, *alarm.EvaluationPeriods),
					same("threshold", 1.5, *alarm.Threshold),
					same("dimensions", 1, len(alarm.Dimensions)),
					same("comparison", types.ComparisonOperatorGreaterThanThreshold, alarm.ComparisonOperator),
				)
			}},
			{"a fresh alarm has no data", func(ctx context.Context) error {
				alarm, err := read(ctx)
				if err != nil {
					return err
				}
				return same("state", types.StateValueInsufficientData, alarm.StateValue)
			}},
			{"its actions are taken away and given back", func(ctx context.Context) error {
				for _, on := range []bool{false, true} {
					var err error
					if on {
						_, err = c.Watch.EnableAlarmActions(ctx, &cloudwatch.EnableAlarmActionsInput{AlarmNames: []string{*name}})
					} else {
						_, err = c.Watch.DisableAlarmActions(ctx, &cloudwatch.DisableAlarmActionsInput{AlarmNames: []string{*name}})
					}
					if err != nil {
						return err
					}
					alarm, err := read(ctx)
					if err != nil {
						return err
					}
					if err := same("actions", on, aws.ToBool(alarm.ActionsEnabled)); err != nil {
						return err
					}
				}
				return nil
			}},
			{"its state is set, with the reason", func(ctx context.Context) error {
				_, err := c.Watch.SetAlarmState(
					ctx,
					&cloudwatch.SetAlarmStateInput{
						AlarmName: name, StateValue: types.StateValueAlarm, StateReason: aws.String("contract"),
					},
				)
				if err != nil {
					return err
				}
				alarm, err := read(ctx)
				if err != nil {
					return err
				}
				return errors.Join(
					same("state", types.StateValueAlarm, alarm.StateValue), same("reason", "contract", *alarm.StateReason),
				)
			}},
			{"it is found by prefix and state", func(ctx context.Context) error {
				out, err := c.Watch.DescribeAlarms(
					ctx, &cloudwatch.DescribeAlarmsInput{AlarmNamePrefix: &c.Prefix, StateValue: types.StateValueAlarm},
				)
				if err != nil {
					return err
				}
				return same("alarms", 1, len(out.MetricAlarms))
			}},
			{"written again, it keeps its state", func(ctx context.Context) error {
				if err := put(ctx, 3); err != nil {
					return err
				}
				alarm, err := read(ctx)
				if err != nil {
					return err
				}
				return errors.Join(
					same("periods", 3, *alarm.EvaluationPeriods), same("state", types.StateValueAlarm, alarm.StateValue),
				)
			}},
			{"the state of an alarm that does not exist", func(ctx context.Context) error {
				_, err := c.Watch.SetAlarmState(
					ctx,
					&cloudwatch.SetAlarmStateInput{
						AlarmName: aws.String(c.Prefix + "nobody"), StateValue: types.StateValueOk, StateReason: aws.String("contract"),
					},
				)
				return refused(err, "ResourceNotFound", "ResourceNotFoundException")
			}},
			{"metrics are taken", func(ctx context.Context) error {
				_, err := c.Watch.PutMetricData(
					ctx,
					&cloudwatch.PutMetricDataInput{
						Namespace:  aws.String("Patchtide/Contract"),
						MetricData: []types.MetricDatum{{MetricName: aws.String("Errors"), Value: aws.Float64(1)}},
					},
				)
				return err
			}},
			{"and read back", func(ctx context.Context) error {
				return c.eventually(ctx, func() (bool, string, error) {
					now := c.Time()
					out, err := c.Watch.GetMetricStatistics(ctx, &cloudwatch.GetMetricStatisticsInput{
						Namespace: aws.String("Patchtide/Contract"), MetricName: aws.String("Errors"), Period: aws.Int32(3600),
						StartTime: aws.Time(now.Add(-2 * time.Hour)), EndTime: aws.Time(now.Add(time.Hour)),
						Statistics: []types.Statistic{types.StatisticMaximum},
					})
					if err != nil || len(out.Datapoints) == 0 {
						return false, "there is no datapoint", err
					}
					return true, "", same("maximum", 1, *out.Datapoints[0].Maximum)
				})
			}},
			{"an alarm follows its metric", func(ctx context.Context) error {
				for _, phase := range []struct {
					value float64
					want  types.StateValue
				}{{0, types.StateValueOk}, {5, types.StateValueAlarm}} {
					err := c.eventually(ctx, func() (bool, string, error) {
						_, err := c.Watch.PutMetricData(
							ctx,
							&cloudwatch.PutMetricDataInput{Namespace: aws.String("Patchtide/Contract"), MetricData: []types.MetricDatum{{
								MetricName: aws.String("Errors"), Value: &phase.value,
								Dimensions: []types.Dimension{{Name: aws.String("Service"), Value: aws.String("web")}},
							}}})
						if err != nil {
							return false, "", err
						}
						alarm, err := read(ctx)
						return alarm.StateValue == phase.want, "the alarm is " + string(alarm.StateValue), err
					})
					if err != nil {
						return err
					}
				}
				return nil
			}},
		}
	}}
}
