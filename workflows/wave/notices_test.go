package wave_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/notify"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

// noisy is a wave whose notices are waited for: Temporal's test environment ends with its first workflow.
func noisy(story wavetest.Story, id string) *patch.WaveResult {
	result := story.Wave(id)
	story.Later(7 * time.Hour)
	return result
}

// decideLater answers the first hold of a wave that is another's child.
func decideLater(story wavetest.Story, wave string, verb patch.Verb) {
	workflow.Go(story.Ctx, func(ctx workflow.Context) {
		for range 1000 {
			_ = workflow.Sleep(ctx, 20*time.Second)
			var status patch.WaveStatus
			value, err := story.Scene.Env.QueryWorkflowByID(wave, names.QueryStatus)
			if err != nil || value.Get(&status) != nil || status.State != patch.StateOnHold {
				continue
			}
			require.NoError(story.Scene.T, story.Scene.Env.UpdateWorkflowByID(wave, string(verb), "", silentUpdate{},
				workflows.VerbRequest{
					Actor: "tester", Reason: "the test says so", Point: patch.Point{Stage: "production"},
				}))
			return
		}
	})
}

type silentUpdate struct{}

func (silentUpdate) Accept() {}

func (silentUpdate) Reject(err error) { panic(err) }

func (silentUpdate) Complete(any, error) {}

func TestAWaveTellsWhatItDoes(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: wavetest.Unattended})
	heard := scene.Listen("chat", "mail")
	scene.Plans.Overdue = []string{"baseline ours has an exception that is over"}
	var result *patch.WaveResult
	scene.Play(func(story wavetest.Story) { result = noisy(story, "wave-1") })
	require.Equal(t, patch.Succeeded, result.Outcome)
	for _, channel := range heard.Names {
		require.Equal(t, []patch.NoticeKind{patch.NoticeStarted, patch.NoticeFinished}, heard.Kinds(channel))
		require.Contains(t, heard.Heard[channel][0].Why, ". The baseline ours has an exception that is over")
		end := heard.Heard[channel][1]
		require.Equal(t, patch.Succeeded, end.Outcome)
		require.Equal(t, patch.Tally{patch.Patched: 6}, end.Tally)
		require.Equal(t, "wave-1", end.WaveID)
		require.NotEmpty(t, end.RunID)
		told, err := scene.Store.Told(t.Context(), end, channel)
		require.NoError(t, err)
		require.True(t, told)
	}
}

func TestAHoldNamesWhatFailedWhatToSendAndUntilWhen(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "bad-patch", Config: wavetest.Unattended})
	heard := scene.Listen("chat")
	var result *patch.WaveResult
	scene.Play(func(story wavetest.Story) {
		decideLater(story, "wave-1", patch.RollBack)
		result = noisy(story, "wave-1")
	})
	require.Equal(t, patch.RolledBack, result.Outcome)
	// The failure and the hold are one event to whoever is called for it, and one notice.
	require.Equal(t, []patch.NoticeKind{
		patch.NoticeStarted, patch.NoticeOnHold, patch.NoticeRolledBack,
	}, heard.Kinds("chat"))
	hold, end := heard.Heard["chat"][1], heard.Heard["chat"][2]
	require.Len(t, hold.Instances, 1)
	require.Equal(t, patch.RolledBack, hold.Instances[0].Outcome)
	require.NotEmpty(t, hold.Instances[0].Reason)
	require.Equal(t, "production", hold.Stage)
	require.Equal(t, []patch.Verb{patch.Retry, patch.Skip, patch.RollBack, patch.Abort}, hold.Verbs)
	require.Equal(t, patch.RollBack, hold.Otherwise)
	require.Equal(t, 30*time.Minute, hold.Until.Sub(hold.At))
	require.Contains(t, end.Why, "rolled back by tester")
	require.Equal(t, 1, end.Tally[patch.RolledBack])
}

func TestAFailureThatAStageCarriesIsToldByItself(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "bad-patch", Config: wavetest.PlanWith(
		"approval: {required: true, timeout: 24h}", "approval: {required: false}", "max_unavailable: 1",
		"max_unavailable: 1\n        max_failures: 3")})
	heard := scene.Listen("chat")
	scene.Play(func(story wavetest.Story) {
		decideLater(story, "wave-1", patch.Abort)
		noisy(story, "wave-1")
	})
	failed := patch.NoticeFailedInstance
	require.Equal(t, []patch.NoticeKind{
		patch.NoticeStarted, failed, failed, failed, patch.NoticeOnHold, patch.NoticeFinished,
	}, heard.Kinds("chat"))
	for _, notice := range heard.Heard["chat"][1:4] {
		require.Len(t, notice.Instances, 1, "each failure is told once")
	}
	require.Len(t, heard.Heard["chat"][4].Instances, 4, "the hold names all")
}

func TestADeadChannelDelaysNeitherTheWaveNorAnotherChannel(t *testing.T) {
	for _, c := range []struct {
		name     string
		err      error
		attempts func(t *testing.T, attempts int)
	}{
		{"away for hours", &notify.AwayError{Why: "answered 503"}, func(t *testing.T, n int) {
			require.Greater(t, n, 100, "it is tried for hours")
		}},
		{"refuses", &notify.RefusedError{Why: "answered 404: no_service"}, func(t *testing.T, n int) {
			require.Equal(t, 2, n, "each notice once")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			quick := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: wavetest.Unattended})
			var without time.Duration
			quick.Play(func(story wavetest.Story) {
				began := workflow.Now(story.Ctx)
				story.Wave("wave-1")
				without = workflow.Now(story.Ctx).Sub(began)
			})
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: wavetest.Unattended})
			heard := scene.Listen("chat", "mail")
			heard.Fail["mail"] = c.err
			scene.Play(func(story wavetest.Story) {
				began := workflow.Now(story.Ctx)
				result := story.Wave("wave-1")
				require.Equal(t, patch.Succeeded, result.Outcome)
				require.InDelta(t, without.Seconds(), workflow.Now(story.Ctx).Sub(began).Seconds(), 30)
				story.Later(7 * time.Hour)
			})
			require.Len(t, heard.Heard["chat"], 2)
			require.Empty(t, heard.Heard["mail"])
			c.attempts(t, heard.Attempts["mail"])
		})
	}
}

