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
	api.Handle(
		r, service, "DescribeAlarms",
		[]string{"AlarmNames", "AlarmNamePrefix", "AlarmTypes", "StateValue", "ActionPrefix", "MaxRecords", "NextToken"},
		s.describe,
	)
	api.Handle(r, service, "PutMetricAlarm", []string{
		"AlarmName", "AlarmDescription", "ActionsEnabled", "AlarmActions", "OKActions", "MetricName", "Namespace",
		"Statistic",
		"Dimensions", "Period", "EvaluationPeriods", "DatapointsToAlarm", "Threshold", "ComparisonOperator",
		"TreatMissingData", "Tags",
	}, s.put)
	registerAlarmsMore(r, s)
	api.Handle(r, service, "EnableAlarmActions", []string{"AlarmNames"}, s.enable)
	api.Handle(r, service, "DisableAlarmActions", []string{"AlarmNames"}, s.disable)
	api.Handle(r, service, "SetAlarmState", []string{"AlarmName", "StateValue", "StateReason"}, s.set)
	registerMetrics(r, w)
}

func (s watchService) describe(call api.Call, in *cw.DescribeAlarmsInput) (*cw.DescribeAlarmsOutput, error) {
	if err := checkAlarmNames(in.AlarmNames); err != nil {
		return nil, err
	}
	out := &cw.DescribeAlarmsOutput{MetricAlarms: []types.MetricAlarm{}, CompositeAlarms: []types.CompositeAlarm{}}
	metric := len(in.AlarmTypes) == 0 || slices.Contains(in.AlarmTypes, types.AlarmTypeMetricAlarm)
	composite := slices.Contains(in.AlarmTypes, types.AlarmTypeCompositeAlarm) && s.seesComposites(call)
	var found []*world.Alarm
	for _, alarm := range regionOf(s.w, call).AllAlarms() {
		switch {
		case alarm.Rule == "" && !metric, alarm.Rule != "" && !composite,
			len(in.AlarmNames) > 0 && !slices.Contains(in.AlarmNames, alarm.Name),
			!strings.HasPrefix(alarm.Name, deref(in.AlarmNamePrefix)),
			in.StateValue != "" && string(in.StateValue) != alarm.State,
			in.ActionPrefix != nil && !slices.ContainsFunc(
				alarm.AlarmActions, func(a string) bool { return strings.HasPrefix(a, *in.ActionPrefix) },
			):
			continue
		}
		found = append(found, alarm)
	}
	found, next, err := page(found, in.NextToken, in.MaxRecords, alarmsPage, badAlarmToken)
	out.NextToken = next
	for _, alarm := range found {
		if alarm.Rule != "" {
			out.CompositeAlarms = append(out.CompositeAlarms, compositeView(alarm))
			continue
		}
		out.MetricAlarms = append(out.MetricAlarms, alarmView(alarm))
	}
	return out, err
}

// seesComposites reports whether composite alarms are told to the caller: only to one who may describe all alarms. From
// any other they are left out in silence (the API reference of DescribeAlarms).
func (s watchService) seesComposites(call api.Call) bool {
	policy := s.w.Account(call.Account).Policy(world.RoleOf(call.Caller))
	return policy == nil || policy.Decide(world.Ask{Action: "cloudwatch:DescribeAlarms", Resource: "*"}) == world.Allowed
}

func compositeView(alarm *world.Alarm) types.CompositeAlarm {
	return types.CompositeAlarm{
		AlarmName: &alarm.Name, AlarmArn: &alarm.ARN, AlarmDescription: given(alarm.Description), AlarmRule: &alarm.Rule,
		ActionsEnabled: &alarm.ActionsEnabled, AlarmActions: filled(alarm.AlarmActions), OKActions: filled(alarm.OKActions),
		InsufficientDataActions: []string{}, StateValue: types.StateValue(alarm.State), StateReason: &alarm.Reason,
		StateUpdatedTimestamp: moment(alarm.Updated), StateTransitionedTimestamp: moment(alarm.Transitioned),
		AlarmConfigurationUpdatedTimestamp: moment(alarm.Configured),
	}
}

