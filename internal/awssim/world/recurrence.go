package world

import (
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// unixCron reads the five fields that Auto Scaling takes: minute, hour, day of month, month and day of week.
var unixCron = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)

// recurring reads the recurrence in its time zone, UTC by default; nil when there is none. What Auto Scaling refuses is
// a ValidationError.
func (s Schedule) recurring() (cron.Schedule, error) {
	zone, err := time.LoadLocation(s.TimeZone)
	if err != nil || s.TimeZone == "Local" {
		return nil, api.Errorf("ValidationError", "Given time zone: %s is invalid", s.TimeZone)
	}
	if s.Recurrence == "" {
		return nil, nil
	}
	if strings.Contains(s.Recurrence, "=") { // the parser would take TZ=... for a time zone
		return nil, api.Errorf("ValidationError", "Given recurrence string: %s is invalid", s.Recurrence)
	}
	every, err := unixCron.Parse(s.Recurrence)
	if err != nil {
		return nil, api.Errorf("ValidationError", "Given recurrence string: %s is invalid", s.Recurrence)
	}
	return inZone{every, zone}, nil
}

// inZone lets the clocks of a time zone say when a schedule's times are: over a change of the clocks an hour that does
// not exist is skipped.
type inZone struct {
	cron.Schedule
	zone *time.Location
}

func (s inZone) Next(after time.Time) time.Time {
	next := s.Schedule.Next(after.In(s.zone))
	if next.IsZero() { // a day that never comes, like the 30th of February
		return next
	}
	return next.UTC()
}
