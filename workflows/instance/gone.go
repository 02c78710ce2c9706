package instance

import (
	"errors"
	"strconv"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// errListedAgain is the way's end of an instance that was taken for gone and is not: it is out of service still.
// Whoever can puts it back, and its mark stays until then.
var errListedAgain = errors.New("EC2 lists it again, and it is out of service")

// mostListedAgain is how often one is put back again that comes and goes in EC2's lists. Then it is stranded, and told.
const mostListedAgain = 3

// handleGone ends the way of an instance that is gone. Auto Scaling lists a member that was terminated in standby for
// ever and leaves desired one short: the group gets both mended. One that EC2 lists again by now is not gone.
func (s *saga) handleGone(ctx workflow.Context, cause error) error {
	var now patch.GroupState
	var unread error
	if !run.IsType(cause, activities.ErrGroupNotFound) {
		unread = s.read(ctx, aws.InspectGroup, s.inspect(), &now)
	}
	member, listed := now.Member(s.in.Instance)
	if listed && member.Present() && (staysOut(member) || !s.in.Group.IsAutoScaling()) {
		s.note("EC2 lists it again, which it did not for some time: %s", run.Reason(cause))
		return errListedAgain
	}
	if !s.miscounted { // then its group may have let it go for what we did, and the next one would, too
		s.status.Result.Outcome = patch.Gone
	}
	s.note("gone meanwhile, nothing left to put back: %s", run.Reason(cause))
	if unread != nil || !listed || member.Present() || !staysOut(member) {
		return unread
	}
	var detached activities.DetachResult
	if err := s.withNumbers(ctx, func() error {
		return s.read(ctx, aws.Detach, activities.DetachInput{
			Instance: s.instance(), DesiredWanted: now.Desired + s.weightIn(now), WaveID: s.in.WaveID,
			Weight: s.weighed(now), Pace: s.pace(),
		}, &detached)
	}); err != nil {
		return err
	}
	if detached != (activities.DetachResult{}) {
		s.leftForGood(detached, s.weightIn(now))
	}
	return nil
}

// weightIn is how much of its group's numbers the instance is: by the group as it is now, and where it is not listed
// any more by what was known of it.
func (s *saga) weightIn(now patch.GroupState) int {
	return max(s.weighed(now), 1)
}

// weighed is weightIn; 0 where the group counts instances.
func (s *saga) weighed(now patch.GroupState) int {
	if now.Counts == patch.CountsInstances {
		return 0
	}
	if member, listed := now.Member(s.in.Instance); listed && member.Weight > 0 {
		return member.Weight
	}
	return s.member.Weight
}

// leftForGood sees to it that a group whose capacity could not be given back keeps what was launched for room, and
// tells of one that is left with less; weight is how much of its numbers the instance was.
func (s *saga) leftForGood(detached activities.DetachResult, weight int) {
	s.status.Result.NoRoomForAnother = detached.NoRoom
	name, desired := s.in.Group.Name(), detached.Desired
	switch {
	case detached.NoRoom && s.room != nil:
		s.room.Kept = 1 // what was launched for its own way out stays in its place
	case detached.NoRoom && s.in.Ours.Surge == 0:
		s.note("%s is %s short: somebody scaled it to its max, %d, while this one was out, so nobody was launched in "+
			"its place; if that is too few: "+
			"aws autoscaling update-auto-scaling-group --auto-scaling-group-name %s --max-size %d --desired-capacity %d", name,
			shortBy(weight), desired, name, desired+weight, desired+weight)
	case detached.Unclear:
		s.note("%s may be %s short: somebody changed its desired, now %d, while this one left, so nobody can tell "+
			"whether another was launched in its place; "+
			"if that is too few: aws autoscaling set-desired-capacity --auto-scaling-group-name %s --desired-capacity %d",
			name, shortBy(weight), desired, name, desired+weight)
	}
}

// shortBy is by how much a group is short.
func shortBy(weight int) string {
	if weight == 1 {
		return "one"
	}
	return strconv.Itoa(weight)
}
