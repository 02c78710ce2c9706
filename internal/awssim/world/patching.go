package world

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/uuid"
)

// PatchState is what the last run of AWS-RunPatchBaseline on an instance reported; any later run, of anybody,
// overwrites it.
type PatchState struct {
	Instance     *Instance
	PatchGroup   string
	BaselineID   string
	SnapshotID   string
	Operation    string // Scan or Install
	RebootOption string
	OverrideList string
	Start, End   time.Time
	LastNoReboot time.Time
	Patches      []PatchReport
}

// PatchReport is one patch of a PatchState.
type PatchReport struct {
	Patch     Patch
	Title     string
	State     string // Installed, InstalledOther, InstalledPendingReboot, InstalledRejected, Missing, Failed
	Installed time.Time
}

// Count is how many patches are in a state.
func (s *PatchState) Count(state string) int {
	n := 0
	for _, report := range s.Patches {
		if report.State == state {
			n++
		}
	}
	return n
}

// PatchState returns the instance's last report; nil when there is none.
func (r *Region) PatchState(instanceID string) *PatchState { return r.patching.states[instanceID] }

// applicable lists the newest patch of each package that the disk lacks, among those allowed.
func (w *World) applicable(disk *Disk, allowed func(Patch) bool) []Patch {
	var found []Patch
	at := map[string]int{}
	for _, patch := range w.Scenario.Patches {
		if !disk.serves(patch) || !disk.lacks(patch) || disk.hides(patch) || !allowed(patch) {
			continue
		}
		if n, seen := at[patch.ID]; seen {
			if newer(patch.Version, found[n].Version) {
				found[n] = patch
			}
			continue
		}
		at[patch.ID] = len(found)
		found = append(found, patch)
	}
	return found
}

// patchRun is one run of AWS-RunPatchBaseline on a machine.
type patchRun struct {
	invocation *Invocation
	instance   *Instance
	baseline   *Baseline
	taken      time.Time // of its snapshot; zero: a snapshot of this run alone
	state      *PatchState
	override   []overrideEntry
	unreported bool // its baseline was an override: only its output tells how it went
	failed     []Patch
	exit       int // of a failure that a reboot comes before
	log        strings.Builder
}

type overrideEntry struct {
	ID    string `yaml:"id"`
	Title string `yaml:"title"`
}

// runPatchBaseline is the document AWS-RunPatchBaseline on one machine.
func (v *Invocation) runPatchBaseline() {
	i, w := v.Instance, v.Instance.Region.World
	disk := i.Disk()
	run := &patchRun{invocation: v, instance: i, state: &PatchState{
		Instance: i, PatchGroup: i.PatchGroupOf(), Operation: v.Command.parameter("Operation", ""), Start: i.clock(),
		SnapshotID:   v.Command.parameter("SnapshotId", ""),
		RebootOption: v.Command.parameter("RebootOption", "RebootIfNeeded"),
		OverrideList: v.Command.parameter("InstallOverrideList", ""),
	}}
	run.baseline = i.Region.BaselineForGroup(run.state.PatchGroup, disk.os.SSM)
	switch {
	case run.state.Operation != "Scan" && run.state.Operation != "Install":
		v.end("Failed", 1, "", fmt.Sprintf("Operation is %q; it must be Scan or Install.", run.state.Operation))
		return
	case run.baseline == nil:
		v.end("Failed", 1, "", "There is no patch baseline for operating system "+disk.os.SSM+".")
		return
	}
	switch id := run.state.SnapshotID; {
	case id == "":
		run.state.SnapshotID = i.Region.NewUUID("patch-snapshot")
	case uuid.Validate(id) != nil:
		v.end("Failed", 1, "", "SnapshotId is not a GUID: "+id)
		return
	default:
		run.baseline, run.taken = i.Region.atSnapshot(id, run.baseline)
	}
	run.state.BaselineID = run.baseline.ID
	if err := run.readBaselineOverride(); err != nil {
		v.end("Failed", 1, "", err.Error())
		return
	}
	if run.state.Operation == "Scan" {
		if w.faults.strikes(FaultScanFails, i) {
			v.end("Failed", 1, "", "Error: Failed to download metadata for repo 'amazonlinux'.")
			return
		}
		v.busy(w.Scenario.Durations.Scan.D(), func() { run.report(); run.end() })
		return
	}
	if err := run.readOverride(); err != nil {
		v.end("Failed", 1, run.log.String(), err.Error())
		return
	}
	half := w.Scenario.Durations.Install.D() / 2
	v.busy(half, func() { run.install(half) })
}

