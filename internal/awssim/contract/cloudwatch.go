package contract

import (
	"context"
	"errors"

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
				AlarmName: name, Namespace: aws.String("Patchtide/Contract"), MetricName: aws.String("Errors"), Statistic: types.StatisticSum,
				Period: aws.Int32(60), EvaluationPeriods: &periods, Threshold: aws.Float64(1.5), ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold,
				Dimensions: []types.Dimension{{Name: aws.String("Service"), Value: aws.String("web")}},
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
					same("period", 60, *alarm.Period), same("periods", 2, *alarm.EvaluationPeriods), same("threshold", 1.5, *alarm.Threshold),
					same("dimensions", 1, len(alarm.Dimensions)), same("comparison", types.ComparisonOperatorGreaterThanThreshold, alarm.ComparisonOperator),
				)
			}},
			{"a fresh alarm has no data", func(ctx context.Context) error {
				alarm, err := read(ctx)
				if err != nil {
					return err
				}
				return same("state", types.StateValueInsufficientData, alarm.StateValue)
			}},
			{"its state is set, with the reason", func(ctx context.Context) error {
				_, err := c.Watch.SetAlarmState(ctx, &cloudwatch.SetAlarmStateInput{AlarmName: name, StateValue: types.StateValueAlarm, StateReason: aws.String("contract")})
				if err != nil {
					return err
				}
				alarm, err := read(ctx)
				if err != nil {
					return err
				}
				return errors.Join(same("state", types.StateValueAlarm, alarm.StateValue), same("reason", "contract", *alarm.StateReason))
			}},
			{"it is found by prefix and state", func(ctx context.Context) error {
				out, err := c.Watch.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNamePrefix: &c.Prefix, StateValue: types.StateValueAlarm})
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
				return errors.Join(same("periods", 3, *alarm.EvaluationPeriods), same("state", types.StateValueAlarm, alarm.StateValue))
			}},
			{"the state of an alarm that does not exist", func(ctx context.Context) error {
				_, err := c.Watch.SetAlarmState(ctx, &cloudwatch.SetAlarmStateInput{AlarmName: aws.String(c.Prefix + "nobody"), StateValue: types.StateValueOk, StateReason: aws.String("contract")})
				return refused(err, "ResourceNotFound", "ResourceNotFoundException")
			}},
			{"metrics are taken", func(ctx context.Context) error {
				_, err := c.Watch.PutMetricData(ctx, &cloudwatch.PutMetricDataInput{Namespace: aws.String("Patchtide/Contract"), MetricData: []types.MetricDatum{{MetricName: aws.String("Errors"), Value: aws.Float64(1)}}})
				return err
			}},
		}
	}}
}
