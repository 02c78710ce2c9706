package patch

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// MachineFacts is what an instance says of itself when asked by a command.
type MachineFacts struct {
	BootID  string `json:"boot_id"`
	OS      string `json:"os,omitempty"`      // ID of /etc/os-release: amzn, ubuntu; windows
	Release string `json:"release,omitempty"` // for example 2023.6.20241010; Amazon Linux locks its repositories to it
	// Releasever is the release that Amazon Linux is told to have its repositories of in place of its own: in
	// /etc/dnf/vars/releasever, "latest" or one. "": it is told none.
	Releasever    string `json:"releasever,omitempty"`
	Kernel        string `json:"kernel,omitempty"`
	PendingReboot bool   `json:"pending_reboot,omitempty"`
	// RebootFor are packages that it waits for a reboot for: "kernel". Empty: it does not tell which.
	RebootFor []string `json:"reboot_for,omitempty"`
	RebootBy  string   `json:"reboot_by,omitempty"` // what told whether it waits for one; "": nothing there can tell
	// LivePatches are those in force in the kernel that runs: "kpatch_4_14_165_1".
	LivePatches    []string `json:"live_patches,omitempty"`
	PackagesSHA256 string   `json:"packages_sha256"` // of the sorted list "name.arch epoch:version-release"
	// ApplicationSHA256 is of what deployments leave outside packages: files below /opt, /srv, /usr/local and /var/www, by
	// name, size and time, without logs, caches and the like. "": not told, as by Windows.
	ApplicationSHA256 string `json:"application_sha256,omitempty"`
	// of Windows: an Active Directory domain's member; nil: not told
	DomainJoined *bool `json:"domain_joined,omitempty"`
	// Elsewhere are directories of the operating system or its package database that are not on the root's disk: "/var on
	// nvme1n1". Nil: it did not tell.
	Elsewhere []string `json:"elsewhere,omitzero"`
	// Patchers install packages by themselves: "unattended-upgrades". Nil: it did not tell.
	Patchers []string `json:"patchers,omitzero"`
	// Broken are packages that are installed by half, and how: "libc6.amd64 half-configured". Nil: it did not tell.
	Broken []string `json:"broken,omitzero"`
}

// PackageChange is one package that differs between two lists; From is "" for an added one, To for a removed one.
type PackageChange struct {
	Name string `json:"name"` // name.arch
	From string `json:"from"`
	To   string `json:"to"`
}

// DiffPackages compares two lists of lines "name.arch epoch:version-release". Several versions of one package (kernels)
// are compared as one value.
func DiffPackages(before, after []string) []PackageChange {
	index := func(lines []string) map[string]string {
		versions := map[string][]string{}
		for _, line := range lines {
			if name, version, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
				versions[name] = append(versions[name], version)
			}
		}
		joined := make(map[string]string, len(versions))
		for name, list := range versions {
			slices.Sort(list)
			joined[name] = strings.Join(list, " ")
		}
		return joined
	}
	old, now := index(before), index(after)
	var changes []PackageChange
	for name, version := range now {
		if old[name] != version {
			changes = append(changes, PackageChange{Name: name, From: old[name], To: version})
		}
	}
	for name, version := range old {
		if _, kept := now[name]; !kept {
			changes = append(changes, PackageChange{Name: name, From: version})
		}
	}
	slices.SortFunc(changes, func(a, b PackageChange) int { return strings.Compare(a.Name, b.Name) })
	return changes
}

// Scan is the result of one patch scan of one instance that is proven to be our own.
type Scan struct {
	Instance      string   `json:"instance"`
	BaselineID    string   `json:"baseline_id"`
	Missing       []string `json:"missing"`                 // patch ids, sorted
	MissingCount  int      `json:"missing_count,omitempty"` // where the ids are left out, since there are too many
	Failed        []string `json:"failed"`
	PendingReboot []string `json:"pending_reboot"`
	Blocked       []string `json:"blocked,omitempty"` // of those missing: what is blocked, by whom and why
	// Unrejected: some of that the baseline can reject by name, so that its snapshot was taken by an older word.
	Unrejected bool   `json:"unrejected,omitempty"`
	Error      string `json:"error,omitempty"` // the scan did not run, for a person
}

// MissingNumber is how many patches are missing, whether they are named or not.
func (s Scan) MissingNumber() int { return len(s.Missing) + s.MissingCount }

// Compliant reports whether there is nothing to do and nothing to tell.
func (s Scan) Compliant() bool { return !s.Due(RebootAlways, nil) }