// readOverride fetches the override list. AWS's document goes on with the whole baseline when an https download fails;
// an s3 one that fails ends the run.
func (run *patchRun) readOverride() error {
	list := run.state.OverrideList
	if list == "" {
		return nil
	}
	location, err := url.Parse(list)
	if err != nil {
		return fmt.Errorf("InstallOverrideList %q is not a URL", list)
	}
	if location.Scheme == "https" {
		fmt.Fprintf(&run.log, "Could not download %s: the machine has no way out. No override list is used.\n", list)
		return nil
	}
	data, err := run.instance.download(list)
	if err != nil {
		return fmt.Errorf("InstallOverrideList %q: %w", list, err)
	}
	var document struct {
		Patches []overrideEntry `yaml:"patches"`
	}
	if err := yaml.Unmarshal(data, &document); err != nil {
		return fmt.Errorf("InstallOverrideList %q is not YAML: %w", list, err)
	}
	run.override = append([]overrideEntry{}, document.Patches...) // an empty list is a list
	return nil
}

// approves reports whether the run's baseline approves a patch: on Windows as of its snapshot.
func (run *patchRun) approves(p Patch) bool {
	w, os := run.instance.Region.World, run.instance.Disk().os
	at := w.now
	if os.Windows() && !run.taken.IsZero() {
		at = run.taken
	}
	return run.baseline.approves(w, os, p, at)
}

// due lists what this run installs: what the baseline approves, or what the override list names. Windows needs both.
func (run *patchRun) due() []Patch {
	w, disk := run.instance.Region.World, run.instance.Disk()
	approved := run.approves
	if run.override == nil {
		return w.applicable(disk, approved)
	}
	return w.applicable(disk, func(p Patch) bool {
		named := slices.ContainsFunc(run.override, func(entry overrideEntry) bool { return entry.matches(disk.os, p) })
		return named && (!disk.os.Windows() || approved(p))
	})
}

// install is the middle of the package transaction: half of the packages are on the disk, the rest follow.
func (run *patchRun) install(rest time.Duration) {
	v, i := run.invocation, run.instance
	disk := i.Disk()
	due, held := run.resolve(run.due())
	run.failed = held
	faults := &i.Region.World.faults
	if faults.strikes(FaultDependencyFails, i) {
		run.failed = slices.Concat(held, due)
		run.report()
		v.end(
			"Failed", exitDependency, run.log.String(),
			"Error: the dependencies of "+patchIDs(due)+" cannot be met; nothing was installed.",
		)
		return
	}
	middle := (len(due) + 1) / 2
	for _, patch := range due[:middle] {
		disk.install(patch)
	}
	i.packagesChanged()
	if faults.strikes(FaultInstallFailsRebooting, i) {
		run.failed, run.exit = slices.Concat(held, due[middle:]), exitRebootFailures
		run.finish(middle > 0)
		return
	}
	if faults.strikes(FaultInstallFails, i) {
		run.failed = slices.Concat(held, due[middle:])
		if len(run.failed) == 0 && len(due) > 0 {
			run.failed = due[len(due)-1:]
		}
		run.report()
		v.end(
			"Failed", 1, run.log.String(),
			"Error: the package transaction failed: scriptlet of "+patchIDs(run.failed)+" returned 1.",
		)
		return
	}
	v.busy(rest, func() {
		for _, patch := range due[middle:] {
			disk.install(patch)
		}
		i.packagesChanged()
		fmt.Fprintf(&run.log, "Installed %d packages: %s\n", len(due), patchIDs(due))
		run.finish(len(due) > 0)
	})
}

// finish reboots if asked for and needed, and reports.
func (run *patchRun) finish(installed bool) {
	reboots := run.state.RebootOption == "RebootIfNeeded" && (installed || run.instance.Disk().PendingReboot())
	if !reboots {
		if run.exit == exitRebootFailures {
			run.exit = 1 // nothing is rebooted: it just failed
		}
		if run.state.RebootOption == "NoReboot" {
			run.state.LastNoReboot = run.instance.Region.World.now
		}
		run.report()
		run.end()
		return
	}
	times := 1
	if run.instance.Region.World.faults.strikes(FaultRebootsInCircles, run.instance) {
		times, run.exit = rebootsAtMost, exitRebootsFail
	}
	run.reboot(times)
}

