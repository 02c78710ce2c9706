package world

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The first instance's scan fails at once, where the others take their time.
func TestRateControl(t *testing.T) {
	const failed, done, rest = "Failed/Failed", "Success/Success", "Cancelled/Terminated"
	for _, c := range []struct {
		name string
		rate RateControl
		want []string
		code string
	}{
		{"by default all at once, and what runs is let end", RateControl{}, []string{failed, done, done, done}, ""},
		{"one at once", RateControl{MaxConcurrency: "1"}, []string{failed, rest, rest, rest}, ""},
		{"half at once", RateControl{MaxConcurrency: "50%"}, []string{failed, done, rest, rest}, ""},
		{"one at once, one may fail", RateControl{"1", "1"}, []string{failed, done, done, done}, ""},
		{"one at once, all may fail", RateControl{"1", "100%"}, []string{failed, done, done, done}, ""},
		{"a share of less than one", RateControl{"1%", "10%"}, []string{failed, rest, rest, rest}, ""},
		{"none at once", RateControl{MaxConcurrency: "0"}, nil, "ValidationException"},
		{"more than all", RateControl{MaxErrors: "101%"}, nil, "ValidationException"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := LoadScenario("healthy")
			require.NoError(t, err)
			s.Faults.World = []WorldFault{{Kind: FaultScanFails}}
			w, err := New(s, dawn)
			require.NoError(t, err)
			r := production(w)
			var ids []string
			for _, i := range r.Instances() {
				ids = append(ids, i.ID)
			}
			command, err := r.Send(SendSpec{
				Document: "AWS-RunPatchBaseline", Instances: ids, Rate: c.rate,
				Parameters: map[string][]string{"Operation": {"Scan"}},
			})
			if c.code != "" {
				requireCode(t, err, c.code)
				return
			}
			require.NoError(t, err)
			elapse(t, w, time.Hour)
			var ends []string
			for _, v := range command.Invocations {
				ends = append(ends, v.Status+"/"+v.Details)
			}
			require.Equal(t, c.want, ends)
		})
	}
}