func alarmView(alarm *world.Alarm) types.MetricAlarm {
	view := types.MetricAlarm{
		AlarmName: &alarm.Name, AlarmArn: &alarm.ARN, AlarmDescription: given(alarm.Description),
		MetricName: given(alarm.Metric),
		Namespace:  given(alarm.Namespace), Period: number(int(alarm.Period.Seconds())),
		EvaluationPeriods: number(alarm.EvaluationPeriods),
		Threshold:         &alarm.Threshold, ComparisonOperator: types.ComparisonOperator(alarm.Comparison),
		Statistic:        types.Statistic(alarm.Statistic),
		TreatMissingData: given(alarm.TreatMissingData), ActionsEnabled: &alarm.ActionsEnabled,
		AlarmActions: filled(alarm.AlarmActions),
		OKActions:    filled(alarm.OKActions), InsufficientDataActions: []string{},
		Dimensions: dimensionViews(alarm.Dimensions),
		StateValue: types.StateValue(alarm.State), StateReason: &alarm.Reason, StateUpdatedTimestamp: moment(alarm.Updated),
		StateTransitionedTimestamp: moment(alarm.Transitioned), AlarmConfigurationUpdatedTimestamp: moment(alarm.Configured),
	}
	if alarm.DatapointsToAlarm > 0 {
		view.DatapointsToAlarm = number(alarm.DatapointsToAlarm)
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
	if err := checkAlarm(in); err != nil {
		return nil, err
	}
	alarm := &world.Alarm{
		Name: *in.AlarmName, Description: deref(in.AlarmDescription), Metric: deref(in.MetricName),
		Namespace: deref(in.Namespace),
		Period:    time.Duration(deref(in.Period)) * time.Second, EvaluationPeriods: int(*in.EvaluationPeriods),
		Threshold:         deref(in.Threshold),
		DatapointsToAlarm: int(deref(in.DatapointsToAlarm)),
		Comparison:        string(in.ComparisonOperator), Statistic: string(in.Statistic),
		TreatMissingData: deref(in.TreatMissingData),
		ActionsEnabled:   in.ActionsEnabled == nil || *in.ActionsEnabled, AlarmActions: in.AlarmActions,
		OKActions:  in.OKActions,
		Dimensions: dimensionPairs(in.Dimensions),
	}
	tags, err := alarmTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	alarm.Tags = tags
	if alarm.TreatMissingData == "" {
		alarm.TreatMissingData = "missing"
	}
	regionOf(s.w, call).PutAlarm(alarm)
	return nil, nil
}

// longestAlarm is how long an alarm's evaluation may reach back.
const longestAlarm = 7 * 24 * time.Hour

// checkAlarm refuses what CloudWatch refuses, and by name what is not modelled.
func checkAlarm(in *cw.PutMetricAlarmInput) error {
	periods, toAlarm := deref(in.EvaluationPeriods), deref(in.DatapointsToAlarm)
	switch {
	case deref(in.AlarmName) == "" || in.EvaluationPeriods == nil || in.ComparisonOperator == "":
		return api.Errorf("ValidationError", "AlarmName, EvaluationPeriods and ComparisonOperator are required")
	case deref(in.MetricName) == "" || deref(in.Namespace) == "" || in.Statistic == "":
		return api.Errorf("ValidationError", "MetricName, Namespace and Statistic are required for an alarm on a metric")
	case in.Threshold == nil:
		return api.Errorf("ValidationError", "Threshold is required for an alarm on a metric")
	case periods < 1 || in.DatapointsToAlarm != nil && (toAlarm < 1 || toAlarm > periods):
		return api.Errorf(
			"ValidationError", "DatapointsToAlarm (%d) must be between 1 and EvaluationPeriods (%d)", toAlarm, periods,
		)
	case !slices.Contains([]string{"", "missing", "notBreaching", "breaching", "ignore"}, deref(in.TreatMissingData)):
		return api.Errorf(
			"ValidationError", "TreatMissingData %q is none of missing, notBreaching, breaching, ignore",
			deref(in.TreatMissingData),
		)
	case !slices.Contains(in.Statistic.Values(), in.Statistic):
		return api.Errorf("ValidationError", "Statistic %q is not valid", in.Statistic)
	case !slices.Contains(plainComparisons, in.ComparisonOperator):
		return api.NotModelled("comparison %s of monitoring:PutMetricAlarm", in.ComparisonOperator)
	}
	for _, actions := range [][]string{in.AlarmActions, in.OKActions} {
		if err := checkActions(actions); err != nil {
			return err
		}
	}
	period, err := metricPeriod(in.Period)
	if err != nil {
		return err
	}
	if time.Duration(periods) > longestAlarm/period {
		return api.Errorf(
			"ValidationError",
			"Metrics cannot be checked across more than a week (EvaluationPeriods * Period must be <= 604800).",
		)
	}
	return nil
}

var plainComparisons = []types.ComparisonOperator{
	types.ComparisonOperatorGreaterThanOrEqualToThreshold, types.ComparisonOperatorGreaterThanThreshold,
	types.ComparisonOperatorLessThanThreshold, types.ComparisonOperatorLessThanOrEqualToThreshold,
}

func (s watchService) set(call api.Call, in *cw.SetAlarmStateInput) (*cw.SetAlarmStateOutput, error) {
	switch state := string(in.StateValue); state {
	case world.AlarmOK, world.AlarmRaised, world.AlarmUnknown:
		return nil, regionOf(s.w, call).SetAlarm(deref(in.AlarmName), state, deref(in.StateReason))
	}
	return nil, api.Errorf("ValidationError", "State %q is not OK, ALARM or INSUFFICIENT_DATA", in.StateValue)
}
