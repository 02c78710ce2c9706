package patch

import (
	"fmt"
	"slices"
	"strings"
)

// Reboot says whether a machine is rebooted after its install.
type Reboot string

// The ways to reboot. AWS calls all that it installed with NoReboot InstalledPendingReboot until the next boot, which
// does not mean that it needs one ("Patch compliance state values" in the guide of Systems Manager).
const (
	RebootAlways     Reboot = "always"      // once, whatever was installed
	RebootIfRequired Reboot = "if_required" // where the machine says that it needs one
	RebootNever      Reboot = "never"       // others do
)

// Option is what AWS-RunPatchBaseline is given as RebootOption: it reboots after anything that it installs, or not at
// all.
func (r Reboot) Option() string {
	if r == RebootAlways {
		return "RebootIfNeeded"
	}
	return "NoReboot"
}

// RebootOf is whether a plan reboots in one of its stages.
func (p Plan) RebootOf(stage Stage) Reboot {
	if stage.Reboot != "" {
		return stage.Reboot
	}
	return p.Reboot
}

// NeedsReboot reports whether the machine is to be rebooted by its own word. Where nothing on it can tell, what others
// have listed as waiting counts.
func (m MachineFacts) NeedsReboot(listed bool) bool {
	if m.PendingReboot {
		return !m.LivePatched()
	}
	return m.RebootBy == "" && listed
}

// LivePatched reports whether the machine waits for nothing but another kernel, while the one that it runs is patched
// in memory. What the live patches mend of the kernel that waits is not compared: who uses them decided that they do.
func (m MachineFacts) LivePatched() bool {
	other := func(name string) bool { return !ofKernel(name) }
	return m.PendingReboot && len(m.LivePatches) > 0 && len(m.RebootFor) > 0 && !slices.ContainsFunc(m.RebootFor, other)
}

// ToldLive says that a machine runs a kernel that is patched in memory, and what waits for its next reboot; "" where
// that is not so.
func (m MachineFacts) ToldLive() string {
	if !m.LivePatched() {
		return ""
	}
	return fmt.Sprintf("live-patched: its kernel %s runs with %s; for its next reboot waits %s, and whether the live "+
		"patches mend all that it does was not compared", m.Kernel, fewOf(m.LivePatches), fewOf(m.RebootFor))
}

// RebootDue is why a machine is to be rebooted by us now that a pass has installed; "" where it is not. Of the plan
// that always reboots Systems Manager has done so where it installed anything.
func RebootDue(reboot Reboot, pass, whole PatchReport) string {
	if pass.Failure != "" || pass.Before == nil || pass.After == nil {
		return ""
	}
	if whole.Before == nil || whole.After == nil {
		whole = pass
	}
	switch {
	case reboot == RebootAlways && whole.Before.BootID == whole.After.BootID:
		return "the plan always reboots, and nothing has yet"
	case reboot == RebootIfRequired && pass.After.NeedsReboot(pass.unbooted()):
		return pass.After.needs()
	}
	return ""
}

// unbooted reports whether packages changed since the machine has booted.
func (r PatchReport) unbooted() bool { return r.changed() && r.Before.BootID == r.After.BootID }

// needs says for people what a machine needs a reboot for.
func (m MachineFacts) needs() string {
	switch {
	case !m.PendingReboot:
		return "packages changed, and nothing on the machine tells whether it needs a reboot"
	case len(m.RebootFor) == 0:
		return "the machine needs a reboot, by " + m.RebootBy
	}
	return fmt.Sprintf("the machine needs a reboot for %s, by %s", fewOf(m.RebootFor), m.RebootBy)
}

// rebooted reports whether nothing may wait for a reboot any more: the plan always reboots, or the machine has booted.
func (p Pass) rebooted() bool {
	return p.Reboot == RebootAlways || p.Reboot == RebootIfRequired && p.Report.Before.BootID != p.Report.After.BootID
}

// unrebooted says that a reboot which was due has not come: the boot id is as it was before the pass.
func (p Pass) unrebooted() string {
	report := p.Report
	switch {
	case p.Reboot == RebootIfRequired && report.After.NeedsReboot(report.changed() || len(p.Before.PendingReboot) > 0):
		return report.After.needs() + ", and the boot id is as before"
	case p.Reboot != RebootAlways:
	case len(p.Before.PendingReboot) > 0:
		return "a reboot was pending but the boot id is as before"
	case report.changed():
		return "packages changed, a reboot was due and the boot id is as before"
	}
	return ""
}

// Waits lists what takes effect with the next boot only: by the machine's own word where it can tell, by their ids
// where the scan lists them.
func (s Scan) Waits(machine *MachineFacts) []string {
	if machine == nil {
		return s.PendingReboot
	}
	if !machine.NeedsReboot(len(s.PendingReboot) > 0) {
		return nil
	}
	var waits []string
	for _, id := range s.PendingReboot {
		if len(machine.RebootFor) == 0 || slices.Contains(machine.RebootFor, nameOf(id)) {
			waits = append(waits, id)
		}
	}
	switch {
	case len(waits) > 0:
		return waits
	case len(machine.RebootFor) > 0:
		return machine.RebootFor
	}
	return []string{TheMachine}
}

// ToldListed says that Systems Manager counts patches as not in effect for which the machine needs no reboot, and with
// them the instance as not compliant; "" where there are none.
func (s Scan) ToldListed(machine *MachineFacts) string {
	waits := s.Waits(machine)
	listed := slices.DeleteFunc(slices.Clone(s.PendingReboot), func(id string) bool { return slices.Contains(waits, id) })
	if len(listed) == 0 {
		return ""
	}
	return "Systems Manager lists as InstalledPendingReboot, and so as not compliant, until the next reboot, which the " +
		"machine does not need for them: " + fewOf(listed)
}

// nameOf is a patch's id without its architecture: "kernel" of kernel.x86_64.
func nameOf(id string) string {
	if dot := strings.LastIndex(id, "."); dot > 0 {
		return id[:dot]
	}
	return id
}

// ofKernel reports whether a machine that waits for this package waits for a kernel. Those of debs are the ones that
// Ubuntu's own client tells apart (get_reboot_required_pkgs).
func ofKernel(name string) bool {
	return isKernel(name) || strings.HasPrefix(name, "kernel-rt") || strings.HasPrefix(name, "linux-image") ||
		strings.HasPrefix(name, "linux-base")
}

// ToldWaiting says for people which instances wait for a reboot that is left to others, one sentence for each thing
// that they wait for.
func ToldWaiting(instances []InstanceResult) []string {
	var waiting []Gap
	for _, instance := range instances {
		if instance.Outcome == PatchedRebootPending || instance.Outcome == RebootPending {
			waiting = append(waiting, Gap{instance.ID, fewOf(instance.RebootPending)})
		}
	}
	return toldTogether(waiting, " waits for a reboot, which this wave leaves to others: ")
}
