package services

import (
	"encoding/json"
	"slices"
	"strings"

	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

func registerAlarmsMore(r *api.Registry, s watchService) {
	const service = "monitoring"
	api.Handle(r, service, "PutCompositeAlarm", []string{
		"AlarmName", "AlarmDescription", "AlarmRule", "ActionsEnabled", "AlarmActions", "OKActions", "Tags",
	}, s.putComposite)
	api.Handle(r, service, "DescribeAlarmHistory", []string{
		"AlarmName", "AlarmTypes", "HistoryItemType", "StartDate", "EndDate", "MaxRecords", "NextToken", "ScanBy",
	}, s.history)
	api.Handle(r, service, "ListTagsForResource", []string{"ResourceARN"}, s.listTags)
	api.Handle(r, service, "TagResource", []string{"ResourceARN", "Tags"}, s.tagAlarm)
	api.Handle(r, service, "UntagResource", []string{"ResourceARN", "TagKeys"}, s.untagAlarm)
}

// putComposite makes a composite alarm (API reference of PutCompositeAlarm: the alarms of its rule have to be there).
func (s watchService) putComposite(
	call api.Call, in *cw.PutCompositeAlarmInput,
) (*cw.PutCompositeAlarmOutput, error) {
	if deref(in.AlarmName) == "" || deref(in.AlarmRule) == "" {
		return nil, api.Errorf("ValidationError", "AlarmName and AlarmRule are required")
	}
	for _, actions := range [][]string{in.AlarmActions, in.OKActions} {
		if err := checkActions(actions); err != nil {
			return nil, err
		}
	}
	tags, err := alarmTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	err = regionOf(s.w, call).PutComposite(&world.Alarm{
		Name: *in.AlarmName, Description: deref(in.AlarmDescription), Rule: *in.AlarmRule,
		ActionsEnabled: in.ActionsEnabled == nil || *in.ActionsEnabled, AlarmActions: in.AlarmActions,
		OKActions: in.OKActions, Tags: tags,
	})
	if err != nil {
		return nil, api.Errorf("ValidationError", "AlarmRule is not valid: %v", err)
	}
	return nil, nil
}

const historyPage = 100

// history tells the changes of alarms' states and configurations, the newest first unless it is asked otherwise.
func (s watchService) history(
	call api.Call, in *cw.DescribeAlarmHistoryInput,
) (*cw.DescribeAlarmHistoryOutput, error) {
	metric := len(in.AlarmTypes) == 0 || slices.Contains(in.AlarmTypes, types.AlarmTypeMetricAlarm)
	composite := slices.Contains(in.AlarmTypes, types.AlarmTypeCompositeAlarm)
	items := []types.AlarmHistoryItem{}
	for _, alarm := range regionOf(s.w, call).AllAlarms() {
		kind, shown := types.AlarmTypeMetricAlarm, metric
		if alarm.Rule != "" {
			kind, shown = types.AlarmTypeCompositeAlarm, composite
		}
		if !shown || in.AlarmName != nil && *in.AlarmName != alarm.Name {
			continue
		}
		for _, event := range alarm.History() {
			if in.HistoryItemType != "" && string(in.HistoryItemType) != event.Kind ||
				in.StartDate != nil && event.At.Before(*in.StartDate) || in.EndDate != nil && event.At.After(*in.EndDate) {
				continue
			}
			data, err := json.Marshal(map[string]any{
				"version": "1.0", "oldState": map[string]string{"stateValue": event.From},
				"newState": map[string]string{"stateValue": event.To, "stateReason": event.Reason},
			})
			if err != nil {
				return nil, err
			}
			items = append(items, types.AlarmHistoryItem{
				AlarmName: &alarm.Name, AlarmType: kind, HistoryItemType: types.HistoryItemType(event.Kind), Timestamp: &event.At,
				HistorySummary: ref(event.Summary()), HistoryData: ref(string(data)),
			})
		}
	}
	if in.ScanBy != types.ScanByTimestampAscending {
		slices.Reverse(items) // what happened at the same moment is told the last first, too
	}
	slices.SortStableFunc(items, func(a, b types.AlarmHistoryItem) int {
		if in.ScanBy == types.ScanByTimestampAscending {
			return a.Timestamp.Compare(*b.Timestamp)
		}
		return b.Timestamp.Compare(*a.Timestamp)
	})
	items, next, err := page(items, in.NextToken, in.MaxRecords, historyPage, badAlarmToken)
	return &cw.DescribeAlarmHistoryOutput{AlarmHistoryItems: items, NextToken: next}, err
}

// alarmTags are tags with others added (API reference of TagResource: 50 of an alarm).
func alarmTags(old world.Tags, added []types.Tag) (world.Tags, error) {
	tags := old.Clone()
	for _, tag := range added {
		key := deref(tag.Key)
		if strings.HasPrefix(strings.ToLower(key), "aws:") {
			return nil, api.Errorf("ValidationError", "Tag keys beginning with aws: are reserved: %s", key)
		}
		tags[key] = deref(tag.Value)
	}
	if len(tags) > world.MaxTags {
		return nil, api.Errorf("ValidationError", "An alarm has at most %d tags.", world.MaxTags)
	}
	return tags, nil
}

// alarm finds the alarm of an ARN.
func (s watchService) alarm(call api.Call, arn *string) (*world.Alarm, error) {
	for _, alarm := range regionOf(s.w, call).AllAlarms() {
		if alarm.ARN == deref(arn) {
			return alarm, nil
		}
	}
	return nil, &api.Error{Code: "ResourceNotFoundException", Message: deref(arn) + " not found", Status: 404}
}

func (s watchService) listTags(
	call api.Call, in *cw.ListTagsForResourceInput,
) (*cw.ListTagsForResourceOutput, error) {
	alarm, err := s.alarm(call, in.ResourceARN)
	if err != nil {
		return nil, err
	}
	out := &cw.ListTagsForResourceOutput{Tags: []types.Tag{}}
	for _, key := range alarm.Tags.Keys() {
		out.Tags = append(out.Tags, types.Tag{Key: ref(key), Value: ref(alarm.Tags[key])})
	}
	return out, nil
}

func (s watchService) tagAlarm(call api.Call, in *cw.TagResourceInput) (*cw.TagResourceOutput, error) {
	alarm, err := s.alarm(call, in.ResourceARN)
	if err != nil {
		return nil, err
	}
	tags, err := alarmTags(alarm.Tags, in.Tags)
	if err == nil {
		alarm.Tags = tags
	}
	return nil, err
}

func (s watchService) untagAlarm(call api.Call, in *cw.UntagResourceInput) (*cw.UntagResourceOutput, error) {
	alarm, err := s.alarm(call, in.ResourceARN)
	if err != nil {
		return nil, err
	}
	for _, key := range in.TagKeys {
		delete(alarm.Tags, key)
	}
	return nil, nil
}
