package patch

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// RollBackView is what is known of one instance when a closed wave is to be rolled back.
type RollBackView struct {
	Was      InstanceResult // as its wave left it
	Member   Member         // as its group shows it now; the zero value when it is no member any more
	Facts    *MachineFacts  // as it answers now; nil when it does not
	Snapshot string         // its backup's state now, as EC2 names it; "" when EC2 has none
	At       time.Time      // when that was read, by AWS's clock
}

// PutBackVerdict says whether an instance can be put back.
type PutBackVerdict string

// The verdicts.
const (
	PutBackCan     PutBackVerdict = "can"
	PutBackAlready PutBackVerdict = "already" // it stands as before the wave
	PutBackGone    PutBackVerdict = "gone"    // nothing of it is left
	PutBackCannot  PutBackVerdict = "cannot"  // it stays patched
)

// Ends is how an instance ends that is not touched for the verdict; one that can be put back has no end yet, and stays
// Patched until it is.
func (v PutBackVerdict) Ends() Outcome {
	switch v {
	case PutBackAlready:
		return RolledBack
	case PutBackGone:
		return Gone
	case PutBackCannot:
		return Failed
	}
	return Patched
}

// RollBackJudgement is a verdict of one instance, and what goes with it.
type RollBackJudgement struct {
	Verdict PutBackVerdict
	Reason  string   // why it is not put back
	Losses  []string // what putting it back loses beyond the patches; a person must accept them
}

// WantsRollBack reports whether a wave left the instance patched.
func (r InstanceResult) WantsRollBack() bool { return r.Outcome.LeftPatched() || r.StillPatched }

// ForRollBack is what a roll back needs to know of what a wave did to the instance. What has no part in it stays
// behind: an order to a group is one payload of Temporal's.
func (r InstanceResult) ForRollBack() InstanceResult {
	return InstanceResult{
		ID: r.ID, Outcome: PatchedAs(r.RebootPending), RebootPending: r.RebootPending, BootID: r.BootID, Backup: r.Backup,
		PackagesAfter: r.PackagesAfter, ApplicationAfter: r.ApplicationAfter,
		AutomationExecutionID: r.AutomationExecutionID, RootVolume: r.RootVolume,
		MissingBefore: r.MissingBefore, MissingAfter: r.MissingAfter, WasStopped: r.WasStopped,
	}
}

// JudgeRollBack decides whether an instance that a wave patched can be put back now, and what that would lose. An old
// root volume also undoes deployments and rotated secrets made since, so age and changes since are losses.
func JudgeRollBack(view RollBackView, maxAge Duration) RollBackJudgement {
	point := view.Was.Backup
	switch {
	case !view.Member.Present():
		return RollBackJudgement{
			Verdict: PutBackGone, Reason: "terminated or replaced since the wave; nothing of it is left to put back",
		}
	case point == nil || point.SnapshotID == "":
		return RollBackJudgement{Verdict: PutBackCannot, Reason: unusable(point, "")}
	case view.Member.RootVolumeID != view.Was.leftOn() && view.Facts != nil &&
		view.Facts.PackagesSHA256 == point.Facts.PackagesSHA256:
		return RollBackJudgement{
			Verdict: PutBackAlready, Reason: "stands as before the wave already: another root volume, the packages as before",
		}
	case unusable(point, view.Snapshot) != "":
		return RollBackJudgement{Verdict: PutBackCannot, Reason: unusable(point, view.Snapshot)}
	}
	judged := RollBackJudgement{Verdict: PutBackCan}
	if age := view.At.Sub(point.TakenAt); age > maxAge.D() {
		judged.Losses = append(judged.Losses, fmt.Sprintf("everything written to its root volume in the %s since %s, "+
			"more than rollback_max_age (%s)",
			Duration(age.Truncate(time.Minute)), point.TakenAt.UTC().Format("2006-01-02 15:04 MST"), maxAge))
	}
	switch {
	case view.Member.RootVolumeID != view.Was.leftOn():
		judged.Losses = append(judged.Losses, fmt.Sprintf("the root volume %s that somebody gave it since the wave",
			view.Member.RootVolumeID))
	case view.Facts == nil:
		judged.Losses = append(judged.Losses, "whatever changed since the wave, which is not known: it does not answer")
	case view.Was.PackagesAfter == "":
		judged.Losses = append(judged.Losses, "packages changed since the wave, if any: the evidence does not tell what "+
			"the wave left")
	case view.Facts.PackagesSHA256 != view.Was.PackagesAfter:
		judged.Losses = append(judged.Losses, "packages installed, updated or removed since the wave")
	}
	if was := view.Was.ApplicationAfter; was != "" && view.Facts != nil && view.Facts.ApplicationSHA256 != was {
		judged.Losses = append(judged.Losses, "what was deployed or changed since the wave below /opt, /srv, /usr/local "+
			"or /var/www")
	}
	return judged
}