func TestAWaveSaysWhomItCouldNotTell(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: wavetest.Unattended})
	heard := scene.Listen("chat")
	heard.Fail["chat"] = &notify.RefusedError{Why: "answered 404: no_service"}
	scene.Play(func(story wavetest.Story) { noisy(story, "wave-1") })
	var document struct{ Status patch.WaveStatus }
	require.NoError(t, scene.Store.GetWave(t.Context(), "wave-1", &document))
	require.Len(t, document.Status.NotTold, 1)
	require.Contains(t, document.Status.NotTold[0], "started: chat was not told started: answered 404: no_service")
}

func TestANoticeIsToldOnceThoughItsTellerAsksTwice(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
	heard := scene.Listen("chat")
	notice := patch.Notice{
		Kind: patch.NoticeScheduleSkipped, Key: "schedule/web/2036-11-22", At: scene.Env.Now(), Plan: "web",
	}
	scene.Env.RegisterWorkflowWithOptions(func(ctx workflow.Context) error {
		return errors.Join(
			workflow.ExecuteChildWorkflow(workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{WorkflowID: "one"}),
				names.Notify, notice).Get(ctx, nil),
			workflow.ExecuteChildWorkflow(workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{WorkflowID: "two"}),
				names.Notify, notice).Get(ctx, nil),
		)
	}, workflow.RegisterOptions{Name: "twice"})
	scene.Env.ExecuteWorkflow("twice")
	require.NoError(t, scene.Env.GetWorkflowError())
	require.Len(t, heard.Heard["chat"], 1, "the evidence store remembers it")
}

func TestRollBackWaveTellsToo(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Config: wavetest.Unattended, Fleet: wavetest.Sized(2, 4, 6),
	})
	heard := scene.Listen("chat")
	scene.Play(func(story wavetest.Story) {
		noisy(story, "wave-1")
		_, err := story.RollBack("wave-1", false)
		require.NoError(t, err)
		story.Later(time.Hour)
	})
	require.Equal(t, []patch.NoticeKind{
		patch.NoticeStarted, patch.NoticeFinished, patch.NoticeStarted, patch.NoticeRolledBack,
	}, heard.Kinds("chat"))
	require.Equal(t, "wave-1", heard.Heard["chat"][2].PutsBack)
	require.Equal(t, "tester", heard.Heard["chat"][2].Actor)
}

func TestAPreflightThatRefusesIsToldWithItsReason(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: wavetest.Unattended})
	heard := scene.Listen("chat")
	scene.Plans.Within = &patch.Window{}
	scene.Play(func(story wavetest.Story) {
		child := workflow.WithChildOptions(story.Ctx, workflow.ChildWorkflowOptions{WorkflowID: "wave-1"})
		require.Error(t, workflow.ExecuteChildWorkflow(child, names.PatchWave, wavetest.WebWave).Get(child, nil))
		story.Later(time.Hour)
	})
	require.Equal(t, []patch.NoticeKind{patch.NoticeFinished}, heard.Kinds("chat"))
	require.Equal(t, patch.Refused, heard.Heard["chat"][0].Outcome)
	require.Contains(t, heard.Heard["chat"][0].Why, "start the wave inside the window")
}

func TestReconcileTellsWhatNeedsAPersonOnceADay(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
	heard := scene.Listen("chat")
	scene.Production(func(g *world.ScalingGroup) {
		members := g.Members()
		_, err := g.EnterStandby([]string{members[0].Instance.ID}, true)
		require.NoError(t, err)
		members[1].Instance.Tags[names.TagJournal] = "wave-other " + wavetest.Production + "/" + wavetest.Tokyo + "/" +
			members[1].Instance.ID
	})
	scene.Env.RegisterWorkflowWithOptions(func(ctx workflow.Context) error {
		_ = workflow.Sleep(ctx, 2*time.Hour)
		for _, dry := range []bool{true, false, false} {
			child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{WorkflowID: names.ReconcileID})
			if err := workflow.ExecuteChildWorkflow(child, names.Reconcile, workflows.ReconcileRequest{DryRun: dry}).Get(ctx,
				nil); err != nil {
				return err
			}
			_ = workflow.Sleep(ctx, time.Hour)
		}
		return nil
	}, workflow.RegisterOptions{Name: "thrice"})
	scene.Env.ExecuteWorkflow("thrice")
	require.NoError(t, scene.Env.GetWorkflowError())
	require.ElementsMatch(t, []patch.NoticeKind{
		patch.NoticeStranded, patch.NoticeDrift, patch.NoticeStranded,
	}, heard.Kinds("chat"), "a dry run tells nobody, drift is told once")
	for _, notice := range heard.Heard["chat"] {
		require.Equal(t, names.ReconcileID, notice.WorkflowID)
		require.NotEmpty(t, append(notice.Findings, make([]string, len(notice.Stranded))...))
	}
}
