package wave

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/freeze"
)

// question is what a person is asked, as long as the wave waits for the answer. That lasts for hours: a freeze that
// holds it whatever is answered may begin or end meanwhile. A pause does neither: who is asked answers first.
type question struct {
	accounts []string
	frozen   string                   // what was when somebody was last asked, and when that was
	text     func(also string) string // with what keeps it from going on whatever is answered
}

// ask enters a state in which a person decides about groups.
func (w *wave) ask(ctx workflow.Context, state patch.WaveState, about []*lockedGroup, text func(also string) string) {
	w.question = &question{text: text}
	for _, one := range about {
		if !slices.Contains(w.question.accounts, one.group.Account.Name) {
			w.question.accounts = append(w.question.accounts, one.group.Account.Name)
		}
	}
	w.question.look(ctx)
	w.enter(ctx, state, w.question.words(w.inbox.paused))
}

// askAnew says the question as things stand now; nothing where none is asked.
func (w *wave) askAnew(ctx workflow.Context) {
	if w.question != nil {
		w.asks = w.question.words(w.inbox.paused)
		w.show(ctx)
	}
}

// look learns what is frozen now: when it is asked, and whenever people are told of it again. Where nobody is told, the
// sentence says as of when it is so.
func (q *question) look(ctx workflow.Context) {
	said := ""
	if frozen := freeze.Ask(ctx, nil, q.accounts...); frozen.Frozen() {
		said = "As of " + brief.UTC(workflow.Now(ctx)) + " " + frozen.Why + ": nothing begins there until that is lifted. "
	}
	q.frozen = said
}

func (q *question) words(paused *patch.Decision) string {
	also := ""
	if paused != nil {
		also = "It is " + whyPaused(paused) + ": answer first, then send resume: nothing begins before. "
	}
	return q.text(also + q.frozen)
}
