package wave_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

// Whoever looks at any moment is told how many have ended: in a wave that follows each instance, and in one too large
// for that, also across the runs of its group.
func TestGroupCountsMoveWithEveryInstance(t *testing.T) {
	for _, many := range []int{4, 130} {
		t.Run(fmt.Sprint(many), func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Config: wavetest.ProductionOnly(wavetest.Unattended), Fleet: wavetest.Sized(2, many, many),
			})
			require.Equal(t, many <= 100, patch.FollowsInstances(many))
			ended, last := 0, time.Time{}
			scene.Env.OnWorkflow(names.PatchInstance, mock.Anything, mock.Anything).Return(
				func(ctx workflow.Context, in workflows.InstanceInput) (*patch.InstanceResult, error) {
					if err := workflow.Sleep(ctx, 10*time.Minute); err != nil {
						return nil, err
					}
					ended, last = ended+1, workflow.Now(ctx)
					return &patch.InstanceResult{ID: in.Instance, Outcome: patch.Patched, Ended: last}, nil
				})
			told := map[int]bool{}
			var wrong []string
			const between = 137 * time.Second
			var look func()
			look = func() {
				if scene.Env.IsWorkflowCompleted() {
					return
				}
				scene.Env.RegisterDelayedCallback(look, between)
				status, ok := scene.Status()
				if !ok || len(status.Stages) == 0 || len(status.Stages[0].Groups) == 0 {
					return
				}
				group := status.Stages[0].Groups[0]
				if group.Phase != patch.GroupPatching && group.Phase != patch.GroupDone ||
					scene.Env.Now().Sub(last) < time.Second {
					return // it has not begun, or what tells of an end is on its way at this very moment
				}
				told[group.Done] = true
				if group.Done != ended || group.Total != many {
					wrong = append(wrong, fmt.Sprintf("%d of %d, and %d have ended", group.Done, group.Total, ended))
				}
				require.Contains(t, console.Status(status, patch.Waits{}, console.Page{}), fmt.Sprintf(" %d of %d ", ended, many), "what `wave show` prints")
			}
			scene.Env.RegisterDelayedCallback(look, between)
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, patch.Succeeded, result.Outcome, "%s", result.Reason)
			require.Empty(t, wrong)
			for done := range many {
				require.True(t, told[done], "nobody was ever told that %d have ended", done)
			}
		})
	}
}
