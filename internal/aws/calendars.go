package aws

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/patchtide/patchtide/internal/patch"
)

// ReadCalendars asks each Change Calendar, one by one so that the closed one can be named. A name is looked for in the
// group's account and region, an ARN in its own region. An answer that is not "open" is never taken for one: throttling
// and trouble of AWS's are errors, to be retried; anything else is told as the calendar's error.
func ReadCalendars(
	ctx context.Context, connector Connector, group patch.Group, names []string,
) ([]patch.Calendar, error) {
	calendars := make([]patch.Calendar, len(names))
	for i, name := range names {
		calendars[i].Name = name
		region := group.Region
		if parts := strings.Split(name, ":"); len(parts) > 4 {
			region = parts[3]
		}
		s, err := connector.Connect(ctx, group.Account, region)
		if err != nil {
			calendars[i].Error = err.Error()
			continue
		}
		out, err := s.SSM.GetCalendarState(ctx, &ssm.GetCalendarStateInput{CalendarNames: []string{name}})
		if err != nil {
			err = Wrap("ask the change calendar "+name, group.String(), err)
			if kind := KindOf(err); kind == Throttled || kind == Passing {
				return nil, err
			}
			calendars[i].Error = err.Error()
			continue
		}
		calendars[i].Open = out.State == ssmtypes.CalendarStateOpen
		if next := Deref(out.NextTransitionTime); next != "" {
			if calendars[i].Changes, err = calendarTime(next); err != nil && calendars[i].Open {
				calendars[i].Error = "its next transition is no time: " + next
			}
		}
	}
	return calendars, nil
}

// calendarTime reads ISO 8601 with seconds, without them, and with or without a zone, which then is UTC: AWS does not
// say which it writes.
func calendarTime(text string) (time.Time, error) {
	var at time.Time
	var err error
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04"} {
		if at, err = time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	return at, err
}
