package instance

import (
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// Turn is what an instance tells its group where several are under way: that it wants its turn to change the group's
// numbers, or has done so. Going out is decided by what the group is now, so that no two may decide at once.
type Turn struct {
	ID      string
	Asks    bool // else it has ended
	N       int  // of its asks, from 1: an answer to an older one counts no more
	Out     bool // it wants to go out, to be patched; of one that has ended: it is out
	Room    bool // it has launched one more of its own: the group's record has room for one
	Numbers bool // it changes the group's numbers otherwise than by going out or coming back, or did
	Targets []string
}

// TakeTurn is the group's answer.
type TakeTurn struct {
	N      int            // of the ask
	Ours   patch.Holdings // as they are now
	Beside bool           // another of the group is out
	Room   string         // who has launched one more of its own; "": nobody
	No     string         // why it is not to begin; "": it is its turn
	Peers  []string       // see Common.Peers, as they are now
}

// How long a turn is waited for. Who comes back does so without it in the end: nobody stays out for another's sake. So
// does who is taken out again, where it serves ill: five minutes of a holder are an AWS that does not answer it, for
// who waits for others gives its turn back meanwhile. Without a turn it makes no room of its own (see roomBeside), and
// AWS itself refuses to take desired below min; what may be is that one more than max_unavailable is out, of whom one
// was ill already.
const (
	asksAgain   = time.Hour // Temporal loses no signal; a group that is gone has its instances cancelled
	longestWait = 5 * time.Minute
)

// turn is an instance's part of the turns.
type turn struct {
	mine     bool
	out      bool // it may be out of service
	numbers  bool // see Turn.Numbers
	asked    int
	channel  workflow.ReceiveChannel
	answered TakeTurn
}

// takeTurn waits for its turn to go out, and returns why it is not to begin; nil where it may.
func (s *saga) takeTurn(ctx workflow.Context) *notBegun {
	if !s.in.Turns || s.turn.mine {
		return nil
	}
	for {
		told := s.askTurn(ctx, Turn{Out: true, Targets: s.ownTargets()}, asksAgain)
		switch {
		case ctx.Err() != nil:
			s.endTurn(ctx)
			return &cancelledBefore
		case !told:
			continue
		case s.turn.answered.No != "":
			return &notBegun{outcome: patch.NotStarted, why: s.turn.answered.No}
		}
		s.in.Ours = s.turn.answered.Ours
		return nil
	}
}

// withTurn does in its turn what changes the group on the way back.
func (s *saga) withTurn(ctx workflow.Context, do func() error) error {
	return s.inTurn(ctx, Turn{}, do)
}

// withNumbers does in its turn what decides by the group's numbers, and changes them: AWS's lists must show them.
func (s *saga) withNumbers(ctx workflow.Context, do func() error) error {
	return s.inTurn(ctx, Turn{Numbers: true}, do)
}

func (s *saga) inTurn(ctx workflow.Context, ask Turn, do func() error) error {
	if !s.in.Turns || s.turn.mine {
		return do()
	}
	s.askTurn(ctx, ask, longestWait)
	s.turn.numbers = ask.Numbers
	defer s.endTurn(ctx)
	return do()
}

// askTurn asks the group for the instance's turn and waits so long; it reports whether the group has answered. A group
// that is gone is waited for no longer.
func (s *saga) askTurn(ctx workflow.Context, ask Turn, wait time.Duration) (answered bool) {
	s.turn.asked++
	ask.ID, ask.Asks, ask.N = s.in.Instance, true, s.turn.asked
	if s.turn.channel == nil {
		s.turn.channel = workflow.GetSignalChannelWithOptions(ctx, names.SignalTakeTurn, workflow.SignalChannelOptions{
			Description: "Whose turn it is to go out or come back; for groups only",
		})
	}
	parent := workflow.GetInfo(ctx).ParentWorkflowExecution
	if parent == nil {
		return false
	}
	asked := workflow.SignalExternalWorkflow(ctx, parent.ID, parent.RunID, names.SignalTurn, ask)
	if err := asked.Get(ctx, nil); err != nil {
		if !ask.Out { // the group is gone; who would go out is cancelled with it, and asks again until then
			return false
		}
		_ = workflow.NewTimerWithOptions(ctx, wait, workflow.TimerOptions{Summary: "until its group answers"}).Get(ctx, nil)
		return false
	}
	waiting, stop := workflow.WithCancel(ctx)
	defer stop()
	selector, over := workflow.NewSelector(ctx), false
	selector.AddReceive(s.turn.channel, func(c workflow.ReceiveChannel, _ bool) {
		s.turn.answered = TakeTurn{}
		c.Receive(ctx, &s.turn.answered)
		answered = s.turn.answered.N == ask.N
	})
	selector.AddFuture(workflow.NewTimerWithOptions(waiting, wait, workflow.TimerOptions{
		Summary: "until it asks again for its turn",
	}), func(workflow.Future) { over = true })
	for !answered && !over {
		selector.Select(ctx)
	}
	s.turn.mine = answered && s.turn.answered.No == ""
	if s.turn.mine { // others may have been begun since it was
		s.in.Peers = s.turn.answered.Peers
	}
	return answered
}

// endTurn lets the next have its turn. A request that was not answered yet is withdrawn by it.
func (s *saga) endTurn(ctx workflow.Context) {
	parent := workflow.GetInfo(ctx).ParentWorkflowExecution
	if !s.in.Turns || parent == nil {
		return
	}
	s.turn.mine = false
	clean, _ := workflow.NewDisconnectedContext(ctx)
	// A group that is gone has nobody to let. It is waited for, so that it does not overtake the next ask.
	_ = workflow.SignalExternalWorkflow(clean, parent.ID, parent.RunID, names.SignalTurn, Turn{
		ID: s.in.Instance, Out: s.turn.out, Room: s.room != nil, Numbers: s.turn.numbers,
	}).Get(clean, nil)
	s.turn.numbers = false
}

// besideOthers reports whether it is refused in its turn for what may pass once others of its group are back.
func (s *saga) besideOthers(refusal *patch.Refusal) bool {
	return s.turn.mine && s.turn.answered.Beside && refusal.Code.ForSiblings()
}

// roomBeside is for whom else of the group one more has been launched; "": for nobody. Without its turn that is not
// known, and the group's record may tell of one already; where the whole group surges it does.
func (s *saga) roomBeside() string {
	if s.in.Turns && !s.turn.mine {
		return "another of its group, it may be,"
	}
	if s.in.Ours.Surge > 0 {
		return "its group"
	}
	return s.turn.answered.Room
}

// ownTargets are the target groups that count on the instance while it is out.
func (s *saga) ownTargets() []string {
	var arns []string
	for _, target := range s.member.Targets {
		if !slices.Contains(arns, target.TargetGroupARN) { // by two ports, it may be
			arns = append(arns, target.TargetGroupARN)
		}
	}
	return arns
}
