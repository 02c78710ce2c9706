package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// countsWatch looks at a wave's counts as an operator does, and beside them at what one of its groups knows itself.
type countsWatch struct {
	t      *testing.T
	client client.Client
	began  time.Time
	last   map[string]int // done by group
	told   time.Time
	done   int // of all groups, at the last look
	looks  int
	moves  int // looks that saw more than the one before
	leap   int // most that one look saw more
	behind int // most that a group was ahead of its wave
}

// look asks a group, the wave, and the group again: what the wave says lies between what the group said, less the one
// report that may be under way, and what it says now. One group a look, in turn.
func (c *countsWatch) look(ctx context.Context) {
	status, err := c.wave(ctx)
	if err != nil {
		return // it has not begun, or a busy machine: the next look is near
	}
	instances := 0
	var groups []patch.GroupCounts
	for _, stage := range status.Stages {
		groups = append(groups, stage.Groups...)
	}
	for _, group := range groups {
		instances += group.Total
	}
	if asked := c.looks; len(groups) > 0 && groups[asked%len(groups)].Phase == patch.GroupPatching {
		id := groups[asked%len(groups)].WorkflowID
		before, errBefore := c.group(ctx, id)
		again, err := c.wave(ctx)
		after, errAfter := c.group(ctx, id)
		if errBefore != nil || err != nil || errAfter != nil {
			return
		}
		status = again
		for _, group := range status.Stages[0].Groups {
			if group.WorkflowID == id {
				c.behind = max(c.behind, before-group.Done)
				require.GreaterOrEqual(c.t, group.Done, before-max(status.CountsEvery, 1), "%s lags", id)
				require.LessOrEqual(c.t, group.Done, after, "%s is told to be further than it is", id)
			}
		}
	}
	c.note(status)
}

func (c *countsWatch) note(status patch.WaveStatus) {
	c.looks++
	now, done, total, patching := map[string]int{}, 0, 0, 0
	for _, stage := range status.Stages {
		for _, group := range stage.Groups {
			require.GreaterOrEqual(c.t, group.Done, c.last[group.Group], "%s went back", group.Group)
			now[group.Group] = group.Done
			done, total = done+group.Done, total+group.Total
			if group.Phase == patch.GroupPatching {
				patching++
			}
		}
	}
	if done > c.done {
		c.moves++
		c.leap = max(c.leap, done-c.done)
	}
	c.last, c.done = now, done
	if time.Since(c.told) > 15*time.Second {
		c.told = time.Now()
		c.t.Logf("%6s  %s: %d of %d, %d groups patching", time.Since(c.began).Round(time.Second), status.State, done, total,
			patching)
	}
}

func (c *countsWatch) wave(ctx context.Context) (status patch.WaveStatus, err error) {
	answer, err := c.client.QueryWorkflow(ctx, largeWave, "", names.QueryStatus)
	if err != nil {
		return status, err
	}
	return status, answer.Get(&status)
}

// group is how many a group says to be done itself.
func (c *countsWatch) group(ctx context.Context, id string) (done int, err error) {
	answer, err := c.client.QueryWorkflow(ctx, id, "", names.QueryStatus)
	if err != nil {
		return 0, err
	}
	var status patch.GroupStatus
	if err := answer.Get(&status); err != nil {
		return 0, err
	}
	for _, instance := range status.Instances {
		if instance.Outcome != patch.NotStarted {
			done++
		}
	}
	return done, nil
}

// historySize is what a workflow left in Temporal: a run of it.
type historySize struct {
	id            string
	events, bytes int
}

// historySizes reads the histories of a wave and of all below it, back from the server.
type historySizes struct {
	client  client.Client
	kinds   map[string][]historySize
	largest map[string]int // payload by "workflow type, event type"
}

// read measures a run, those that it goes on in, and its children.
func (h *historySizes) read(ctx context.Context, id, run string) error {
	if h.kinds == nil {
		h.kinds = map[string][]historySize{}
	}
	size, kind := historySize{id: id}, ""
	var below [][2]string
	events := h.client.GetWorkflowHistory(ctx, id, run, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			return fmt.Errorf("read the history of %s: %w", id, err)
		}
		if started := event.GetWorkflowExecutionStartedEventAttributes(); started != nil {
			kind = started.GetWorkflowType().GetName()
		}
		size.events++
		size.bytes += proto.Size(event)
		name := kind + ", " + event.GetEventType().String()
		h.largest[name] = max(h.largest[name], largestPayload(event.ProtoReflect()))
		if child := event.GetChildWorkflowExecutionStartedEventAttributes().GetWorkflowExecution(); child != nil {
			below = append(below, [2]string{child.GetWorkflowId(), child.GetRunId()})
		}
		if next := event.GetWorkflowExecutionContinuedAsNewEventAttributes().GetNewExecutionRunId(); next != "" {
			below = append(below, [2]string{id, next})
		}
	}
	h.kinds[kind] = append(h.kinds[kind], size)
	for _, one := range below {
		if err := h.read(ctx, one[0], one[1]); err != nil {
			return err
		}
	}
	return nil
}

// largestPayload is the size of the largest thing in a message that Temporal holds against its limit: one payload, or
// those of one call together.
func largestPayload(message protoreflect.Message) (most int) {
	switch message.Interface().(type) {
	case *commonpb.Payload, *commonpb.Payloads:
		return proto.Size(message.Interface())
	}
	message.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.IsMap() && field.MapValue().Message() != nil:
			value.Map().Range(func(_ protoreflect.MapKey, each protoreflect.Value) bool {
				most = max(most, largestPayload(each.Message()))
				return true
			})
		case field.IsList() && field.Message() != nil:
			for i := range value.List().Len() {
				most = max(most, largestPayload(value.List().Get(i).Message()))
			}
		case field.Message() != nil && !field.IsMap() && !field.IsList():
			most = max(most, largestPayload(value.Message()))
		}
		return true
	})
	return most
}

// most is the largest payload anywhere, and where.
func (h *historySizes) most() (size int, where string) {
	for name, is := range h.largest {
		if is > size {
			size, where = is, name
		}
	}
	return size, where
}

func (h *historySizes) tell(t *testing.T) {
	t.Helper()
	for _, kind := range slices.Sorted(maps.Keys(h.kinds)) {
		runs := h.kinds[kind]
		events, bytes := 0, 0
		for _, run := range runs {
			events, bytes = events+run.events, bytes+run.bytes
		}
		largest := slices.MaxFunc(runs, func(a, b historySize) int { return cmp.Compare(a.bytes, b.bytes) })
		t.Logf("%s: %d runs, %d events and %d bytes on average; the largest, %s, %d events and %d bytes", kind, len(runs),
			events/len(runs), bytes/len(runs), largest.id, largest.events, largest.bytes)
	}
	where := slices.SortedFunc(maps.Keys(h.largest), func(a, b string) int {
		return cmp.Compare(h.largest[b], h.largest[a])
	})
	for _, name := range where[:min(5, len(where))] {
		t.Logf("payload of %d bytes: %s", h.largest[name], name)
	}
}

// tellCalls prints what AWS was asked for an instance.
func tellCalls(t *testing.T, calls map[string]int, many int) {
	t.Helper()
	all := 0
	for _, count := range calls {
		all += count
	}
	t.Logf("%.1f calls of AWS an instance", float64(all)/float64(many))
	often := slices.SortedFunc(maps.Keys(calls), func(a, b string) int { return cmp.Compare(calls[b], calls[a]) })
	for _, name := range often[:min(8, len(often))] {
		t.Logf("%6.1f  %s", float64(calls[name])/float64(many), name)
	}
}
