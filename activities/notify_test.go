package activities_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/notify"
	"github.com/patchtide/patchtide/internal/patch"
)

// speaker is a channel that fails as told and counts what it was sent.
type speaker struct {
	fail error
	sent int
}

func (s *speaker) Channels() []string { return []string{"chat"} }

func (s *speaker) Send(context.Context, string, patch.Notice) error {
	s.sent++
	return s.fail
}

// amnesia is a store that is away.
type amnesia struct{}

func (amnesia) Told(context.Context, patch.Notice, string) (bool, error) {
	return false, errors.New("the bucket is away")
}

func (amnesia) MarkTold(context.Context, patch.Notice, string, time.Time) error {
	return errors.New("the bucket is away")
}

var oneNotice = activities.NotifyInput{
	Channel: "chat", Notice: patch.Notice{Kind: patch.NoticeOnHold, Key: "wave-1/run/on_hold-1", At: time.Unix(0, 0)},
}

func notifyWith(t *testing.T, control *activities.Control) error {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivity(control)
	_, err := env.ExecuteActivity(control.Notify, oneNotice)
	return err
}

func TestNotifyRemembersWhatItSent(t *testing.T) {
	store, err := evidence.Open(t.Context(), "mem://", evidence.Options{Signer: evidence.GenerateKey()})
	require.NoError(t, err)
	channel := &speaker{fail: &notify.AwayError{Why: "it answered 503"}}
	control := &activities.Control{Notifier: channel, Notices: store}
	require.Error(t, notifyWith(t, control))
	channel.fail = nil
	require.NoError(t, notifyWith(t, control), "a failed sending is not remembered")
	require.NoError(t, notifyWith(t, control))
	require.Equal(t, 2, channel.sent, "what was sent is not sent again")
}

func TestNotifySendsThoughTheStoreIsAway(t *testing.T) {
	channel := &speaker{}
	require.NoError(t, notifyWith(t, &activities.Control{Notifier: channel, Notices: amnesia{}}))
	require.Equal(t, 1, channel.sent)
}

func TestNotifyTellsWhatMayPassFromWhatWillNot(t *testing.T) {
	for _, c := range []struct {
		name  string
		err   error
		typed string
		final bool
		delay time.Duration
	}{
		{
			"a channel that asks to wait", &notify.AwayError{Why: "it answered 429", RetryAfter: time.Minute},
			activities.ErrNotificationPending, false, time.Minute,
		},
		{"a channel that is away", &notify.AwayError{Why: "no answer"}, activities.ErrNotificationPending, false, 0},
		{
			"a channel that refuses", &notify.RefusedError{Why: "it answered 404: no_service"},
			activities.ErrNotificationRejected, true, 0,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := notifyWith(t, &activities.Control{Notifier: &speaker{fail: c.err}, Notices: amnesia{}})
			var typed *temporal.ApplicationError
			require.True(t, errors.As(err, &typed), "%v", err)
			require.Equal(t, c.typed, typed.Type())
			require.Equal(t, c.final, typed.NonRetryable())
			require.Equal(t, c.delay, typed.NextRetryDelay())
			require.Contains(t, typed.Message(), "chat was not told on hold: ")
		})
	}
	require.ErrorContains(t, notifyWith(t, &activities.Control{}), "has no notify:")
}