// reboot reboots so often and then reports. The agent has exit codes of its own for that, 194, and 3010 on Windows,
// which nobody else sees.
func (run *patchRun) reboot(times int) {
	run.invocation.rebootAnd(func() {
		if times > 1 {
			run.reboot(times - 1)
			return
		}
		run.report()
		run.end()
	})
}

// report stores the state of every catalogue patch. After an Install nothing is listed as missing, whatever is.
func (run *patchRun) report() {
	i, w, s := run.instance, run.instance.Region.World, run.state
	disk := i.Disk()
	s.End, s.Patches = s.Instance.clock(), nil
	for _, patch := range w.Scenario.Patches {
		if patch.OS != disk.os.Name || disk.Version(patch.ID) != patch.Version {
			continue
		}
		state := "InstalledOther"
		switch {
		case slices.Contains(disk.unbooted, patch.ID): // the guide: not that it needs a reboot, only that it had none
			state = "InstalledPendingReboot"
		case run.baseline.Action == "BLOCK" && run.baseline.rejects(patch):
			state = "InstalledRejected"
		case run.approves(patch):
			state = "Installed"
		}
		s.Patches = append(s.Patches, PatchReport{Patch: patch, Title: patch.title(), State: state, Installed: w.now})
	}
	for _, patch := range run.failed {
		s.Patches = append(s.Patches, PatchReport{Patch: patch, Title: patch.title(), State: "Failed"})
	}
	if s.Operation == "Scan" {
		missing := w.applicable(disk, run.approves)
		for _, patch := range missing {
			s.Patches = append(s.Patches, PatchReport{Patch: patch, Title: patch.title(), State: "Missing"})
		}
	}
	if run.unreported {
		return
	}
	if before := i.Region.patching.states[i.ID]; before != nil && s.LastNoReboot.IsZero() {
		s.LastNoReboot = before.LastNoReboot
	}
	i.Region.patching.states[i.ID] = s
}

// Exit codes of AWS-RunPatchBaseline other than 0 and 1.
const (
	exitRebootsFail    = 3   // it rebooted rebootsAtMost times and a reboot is still wanted
	exitRebootFailures = 195 // some packages failed, and others needed the reboot that came before this answer
	exitDependency     = 196 // dependencies cannot be met

	rebootsAtMost = 3
)

// end tells what was done and ends the run, with the exit code of a failure if there was one.
func (run *patchRun) end() {
	s := run.state
	fmt.Fprintf(&run.log, "Patch Group: %s, Baseline: %s, SnapshotId: %s, Operation: %s, RebootOption: %s\n",
		s.PatchGroup, s.BaselineID, s.SnapshotID, s.Operation, s.RebootOption)
	fmt.Fprintf(
		&run.log,
		"Installed: %d, InstalledOther: %d, InstalledPendingReboot: %d, Missing: %d, Failed: %d\n",
		s.Count("Installed"),
		s.Count("InstalledOther"),
		s.Count("InstalledPendingReboot"),
		s.Count("Missing"),
		s.Count("Failed"),
	)
	switch run.exit {
	case 0:
		run.invocation.end("Success", 0, run.log.String(), "")
	case exitRebootsFail:
		run.invocation.end(
			"Failed", run.exit, run.log.String(),
			fmt.Sprintf("Error: a reboot is still wanted after %d reboots.", rebootsAtMost),
		)
	default:
		run.invocation.end(
			"Failed", run.exit, run.log.String(), "Error: the package transaction failed for "+patchIDs(run.failed)+".",
		)
	}
}

// packagesChanged tells observers what the application makes of it.
func (i *Instance) packagesChanged() {
	what := "packages changed"
	if disk := i.Disk(); disk.broken(i.Region.World.Scenario.Patches) != "" {
		what = "application unhealthy"
	}
	i.Region.Changed("instance", i.ID, what)
}

func patchIDs(patches []Patch) string {
	ids := make([]string, 0, len(patches))
	for _, patch := range patches {
		ids = append(ids, patch.ID)
	}
	return strings.Join(ids, ", ")
}
