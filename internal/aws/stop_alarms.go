package aws

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/patch"
)

// instanceAction is an alarm's action on its instance, in its two spellings: CloudWatch User Guide, "Create alarms that
// stop, terminate, reboot, or recover an EC2 instance".
var instanceAction = regexp.MustCompile(
	`(?i)^arn:[a-z-]+:(?:automate:[a-z0-9-]+:ec2:|swf:[a-z0-9-]+:[0-9]*:action/actions/AWS_EC2\.InstanceId\.)(stop|terminate|reboot|recover)`,
)

// ReadStopAlarms reads the metric alarms that act on one of the instances. All alarms are read: whether DescribeAlarms'
// filter by action also finds the actions of other states than ALARM is not documented, and a reboot leads to missing
// data.
func ReadStopAlarms(
	ctx context.Context, s *Services, group patch.Group, instances map[string]ec2types.Instance,
) ([]patch.StopAlarm, error) {
	var found []patch.StopAlarm
	pages := cloudwatch.NewDescribeAlarmsPaginator(s.CloudWatch, &cloudwatch.DescribeAlarmsInput{
		AlarmTypes: []cwtypes.AlarmType{cwtypes.AlarmTypeMetricAlarm}, MaxRecords: Ptr(int32(AlarmsPage)),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, Wrap("describe alarms", group.String(), err)
		}
		for _, alarm := range page.MetricAlarms {
			action := actsBy(alarm)
			if action == "" {
				continue
			}
			for _, instance := range alarmInstances(alarm) {
				if _, ours := instances[instance]; ours {
					found = append(found, patch.StopAlarm{Name: Deref(alarm.AlarmName), Action: action, Instance: instance})
				}
			}
		}
	}
	return found, nil
}

// actsBy is what the alarm does to its instance; "" when nothing, or when its actions are switched off.
func actsBy(alarm cwtypes.MetricAlarm) string {
	if !Deref(alarm.ActionsEnabled) {
		return ""
	}
	for _, action := range slices.Concat(alarm.AlarmActions, alarm.InsufficientDataActions, alarm.OKActions) {
		if match := instanceAction.FindStringSubmatch(action); match != nil {
			return strings.ToLower(match[1])
		}
	}
	return ""
}

// alarmInstances are the instances that the alarm's metrics are of.
func alarmInstances(alarm cwtypes.MetricAlarm) []string {
	dimensions := slices.Clone(alarm.Dimensions)
	for _, query := range alarm.Metrics {
		if query.MetricStat != nil && query.MetricStat.Metric != nil {
			dimensions = append(dimensions, query.MetricStat.Metric.Dimensions...)
		}
	}
	var instances []string
	for _, dimension := range dimensions {
		if Deref(dimension.Name) == "InstanceId" {
			instances = append(instances, Deref(dimension.Value))
		}
	}
	slices.Sort(instances)
	return slices.Compact(instances)
}
