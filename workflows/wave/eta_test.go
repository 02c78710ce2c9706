package wave_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// seen is a wave's status at a moment.
type seen struct {
	at     time.Time
	status patch.WaveStatus
}

// often is shorter than the scene's operator takes to answer.
const often = 5 * time.Second

// watched keeps what the wave says of itself.
func watched(scene *wavetest.Scene) *[]seen {
	all := &[]seen{}
	var look func()
	look = func() {
		if scene.Env.IsWorkflowCompleted() {
			return
		}
		if status, ok := scene.Status(); ok {
			*all = append(*all, seen{scene.Env.Now(), status})
		}
		scene.Env.RegisterDelayedCallback(look, often)
	}
	scene.Env.RegisterDelayedCallback(look, often)
	return all
}

func first(all []seen, is func(patch.WaveStatus) bool) *seen {
	for i := range all {
		if is(all[i].status) {
			return &all[i]
		}
	}
	return nil
}

// Staging takes 10 minutes of bake and half a minute of draining beside what patching takes, production a minute of
// draining.
func TestAWaveTellsHowLongItIsLikelyToTakeYet(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: estimated("{patch: 22m}")})
	all := watched(scene)
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome)

	staging := first(*all, func(s patch.WaveStatus) bool { return s.State == patch.StateRunning && s.Stage == "staging" })
	require.NotNil(t, staging)
	eta := staging.status.ETA
	require.NotNil(t, eta)
	began := eta.At
	require.Equal(t, []string{"the approval of production"}, eta.NotCounted)
	require.True(t, eta.Done.IsZero(), "nobody knows when somebody approves")
	require.Equal(t, "2h17m0s", eta.Left.String(), "two at 22m30s and four at 23m")
	require.Equal(t, "45m0s", staging.status.Stages[0].ETA.Left.String())
	require.Equal(t, began.Add(45*time.Minute), staging.status.Stages[0].ETA.Done, "staging waits for nobody")
	require.Equal(t, "estimates.patch and draining", staging.status.Stages[0].Groups[0].ETA.From)
	require.Equal(t, "1h32m0s", staging.status.Stages[1].ETA.Left.String())
	require.True(t, staging.status.Stages[1].Groups[0].ETA.Done.IsZero())
	require.Equal(t, "22m30s", eta.UnderWay.String(), "the second, and production, begin when the first has ended")
	require.Equal(t, "22m30s", staging.status.Stages[0].Groups[0].ETA.UnderWay.String())
	require.Zero(t, staging.status.Stages[1].ETA.UnderWay)

	gate := first(*all, wavetest.InState(patch.StateAwaitingApproval))
	require.NotNil(t, gate)
	require.Equal(t, "1h32m0s", gate.status.ETA.Left.String(), "staging is done")
	require.Nil(t, gate.status.Stages[0].ETA)
	require.Zero(t, gate.status.ETA.UnderWay, "nothing passes while a person is waited for")
	require.Equal(t, []string{"the approval of production"}, gate.status.ETA.NotCounted)

	production := first(*all, func(s patch.WaveStatus) bool {
		return s.State == patch.StateRunning && s.Stage == "production"
	})
	require.NotNil(t, production)
	eta = production.status.ETA
	require.Empty(t, eta.NotCounted)
	require.Equal(t, eta.At.Add(92*time.Minute), eta.Done)
	require.Equal(t, eta.Done, production.status.Stages[1].ETA.Done)

	last := (*all)[len(*all)-1]
	require.Nil(t, last.status.Stages[0].ETA)
}

// What nobody needs to patch takes no time, and what is launched first takes some.
func TestAnETACountsWhatIsDue(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Fleet: wavetest.Sized(4, 4, 4), Config: estimated("{patch: 22m}"),
	})
	all := watched(scene)
	scene.Decide = []patch.Verb{patch.Abort}
	_, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	gate := first(*all, wavetest.InState(patch.StateAwaitingApproval))
	require.NotNil(t, gate)
	require.Equal(t, "1h37m0s", gate.status.ETA.Left.String(), "four at 23m, and a launch of 5m before them")

	scene.Again(scene.Env.Now().Add(24 * time.Hour))
	all = watched(scene)
	_, err = scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Nil(t, first(*all, wavetest.InState(patch.StateAwaitingApproval)), "there is nothing to approve")
	turn := first(*all, func(s patch.WaveStatus) bool { return s.State == patch.StateRunning && s.Stage == "production" })
	require.NotNil(t, turn)
	require.Equal(t, "5m0s", turn.status.ETA.Left.String(),
		"the day after everybody is compliant; only room would be made")
}

// A wave that holds tells what is left for when somebody has decided.
func TestAnETADoesNotCountWhatAPersonIsWaitedFor(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "bad-patch", Config: estimated("{patch: 22m}")})
	scene.Decide = []patch.Verb{patch.RollBack}
	var held *patch.ETA
	scene.OnHold = func(status patch.WaveStatus) { held = status.ETA }
	_, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.NotNil(t, held)
	require.Equal(t, []string{"the decision that is asked for"}, held.NotCounted)
	require.True(t, held.Done.IsZero())
	require.Equal(t, "1h9m0s", held.Left.String(), "the first of four has failed")
	closed, ok := scene.Status()
	require.True(t, ok)
	require.Nil(t, closed.ETA)
}
