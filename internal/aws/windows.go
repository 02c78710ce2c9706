package aws

import (
	"fmt"
	"time"

	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/patchtide/patchtide/internal/schedule"
)

// windowName is a maintenance window for people, with its offset, which its cron alone does not tell.
func windowName(window ssmtypes.MaintenanceWindowIdentity) string {
	name := fmt.Sprintf("the maintenance window %s (%s", Deref(window.Name), Deref(window.WindowId))
	if days := Deref(window.ScheduleOffset); days > 0 {
		name += fmt.Sprintf(", %d days after %s", days, Deref(window.Schedule))
	}
	return name + ")"
}

// offsetRun is when a window with a ScheduleOffset runs next by its own schedule: so many days after its cron ("the
// number of days to wait to run a maintenance window after the scheduled cron expression date and time", API reference
// of MaintenanceWindowIdentity). NextExecutionTime is "the next time the maintenance window will actually run"; whether
// that counts the offset AWS does not say, so that the earlier of both is believed. Zero: it has none, or nobody can
// tell.
func offsetRun(window ssmtypes.MaintenanceWindowIdentity, now time.Time) time.Time {
	days := int(Deref(window.ScheduleOffset))
	expression, err := schedule.Parse(Deref(window.Schedule))
	if days == 0 || err != nil || expression.IsRate() {
		return time.Time{}
	}
	zone, err := time.LoadLocation(Deref(window.ScheduleTimezone)) // "" is UTC, as with AWS
	if err != nil {
		return time.Time{}
	}
	next, _ := expression.After(days).In(zone, time.Time{}).Next(now)
	return next
}
