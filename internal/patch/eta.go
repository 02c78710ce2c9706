package patch

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ETA is how long something is likely to take yet, and when it is likely to be done. Nothing is cut short by it.
type ETA struct {
	At   time.Time `json:"at"`            // when it was computed, by the wave's clock
	Left Duration  `json:"left"`          // work that is left; the time in which a person is waited for is not in it
	Done time.Time `json:"done,omitzero"` // when it is likely to be done; zero while that hangs on a person or a freeze
	From string    `json:"from,omitempty"`
	// UnderWay is what of Left passes by itself: what has begun. Of what comes after it nothing is done before that has
	// ended, however long it takes.
	UnderWay Duration `json:"under_way,omitempty"`
	// Overdue is by how much what is under way has taken longer than it was likely to; Left is of what comes after it.
	Overdue Duration `json:"overdue,omitempty"`
	// NotCounted is what it leaves out, for a person: approvals, holds, what is still to be learnt.
	NotCounted []string `json:"not_counted,omitempty"`
}

// String is an ETA in one sentence, as it was computed, in UTC as many read it.
func (e ETA) String() string {
	return e.Told(e.At, func(at time.Time) string { return at.UTC().Format("15:04 MST") })
}

// mostLate is how long after its likely end nothing is called overdue: an estimate is none to the second.
const mostLate = Duration(time.Minute)

// Told is an ETA in one sentence, for whoever reads it at that moment. clock writes a time of day with its zone.
func (e ETA) Told(now time.Time, clock func(time.Time) string) string {
	passed := max(Duration(now.Sub(e.At)), 0)
	left, overdue := e.Left-min(passed, e.UnderWay), e.Overdue
	switch late := passed - e.UnderWay; {
	case overdue > 0:
		overdue += passed
	case e.UnderWay > 0 && late > mostLate:
		overdue = late
	}
	text := "about " + left.Rough() + " left"
	switch {
	case overdue > 0 && left > 0:
		text = "overdue by " + overdue.Rough() + ", and about " + left.Rough() + " left after that"
	case overdue > 0:
		text = "overdue by " + overdue.Rough()
	case !e.Done.IsZero():
		text += ", done about " + clock(later(e.Done, now.Add(left.D())))
	}
	if len(e.NotCounted) > 0 {
		text += "; not counted: " + strings.Join(e.NotCounted, ", ")
	}
	return text
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Likely is how long one instance is likely to take, from its first change until its bake has ended, and what that was
// made of: what earlier waves took, where enough was measured, else the budget's own estimate with the target groups'
// draining and slow start added.
func (p Plan) Likely(stage Stage, groups []TargetGroup) (Duration, string) {
	budget := p.Budget(stage, groups)
	switch {
	case budget.Patches >= enough:
		return budget.Patch, fmt.Sprintf("95 of 100 of the %d instances measured in earlier waves", budget.Patches)
	case p.Estimates == nil || p.Estimates.Patch <= stage.Bake:
		return budget.OnItsWay(), "the usual time, bake and draining"
	}
	return budget.OnItsWay(), "estimates.patch and draining"
}

// launchShare is the part of its budget that the launch of one more instance usually takes: 5 of 30 minutes.
const launchShare = 6

// LaunchTime is how long making room by one more instance is likely to take, once a group; 0 for what launches none.
func (s Strategy) LaunchTime(t Timing) Duration {
	if s.Mode != CapacitySurge {
		return 0
	}
	return t.Surge / launchShare
}

// Work is what is left to be done of one group.
type Work struct {
	Instances int      // not done yet, the one under way included; those that have nothing to patch are not counted
	AtOnce    int      // so many are patched at once; 0 is 1
	Each      Duration // see Plan.Likely
	First     Duration // before the first of them: see LaunchTime
	Begun     bool     // it goes on at once, whatever else runs
	Soaks     Duration // what is waited between its zones, and what its canaries are watched for longer
	Patching  bool     // time passes for it; not while it waits for a person, or has not begun
	Spent     Duration // since Instances was true: part of it is done by now
	Counted   int      // after so many that have ended Instances is told anew; 0 is 1
	Shares    []string // what it must not share with another group that runs: ARNs of target groups
}

// Left is how long the work is likely to take from now on. What is under way is as good as done where it takes longer
// than it was likely to; what comes after it is not.
func (w Work) Left() Duration {
	return max(w.First+w.before(w.Instances+max(w.AtOnce, 1)-1)+w.Soaks-min(w.Spent, w.underWay()), 0)
}

// UnderWay is what of it passes by itself, since it is at it: until the next are told to have ended.
func (w Work) UnderWay() Duration {
	if !w.Patching {
		return 0
	}
	return min(max(w.underWay()-w.Spent, 0), w.Left())
}

// Overdue is by how much what is under way has taken longer than it was likely to; 0 where that is less than a quarter
// of what an instance takes.
func (w Work) Overdue() Duration {
	if over := w.Spent - w.underWay(); w.Instances > 0 && over >= w.Each/4 {
		return over
	}
	return 0
}

// underWay is how long it is likely to take until the next are told to have ended.
func (w Work) underWay() Duration { return w.First + w.Each*Duration(max(w.Counted, 1)) + w.Soaks }

// before is how long it is likely to take until the instance after so many others is begun.
func (w Work) before(others int) Duration {
	return Duration(others/max(w.AtOnce, 1)) * w.Each
}

// Schedule tells when each group of a stage is likely to begin, counted from now, and how long all of them take. They
// are taken as a wave takes them: in order, at most parallel at once, and never two at once that share a target group.
func Schedule(groups []Work, parallel int) (begins []Duration, takes Duration) {
	begins = make([]Duration, len(groups))
	var running []ending
	var waiting []int
	for i, group := range groups {
		if group.Begun {
			running = append(running, ending{group, group.Left()})
			continue
		}
		waiting = append(waiting, i)
	}
	var now Duration
	for len(waiting)+len(running) > 0 {
		var left []int
		for n, i := range waiting {
			if len(running) >= max(parallel, 1) {
				left = append(left, waiting[n:]...)
				break
			}
			if sharesWith(running, groups[i]) {
				left = append(left, i)
				continue
			}
			begins[i] = now
			running = append(running, ending{groups[i], now + groups[i].Left()})
		}
		waiting = left
		now = slices.MinFunc(running, func(a, b ending) int { return cmp.Compare(a.at, b.at) }).at
		running = slices.DeleteFunc(running, func(one ending) bool { return one.at <= now })
	}
	return begins, now
}

// ending is a group that runs, and when it is likely to end. They stand in a list: a workflow must find the same order
// each time.
type ending struct {
	work Work
	at   Duration
}

// sharesWith reports whether a group would meet one that runs at a target group.
func sharesWith(running []ending, one Work) bool {
	return slices.ContainsFunc(running, func(other ending) bool { return ShareTargets(other.work.Shares, one.Shares) })
}
