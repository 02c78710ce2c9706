package instance_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// away lets one wait end as it does where no worker ran until its budget was spent: with what was seen before that.
type away struct {
	interceptor.WorkerInterceptorBase
	activity string
	scene    *wavetest.Scene
	was      atomic.Bool
}

func (a *away) InterceptActivity(
	_ context.Context, next interceptor.ActivityInboundInterceptor,
) interceptor.ActivityInboundInterceptor {
	inbound := &awayInbound{away: a}
	inbound.Next = next
	return inbound
}

type awayInbound struct {
	interceptor.ActivityInboundInterceptorBase
	away *away
}

func (i *awayInbound) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	if activity.GetInfo(ctx).ActivityType.Name == i.away.activity && !i.away.was.Swap(true) {
		i.away.scene.Sim.Inspect(func(w *world.World) { w.Advance(w.Now().Add(10 * time.Minute)) })
		return nil, temporal.NewNonRetryableApplicationError("it was not over when it was looked", activities.ErrNotReady, nil)
	}
	return i.Next.ExecuteActivity(ctx, in)
}

// A worker that was away for longer than a wait's budget has seen nothing of what became of it: it looks once more
// before it undoes anything for what was so then.
func TestAWaitThatNobodySawTheEndOfIsLookedAtOnceMore(t *testing.T) {
	for _, wait := range []string{"AwaitInService", "AwaitOutOfService"} {
		t.Run(wait, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: wavetest.Unattended})
			was := &away{activity: wait, scene: scene}
			scene.Intercept(was)
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.True(t, was.was.Load())
			require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
			require.Empty(t, scene.Effects("CreateReplaceRootVolumeTask"), "nobody loses a root volume for it")
			scene.RequireInvariants(result, wavetest.Except{})
		})
	}
}
