package doctor

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/pollers/pollerstest"
)

func TestWorkersAreJudgedByTheirLastPoll(t *testing.T) {
	loaded, err := config.Parse("patchtide.yaml", config.Example(), nil)
	require.NoError(t, err)
	same, err := loaded.Fingerprint()
	require.NoError(t, err)
	now := time.Date(2026, 11, 29, 2, 0, 0, 0, time.UTC)
	ours := names.Worker{Process: "7@box", Config: same, Journal: "bb"}.Identity()
	other := names.Worker{Process: "8@box", Config: "0123456789ab", Journal: "bb"}.Identity()
	for _, c := range []struct {
		name string
		ago  map[string]time.Duration
		want []Result
	}{
		{
			"one polls",
			map[string]time.Duration{ours: 41 * time.Second},
			[]Result{
				{"workers", "default", OK, "3 task queues are polled, each within the last 41s, since 01:59:19 UTC. Who " +
					"has ended since then is taken for being there until 02:00:34 UTC", ""},
				{"worker's file", "patchtide.yaml", OK, "every worker that polls runs with this configuration (1)", ""},
			},
		},
		{
			"its last poll is older than a poll is held",
			map[string]time.Duration{ours: 76 * time.Second},
			[]Result{{
				"workers", "default", Problem, "no worker runs: nobody has polled any queue of ours in the last 1m15s. Waves stand " +
					"still, and go on when one runs", "start it on its machine: `patchtide worker`",
			}},
		},
		{
			"one has read another file",
			map[string]time.Duration{ours: time.Second, other: 2 * time.Second},
			[]Result{
				{"workers", "default", OK, "3 task queues are polled, each within the last 1s, since 01:59:59 UTC. Who " +
					"has ended since then is taken for being there until 02:01:14 UTC", ""},
				{
					"worker's file", "8@box", Problem,
					"the worker 8@box, which polled 2s ago, runs with another configuration (0123456789ab) than " +
						"patchtide.yaml (" + same + ")",
					"give it this file and restart it; one that has ended is still listed for 1m15s",
				},
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := &doctor{Options: Options{Config: loaded}}
			temporal := Temporal{Client: pollerstest.Queues{Now: now, Ago: c.ago}, Namespace: "default"}
			results := append(d.pollers(t.Context(), temporal, now), d.configurations(t.Context(), temporal, now)...)
			require.Equal(t, c.want, results)
		})
	}
}
