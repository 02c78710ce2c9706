package wave_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// A Change Calendar that closes under a wave is as a window that does, in a plan with a window and in one without: the
// wave parks between instances, asks nobody to decide about a failure, and goes on once the calendar is open and
// somebody has said so. Said before, it is tried again until it is.
func TestACalendarClosesUnderAWave(t *testing.T) {
	for _, windowed := range []bool{false, true} {
		t.Run(map[bool]string{false: "without a window", true: "in a window"}[windowed], func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Config: func(file []byte) []byte { return calendars(quick(file)) },
			})
			if windowed {
				twoWindows(scene, 12*time.Hour)
			}
			openCalendar(scene, wavetest.Staging)
			openCalendar(scene, wavetest.Production)
			var closes time.Time
			scene.WhenAtStep(patch.StepBake, func(string) {
				scene.Production(func(g *world.ScalingGroup) {
					closes = g.Region.World.Now()
					g.Region.PutCalendar(&world.Calendar{Name: "freeze", State: "CLOSED", Changes: closes.Add(3 * time.Hour)})
				})
			})
			parked, began, held := false, 0, false
			scene.OnHold = func(patch.WaveStatus) { held = true }
			scene.When(isParked, func(status patch.WaveStatus) {
				parked, began = true, len(scene.Effects("EnterStandby"))
				require.Contains(t, status.Awaiting, "CalendarClosed")
				require.Contains(t, status.Awaiting, "the change calendar freeze is closed until ")
				require.NotNil(t, status.NextWindow)
				requireParked(scene)
				scene.MustTake(patch.Resume, wavetest.Because("as soon as it is open"))
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.True(t, parked)
			require.False(t, held)
			require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
			require.Equal(t, 4, wavetest.CountInProduction(result, patch.Patched))
			out := scene.Effects("EnterStandby")
			require.Len(t, out, 4, "each instance went out once")
			require.Equal(t, 1, began)
			require.False(t, out[began].Time.Before(closes.Add(3*time.Hour)), "not while it is closed")
			require.WithinDuration(t, closes.Add(3*time.Hour), out[began].Time, time.Hour)
			scene.RequireInvariants(result, wavetest.Except{})
			scene.RequireVersions(result)
		})
	}
}

// Nobody resumes it: a wave of a plan without a window ends after a week, and what it patched stays.
func TestACalendarThatStaysClosedEndsAWave(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: calendars})
	openCalendar(scene, wavetest.Staging)
	openCalendar(scene, wavetest.Production)
	scene.WhenAtStep(patch.StepBake, func(string) {
		scene.Production(func(g *world.ScalingGroup) {
			g.Region.PutCalendar(&world.Calendar{Name: "freeze", State: "CLOSED"})
		})
	})
	began := scene.Env.Now()
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Aborted, result.Outcome, "%+v", result)
	require.Contains(t, result.Reason, "the change calendar freeze is closed; wait until it is open, then retry")
	require.Contains(t, result.Reason, "nobody resumed it by the cutoff of the next window")
	require.WithinDuration(t, began.AddDate(0, 0, 7), scene.Env.Now(), 3*time.Hour)
	require.Equal(t, 3, wavetest.CountInProduction(result, patch.NotStarted))
	scene.RequireInvariants(result, wavetest.Except{})
}
