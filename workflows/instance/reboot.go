package instance

import (
	"errors"
	"fmt"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// rebootIfDue reboots the machine after a pass that Systems Manager was not to reboot for, or did not, and then asks it
// anew what it is: the report is of the machine as it has booted. A cancel lets it end, as it does the install.
func (s *saga) rebootIfDue(clean workflow.Context, pass int, report *patch.PatchReport) error {
	why := patch.RebootDue(s.in.Policy.Reboot, *report, s.patching.report)
	if why == "" {
		return nil
	}
	s.enter(clean, patch.StepReboot)
	workflow.GetLogger(clean).Info("it is rebooted", "instance", s.in.Instance, "because", why)
	s.patching.rebooting = true
	before, budget := report.After.BootID, s.in.Policy.Timing.Agent
	if err := s.await(clean, budget, aws.RebootMachine, activities.RebootMachineInput{
		Instance: s.instance(), Platform: s.in.Policy.Platform, BootID: before,
		Attempt: s.attempt(fmt.Sprintf("reboot-%d", pass)), Budget: budget, Pace: s.pace(),
	}, nil); err != nil {
		if run.IsType(err, activities.ErrMachineAway, activities.ErrNotReady) {
			err = fmt.Errorf("%s. It was rebooted, since %s, and had %s", run.Reason(err), why, budget)
		}
		return err
	}
	asked := s.ask(clean, fmt.Sprintf("facts-rebooted-%d", pass))
	var facts patch.MachineFacts
	if err := s.await(clean, budget, aws.CollectMachineFacts, asked, &facts); err != nil {
		return err
	}
	if facts.BootID == before {
		return errors.New("it was rebooted, and its boot id is as before")
	}
	report.After = &facts
	s.patching.report.After = &facts
	s.keepAfter(&facts)
	s.note("rebooted, since %s: boot %s, before %s", why, facts.BootID, before)
	return nil
}
