package awssim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestChart(t *testing.T) {
	start := time.Date(2026, 11, 8, 2, 0, 0, 0, time.UTC)
	at := func(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }
	for _, tc := range []struct {
		name   string
		points []levelPoint
		now    time.Time
		want   []string
	}{
		{"nothing happened yet", nil, start, []string{`aria-label="0 of 4 in service"`, `d="M0 43.0H320"`}},
		{
			"one went out and came back",
			[]levelPoint{{start, 4}, {at(30), 3}, {at(45), 4}},
			at(60),
			[]string{"M0 3.0H160.0V13.0H240.0V3.0H320", `aria-label="4 of 4`},
		},
		{
			"what is long past only gives the level",
			[]levelPoint{{start, 4}, {at(10), 2}},
			at(600),
			[]string{"M0 23.0H320", `aria-label="2 of 4`},
		},
		{"more than desired", []levelPoint{{start, 8}}, at(60), []string{`class="goal" d="M0 23.0H320"`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, want := range tc.want {
				require.Contains(t, string(chart(tc.points, 4, start, tc.now)), want)
			}
		})
	}
}
