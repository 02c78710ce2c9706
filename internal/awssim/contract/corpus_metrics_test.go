package contract_test

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/patchtide/patchtide/internal/awssim/contract"
)

func metrics(s *simulator) contract.Scenario {
	return scenario("metrics", func(c *contract.Clients) []contract.Step {
		return []contract.Step{{Name: "what is put is got, and hosts are counted", Do: func(ctx context.Context) error {
			name, namespace := aws.String("Waves"), aws.String("Patchtide")
			for _, value := range []float64{1, 2} {
				_, err := c.Watch.PutMetricData(
					ctx,
					&cloudwatch.PutMetricDataInput{
						Namespace: namespace, MetricData: []cwtypes.MetricDatum{{MetricName: name, Value: aws.Float64(value)}},
					},
				)
				if err != nil {
					return err
				}
			}
			hosts, err := c.Watch.ListMetrics(
				ctx,
				&cloudwatch.ListMetricsInput{
					Namespace: aws.String("AWS/ApplicationELB"), MetricName: aws.String("HealthyHostCount"),
				},
			)
			if err != nil {
				return err
			}
			query := func(id string, of *cwtypes.Metric, stat string) cwtypes.MetricDataQuery {
				return cwtypes.MetricDataQuery{
					Id: &id, MetricStat: &cwtypes.MetricStat{Metric: of, Period: aws.Int32(60), Stat: &stat},
				}
			}
			got, err := c.Watch.GetMetricData(ctx, &cloudwatch.GetMetricDataInput{
				StartTime: aws.Time(s.clock.now().Add(-time.Hour)), EndTime: aws.Time(
					s.clock.now().Add(time.Minute),
				), MetricDataQueries: []cwtypes.MetricDataQuery{
					query("mine", &cwtypes.Metric{Namespace: namespace, MetricName: name}, "Sum"),
					query("hosts", &hosts.Metrics[0], "Maximum"),
				},
			})
			if err != nil {
				return err
			}
			err = did(c.Watch.GetMetricStatistics(ctx, &cloudwatch.GetMetricStatisticsInput{
				Namespace: namespace, MetricName: name, StartTime: aws.Time(s.clock.now().Add(-time.Hour)),
				EndTime:    aws.Time(s.clock.now().Add(time.Minute)),
				Period:     aws.Int32(60),
				Statistics: []cwtypes.Statistic{cwtypes.StatisticSum, cwtypes.StatisticAverage, cwtypes.StatisticSampleCount},
			}))
			if err != nil {
				return err
			}
			mine, theirs := got.MetricDataResults[0].Values, got.MetricDataResults[1].Values
			// An hour's start is rounded down to the whole minute (API reference of GetMetricData), so that it has 61.
			return wrong(len(mine) == 1 && mine[0] == 3 && len(theirs) == 61, "got %v and %v", mine, theirs)
		}}}
	})
}

func signals(s *simulator) contract.Scenario {
	return scenario("signals", func(c *contract.Clients) []contract.Step {
		return []contract.Step{{Name: "a pause is ended", Do: func(ctx context.Context) error {
			_, err := c.SSM.CreateDocument(ctx, &ssm.CreateDocumentInput{
				Name: aws.String("Pause"), DocumentType: types.DocumentTypeAutomation, DocumentFormat: types.DocumentFormatYaml,
				Content: aws.String("schemaVersion: '0.3'\nmainSteps: [{name: hold, action: 'aws:pause', inputs: {}}]\n"),
			})
			if err != nil {
				return err
			}
			started, err := c.SSM.StartAutomationExecution(
				ctx, &ssm.StartAutomationExecutionInput{DocumentName: aws.String("Pause")},
			)
			if err != nil {
				return err
			}
			s.clock.pass(time.Minute)
			return did(
				c.SSM.SendAutomationSignal(
					ctx,
					&ssm.SendAutomationSignalInput{
						AutomationExecutionId: started.AutomationExecutionId, SignalType: types.SignalTypeResume,
					},
				),
			)
		}}}
	})
}
