package activities_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// lockBook is who runs, by workflow id.
type lockBook map[string]*activities.LockHolder

func (l lockBook) Holder(_ context.Context, id string) (*activities.LockHolder, error) {
	return l[id], nil
}

func (l lockBook) Runs(_ context.Context, id, _ string) (bool, error) { return l[id] != nil, nil }

func (l lockBook) Closed(context.Context, string) (time.Time, error) { return time.Time{}, nil }

func (l lockBook) Ending(context.Context, string, string) (journal.Ending, error) { return "", nil }

// journalOf is a store whose journal holds those records.
type journalOf struct {
	store
	records []json.RawMessage
}

func (j *journalOf) ListJournal(context.Context, string) ([]json.RawMessage, []string, error) {
	return j.records, nil, j.err
}

func TestAwaitAtRest(t *testing.T) {
	group := patch.Group{
		Account: patch.Account{Name: "production", ID: "111122223333"}, Region: "ap-northeast-1", AutoScalingGroup: "web",
	}
	groupLock, first, second := names.GroupLock(group), names.InstanceLock(group, "i-1"), names.InstanceLock(group, "i-2")
	at := time.Date(2036, 11, 22, 2, 0, 0, 0, time.UTC)
	journalWith := func(most patch.Share) (documents []json.RawMessage) {
		for i, id := range []string{"", "i-1", "i-2"} {
			document, err := json.Marshal(journal.Record{
				Origin: journal.Origin{RunID: "run"},
				WaveID: "wave-1", Group: group, Instance: id, At: at.Add(time.Duration(i) * time.Minute),
				Policy: patch.Policy{Timing: patch.DefaultTiming(), MaxUnavailable: most},
			})
			require.NoError(t, err)
			documents = append(documents, document)
		}
		return documents
	}
	documents, together := journalWith(patch.Instances(1)), journalWith(patch.Percent(50))
	for _, c := range []struct {
		name    string
		locks   lockBook
		journal []json.RawMessage
		away    error
		waits   string // for what; "" for nothing
		retried bool
	}{
		{name: "nothing runs", journal: documents},
		{name: "no instance was touched"},
		{name: "the group runs", locks: lockBook{groupLock: {Wave: "wave-1"}}, waits: groupLock},
		{
			name:  "its group was terminated, the instance puts itself back",
			locks: lockBook{second: {Parent: groupLock, Wave: "wave-1"}}, journal: documents, waits: second,
		},
		{
			name: "another wave took the group", locks: lockBook{groupLock: {Wave: "wave-2"}, second: {Wave: "wave-2"}},
			journal: documents,
		},
		{name: "an instance of long ago", locks: lockBook{first: {Wave: "wave-1"}}, journal: documents},
		{
			name: "an instance beside the newest", locks: lockBook{first: {Wave: "wave-1"}}, journal: together,
			waits: first,
		},
		{name: "it does not tell for whom it works", locks: lockBook{groupLock: {}}, waits: groupLock},
		{name: "the store is away: nobody knows", away: errors.New("no route"), retried: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			control := &activities.Control{Locks: c.locks, Evidence: &journalOf{store{err: c.away}, c.journal}}
			err := control.AwaitWorkflowsClosed(
				t.Context(), activities.AwaitWorkflowsClosedInput{WaveID: "wave-1", Groups: []patch.Group{group}},
			)
			if c.waits == "" && !c.retried {
				require.NoError(t, err)
				return
			}
			var typed *temporal.ApplicationError
			require.ErrorAs(t, err, &typed)
			require.False(t, typed.NonRetryable())
			if c.waits != "" {
				require.Equal(t, activities.ErrNotReady, typed.Type())
				require.Contains(t, typed.Message(), "waiting for "+c.waits)
			}
		})
	}
}
