package instance

import (
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
)

// bind asks the machine, while it still serves, what it lacks of what staging proved on its system, and so what it will
// install and nothing else, and whether it can get that. It reports whether there is nothing; an error says why it
// cannot be bound.
func (s *saga) bind(ctx workflow.Context) (nothing bool, err error) {
	pinned := s.in.Policy.Pinned
	if pinned == nil {
		return false, nil
	}
	var check patch.PinCheck
	timing := s.in.Policy.Timing // lists of repositories are read, as a scan does
	if err := s.await(ctx, max(timing.Agent, timing.Scan), aws.CheckPinned, activities.CheckPinnedInput{
		CollectMachineFactsInput: s.ask(ctx, "facts-pinned"), Pinned: *pinned,
		At: workflow.Now(ctx),
	}, &check); err != nil {
		return false, err
	}
	if check.List == "" {
		return false, pinned.Refuse(s.in.Instance, check.System)
	}
	if refusal := patch.RefuseBlocked(s.in.Instance, check.Blocked); refusal != nil {
		return false, refusal
	}
	if refusal := check.RefuseList(s.in.Instance); refusal != nil {
		return false, refusal
	}
	if check.Unread != "" {
		s.note("whether it can read the list of what staging proved is not known: %s", check.Unread)
	}
	if refusal := check.RefuseDry(s.in.Instance); refusal != nil {
		return false, refusal
	}
	if told := check.OtherRelease(); told != "" {
		s.note("%s", told)
	}
	s.patching.list = check.List
	if len(check.Ahead) > 0 {
		s.note("newer there than staging proved, and left so: %s", strings.Join(check.Ahead, ", "))
	}
	waits := len(s.patching.scan.PendingReboot) > 0 || len(s.patching.scan.Failed) > 0
	if nothing = check.Due == 0 && !waits; nothing && s.patching.scan.MissingNumber() > 0 {
		s.note("%s", patch.NotInWave(s.patching.scan))
	}
	return nothing, nil
}
