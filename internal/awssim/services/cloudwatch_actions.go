package services

import (
	"slices"
	"strings"

	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// Limits of CloudWatch's API reference: names in one call, and actions of one state.
const (
	mostAlarmNames   = 100
	mostAlarmActions = 5
)

func checkAlarmNames(names []string) error {
	if len(names) > mostAlarmNames {
		return api.Errorf(
			"ValidationError", "1 validation error detected: Value at 'alarmNames' failed to satisfy constraint: Member must "+
				"have length less than or equal to %d", mostAlarmNames,
		)
	}
	return nil
}

// checkActions refuses what names no resource: an action is the ARN of what is to be done.
func checkActions(actions []string) error {
	if len(actions) > mostAlarmActions {
		return api.Errorf(
			"ValidationError", "1 validation error detected: Value at 'alarmActions' failed to satisfy constraint: Member "+
				"must have length less than or equal to %d", mostAlarmActions,
		)
	}
	for _, action := range actions {
		if parts := strings.SplitN(action, ":", 6); len(parts) < 6 || parts[0] != "arn" {
			return api.Errorf("ValidationError", "Invalid arn syntax: %s", action)
		}
	}
	return nil
}

func (s watchService) enable(call api.Call, in *cw.EnableAlarmActionsInput) (*cw.EnableAlarmActionsOutput, error) {
	return nil, s.actions(call, in.AlarmNames, true)
}

func (s watchService) disable(call api.Call, in *cw.DisableAlarmActionsInput) (*cw.DisableAlarmActionsOutput, error) {
	return nil, s.actions(call, in.AlarmNames, false)
}

// actions lets alarms act or not. Names of no alarm are passed over (unverified).
func (s watchService) actions(call api.Call, names []string, on bool) error {
	if err := checkAlarmNames(names); err != nil {
		return err
	}
	if len(names) == 0 {
		return api.Errorf("ValidationError", "1 validation error detected: Value null at 'alarmNames' failed to satisfy "+
			"constraint: Member must not be null")
	}
	for _, alarm := range regionOf(s.w, call).AllAlarms() {
		if slices.Contains(names, alarm.Name) && alarm.ActionsEnabled != on {
			alarm.ActionsEnabled, alarm.Configured = on, call.Time
		}
	}
	return nil
}
