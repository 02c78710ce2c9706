package schedule_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/schedule"
)

// each is a window of four hours, or as long as is said, with a cutoff of one.
func each(t *testing.T, text, zone string, hours ...int) schedule.Window {
	t.Helper()
	window := schedule.Window{Schedule: in(t, text, zone), Duration: 4 * time.Hour, Cutoff: time.Hour}
	if len(hours) > 0 {
		window.Duration = time.Duration(hours[0]) * time.Hour
	}
	if len(hours) > 1 {
		window.Cutoff = time.Duration(hours[1]) * time.Hour
	}
	return window
}

func blackout(t *testing.T, from, until, reason string) patch.Blackout {
	t.Helper()
	return patch.Blackout{From: moment(t, from), Until: moment(t, until), Reason: reason}
}

// Which window is open, or comes next, of several with blackouts: as opening, cutoff and end, and what cut it.
func TestWindowsAt(t *testing.T) {
	saturday, sunday := each(t, "cron(0 20 ? * SAT *)", "UTC"), each(t, "cron(0 20 ? * SUN *)", "UTC")
	christmas := blackout(t, "2026-12-24T00:00:00Z", "2026-12-27T00:00:00Z", "Christmas")
	for _, c := range []struct {
		name      string
		windows   []schedule.Window
		blackouts patch.Blackouts
		now       string
		want      []string // opens, cutoff, closes; none: no window
		cut       string
	}{
		{"the first of two", []schedule.Window{sunday, saturday}, nil, "2026-11-06T00:00:00Z", []string{
			"2026-11-07T20:00:00Z", "2026-11-07T23:00:00Z", "2026-11-08T00:00:00Z",
		}, ""},
		{"the second once the first is past its cutoff", []schedule.Window{sunday, saturday}, nil, "2026-11-07T23:00:00Z", []string{
			"2026-11-08T20:00:00Z", "2026-11-08T23:00:00Z", "2026-11-09T00:00:00Z",
		}, ""},
		{
			"two that overlap, of two zones, are one: from the first cutoff on as well",
			[]schedule.Window{saturday, each(t, "cron(30 8 ? * SUN *)", "Asia/Tokyo")},
			nil,
			"2026-11-07T23:15:00Z",
			[]string{"2026-11-07T20:00:00Z", "2026-11-08T02:30:00Z", "2026-11-08T03:30:00Z"},
			"",
		},
		{
			"one within another adds nothing",
			[]schedule.Window{
				each(t, "cron(0 20 ? * SAT *)", "UTC", 10), each(t, "cron(0 22 ? * SAT *)", "UTC", 2, 0),
			},
			nil, "2026-11-07T21:00:00Z",
			[]string{"2026-11-07T20:00:00Z", "2026-11-08T05:00:00Z", "2026-11-08T06:00:00Z"},
			"",
		},
		{"a shorter one with a later cutoff lets it begin things for longer", []schedule.Window{
			each(t, "cron(0 20 ? * SAT *)", "UTC", 4, 3), each(t, "cron(0 22 ? * SAT *)", "UTC", 2, 0),
		}, nil, "2026-11-07T20:00:00Z", []string{"2026-11-07T20:00:00Z", "2026-11-08T00:00:00Z", "2026-11-08T00:00:00Z"}, ""},
		{
			"three in a chain, asked in the last", []schedule.Window{
				saturday, each(t, "cron(0 23 ? * SAT *)", "UTC"), each(t, "cron(0 2 ? * SUN *)", "UTC"),
			}, nil, "2026-11-08T04:59:59Z", []string{"2026-11-07T20:00:00Z", "2026-11-08T05:00:00Z", "2026-11-08T06:00:00Z"}, "",
		},
		{
			"what follows upon another does not overlap it",
			[]schedule.Window{saturday, each(t, "cron(0 0 ? * SUN *)", "UTC")},
			nil, "2026-11-07T22:00:00Z",
			[]string{"2026-11-07T20:00:00Z", "2026-11-07T23:00:00Z", "2026-11-08T00:00:00Z"},
			"",
		},
		{
			"one that opens in a blackout does not open, though it would outlast it",
			[]schedule.Window{each(t, "cron(0 22 ? * SAT *)", "UTC")},
			patch.Blackouts{christmas},
			"2026-12-25T00:00:00Z",
			[]string{"2027-01-02T22:00:00Z", "2027-01-03T01:00:00Z", "2027-01-03T02:00:00Z"},
			"",
		},
		{
			"one that a blackout begins in closes there, and its cutoff moves with its end",
			[]schedule.Window{each(t, "cron(0 21 ? * WED *)", "UTC", 8)},
			patch.Blackouts{christmas},
			"2026-12-23T12:00:00Z",
			[]string{"2026-12-23T21:00:00Z", "2026-12-23T23:00:00Z", "2026-12-24T00:00:00Z"},
			christmas.String(),
		},
		{
			"one of which a blackout leaves nothing does not open",
			[]schedule.Window{each(t, "cron(0 23 ? * WED *)", "UTC")},
			patch.Blackouts{christmas},
			"2026-12-23T12:00:00Z",
			[]string{"2026-12-30T23:00:00Z", "2026-12-31T02:00:00Z", "2026-12-31T03:00:00Z"},
			"",
		},
		{
			"a blackout that begins as it closes is none of its business",
			[]schedule.Window{each(t, "cron(0 20 ? * WED *)", "UTC")},
			patch.Blackouts{christmas},
			"2026-12-23T12:00:00Z",
			[]string{"2026-12-23T20:00:00Z", "2026-12-23T23:00:00Z", "2026-12-24T00:00:00Z"},
			"",
		},
		{
			"the first opens in a blackout, the second when it is over: that one alone",
			[]schedule.Window{each(t, "cron(0 23 ? * SAT *)", "UTC"), each(t, "cron(0 1 ? * SUN *)", "UTC")},
			patch.Blackouts{christmas},
			"2026-12-26T23:30:00Z",
			[]string{"2026-12-27T01:00:00Z", "2026-12-27T04:00:00Z", "2026-12-27T05:00:00Z"},
			"",
		},
		{"no window and no blackout: any time", nil, nil, "2026-12-01T00:00:00Z", nil, ""},
		{"no window, and a blackout that is far", nil, patch.Blackouts{christmas}, "2026-11-01T00:00:00Z", nil, ""},
		{
			"no window: open until the blackout", nil,
			patch.Blackouts{christmas},
			"2026-12-20T00:00:00Z",
			[]string{"2026-12-20T00:00:00Z", "2026-12-24T00:00:00Z", "2026-12-24T00:00:00Z"},
			christmas.String(),
		},
		{
			"no window, in one of two blackouts that meet: open once both are over", nil,
			patch.Blackouts{christmas, blackout(t, "2026-12-26T15:00:00Z", "2026-12-28T00:00:00Z", "stocktaking")},
			"2026-12-24T00:00:00Z",
			[]string{"2026-12-28T00:00:00Z", "2027-01-27T00:00:00Z", "2027-01-27T00:00:00Z"},
			"",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := schedule.Windows{Each: c.windows, Blackouts: c.blackouts}.At(moment(t, c.now))
			if c.want == nil {
				require.Nil(t, got)
				return
			}
			require.NotNil(t, got)
			var times []string
			for _, at := range []time.Time{got.Opens, got.Cutoff, got.Closes} {
				times = append(times, at.UTC().Format(time.RFC3339))
			}
			require.Equal(t, c.want, times)
			require.Equal(t, c.cut, got.Cut)
		})
	}
}

