package patch

import (
	"fmt"
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

// RollBackVerdict says what is to become of one instance. Outcome is Patched for one that is to be put back, and else how it
// ends without being touched: Gone, RolledBack (it stands as before the wave already) or Failed (it cannot be put back).
type RollBackVerdict struct {
	Outcome Outcome
	Reason  string
	Losses  []string // what putting it back loses beyond the patches; a person must accept them
}

// WantsRollBack tells whether a wave left the instance patched.
func (r InstanceResult) WantsRollBack() bool { return r.Outcome == Patched || r.StillPatched }

// JudgeRollBack decides whether an instance that a wave patched can be put back now, and what that would lose. An old root
// volume also undoes deployments and rotated secrets made since, so age and changes since are losses.
func JudgeRollBack(view RollBackView, maxAge Duration) RollBackVerdict {
	point := view.Was.Backup
	switch {
	case !view.Member.Present():
		return RollBackVerdict{Outcome: Gone, Reason: "terminated or replaced since the wave; nothing of it is left to put back"}
	case point == nil || point.SnapshotID == "":
		return RollBackVerdict{Outcome: Failed, Reason: "its wave kept no backup of it"}
	case view.Member.RootVolumeID != point.VolumeID && view.Facts != nil && view.Facts.PackagesSHA256 == point.Facts.PackagesSHA256:
		return RollBackVerdict{Outcome: RolledBack, Reason: "stands as before the wave already: another root volume, the packages as before"}
	case view.Snapshot == "":
		return RollBackVerdict{Outcome: Failed, Reason: "its snapshot " + point.SnapshotID + " is gone"}
	case view.Snapshot == "error":
		return RollBackVerdict{Outcome: Failed, Reason: "its snapshot " + point.SnapshotID + " ended in error"}
	}
	verdict := RollBackVerdict{Outcome: Patched}
	if age := view.At.Sub(point.TakenAt); age > maxAge.D() {
		verdict.Losses = append(verdict.Losses, fmt.Sprintf("everything written to its root volume in the %s since %s, more than rollback_max_age (%s)",
			Duration(age.Truncate(time.Minute)), point.TakenAt.UTC().Format("2006-01-02 15:04 MST"), maxAge))
	}
	switch {
	case view.Member.RootVolumeID != point.VolumeID:
		verdict.Losses = append(verdict.Losses, fmt.Sprintf("the root volume %s that somebody gave it since the wave", view.Member.RootVolumeID))
	case view.Facts == nil:
		verdict.Losses = append(verdict.Losses, "whatever changed since the wave, which is not known: it does not answer")
	case view.Was.PackagesAfter == "":
		verdict.Losses = append(verdict.Losses, "packages changed since the wave, if any: the evidence does not tell what the wave left")
	case view.Facts.PackagesSHA256 != view.Was.PackagesAfter:
		verdict.Losses = append(verdict.Losses, "packages installed, updated or removed since the wave")
	}
	return verdict
}

// DomainCaveat is always said before a Windows machine gets an older root volume; "" on other platforms. Whether a machine
// is a domain's member is not asked, so it is said of every one.
func DomainCaveat(platform Platform) string {
	if platform != Windows {
		return ""
	}
	return "Windows machines joined to a domain may lose their trust with it, when their machine password changed since the backup: be ready to reset it"
}
