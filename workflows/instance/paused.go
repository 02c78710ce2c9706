package instance

import (
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
	"github.com/patchtide/patchtide/workflows/notice"
)

// looksForPauses is how often Temporal is asked whether somebody has paused an activity of an instance that is out:
// nothing ends that but a person, not even the activity's budget.
const looksForPauses = 15 * time.Minute

// watchPauses tells people of a step that somebody has paused in Temporal, once for each pause, until it is stopped.
// Undos are watched by their own watch.
func (s *saga) watchPauses(ctx workflow.Context) (stop workflow.CancelFunc) {
	watching, stop := workflow.WithCancel(ctx)
	workflow.Go(watching, func(ctx workflow.Context) {
		for told := 0; ; {
			if workflow.NewTimerWithOptions(ctx, looksForPauses, workflow.TimerOptions{
				Summary: "until it is looked whether somebody has paused it",
			}).Get(ctx, nil) != nil {
				return
			}
			info := workflow.GetInfo(ctx).WorkflowExecution
			var paused []string
			if err := workflow.ExecuteActivity(run.Looking(ctx, "whether it is paused"), control.ReadPaused,
				activities.ReadPausedInput{WorkflowID: info.ID, RunID: info.RunID}).Get(ctx, &paused); err != nil {
				continue // nobody can tell now: a pause that was told is the same still, for all that is known
			}
			if len(paused) == 0 {
				told = 0
				continue
			}
			if told++; told > 1 {
				continue
			}
			now := workflow.Now(ctx)
			notice.Tell(ctx, patch.Notice{
				Kind: patch.NoticePaused, At: now, WaveID: s.in.WaveID, Plan: s.in.Policy.Plan, Stage: s.in.Policy.Stage,
				WorkflowID: info.ID, Key: fmt.Sprintf("%s/%s/%s-%d", info.ID, info.RunID, patch.NoticePaused, now.Unix()),
				Subject: fmt.Sprintf("%s of %s, at its step %s", s.in.Instance, s.in.Group, s.status.Step),
				Why:     strings.Join(paused, "; "),
			})
		}
	})
	return stop
}