// The same window is told at every moment of it: its wave is named by its opening.
func TestOneWindowIsOneAtEveryMoment(t *testing.T) {
	windows := schedule.Windows{Each: []schedule.Window{
		each(t, "cron(0 0/3 ? * MON-TUE *)", "UTC"), each(t, "cron(0 2 ? * WED *)", "Europe/Berlin"),
	}}
	var previous *patch.Window
	for at := moment(t, "2026-11-01T00:00:00Z"); at.Before(moment(t, "2026-11-20T00:00:00Z")); at = at.Add(17 * time.Minute) {
		window := windows.At(at)
		require.NotNil(t, window)
		require.True(t, window.Cutoff.After(at))
		if previous != nil && previous.Cutoff.After(at) {
			require.Equal(t, previous, window, at)
		}
		previous = window
	}
}

func TestWhatNeverCloses(t *testing.T) {
	for _, c := range []struct {
		name    string
		windows []schedule.Window
		endless bool
	}{
		{"none", nil, false},
		{"once a week", []schedule.Window{each(t, "cron(0 2 ? * SUN *)", "UTC")}, false},
		{"all weekend", []schedule.Window{each(t, "cron(0 0/3 ? * SAT,SUN *)", "UTC")}, false},
		{"every hour, for four", []schedule.Window{each(t, "cron(0 * * * ? *)", "UTC")}, true},
		{"two that fill each other's gaps", []schedule.Window{
			each(t, "cron(0 0 * * ? *)", "UTC", 13), each(t, "cron(0 12 * * ? *)", "UTC", 13),
		}, true},
		{"two weeks in a year, from its tenth window on", []schedule.Window{
			each(t, "cron(0 2 1 * ? *)", "UTC"), each(t, "cron(0 0/3 1-14 12 ? *)", "UTC"),
		}, true},
		{"over", []schedule.Window{each(t, "cron(0 * 1 1 ? 2025)", "UTC")}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.endless, schedule.Windows{Each: c.windows}.Endless(moment(t, "2026-01-01T00:00:00Z")))
		})
	}
}
