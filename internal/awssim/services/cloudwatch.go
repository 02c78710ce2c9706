package services

import (
	"slices"
	"strings"
	"time"

	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

const alarmsPage = 100

var badAlarmToken = api.Errorf("InvalidNextToken", "The next token specified is invalid.")

type watchService struct{ w *world.World }

func registerCloudWatch(r *api.Registry, w *world.World) {
	s := watchService{w}
	const service = "monitoring"
	api.Handle(r, service, "DescribeAlarms", []string{"AlarmNames", "AlarmNamePrefix", "AlarmTypes", "StateValue", "ActionPrefix", "MaxRecords", "NextToken"}, s.describe)
	api.Handle(r, service, "PutMetricAlarm", []string{
		"AlarmName", "AlarmDescription", "ActionsEnabled", "AlarmActions", "OKActions", "MetricName", "Namespace", "Statistic",
		"Dimensions", "Period", "EvaluationPeriods", "Threshold", "ComparisonOperator", "TreatMissingData",
	}, s.put)
	api.Handle(r, service, "SetAlarmState", []string{"AlarmName", "StateValue", "StateReason"}, s.set)
	registerMetrics(r, w)
}

func (s watchService) describe(call api.Call, in *cw.DescribeAlarmsInput) (*cw.DescribeAlarmsOutput, error) {
	out := &cw.DescribeAlarmsOutput{MetricAlarms: []types.MetricAlarm{}, CompositeAlarms: []types.CompositeAlarm{}}
	if len(in.AlarmTypes) > 0 && !slices.Contains(in.AlarmTypes, types.AlarmTypeMetricAlarm) {
		return out, nil
	}
	var found []*world.Alarm
	for _, alarm := range regionOf(s.w, call).AllAlarms() {
		switch {
		case len(in.AlarmNames) > 0 && !slices.Contains(in.AlarmNames, alarm.Name),
			!strings.HasPrefix(alarm.Name, deref(in.AlarmNamePrefix)),
			in.StateValue != "" && string(in.StateValue) != alarm.State,
			in.ActionPrefix != nil && !slices.ContainsFunc(alarm.AlarmActions, func(a string) bool { return strings.HasPrefix(a, *in.ActionPrefix) }):
			continue
		}
		found = append(found, alarm)
	}
	found, next, err := page(found, in.NextToken, in.MaxRecords, alarmsPage, badAlarmToken)
	out.NextToken = next
	for _, alarm := range found {
		out.MetricAlarms = append(out.MetricAlarms, alarmView(alarm))
	}
	return out, err
}

func alarmView(alarm *world.Alarm) types.MetricAlarm {
	view := types.MetricAlarm{
		AlarmName: &alarm.Name, AlarmArn: &alarm.ARN, AlarmDescription: given(alarm.Description), MetricName: given(alarm.Metric),
		Namespace: given(alarm.Namespace), Period: number(int(alarm.Period.Seconds())), EvaluationPeriods: number(alarm.EvaluationPeriods),
		Threshold: &alarm.Threshold, ComparisonOperator: types.ComparisonOperator(alarm.Comparison), Statistic: types.Statistic(alarm.Statistic),
		TreatMissingData: given(alarm.TreatMissingData), ActionsEnabled: &alarm.ActionsEnabled, AlarmActions: filled(alarm.AlarmActions),
		OKActions: filled(alarm.OKActions), InsufficientDataActions: []string{}, Dimensions: []types.Dimension{},
		StateValue: types.StateValue(alarm.State), StateReason: &alarm.Reason, StateUpdatedTimestamp: moment(alarm.Updated),
		StateTransitionedTimestamp: moment(alarm.Transitioned), AlarmConfigurationUpdatedTimestamp: moment(alarm.Configured),
	}
	for _, dimension := range alarm.Dimensions {
		view.Dimensions = append(view.Dimensions, types.Dimension{Name: &dimension[0], Value: &dimension[1]})
	}
	return view
}

func filled(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func (s watchService) put(call api.Call, in *cw.PutMetricAlarmInput) (*cw.PutMetricAlarmOutput, error) {
	if deref(in.AlarmName) == "" || in.EvaluationPeriods == nil || in.ComparisonOperator == "" {
		return nil, api.Errorf("ValidationError", "AlarmName, EvaluationPeriods and ComparisonOperator are required")
	}
	alarm := &world.Alarm{
		Name: *in.AlarmName, Description: deref(in.AlarmDescription), Metric: deref(in.MetricName), Namespace: deref(in.Namespace),
		Period: time.Duration(deref(in.Period)) * time.Second, EvaluationPeriods: int(*in.EvaluationPeriods), Threshold: deref(in.Threshold),
		Comparison: string(in.ComparisonOperator), Statistic: string(in.Statistic), TreatMissingData: deref(in.TreatMissingData),
		ActionsEnabled: in.ActionsEnabled == nil || *in.ActionsEnabled, AlarmActions: in.AlarmActions, OKActions: in.OKActions,
	}
	for _, dimension := range in.Dimensions {
		alarm.Dimensions = append(alarm.Dimensions, [2]string{deref(dimension.Name), deref(dimension.Value)})
	}
	regionOf(s.w, call).PutAlarm(alarm)
	return nil, nil
}

func (s watchService) set(call api.Call, in *cw.SetAlarmStateInput) (*cw.SetAlarmStateOutput, error) {
	switch state := string(in.StateValue); state {
	case world.AlarmOK, world.AlarmRaised, world.AlarmUnknown:
		return nil, regionOf(s.w, call).SetAlarm(deref(in.AlarmName), state, deref(in.StateReason))
	}
	return nil, api.Errorf("ValidationError", "State %q is not OK, ALARM or INSUFFICIENT_DATA", in.StateValue)
}
