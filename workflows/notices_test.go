package workflows_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/notify"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows"
)

// speakers are channels that remember what they were told; each may be made to fail.
type speakers struct {
	mu       sync.Mutex
	channels []string
	heard    map[string][]patch.Notice
	attempts map[string]int
	fail     map[string]error
}

func newSpeakers(channels ...string) *speakers {
	return &speakers{channels: channels, heard: map[string][]patch.Notice{}, attempts: map[string]int{}, fail: map[string]error{}}
}

func (s *speakers) Channels() []string { return s.channels }

func (s *speakers) Send(_ context.Context, channel string, notice patch.Notice) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attempts[channel]++
	if err := s.fail[channel]; err != nil {
		return err
	}
	s.heard[channel] = append(s.heard[channel], notice)
	return nil
}

func (s *speakers) kinds(channel string) []patch.NoticeKind {
	var kinds []patch.NoticeKind
	for _, notice := range s.heard[channel] {
		kinds = append(kinds, notice.Kind)
	}
	return kinds
}

func (b *bench) listen(channels ...string) *speakers {
	s := newSpeakers(channels...)
	b.control.Notifier, b.control.Notices = s, b.store
	return s
}

// noisy is a wave whose notices are waited for: Temporal's test environment ends with its first workflow.
func (h history) noisy(id string) *patch.WaveResult {
	result := h.wave(id)
	h.later(7 * time.Hour)
	return result
}

// decideLater answers the first hold of a wave that is another's child.
func (h history) decideLater(wave string, verb patch.Verb) {
	workflow.Go(h.ctx, func(ctx workflow.Context) {
		for range 1000 {
			_ = workflow.Sleep(ctx, 20*time.Second)
			var status patch.WaveStatus
			value, err := h.b.env.QueryWorkflowByID(wave, names.QueryStatus)
			if err != nil || value.Get(&status) != nil || status.State != patch.StateOnHold {
				continue
			}
			require.NoError(h.b.t, h.b.env.UpdateWorkflowByID(wave, string(verb), "", silentUpdate{},
				workflows.VerbRequest{Actor: "tester", Reason: "the test says so"}))
			return
		}
	})
}

type silentUpdate struct{}

func (silentUpdate) Accept()             {}
func (silentUpdate) Reject(err error)    { panic(err) }
func (silentUpdate) Complete(any, error) {}

func TestAWaveTellsWhatItDoes(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy", config: unattended})
	heard := b.listen("chat", "mail")
	var result *patch.WaveResult
	b.play(func(h history) { result = h.noisy("wave-1") })
	require.Equal(t, patch.Succeeded, result.Outcome)
	for _, channel := range heard.channels {
		require.Equal(t, []patch.NoticeKind{patch.NoticeStarted, patch.NoticeFinished}, heard.kinds(channel))
		end := heard.heard[channel][1]
		require.Equal(t, patch.Succeeded, end.Outcome)
		require.Equal(t, map[patch.Outcome]int{patch.Patched: 6}, end.Tally)
		require.Equal(t, "wave-1", end.WaveID)
		require.NotEmpty(t, end.RunID)
		told, err := b.store.Told(t.Context(), end, channel)
		require.NoError(t, err)
		require.True(t, told)
	}
}

func TestAHoldNamesWhatFailedWhatToSendAndUntilWhen(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "bad-patch", config: unattended})
	heard := b.listen("chat")
	var result *patch.WaveResult
	b.play(func(h history) {
		h.decideLater("wave-1", patch.RollBack)
		result = h.noisy("wave-1")
	})
	require.Equal(t, patch.RolledBack, result.Outcome)
	// The failure and the hold are one event to whoever is called for it, and one notice.
	require.Equal(t, []patch.NoticeKind{patch.NoticeStarted, patch.NoticeOnHold, patch.NoticeRolledBack}, heard.kinds("chat"))
	hold, end := heard.heard["chat"][1], heard.heard["chat"][2]
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
	b := newBench(t, benchOptions{scenario: "bad-patch", config: plan(
		"approval: {required: true, timeout: 24h}", "approval: {required: false}", "max_unavailable: 1", "max_unavailable: 1\n        max_failures: 3")})
	heard := b.listen("chat")
	b.play(func(h history) {
		h.decideLater("wave-1", patch.Abort)
		h.noisy("wave-1")
	})
	failed := patch.NoticeFailedInstance
	require.Equal(t, []patch.NoticeKind{patch.NoticeStarted, failed, failed, failed, patch.NoticeOnHold, patch.NoticeFinished}, heard.kinds("chat"))
	for _, notice := range heard.heard["chat"][1:4] {
		require.Len(t, notice.Instances, 1, "each failure is told once")
	}
	require.Len(t, heard.heard["chat"][4].Instances, 4, "the hold names all")
}

