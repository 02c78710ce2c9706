package aws

import (
	"testing"
	"time"

	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/stretchr/testify/require"
)

// A maintenance window runs so many days after its cron as its ScheduleOffset says, in its own time zone.
func TestWhenAWindowWithAnOffsetRuns(t *testing.T) {
	now := time.Date(2026, 11, 12, 0, 0, 0, 0, time.UTC) // a Thursday, two days after the second Tuesday
	for name, c := range map[string]struct {
		schedule, zone string
		days           int32
		want           string // "": nobody can tell, or it has none
	}{
		"on Saturday":            {"cron(0 2 ? * TUE#2 *)", "", 4, "2026-11-14T02:00:00Z"},
		"in its own time":        {"cron(0 2 ? * TUE#2 *)", "Asia/Tokyo", 4, "2026-11-13T17:00:00Z"},
		"it has been":            {"cron(0 2 ? * TUE#2 *)", "", 1, "2026-12-09T02:00:00Z"},
		"none":                   {"cron(0 2 ? * TUE#2 *)", "", 0, ""},
		"a syntax not known":     {"at(2026-11-14T02:00:00)", "", 4, ""},
		"a time zone not known":  {"cron(0 2 ? * TUE#2 *)", "Mars/Olympus", 4, ""},
		"a rate, which has none": {"rate(7 days)", "", 4, ""},
	} {
		t.Run(name, func(t *testing.T) {
			window := ssmtypes.MaintenanceWindowIdentity{
				Name: Ptr("monthly"), WindowId: Ptr("mw-1"), Schedule: Ptr(c.schedule), ScheduleOffset: Ptr(c.days),
				ScheduleTimezone: Ptr(c.zone),
			}
			next := offsetRun(window, now)
			if c.want == "" {
				require.True(t, next.IsZero(), next)
				return
			}
			require.Equal(t, c.want, next.UTC().Format(time.RFC3339))
		})
	}
	name := windowName(ssmtypes.MaintenanceWindowIdentity{
		Name: Ptr("monthly"), WindowId: Ptr("mw-1"), Schedule: Ptr("cron(0 2 ? * TUE#2 *)"), ScheduleOffset: Ptr(int32(4)),
	})
	require.Equal(t, "the maintenance window monthly (mw-1, 4 days after cron(0 2 ? * TUE#2 *))", name)
}
