package wavelog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enums "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/internal/plain"
)

// Histories is the part of Temporal's client that histories are read with.
type Histories interface {
	GetWorkflowHistory(
		ctx context.Context, workflowID, runID string, isLongPoll bool, filter enums.HistoryEventFilterType,
	) client.HistoryEventIterator
}

// teller makes events of one history, and names the workflows that it began.
type teller interface {
	tell(event *historypb.HistoryEvent) ([]Event, []child)
}

// child is a workflow that another one's history names.
type child struct {
	execution *commonpb.WorkflowExecution // without an id: the same workflow's next run
	teller    teller
}

// run is one workflow run and how far it has been read.
type run struct {
	id, runID string
	teller    teller
	seen      int64 // the last event
	closed    bool
}

// Reader reads a wave's events. It is for one caller at a time.
type Reader struct {
	temporal Histories
	wave     string
	open     []*run
	pause    time.Duration // after a try that failed
}

// New reads the wave of that id: its newest run.
func New(temporal Histories, wave string) *Reader {
	return &Reader{temporal: temporal, wave: wave, open: []*run{{id: wave, teller: newWaveTeller()}}, pause: retryAfter}
}

// readAtOnce is how many histories are asked for at the same time.
const readAtOnce = 8

// Read gives what happened since the last Read, in order. A wave that Temporal does not know, or no longer, is a
// *serviceerror.NotFound; a group or an instance whose history is gone is passed over.
func (r *Reader) Read(ctx context.Context) ([]Event, error) {
	var all []Event
	var still []*run
	for level := r.open; len(level) > 0; {
		told, found, errs := make([][]Event, len(level)), make([][]*run, len(level)), make([]error, len(level))
		places := make(chan struct{}, readAtOnce)
		var reading sync.WaitGroup
		for i, one := range level {
			places <- struct{}{}
			reading.Go(func() {
				defer func() { <-places }()
				errs[i] = one.read(
					ctx, r.temporal, false, func(e Event) { told[i] = append(told[i], e) },
					func(child *run) { found[i] = append(found[i], child) },
				)
			})
		}
		reading.Wait()
		if err := errors.Join(errs...); err != nil {
			return nil, fmt.Errorf("read what wave %s did: %w", r.wave, err)
		}
		for _, one := range level {
			if !one.closed {
				still = append(still, one)
			}
		}
		level = slices.Concat(found...)
		all = append(all, slices.Concat(told...)...)
	}
	r.open = still
	slices.SortStableFunc(all, func(a, b Event) int { return a.At.Compare(b.At) })
	return all, nil
}

// retryAfter is how long a history that does not answer is left alone.
const retryAfter = 2 * time.Second

// Follow tells what happens after the last Read as it happens, until the wave and all that it began have closed or ctx
// ends. Temporal may be away meanwhile: trouble hears of each failed try. Both are called by one goroutine at a time.
func (r *Reader) Follow(ctx context.Context, tell func(Event), trouble func(error)) {
	var one sync.Mutex
	var following sync.WaitGroup
	var follow func(*run)
	follow = func(w *run) {
		following.Go(func() {
			for !w.closed && ctx.Err() == nil {
				err := w.read(ctx, r.temporal, true, func(e Event) { one.Lock(); defer one.Unlock(); tell(e) }, follow)
				if err != nil && ctx.Err() == nil {
					one.Lock()
					trouble(err)
					one.Unlock()
					select {
					case <-ctx.Done():
					case <-time.After(r.pause):
					}
				}
			}
		})
	}
	for _, w := range r.open {
		follow(w)
	}
	following.Wait()
	r.open = nil
}

// read tells what is new in one run's history; with wait it stays until the run has closed.
func (w *run) read(ctx context.Context, temporal Histories, wait bool, tell func(Event), found func(*run)) error {
	events := temporal.GetWorkflowHistory(ctx, w.id, w.runID, wait, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		var gone *serviceerror.NotFound
		switch {
		case errors.As(err, &gone) && w.runID != "":
			w.closed = true // its retention is over
			return nil
		case err != nil:
			return err
		case event.GetEventId() <= w.seen:
			continue
		}
		w.seen = event.GetEventId()
		told, children := w.teller.tell(event)
		for _, one := range told {
			one.At = event.GetEventTime().AsTime()
			plain.Lines(&one) // a history holds what people sent as they sent it
			tell(one)
		}
		for _, c := range children {
			id := cmp.Or(c.execution.GetWorkflowId(), w.id)
			found(&run{id: id, runID: c.execution.GetRunId(), teller: c.teller})
		}
		w.closed = w.closed || closes(event.GetEventType())
	}
	return nil
}

// closes tells the events that are a history's last.
func closes(event enums.EventType) bool {
	switch event {
	case enums.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED, enums.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
		enums.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED, enums.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
		enums.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT, enums.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
		return true
	}
	return false
}
