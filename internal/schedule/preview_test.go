package schedule_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPreviewTellsWhatTheClocksDo(t *testing.T) {
	for name, c := range map[string]struct {
		schedule, zone, after string
		n                     int
		want                  []string // local time and note; "-" where it does not open
	}{
		"spring": {"cron(30 2 ? * SUN *)", "America/New_York", "2026-03-02T00:00:00Z", 1, []string{
			"- 2026-03-08 02:30 the clocks of America/New_York are put forward over this time: the window does not open",
			"2026-03-15T02:30:00-04:00 2026-03-15 02:30 ",
		}},
		"autumn": {"cron(30 1 ? * SUN *)", "America/New_York", "2026-10-26T00:00:00Z", 3, []string{
			"2026-11-01T01:30:00-04:00 2026-11-01 01:30 the clocks are put back: this time comes twice, and the window opens " +
				"twice; this is the first",
			"2026-11-01T01:30:00-05:00 2026-11-01 01:30 the clocks are put back: this time comes twice, and the window opens " +
				"twice; this is the second",
			"2026-11-08T01:30:00-05:00 2026-11-08 01:30 ",
		}},
		"nothing odd": {
			"cron(0 2 ? * SUN *)", "Asia/Tokyo", "2026-03-02T00:00:00Z", 1,
			[]string{"2026-03-08T02:00:00+09:00 2026-03-08 02:00 "},
		},
		"never again": {"cron(0 2 1 1 ? 2025)", "UTC", "2026-03-02T00:00:00Z", 5, nil},
		"a rate moves by the wall's time": {
			"rate(7 days)", "America/New_York", "2026-03-01T08:00:00Z", 1,
			[]string{
				"2026-03-08T03:00:00-04:00 2026-03-08 03:00 the clocks have changed: a rate counts hours, so the time of day moves",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, o := range in(t, c.schedule, c.zone).Preview(moment(t, c.after), c.n) {
				at := "-"
				if !o.At.IsZero() {
					at = o.At.Format(time.RFC3339)
				}
				got = append(got, at+" "+o.Wall+" "+o.Note)
			}
			require.Equal(t, c.want, got)
		})
	}
}
