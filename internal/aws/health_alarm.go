package aws

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/patchtide/patchtide/internal/patch"
)

// observeAlarms reads the alarms that the checks name.
func observeAlarms(ctx context.Context, look *healthLook) (err error) {
	var alarms []string
	for _, check := range look.Checks {
		if check.Alarm != "" {
			alarms = append(alarms, check.Alarm)
		}
	}
	look.seen.Alarms, err = ReadAlarms(ctx, look.services, look.Instance.Group, alarms, look.observer.Speed)
	return err
}

// alarmPeriod is the longest period of an alarm's metrics; one with metric math has them in its queries.
func alarmPeriod(alarm cwtypes.MetricAlarm) patch.Duration {
	longest := Deref(alarm.Period)
	for _, query := range alarm.Metrics {
		longest = max(longest, Deref(query.Period))
		if query.MetricStat != nil {
			longest = max(longest, Deref(query.MetricStat.Period))
		}
	}
	return patch.Duration(time.Duration(longest) * time.Second)
}

// ReadAlarms reads alarms in the order of their names. One that does not exist is InvalidInput: a gate that nothing can
// close is a mistake in the plan. A composite alarm is told only to who may describe all of them (the API reference of
// DescribeAlarms), and looks like one that does not exist to anybody else.
func ReadAlarms(
	ctx context.Context, s *Services, group patch.Group, wanted []string, speed Speed,
) ([]patch.AlarmObservation, error) {
	wanted = slices.Compact(slices.Sorted(slices.Values(wanted)))
	var seen []patch.AlarmObservation
	for chunk := range slices.Chunk(wanted, AlarmsPage) {
		// Composite alarms are left out unless asked for.
		pages := cloudwatch.NewDescribeAlarmsPaginator(s.CloudWatch, &cloudwatch.DescribeAlarmsInput{
			AlarmNames: chunk, AlarmTypes: []cwtypes.AlarmType{cwtypes.AlarmTypeMetricAlarm, cwtypes.AlarmTypeCompositeAlarm},
			MaxRecords: Ptr(int32(AlarmsPage)),
		})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, Wrap("describe the alarms "+strings.Join(chunk, ", "), group.String(), err)
			}
			for _, alarm := range page.MetricAlarms {
				entered := alarm.StateTransitionedTimestamp
				if entered == nil {
					entered = alarm.StateUpdatedTimestamp
				}
				seen = append(seen, patch.AlarmObservation{
					Name: Deref(alarm.AlarmName), State: string(alarm.StateValue), Since: Deref(entered).UTC(),
					Needs: speed.InPlan(patch.AlarmTime(alarmPeriod(alarm), int(Deref(alarm.EvaluationPeriods)))),
				})
			}
			for _, alarm := range page.CompositeAlarms {
				entered := alarm.StateTransitionedTimestamp
				if entered == nil {
					entered = alarm.StateUpdatedTimestamp
				}
				seen = append(
					seen,
					patch.AlarmObservation{Name: Deref(alarm.AlarmName), State: string(alarm.StateValue), Since: Deref(entered).UTC()},
				)
			}
		}
	}
	for _, name := range wanted {
		if !slices.ContainsFunc(seen, func(alarm patch.AlarmObservation) bool { return alarm.Name == name }) {
			return nil, Final(
				InvalidInput, "%s: there is no CloudWatch alarm %q in this account and region, or it is a composite alarm and our "+
					"role may not describe all alarms; correct the plan's health checks, or allow cloudwatch:DescribeAlarms on "+
					"\"Resource\": \"*\"", group, name,
			)
		}
	}
	slices.SortFunc(seen, func(a, b patch.AlarmObservation) int { return strings.Compare(a.Name, b.Name) })
	return seen, nil
}
