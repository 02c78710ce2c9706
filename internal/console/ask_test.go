package console

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"

	"github.com/patchtide/patchtide/internal/patch"
)

// groups answers for the groups' workflows, and counts who was asked.
type groups struct {
	status map[string]patch.GroupStatus
	asked  []string
}

func (g *groups) QueryWorkflow(_ context.Context, workflowID, _, _ string, _ ...any) (converter.EncodedValue, error) {
	g.asked = append(g.asked, workflowID)
	status, known := g.status[workflowID]
	if !known {
		return nil, errors.New("no such workflow")
	}
	return answer{status}, nil
}

type answer struct{ status patch.GroupStatus }

func (a answer) HasValue() bool { return true }
func (a answer) Get(into any) error {
	*into.(*patch.GroupStatus) = a.status
	return nil
}

func TestAskLeavesGroupsAtRestAlone(t *testing.T) {
	wave := patch.WaveStatus{Stages: []patch.StageStatus{{Groups: []patch.GroupCounts{
		{WorkflowID: "done", Phase: patch.GroupDone},
		{WorkflowID: "busy", Phase: patch.GroupPatching},
		{WorkflowID: "idle", Phase: patch.GroupIdle},
		{WorkflowID: "gone", Phase: patch.GroupDone},
	}}}}
	temporal := &groups{status: map[string]patch.GroupStatus{
		"done": {Phase: patch.GroupDone}, "busy": {Phase: patch.GroupPatching}, "idle": {Phase: patch.GroupIdle},
	}}
	known := Ask(t.Context(), temporal, wave, Details{})
	require.Equal(t, []string{"done", "busy", "idle", "gone"}, temporal.asked)

	temporal.asked = nil
	known = Ask(t.Context(), temporal, wave, known)
	require.Equal(
		t, []string{"busy", "gone"}, temporal.asked, "what rests has said all, and what never answered is asked again",
	)

	// It is put back: what was done is not any more.
	wave.Stages[0].Groups[0].Phase, temporal.asked = patch.GroupRollingBack, nil
	temporal.status["done"] = patch.GroupStatus{Phase: patch.GroupRollingBack}
	known = Ask(t.Context(), temporal, wave, known)
	require.Equal(t, []string{"done", "busy", "gone"}, temporal.asked)
	require.Equal(t, patch.GroupRollingBack, known.Groups["done"].Phase)
}
