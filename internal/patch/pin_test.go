package patch

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A manifest says who let a stage begin that proved it, and not who let one of its steps go on.
func TestWhoLetAProvenStageBegin(t *testing.T) {
	began := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	approve := func(stage, actor string, after time.Duration) Decision {
		return Decision{Verb: Approve, Actor: actor, Point: Point{Stage: stage}, At: began.Add(after)}
	}
	steps := []StepStatus{{Done: began.Add(time.Hour)}, {Done: began.Add(3 * time.Hour)}, {Next: true}}
	for _, c := range []struct {
		name      string
		steps     []StepStatus
		decisions []Decision
		by        string
	}{
		{"nobody was asked", nil, nil, ""},
		{"the stage", nil, []Decision{approve("staging", "ann", 0)}, "ann"},
		{"another stage", nil, []Decision{approve("early", "ann", 0)}, ""},
		{
			"the stage, and two of its steps", steps,
			[]Decision{approve("staging", "ann", 0), approve("staging", "bob", 2*time.Hour), approve("staging", "cy", 4*time.Hour)},
			"ann",
		},
		{"a step only", steps, []Decision{approve("staging", "bob", 2*time.Hour)}, ""},
		{"the stage, whose first step is not done", []StepStatus{{Next: true}}, []Decision{approve("staging", "ann", 0)}, "ann"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status := WaveStatus{
				Stages: []StageStatus{{Name: "staging", Steps: c.steps}, {Name: "production"}}, Decisions: c.decisions,
			}
			stages := status.ProvenStages(1)
			require.Len(t, stages, 1)
			by := ""
			if stages[0].Approved != nil {
				by = stages[0].Approved.Actor
			}
			require.Equal(t, c.by, by)
		})
	}
}
