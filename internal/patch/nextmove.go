package patch

import "slices"

// GroupNow is one group of a stage under way, as its wave sees it.
type GroupNow struct {
	Phase   GroupPhase
	Started bool        // it was told to go
	Ended   bool        // its workflow has closed, although nobody released it
	Lost    bool        // that has been noticed: nobody knows what became of its instances
	Waits   bool        // it was told to wait, since another group of the stage is held
	Stops   bool        // one of it has failed: it is held once those under way have ended
	Owes    bool        // it has not come as far as the stage's present step: no group goes beyond that
	Behind  bool        // it was not told to go as far as the present step yet
	Closed  RefusalCode // the window or calendar that lets no further instance begin
	Targets []string    // ARNs of the target groups that it serves through
}

// Idle reports whether nothing of the group is under way any more.
func (g GroupNow) Idle() bool { return g.Phase == GroupDone || g.Phase == GroupHeld || g.Ended }

// Begun reports whether the group takes up a place of max_parallel_groups: also while a freeze or a pause holds it, for
// it goes on by itself.
func (g GroupNow) Begun() bool { return g.Started && !g.Idle() && !g.StepDone() }

// StepDone reports whether its canaries, or those of its step, are patched, and its others wait to be told to go.
func (g GroupNow) StepDone() bool { return g.Phase == GroupStepDone }

// Running reports whether an instance of the group may be under way.
func (g GroupNow) Running() bool { return g.Begun() && g.Phase != GroupPaused }

// Pausable reports whether the group heeds a pause: it works, or waits already, and may be told another reason.
func (g GroupNow) Pausable() bool {
	return g.Started && (g.Phase == GroupPatching || g.Phase == GroupPaused)
}

// Vanished reports whether its workflow has closed and nobody has noticed.
func (g GroupNow) Vanished() bool { return g.Started && g.Ended && g.Phase != GroupDone }

// StageNow is a stage under way, as its wave sees it.
type StageNow struct {
	Groups    []GroupNow // in the plan's order
	Parallel  int        // how many may be begun at once
	Sent      Verb       // the verb that waits to be acted on; "": none does
	Cancelled bool       // the wave was
	Stopping  bool       // nothing more is begun, and what is under way comes to its end
	PutsBack  bool       // of one that stops: for a roll back, not for good
	Paused    bool       // a person wants it to be
	Pausing   bool       // its groups were told to pause by a person's wish, and not yet to go on
	Extended  bool       // the window closes later than its groups know
}

// MoveKind names what a wave does next with a stage under way.
type MoveKind string

// The moves, in the order in which they are asked for.
const (
	MoveForget        MoveKind = "forget"           // the verb that was sent: what it answers has ended by itself
	MoveWriteOff      MoveKind = "write_off"        // Groups, whose workflows have closed without a word
	MoveGiveUp        MoveKind = "give_up"          // on what cannot be put back, as a person told it to
	MoveHold          MoveKind = "hold"             // a person, or the plan, decides about Groups
	MoveMakeWait      MoveKind = "make_wait"        // Groups wait while others are held
	MoveStopToPutBack MoveKind = "stop_to_put_back" // nothing more is begun; then the stage is put back
	MoveStopToAbort   MoveKind = "stop_to_abort"    // nothing more is begun, and then the wave ends
	MovePutBack       MoveKind = "put_back"         // nothing is under way: the stage is put back
	MoveStopWaiting   MoveKind = "stop_waiting"     // Groups wait for one that is lost: they stop
	MovePause         MoveKind = "pause"            // as a person told it to
	MoveResume        MoveKind = "resume"           // likewise
	MoveTellWindow    MoveKind = "tell_window"      // its groups hear that the window closes later
	MoveStart         MoveKind = "start"            // Groups go
	MoveStep          MoveKind = "step"             // all have come as far as the step: what it asks, then the next
	MovePark          MoveKind = "park"             // until another window
	MoveAbort         MoveKind = "abort"            // it has stopped
	MoveJudge         MoveKind = "judge"            // everything is done
	MoveWait          MoveKind = "wait"             // for a report, a verb, the end of a group, or a cancel
)

// Move is what a wave does next with a stage under way.
type Move struct {
	Kind   MoveKind
	Groups []int // those it is about, as indices of StageNow.Groups; nil: the stage
}

// NextMove decides what a wave does next with a stage under way. Whoever asks makes the move and asks again: each move
// changes what is seen, so that it is not asked for twice.
func NextMove(s StageNow) Move {
	if move, is := s.noticed(); is {
		return move
	}
	if s.Stopping {
		return s.stopped()
	}
	if move, is := s.decided(); is {
		return move
	}
	switch next := s.next(); {
	case s.Extended:
		return Move{Kind: MoveTellWindow}
	case next != nil:
		return Move{Kind: MoveStart, Groups: next}
	case s.stepDone():
		return Move{Kind: MoveStep}
	case s.windowEnded():
		return Move{Kind: MovePark}
	case s.done():
		return Move{Kind: MoveJudge}
	}
	return Move{Kind: MoveWait}
}

