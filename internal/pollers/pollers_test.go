package pollers_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/pollers"
	"github.com/patchtide/patchtide/internal/pollers/pollerstest"
)

var now = time.Date(2026, 11, 29, 2, 0, 0, 0, time.UTC)

func TestWhoPollsNow(t *testing.T) {
	ours := names.Worker{Process: "7@box", Config: "aa", Journal: "bb"}
	other := names.Worker{Process: "8@box", Config: "cc", Journal: "bb"}
	polled := pollerstest.Queues{Now: now, Ago: map[string]time.Duration{
		ours.Identity(): 59 * time.Second, other.Identity(): time.Second, "somebody's": 0,
		"7@gone@config-aa@journal-bb": pollers.Age,
	}}
	answer, err := polled.DescribeTaskQueue(t.Context(), "", 0)
	require.NoError(t, err)
	all := pollers.Of(answer, now)
	require.Len(t, all, 3, "a poll is held for a minute: who has not polled for longer has ended")
	require.Equal(t, "somebody's", all[0].Process())

	workers, err := pollers.Workers(t.Context(), polled, now)
	require.NoError(t, err)
	require.Equal(t, []pollers.Poller{
		{Identity: other.Identity(), Worker: other, Last: now.Add(-time.Second)},
		{Identity: ours.Identity(), Worker: ours, Last: now.Add(-59 * time.Second)},
	}, workers)
	require.Equal(t, "7@box", workers[1].Process())
}

func TestAWorkerWithAnotherConfigurationIsTold(t *testing.T) {
	loaded, err := config.Parse("patchtide.yaml", config.Example(), nil)
	require.NoError(t, err)
	ours, err := loaded.Fingerprint()
	require.NoError(t, err)
	polled := pollerstest.Queues{Now: now, Ago: map[string]time.Duration{
		names.Worker{Process: "7@box", Config: ours, Journal: "bb"}.Identity():           time.Second,
		names.Worker{Process: "8@box", Config: "0123456789ab", Journal: "bb"}.Identity(): 40 * time.Second,
	}}
	workers, err := pollers.Workers(t.Context(), polled, now)
	require.NoError(t, err)
	others, err := pollers.OtherConfigurations(workers, now, loaded)
	require.NoError(t, err)
	require.Equal(t, []pollers.OtherConfiguration{{
		Process: "8@box",
		Says: "the worker 8@box, which polled 40s ago, runs with another configuration (0123456789ab) than patchtide.yaml (" +
			ours + ")",
		Mend: "give it this file and restart it; one that has ended is still listed for 1m15s",
	}}, others)
}
