package instance_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// statusOf asks a wave that is another workflow's child.
func statusOf(story wavetest.Story, wave string) patch.WaveStatus {
	var status patch.WaveStatus
	value, err := story.Scene.Env.QueryWorkflowByID(wave, names.QueryStatus)
	require.NoError(story.Scene.T, err)
	require.NoError(story.Scene.T, value.Get(&status))
	return status
}

// heardOf are the notices of a kind that a channel got.
func heardOf(heard *wavetest.Speakers, kind patch.NoticeKind) []patch.Notice {
	var of []patch.Notice
	for _, notice := range heard.Heard["chat"] {
		if notice.Kind == kind {
			of = append(of, notice)
		}
	}
	return of
}

func TestAnUndoThatAWSDeniesIsToldUntilItEnds(t *testing.T) {
	for _, c := range []struct {
		name, account, operation string
		fleet                    [3]int
		fails                    bool // the instance does
		on                       string
	}{
		{"an instance's way back", wavetest.Production, "ExitStandby", [3]int{2, 4, 6}, true, "i-"},
		{"processes of one that is patched", wavetest.Production, "ResumeProcesses", [3]int{2, 4, 6}, false, "i-"},
		{"the surge's end", wavetest.Production, "TerminateInstanceInAutoScalingGroup", [3]int{4, 4, 4}, false, "web"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fleet := wavetest.Sized(c.fleet[0], c.fleet[1], c.fleet[2])
			if c.fails {
				fleet = wavetest.FailsOnce(fleet)
			}
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Config: wavetest.Unattended, Fleet: fleet,
			})
			heard := scene.Listen("chat")
			var denied time.Time
			var during, after patch.WaveStatus
			var stranded []patch.Stranded
			scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
				if call.Account != c.account || call.Operation != c.operation {
					return awssim.Fault{}
				}
				if denied.IsZero() {
					denied = scene.Env.Now()
				}
				return awssim.Fault{Kind: awssim.FaultError, Code: "AccessDenied", Message: "the role lost it", Status: 403}
			})
			scene.Play(func(story wavetest.Story) {
				wave := story.Begin("wave-1", "web")
				for denied.IsZero() {
					story.Later(time.Minute)
				}
				story.Until(denied.Add(5*time.Hour + 30*time.Minute))
				during = statusOf(story, "wave-1")
				scene.Sim.SetInterceptor(nil)
				story.Later(5 * time.Minute)
				after = statusOf(story, "wave-1")
				stranded = story.Ends(wave).Stranded
				story.Later(7 * time.Hour)
			})
			require.Empty(t, stranded)
			require.Contains(t, during.Awaiting, "the role lost it", "%s for hours, and awaiting nobody", during.State)
			require.Len(t, during.FailingUndos, 1)
			failing := during.FailingUndos[0]
			require.Greater(t, failing.Attempt, 100)
			require.Contains(t, failing.Error, "the role lost it")
			require.Contains(t, failing.Instance+failing.Group, c.on)
			require.Empty(t, after.FailingUndos)
			require.NotContains(t, after.Awaiting, "the role lost it")
			told := heardOf(heard, patch.NoticeUndoFails)
			require.InDelta(t, 5, len(told), 1, "at once, and every hour again")
			require.LessOrEqual(t, told[0].At.Sub(denied), 6*time.Minute)
			require.Contains(t, told[0].Why, "the role lost it")
			require.NotEmpty(t, told[0].Commands)
			require.Equal(t, "web", told[0].Plan)
			require.Equal(t, "wave-1", told[0].WaveID)
			require.Len(t, heardOf(heard, patch.NoticeUndoEnded), 1)
		})
	}
}

// A second abort that comes while an install is only waited for is not about the undo that follows.
func TestAnAbortToldBeforeTheUndoDoesNotCutIt(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Config: wavetest.Unattended, Fleet: wavetest.FailsOnce(nil),
	})
	aborted := 0
	scene.WhenAtStep(patch.StepInstall, func(string) {
		scene.Tell(patch.Abort, "")
		aborted++
		scene.Env.RegisterDelayedCallback(func() { scene.Tell(patch.Abort, ""); aborted++ }, 10*time.Second)
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, 2, aborted)
	require.Empty(t, result.Stranded)
	scene.RequireInvariants(result, wavetest.Except{})
}

// A hold that nobody answers is told again.
func TestAHoldIsToldAgainUntilItIsAnswered(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "bad-patch", Config: wavetest.PlanWith("approval: {required: true, timeout: 24h}",
			"approval: {required: false}", "timeout: 30m", "timeout: 5h"),
	})
	heard := scene.Listen("chat")
	scene.Play(func(story wavetest.Story) {
		story.Wave("wave-1")
		_ = workflow.Sleep(story.Ctx, 7*time.Hour)
	})
	require.Len(t, heardOf(heard, patch.NoticeOnHold), 5)
}