// Due reports whether there is something that would be done: what waits for a reboot is due where the plan reboots, and
// with if_required unless the machine needs none. Nil: it was not asked yet.
func (s Scan) Due(reboot Reboot, machine *MachineFacts) bool {
	if s.Error != "" || s.MissingNumber() > 0 || len(s.Failed) > 0 {
		return true
	}
	asked := reboot == RebootIfRequired && machine != nil
	return len(s.PendingReboot) > 0 && reboot != RebootNever && (!asked || machine.NeedsReboot(true))
}

// PatchReport is what an install's Automation execution left behind.
type PatchReport struct {
	ExecutionID string          `json:"execution_id"`
	Status      string          `json:"status"` // Automation's terminal status
	Failure     string          `json:"failure,omitempty"`
	Before      *MachineFacts   `json:"before,omitempty"` // nil: never learnt
	After       *MachineFacts   `json:"after,omitempty"`
	Changes     []PackageChange `json:"changes,omitempty"`
	Unbegun     bool            `json:"unbegun,omitempty"`    // it ended before any step of it had started
	Installing  bool            `json:"installing,omitempty"` // the install may have reached the machine
	Pinned      *PinVerdict     `json:"pinned,omitempty"`     // nil: no manifest binds
	Blocked     []string        `json:"blocked,omitempty"`    // what came though it is blocked, by whom and why
}

// Touched reports whether the machine may differ from its snapshot: packages or boot id changed, or nothing could be
// learnt. Of Windows the list of hotfixes tells only when something changed, never that nothing did.
func (r PatchReport) Touched(platform Platform) bool {
	return !r.Unbegun && (r.Before == nil || r.After == nil || platform == Windows && r.Installing ||
		r.Before.BootID != r.After.BootID || r.Before.PackagesSHA256 != r.After.PackagesSHA256)
}

// changed reports whether the machine's own list of packages changed.
func (r PatchReport) changed() bool {
	return r.Before.PackagesSHA256 != r.After.PackagesSHA256 || len(r.Changes) > 0
}

// Pass is one pass of install and reboot, and what it is judged by.
type Pass struct {
	Platform      Platform
	Reboot        Reboot
	Number, Of    int  // Of: how many there may be
	Before, After Scan // of our own, by one snapshot of the baseline
	Report        PatchReport
	Whole         PatchReport // of all passes so far, as one; the zero value: this is the only one
}

// Verdict says whether one pass of install and reboot did what it was to do.
type Verdict struct {
	Reason string   // why it failed; "" when it did not
	Again  []string // ids that are approved and missing: another pass may install them
	Late   []string // ids that were published while the last pass ran: told by name, not a failure
	Waits  []string // what takes effect with a reboot that has not come
	Notes  []string // what is told beside that
}

// TheMachine stands among what waits for a reboot where the machine says that it waits for one, and no patch does.
const TheMachine = "the machine itself"

// Proven reports whether nothing is left to do.
func (v Verdict) Proven() bool { return v.Reason == "" && len(v.Again) == 0 }

// applies is what of a manifest a machine lacks and is to get: on Windows only what its scan after the pass lists as
// missing, for an update that is not offered does not apply to it, or was withdrawn. Where either list is cut, all
// counts.
func (p Pass) applies(lacks []string) []string {
	if p.Platform != Windows || p.After.MissingCount > 0 || len(lacks) >= MostPinned {
		return lacks
	}
	return slices.DeleteFunc(slices.Clone(lacks), func(one string) bool {
		name, _, _ := strings.Cut(one, " ")
		return !slices.Contains(p.After.Missing, name)
	})
}

