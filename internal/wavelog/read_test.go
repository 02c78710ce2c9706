package wavelog

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
)

var update = flag.Bool("update", false, "write testdata anew")

// recorded answers with histories that a real server kept, up to so many events of each.
type recorded struct {
	mu   sync.Mutex
	runs map[string][]*historypb.HistoryEvent // by run id; the wave's also by its workflow id
	most int
	away error
	more chan struct{} // closed when a long poll may have the rest
}

// load reads a scenario's histories, and tells the wave's id.
func load(t *testing.T, scenario string) (*recorded, string) {
	t.Helper()
	files, err := filepath.Glob("../../workflows/testdata/histories/next/" + scenario + "-*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	r, wave := &recorded{runs: map[string][]*historypb.HistoryEvent{}}, ""
	for _, file := range files {
		text, err := os.Open(file)
		require.NoError(t, err)
		history, err := client.HistoryFromJSON(text, client.HistoryJSONOptions{})
		require.NoError(t, err)
		require.NoError(t, text.Close())
		started := history.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes()
		r.runs[started.GetOriginalExecutionRunId()] = history.GetEvents()
		if strings.Contains(file, "PatchWave") {
			wave = started.GetWorkflowId()
			r.runs[wave] = history.GetEvents()
		}
	}
	return r, wave
}

func (r *recorded) GetWorkflowHistory(
	_ context.Context, id, runID string, wait bool, _ enums.HistoryEventFilterType,
) client.HistoryEventIterator {
	if runID == "" {
		runID = id
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	events, known := r.runs[runID]
	p := &pages{events: events, err: r.away}
	if !known && p.err == nil {
		p.err = serviceerror.NewNotFound("no such run")
	}
	if p.err == nil && r.most > 0 && len(events) > r.most {
		p.events = events[:r.most]
		if wait {
			p.rest, p.more = events[r.most:], r.more
		}
	}
	return p
}

type pages struct {
	events, rest []*historypb.HistoryEvent
	more         chan struct{}
	err          error
}

func (p *pages) HasNext() bool { return p.err != nil || len(p.events)+len(p.rest) > 0 }

func (p *pages) Next() (*historypb.HistoryEvent, error) {
	if p.err != nil {
		return nil, p.err
	}
	if len(p.events) == 0 {
		<-p.more
		p.events, p.rest = p.rest, nil
	}
	next := p.events[0]
	p.events = p.events[1:]
	return next, nil
}

func text(events []Event) string {
	var lines strings.Builder
	for _, e := range events {
		asks := " "
		if e.Asks {
			asks = "!"
		}
		fmt.Fprintf(&lines, "%s %s %-8s  %s  %s\n", e.At.UTC().Format("15:04:05"), asks, e.Kind, e.Subject(), e.Said())
	}
	return lines.String()
}

func TestEventsOfRecordedWaves(t *testing.T) {
	for _, scenario := range []string{"healthy", "bad-patch", "stuck-reboot"} {
		t.Run(scenario, func(t *testing.T) {
			histories, wave := load(t, scenario)
			reader := New(histories, wave)
			events, err := reader.Read(t.Context())
			require.NoError(t, err)
			golden := filepath.Join("testdata", scenario+".txt")
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(text(events)), 0o600))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), text(events))

			again, err := reader.Read(t.Context())
			require.NoError(t, err)
			require.Empty(t, again, "everything has closed and was told")
		})
	}
}

// What is read while the wave runs and what follows are together what is read at its end, each once.
func TestFollowTellsTheRestOnce(t *testing.T) {
	histories, wave := load(t, "bad-patch")
	whole, err := New(histories, wave).Read(t.Context())
	require.NoError(t, err)
	histories.most, histories.more = 20, make(chan struct{})
	reader := New(histories, wave)
	first, err := reader.Read(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, first)
	require.Less(t, len(first), len(whole))
	again, err := reader.Read(t.Context())
	require.NoError(t, err)
	require.Empty(t, again, "nothing new")
	close(histories.more)
	rest := []Event{}
	reader.Follow(t.Context(), func(e Event) { rest = append(rest, e) }, func(err error) { t.Error(err) })
	require.ElementsMatch(t, strings.Split(text(whole), "\n"), strings.Split(text(first)+text(rest), "\n"))
}

func TestFollowOutlastsAnOutage(t *testing.T) {
	histories, wave := load(t, "healthy")
	histories.most, histories.more = 4, make(chan struct{})
	reader := New(histories, wave)
	_, err := reader.Read(t.Context())
	require.NoError(t, err)
	histories.away = errors.New("connection refused")
	close(histories.more)
	reader.pause = time.Millisecond
	var told []Event
	outages := 0
	reader.Follow(t.Context(), func(e Event) { told = append(told, e) }, func(err error) {
		require.ErrorContains(t, err, "connection refused")
		outages++
		histories.mu.Lock()
		defer histories.mu.Unlock()
		histories.away = nil
	})
	require.Equal(t, 1, outages)
	require.Contains(t, text(told), "wave  succeeded\n")
}

func TestReadTellsWhichWaveThereIsNot(t *testing.T) {
	_, err := New(&recorded{}, "wave-none").Read(t.Context())
	var gone *serviceerror.NotFound
	require.ErrorAs(t, err, &gone)
	require.ErrorContains(t, err, "wave-none")
}
