package patch

import (
	"fmt"
	"strings"
	"time"
)

// PutBackView is what is known of one instance just before it would be taken out of service to be put back.
type PutBackView struct {
	RollBackView           // facts are those of an Earlier one only
	Expires      time.Time // when its backup is past its retention, by AWS's clock; zero: not known
	Earlier      bool      // an earlier window patched it: age and changes since count as they do for a closed wave
	WaveID       string    // the wave that patched it
}

// mendOtherwise is what is left to do where no backup can be put back.
const mendOtherwise = "nothing was touched, and it stays patched: mend it by hand, or let its group replace it"

// JudgePutBack decides whether an instance may be taken out to be put back. What would be lost of one that this very
// window patched was told when its backup was taken, and is not asked again; what would be lost of another keeps it
// patched.
func JudgePutBack(view PutBackView, maxAge Duration) RollBackJudgement {
	point := view.Was.Backup
	if !view.Earlier {
		if why := unusable(point, view.Snapshot); why != "" {
			return RollBackJudgement{Verdict: PutBackCannot, Reason: why + "; " + mendOtherwise}
		}
		return RollBackJudgement{Verdict: PutBackCan}
	}
	judged := JudgeRollBack(view.RollBackView, maxAge)
	switch {
	case judged.Verdict == PutBackCannot:
		judged.Reason += "; " + mendOtherwise
		return judged
	case judged.Verdict != PutBackCan:
		return judged
	case !view.Expires.IsZero() && view.At.After(view.Expires):
		judged.Losses = append(judged.Losses, fmt.Sprintf("its snapshot %s is past its retention since %s, and may be "+
			"deleted",
			point.SnapshotID, view.Expires.UTC().Format("2006-01-02 15:04 MST")))
	}
	if len(judged.Losses) > 0 {
		judged.Verdict = PutBackCannot
		judged.Reason = fmt.Sprintf("an earlier window patched it, and putting it back would lose, beyond the patches: %s; "+
			"nothing was touched, and it stays patched: to put it back all the same, once the wave has closed, "+
			"`patchtide wave roll-back %s --accept-loss --reason \"...\"`", strings.Join(judged.Losses, "; "), view.WaveID)
	}
	return judged
}

// unusable says why a backup cannot be put back; "" when it can, or will be: a pending one is waited for.
func unusable(point *RestorePoint, snapshot string) string {
	switch {
	case point == nil || point.SnapshotID == "":
		return "its wave kept no backup of it"
	case snapshot == "":
		return "its snapshot " + point.SnapshotID + " is gone"
	case snapshot == "error":
		return "its snapshot " + point.SnapshotID + " ended in error"
	}
	return ""
}