// leftOn is the root volume that the wave left it on: its own, or that of an image.
func (r InstanceResult) leftOn() string {
	if r.RootVolume != "" || r.Backup == nil {
		return r.RootVolume
	}
	return r.Backup.VolumeID
}

// PutBackLoses says what an instance of the plan loses when it fails, so that nobody learns it afterwards; "" for
// nothing but its patches.
func (p Plan) PutBackLoses() string {
	if p.Restore == RestoreReplace {
		return "an instance that fails is terminated and its group launches another: what only it held is lost"
	}
	return p.losesVolume("an instance that fails")
}

// RollBackLoses says what instances that are patched lose when they are rolled back; "" for nothing but their patches,
// also where the plan keeps no backup: then none of them can be.
func (p Plan) RollBackLoses() string { return p.losesVolume("each of them") }

// NoPutBack is why nothing that the plan patches can be put back; "": it can.
func (p Plan) NoPutBack() string { return noPutBack(p.Backup, p.Restore) }

// NoPutBack is the same of what a group is patched by.
func (p Policy) NoPutBack() string { return noPutBack(p.Backup, p.Restore) }

func noPutBack(backup Backup, restore Restore) string {
	switch {
	case backup == BackupNone:
		return "no backup is kept"
	case restore != RestoreRootVolume:
		return "the plan puts no root volume back (restore: " + string(restore) + ")"
	}
	return ""
}

// losesVolume says what whoever gets an older root volume loses by it; "" where nobody gets one.
func (p Plan) losesVolume(who string) string {
	if p.Restore != RestoreRootVolume {
		return ""
	}
	said := who + " gets its root volume back as it was, and loses what was written to it since"
	if slices.Contains(p.Platforms(), Windows) {
		said += "; one that is joined to a domain may lose its trust, when its machine password changed meanwhile"
	}
	return said
}

// DomainJoined reports whether a machine is an Active Directory domain's member, as it says now or said before the
// wave; nil when it never said. Only Windows machines are asked.
func (v RollBackView) DomainJoined() *bool {
	switch {
	case v.Facts != nil && v.Facts.DomainJoined != nil:
		return v.Facts.DomainJoined
	case v.Was.Backup != nil:
		return v.Was.Backup.Facts.DomainJoined
	}
	return nil
}

// DomainCaveat is said before Windows machines that are a domain's members get older root volumes, and names them; ""
// when none is. Those that never told are named as such.
func DomainCaveat(joined, unknown []string) string {
	const may = "may lose the trust of their domain, when their machine password changed since the backup: be ready " +
		"to reset it"
	var said []string
	if len(joined) > 0 {
		said = append(said, "joined to a domain: "+strings.Join(joined, ", ")+"; they "+may)
	}
	if len(unknown) > 0 {
		said = append(said, "Windows, and not known whether joined to a domain: "+strings.Join(unknown,
			", ")+"; if they are, they "+may)
	}
	return strings.Join(said, ". ")
}
