package instance

import (
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
)

// askPinned asks the machine, while it still serves, what it lacks of what staging proved on its system, and whether it
// can get that.
func (s *saga) askPinned(ctx workflow.Context) (check patch.PinCheck, err error) {
	timing := s.in.Policy.Timing // lists of repositories are read, as a scan does
	in := activities.CheckPinnedInput{
		CollectMachineFactsInput: s.ask(ctx, "facts-pinned"), Pinned: *s.in.Policy.Pinned,
		At: workflow.Now(ctx),
	}
	if scan := s.patching.scan; s.in.Policy.Platform == patch.Windows && scan.MissingCount == 0 {
		in.Offered = append([]string{}, scan.Missing...)
	}
	err = s.await(ctx, max(timing.Agent, timing.Scan), aws.CheckPinned, in, &check)
	return check, err
}

// learnDue learns whether a machine is due, by its scan. Where that finds nothing, it is refused if it holds older
// packages than staging proved and cannot get those: a scan does not tell what the repositories serve no more. What it
// could get is no patch of its own baseline, and left. Of Windows only a scan tells what applies at all.
func (s *saga) learnDue(ctx workflow.Context, scan *patch.Scan) error {
	s.patching.due = scan.Due(s.in.Policy.Reboot, &s.patching.first)
	if s.patching.due || s.in.Policy.Pinned == nil || s.in.Policy.Platform == patch.Windows {
		return nil
	}
	check, err := s.askPinned(ctx)
	if err != nil || check.Due == 0 {
		return err
	}
	if refusal := check.RefuseDry(s.in.Instance); refusal != nil {
		return refusal
	}
	s.note("staging has proved newer versions of %d packages that it has, and its baseline approves none: they are not "+
		"installed", check.Due)
	return nil
}

// bind holds the machine to what staging proved on its system, and so to what it will install and nothing else. It
// reports whether there is nothing; an error says why it cannot be bound.
func (s *saga) bind(ctx workflow.Context) (nothing bool, err error) {
	pinned := s.in.Policy.Pinned
	if pinned == nil {
		return false, nil
	}
	check, err := s.askPinned(ctx)
	if err != nil {
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
	if len(check.NotOffered) > 0 && check.Due == 0 { // else it may be once the others are there
		s.note("%s", patch.NotOffered(check.NotOffered))
	}
	waits := len(s.patching.scan.PendingReboot) > 0 || len(s.patching.scan.Failed) > 0
	if nothing = check.Due == 0 && !waits; nothing && s.patching.scan.MissingNumber() > 0 {
		s.note("%s", patch.NotInWave(s.patching.scan))
	}
	return nothing, nil
}