func TestADeadChannelDelaysNeitherTheWaveNorAnotherChannel(t *testing.T) {
	for _, c := range []struct {
		name     string
		err      error
		attempts func(t *testing.T, attempts int)
	}{
		{"away for hours", &notify.AwayError{Why: "answered 503"}, func(t *testing.T, n int) { require.Greater(t, n, 100, "it is tried for hours") }},
		{"refuses", &notify.RefusedError{Why: "answered 404: no_service"}, func(t *testing.T, n int) { require.Equal(t, 2, n, "each notice once") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			quick := newBench(t, benchOptions{scenario: "healthy", config: unattended})
			var without time.Duration
			quick.play(func(h history) {
				began := workflow.Now(h.ctx)
				h.wave("wave-1")
				without = workflow.Now(h.ctx).Sub(began)
			})
			b := newBench(t, benchOptions{scenario: "healthy", config: unattended})
			heard := b.listen("chat", "mail")
			heard.fail["mail"] = c.err
			b.play(func(h history) {
				began := workflow.Now(h.ctx)
				result := h.wave("wave-1")
				require.Equal(t, patch.Succeeded, result.Outcome)
				require.InDelta(t, without.Seconds(), workflow.Now(h.ctx).Sub(began).Seconds(), 30)
				h.later(7 * time.Hour)
			})
			require.Len(t, heard.heard["chat"], 2)
			require.Empty(t, heard.heard["mail"])
			c.attempts(t, heard.attempts["mail"])
		})
	}
}

func TestAWaveSaysWhomItCouldNotTell(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy", config: unattended})
	heard := b.listen("chat")
	heard.fail["chat"] = &notify.RefusedError{Why: "answered 404: no_service"}
	b.play(func(h history) { h.noisy("wave-1") })
	var document struct{ Status patch.WaveStatus }
	require.NoError(t, b.store.GetWave(t.Context(), "wave-1", &document))
	require.Len(t, document.Status.NotTold, 1)
	require.Contains(t, document.Status.NotTold[0], "started: chat was not told started: answered 404: no_service")
}

func TestANoticeIsToldOnceThoughItsTellerAsksTwice(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy"})
	heard := b.listen("chat")
	notice := patch.Notice{Kind: patch.NoticeScheduleSkipped, Key: "schedule/web/2036-11-22", At: b.env.Now(), Plan: "web"}
	b.env.RegisterWorkflowWithOptions(func(ctx workflow.Context) error {
		return errors.Join(
			workflow.ExecuteChildWorkflow(workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{WorkflowID: "one"}), names.Notify, notice).Get(ctx, nil),
			workflow.ExecuteChildWorkflow(workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{WorkflowID: "two"}), names.Notify, notice).Get(ctx, nil),
		)
	}, workflow.RegisterOptions{Name: "twice"})
	b.env.ExecuteWorkflow("twice")
	require.NoError(t, b.env.GetWorkflowError())
	require.Len(t, heard.heard["chat"], 1, "the evidence store remembers it")
}

func TestRollBackWaveTellsToo(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy", config: unattended, fleet: sized(2, 4, 6)})
	heard := b.listen("chat")
	b.play(func(h history) {
		h.noisy("wave-1")
		_, err := h.rollBack("wave-1", false)
		require.NoError(t, err)
		h.later(time.Hour)
	})
	require.Equal(t, []patch.NoticeKind{patch.NoticeStarted, patch.NoticeFinished, patch.NoticeStarted, patch.NoticeRolledBack}, heard.kinds("chat"))
	require.Equal(t, "wave-1", heard.heard["chat"][2].PutsBack)
	require.Equal(t, "tester", heard.heard["chat"][2].Actor)
}

func TestAPreflightThatRefusesIsToldWithItsReason(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy", config: unattended})
	heard := b.listen("chat")
	b.plans.window = &patch.Window{}
	b.play(func(h history) {
		child := workflow.WithChildOptions(h.ctx, workflow.ChildWorkflowOptions{WorkflowID: "wave-1"})
		require.Error(t, workflow.ExecuteChildWorkflow(child, names.PatchWave, theWeb).Get(child, nil))
		h.later(time.Hour)
	})
	require.Equal(t, []patch.NoticeKind{patch.NoticeFinished}, heard.kinds("chat"))
	require.Equal(t, patch.Failed, heard.heard["chat"][0].Outcome)
	require.Contains(t, heard.heard["chat"][0].Why, "start the wave inside the window")
}

func TestReconcileTellsWhatNeedsAPersonOnceADay(t *testing.T) {
	b := newBench(t, benchOptions{scenario: "healthy"})
	heard := b.listen("chat")
	b.production(func(g *world.ScalingGroup) {
		members := g.Members()
		_, err := g.EnterStandby([]string{members[0].Instance.ID}, true)
		require.NoError(t, err)
		members[1].Instance.Tags[names.TagJournal] = "wave-other " + accountProduction + "/" + tokyoRegion + "/" + members[1].Instance.ID
	})
	b.env.RegisterWorkflowWithOptions(func(ctx workflow.Context) error {
		_ = workflow.Sleep(ctx, 2*time.Hour)
		for _, dry := range []bool{true, false, false} {
			child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{WorkflowID: names.ReconcileID})
			if err := workflow.ExecuteChildWorkflow(child, names.Reconcile, workflows.ReconcileRequest{DryRun: dry}).Get(ctx, nil); err != nil {
				return err
			}
			_ = workflow.Sleep(ctx, time.Hour)
		}
		return nil
	}, workflow.RegisterOptions{Name: "thrice"})
	b.env.ExecuteWorkflow("thrice")
	require.NoError(t, b.env.GetWorkflowError())
	require.ElementsMatch(t, []patch.NoticeKind{patch.NoticeStranded, patch.NoticeDrift, patch.NoticeStranded}, heard.kinds("chat"), "a dry run tells nobody, drift is told once")
	for _, notice := range heard.heard["chat"] {
		require.Equal(t, names.ReconcileID, notice.WorkflowID)
		require.NotEmpty(t, append(notice.Findings, make([]string, len(notice.Stranded))...))
	}
}
