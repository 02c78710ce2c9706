package console

import (
	"context"

	"go.temporal.io/sdk/converter"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// Asker is the part of Temporal's client that questions go through.
type Asker interface {
	QueryWorkflow(ctx context.Context, workflowID, runID, queryType string, args ...any) (converter.EncodedValue, error)
}

// Ask asks a wave's groups and their current instances for what the wave's own status leaves out. Whatever does not
// answer, such as a group that has closed meanwhile, keeps what known has of it; known may be the zero value.
func Ask(ctx context.Context, temporal Asker, status patch.WaveStatus, known Details) Details {
	if known.Groups == nil {
		known.Groups, known.Instances = map[string]patch.GroupStatus{}, map[string]patch.InstanceStatus{}
	}
	for _, stage := range status.Stages {
		for _, counts := range stage.Groups {
			if before, asked := known.Groups[counts.WorkflowID]; asked && atRest(counts.Phase) && before.Phase == counts.Phase {
				continue
			}
			group, ok := Answer[patch.GroupStatus](ctx, temporal, counts.WorkflowID)
			if !ok {
				continue
			}
			known.Groups[counts.WorkflowID] = group
			for _, id := range group.Current {
				if instance, ok := Answer[patch.InstanceStatus](ctx, temporal, id); ok {
					known.Instances[id] = instance
				}
			}
		}
	}
	return known
}

// atRest tells the phases in which a group does nothing until its wave tells it to, and so has nothing new to say: a
// wave of many groups is watched without asking all of them every second.
func atRest(phase patch.GroupPhase) bool { return phase == patch.GroupIdle || phase == patch.GroupDone }

// Answer asks one workflow for its status; ok is false when it does not answer.
func Answer[T any](ctx context.Context, temporal Asker, workflowID string) (status T, ok bool) {
	if workflowID == "" {
		return status, false
	}
	value, err := temporal.QueryWorkflow(ctx, workflowID, "", names.QueryStatus)
	if err != nil {
		return status, false
	}
	return status, value.Get(&status) == nil
}
