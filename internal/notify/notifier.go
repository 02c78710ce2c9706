package notify

import (
	"context"
	"fmt"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/temporalui"
)

// Channel is one place that is told. Its name says where, without a secret.
type Channel struct {
	Name string
	send func(context.Context, Message) error
}

// Notifier sends notices on channels.
type Notifier struct {
	channels []Channel
	ui       temporalui.UI
}

// New makes a notifier; links lead to ui.
func New(channels []Channel, ui temporalui.UI) *Notifier {
	return &Notifier{channels: channels, ui: ui}
}

// Channels names every channel, in the order of the configuration.
func (n *Notifier) Channels() []string {
	names := make([]string, len(n.channels))
	for i, channel := range n.channels {
		names[i] = channel.Name
	}
	return names
}

// Send sends a notice once on the channel of that name. The error is a *RefusedError, which no repetition mends, or an
// *AwayError, which may pass.
func (n *Notifier) Send(ctx context.Context, channel string, notice patch.Notice) error {
	for _, c := range n.channels {
		if c.Name == channel {
			return c.send(ctx, Compose(notice, n.ui))
		}
	}
	return &RefusedError{
		Why: fmt.Sprintf("this worker's configuration has no channel %s any more; it has %v", channel, n.Channels()),
	}
}