// Verify judges an unpinned pass by a Scan of our own after the reboot: no approved patch may be missing then, whether
// it was missing before or came to light by the reboot, and as long as there are passes left another one follows. A
// reboot that was due is proven by the boot id.
//
// After the last pass what is new differs by platform. On Windows the snapshot of the baseline holds the updates that
// were approved when it was taken, so that a new one was only hidden behind another. On Linux a run installs all that
// its repositories have: what is new was published since.
func Verify(pass Pass) Verdict {
	report, before, after := pass.Report, pass.Before, pass.After
	switch {
	case report.Failure != "":
		return Verdict{Reason: report.Failure}
	case report.Before == nil || report.After == nil:
		return Verdict{Reason: "the instance did not tell its boot id and packages"}
	case after.Error != "":
		return Verdict{Reason: "scan after install: " + after.Error}
	case len(after.Failed) > 0:
		return Verdict{Reason: "failed patches: " + strings.Join(after.Failed, ", ")}
	case len(report.After.Broken) > 0:
		return Verdict{Reason: "installed by half: " + strings.Join(report.After.Broken, ", ")}
	case len(after.PendingReboot) > 0 && pass.rebooted():
		return Verdict{Reason: "patches wait for a reboot that did not happen: " + strings.Join(after.PendingReboot, ", ")}
	case len(report.Blocked) > 0:
		return Verdict{Reason: "it got what is blocked: " + theFirst(report.Blocked, len(report.Blocked))}
	case report.Pinned != nil && report.Pinned.Unlike() != "":
		return Verdict{Reason: report.Pinned.Unlike()}
	case report.Pinned == nil && pass.Platform != Windows && before.MissingNumber() > 0 && !report.changed():
		return Verdict{
			Reason: fmt.Sprintf("%d patches were missing but the install changed nothing", before.MissingNumber()),
		}
	}
	if same := report.Before.BootID == report.After.BootID; same {
		switch {
		case report.Before.Kernel != report.After.Kernel:
			return Verdict{Reason: fmt.Sprintf("another kernel runs (%s, before %s) and the boot id is as before",
				report.After.Kernel, report.Before.Kernel)}
		case pass.unrebooted() != "":
			return Verdict{Reason: pass.unrebooted()}
		}
	}
	verdict := Verdict{Waits: after.Waits(report.After)}
	for _, told := range []string{report.After.ToldLive(), after.ToldListed(report.After)} {
		if told != "" {
			verdict.Notes = append(verdict.Notes, told)
		}
	}
	whole := pass.Whole
	if whole.Before == nil || whole.After == nil {
		whole = report
	}
	if old := whole.oldKernel(); old != "" {
		verdict.Waits = append(slices.Clone(verdict.Waits), old)
	}
	if report.Pinned != nil { // its manifest says what it was to get
		verdict.Again = pass.applies(report.Pinned.Missing)
		if not := Except(report.Pinned.Missing, verdict.Again); len(not) > 0 {
			verdict.Notes = append(verdict.Notes, NotOffered(not))
		}
		if len(verdict.Again) > 0 && pass.Number >= pass.Of {
			verdict.Reason = "staging proved what it has not got: " + strings.Join(verdict.Again, ", ")
		} else if len(verdict.Again) == 0 && after.MissingNumber() > 0 {
			verdict.Notes = append(verdict.Notes, NotInWave(after))
		}
		return verdict
	}
	if after.MissingCount > 0 { // which they are nobody can tell: they may be those that were due
		verdict.Again = append(verdict.Again, fmt.Sprintf("%d that are not named", after.MissingCount))
	}
	for _, id := range after.Missing {
		late := before.MissingCount == 0 && !slices.Contains(before.Missing, id)
		if pass.Platform != Windows && pass.Number >= pass.Of && late {
			verdict.Late = append(verdict.Late, id)
		} else {
			verdict.Again = append(verdict.Again, id)
		}
	}
	if len(verdict.Again) > 0 && pass.Number >= pass.Of {
		passes := fmt.Sprintf("%d passes", pass.Number)
		if pass.Number == 1 {
			passes = "1 pass"
		}
		verdict.Reason = fmt.Sprintf("still missing after %s: %v", passes, verdict.Again)
	}
	return verdict
}

// RestorePoint is what is needed to put an instance back.
type RestorePoint struct {
	SnapshotID string       `json:"snapshot_id"`
	VolumeID   string       `json:"volume_id"` // the root volume the snapshot was taken of
	TakenAt    time.Time    `json:"taken_at"`  // AWS's clock
	Facts      MachineFacts `json:"facts"`     // before the install
}

// ProveRestored says why a restored machine is not the one the snapshot was taken of; "" when it is.
func ProveRestored(point RestorePoint, patchedBoot, rootVolumeID string, now MachineFacts) string {
	switch {
	case rootVolumeID == point.VolumeID:
		return "the root volume is still " + rootVolumeID
	case now.BootID == "" || now.BootID == point.Facts.BootID || now.BootID == patchedBoot:
		return "the boot id did not change"
	case point.Facts.PackagesSHA256 != "" && now.PackagesSHA256 != point.Facts.PackagesSHA256:
		return "the package list is not as before"
	}
	return ""
}
