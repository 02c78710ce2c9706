package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/internal/notify"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// Notifier sends notices on the channels of the worker's configuration.
type Notifier interface {
	// Channels names every channel; no name holds a secret.
	Channels() []string
	// Send sends a notice once. A *notify.RefusedError is final, a *notify.AwayError may pass.
	Send(ctx context.Context, channel string, notice patch.Notice) error
}

// Notices remembers what was sent where.
type Notices interface {
	// Told tells whether the notice with that key was sent on the channel.
	Told(ctx context.Context, notice patch.Notice, channel string) (bool, error)
	// MarkTold remembers that it was.
	MarkTold(ctx context.Context, notice patch.Notice, channel string, at time.Time) error
}

// Channels names the channels of the worker's configuration; none when nobody is to be told.
func (c *Control) Channels(context.Context) ([]string, error) {
	if c.Notifier == nil {
		return nil, nil
	}
	return c.Notifier.Channels(), nil
}

// notifies tells whether the worker's configuration has a channel at all.
func (c *Control) notifies() bool { return c.Notifier != nil && len(c.Notifier.Channels()) > 0 }

// NotifyInput is one notice for one channel.
type NotifyInput struct {
	Channel string // one of Channels
	Notice  patch.Notice
}

// Notify sends one notice on one channel. It is sent at least once: what was sent is remembered in the evidence store,
// and a repeated attempt looks there first; only where the reply to the sending itself was lost may it arrive twice,
// with the same id. A store that is away does not keep an alarm from being sent. NotificationRejected, final, is a
// channel that refuses; NotificationPending may pass.
func (c *Control) Notify(ctx context.Context, in NotifyInput) error {
	if c.Notifier == nil {
		return once.Final(ErrNotificationRejected, "%s: this worker's configuration has no notify:", in.Channel)
	}
	if told, err := c.Notices.Told(ctx, in.Notice, in.Channel); err != nil {
		activity.GetLogger(ctx).Warn(
			"the evidence store does not say whether a notice was sent; it is sent", "notice", in.Notice.Key, "channel",
			in.Channel, "error", err,
		)
	} else if told {
		return nil
	}
	if err := c.Notifier.Send(ctx, in.Channel, in.Notice); err != nil {
		return notifyError(in, err)
	}
	if err := c.Notices.MarkTold(ctx, in.Notice, in.Channel, time.Now()); err != nil {
		activity.GetLogger(ctx).Warn(
			"a notice was sent and that could not be kept in the evidence store", "notice", in.Notice.Key, "channel", in.Channel,
			"error", err,
		)
	}
	return nil
}

// notifyError types a failure to send. Its texts come from internal/notify, which keeps addresses out of them.
func notifyError(in NotifyInput, err error) error {
	message := fmt.Sprintf("%s was not told %s: %v", in.Channel, in.Notice.Kind.Words(), err)
	var refused *notify.RefusedError
	if errors.As(err, &refused) {
		return once.Final(ErrNotificationRejected, "%s", message)
	}
	var delay time.Duration
	var away *notify.AwayError
	if errors.As(err, &away) {
		delay = away.RetryAfter
	}
	return temporal.NewApplicationErrorWithOptions(
		message, ErrNotificationPending, temporal.ApplicationErrorOptions{NextRetryDelay: delay},
	)
}