// noticed is what comes before anything else.
func (s StageNow) noticed() (Move, bool) {
	if s.Sent != "" && s.Sent != Abort && s.Sent != RollBack {
		return Move{Kind: MoveForget}, true
	}
	if gone := s.which(GroupNow.Vanished); gone != nil {
		return Move{MoveWriteOff, gone}, true
	}
	if s.Stopping && s.Sent == Abort {
		return Move{Kind: MoveGiveUp}, true
	}
	return Move{}, false
}

// stopped is the move of a stage that stops. Each group that was told to go has to say that it has stopped, also one
// that only waits to be told to go on: what it says late would be taken for the end of what it is told next.
func (s StageNow) stopped() Move {
	switch {
	case s.which(func(g GroupNow) bool { return g.Started && !g.Idle() }) != nil:
		return Move{Kind: MoveWait}
	case s.PutsBack && !s.Cancelled: // a cancel ends the groups that would put back
		return Move{Kind: MovePutBack}
	}
	return Move{Kind: MoveAbort}
}

// decided is the move that a failure or a person asks for. A hold comes first: who is asked there may answer with what
// was sent already, and what failed is told with it.
func (s StageNow) decided() (Move, bool) {
	held, busy := s.OnHold(), s.Running() > 0
	if held != nil && !busy {
		return Move{MoveHold, held}, true
	}
	if untold := s.which(func(g GroupNow) bool { return g.Pausable() && !g.Waits }); held != nil && untold != nil {
		return Move{MoveMakeWait, untold}, true
	}
	waiting := s.which(func(g GroupNow) bool { return g.Waits && g.Phase == GroupPaused })
	var kind MoveKind
	switch {
	case s.Cancelled, s.Sent == Abort:
		kind = MoveStopToAbort
	case s.Sent == RollBack:
		kind = MoveStopToPutBack
	case s.lost() && held == nil && waiting != nil:
		return Move{MoveStopWaiting, waiting}, true
	case s.Paused && !s.Pausing:
		kind = MovePause
	case s.Pausing && !s.Paused:
		kind = MoveResume
	}
	return Move{Kind: kind}, kind != ""
}

// next is the first group that may go now, as far as the stage's present step: the stage has room for it, nothing holds
// the stage up, and no group under way serves through one of the same target groups. To those who use it those are one
// service, whose instances are taken one at a time in all.
func (s StageNow) next() []int {
	begun := s.which(GroupNow.Begun)
	if s.heldUp() || len(begun) >= s.Parallel {
		return nil
	}
	for i, group := range s.Groups {
		shares := slices.ContainsFunc(begun, func(other int) bool {
			return ShareTargets(s.Groups[other].Targets, group.Targets)
		})
		if (!group.Started || group.StepDone() && group.Behind) && !shares {
			return []int{i}
		}
	}
	return nil
}

// windowEnded reports whether the stage stands still because its window, or a calendar, lets no further instance begin,
// and for no other reason.
func (s StageNow) windowEnded() bool {
	ended := s.which(func(g GroupNow) bool { return g.Closed.Ends() })
	return ended != nil && s.Running() == 0 && s.OnHold() == nil && !s.lost()
}

// heldUp reports whether something keeps every group from being told to go.
func (s StageNow) heldUp() bool {
	return s.Paused || s.lost() || s.OnHold() != nil || s.which(func(g GroupNow) bool { return g.Stops }) != nil
}

// reached reports whether all groups have come as far as the present step.
func (s StageNow) reached() bool {
	return !slices.ContainsFunc(s.Groups, func(g GroupNow) bool { return g.Owes })
}

// stepDone reports whether the present step is done, and some wait for the next.
func (s StageNow) stepDone() bool {
	waits := s.which(func(g GroupNow) bool { return g.StepDone() && !g.Behind })
	return !s.heldUp() && s.reached() && waits != nil
}

// done reports whether the stage has nothing more to do. After a group was lost no other is begun: what became of its
// instances nobody knows. Nor does a group go on to the next step where another has ended without its own.
func (s StageNow) done() bool {
	unbegun := s.which(func(g GroupNow) bool { return !g.Started || g.StepDone() && (g.Behind || s.reached()) })
	return s.which(GroupNow.Begun) == nil && s.OnHold() == nil && (unbegun == nil || s.lost())
}

// OnHold are the groups that a person is to decide about; nil: none.
func (s StageNow) OnHold() []int {
	return s.which(func(g GroupNow) bool { return g.Phase == GroupHeld })
}

// Running counts the groups that may have an instance under way.
func (s StageNow) Running() int { return len(s.which(GroupNow.Running)) }

func (s StageNow) lost() bool {
	return slices.ContainsFunc(s.Groups, func(g GroupNow) bool { return g.Lost })
}

// which are the groups of which something is true, as indices; nil: none.
func (s StageNow) which(is func(GroupNow) bool) []int {
	var found []int
	for i, group := range s.Groups {
		if is(group) {
			found = append(found, i)
		}
	}
	return found
}
