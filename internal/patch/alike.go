package patch

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Alike is what came of a suspicion: those that failed with the same difference.
type Alike struct {
	Failed []string `json:"failed"` // "i-1 of wave-web-1", the new one last
	Got    []string `json:"got"`    // the difference
}

// Told says who failed alike, what becomes of it, and how a person blocks what is to blame.
func (a Alike) Told() string {
	return fmt.Sprintf("%s failed their health checks with the same difference: %s; which of it is to blame a person "+
		"knows: --blame PACKAGE beside the answer blocks one for every plan and account, --blame all all of it. At the "+
		"wave's end all of it is blocked by itself, unless a machine is well with it",
		strings.Join(a.Failed, " and "), theFirst(a.Got, len(a.Got)))
}

// Well is a machine that got a difference from a wave, passed its health checks with it and was left so.
type Well struct {
	Instance string
	WaveID   string
	Got      []string // as in Suspicion, sorted
}

// WellOf is the machine that an instance's details tell of; nil: it was not left patched.
func WellOf(d InstanceDetails) *Well {
	suspect := Suspect(d, "", time.Time{})
	if suspect == nil || !d.Outcome.LeftPatched() {
		return nil
	}
	return &Well{Instance: d.Instance, WaveID: d.WaveID, Got: suspect.Got}
}

// has reports whether the machine got all of a difference.
func (w Well) has(got []string) bool {
	return !slices.ContainsFunc(got, func(one string) bool { return !slices.Contains(w.Got, one) })
}

// What binds a block that no person has said, and how much of it there may be: over two windows of a weekly plan, so
// that somebody looks; and half of what may be blocked, so that whoever blocks at night has room.
const (
	AlikeBinds  = 14 * 24 * time.Hour
	MostByAlike = MostBlocked / 2
)

// AlikeBlocked is what two that failed alike came to at a wave's end.
type AlikeBlocked struct {
	Fresh  Blocks   // blocked now
	Doubts []string // why a difference is not blocked though two failed with it, each in a sentence
}

// AlikeIn are the differences with which instances of a wave failed, and others with them, as far as nobody has cleared
// them since.
func (k *KeptBlocks) AlikeIn(wave string, at time.Time) (all [][]Suspicion) {
	binds := func(b BlockedPatch) bool { return b.Binds(at) }
	for _, one := range k.Suspects {
		known := func(group []Suspicion) bool { return group[0].alike(one) }
		if one.WaveID != wave || slices.ContainsFunc(all, known) {
			continue
		}
		var group []Suspicion
		machines := map[string]bool{}
		for _, other := range k.Suspects {
			if other.alike(one) && !k.lapsedUnless(other, binds) {
				group, machines[other.Instance] = append(group, other), true
			}
		}
		if len(machines) > 1 {
			all = append(all, group)
		}
	}
	return all
}

// BlockAlike blocks, at the end of a wave, each difference with which two different instances failed their health
// checks and were well again without it. It blocks nothing that a machine is well with, whichever wave brought it; and
// nothing of a difference of which a person has blocked, or cleared, a part: who did knows better. Said again since its
// answer was lost it returns the same and changes nothing.
func (k *KeptBlocks) BlockAlike(wave string, well []Well, at time.Time) (done AlikeBlocked, changed bool) {
	for _, failed := range k.AlikeIn(wave, at) {
		doubt, decided := k.doubt(failed, well, at)
		if doubt != "" {
			done.Doubts = append(done.Doubts, doubt)
		}
		if doubt != "" || decided {
			continue
		}
		var blocks []BlockedPatch
		for _, one := range failed[0].patches() {
			one.Actor, one.Reason, one.Since, one.Until = ByItself, "two failed alike in wave "+wave, at, at.Add(AlikeBinds)
			for _, other := range failed[:min(len(failed), mostFailedWith)] {
				one.Failed = append(one.Failed, other.Named())
			}
			blocks = append(blocks, one)
		}
		fresh, differs := k.Block(blocks...)
		done.Fresh, changed = append(done.Fresh, fresh...), changed || differs
	}
	return done, changed
}

// doubt is why what some failed with is not blocked by itself; decided: for a person has decided of it already.
func (k *KeptBlocks) doubt(failed []Suspicion, well []Well, at time.Time) (why string, decided bool) {
	patches := failed[0].patches()
	for _, one := range patches {
		if slices.ContainsFunc(k.Blocked, func(b BlockedPatch) bool {
			return b.Platform == one.Platform && b.Is(one.Name, one.Version) && b.Binds(at) &&
				(b.Actor != ByItself || !b.Since.Equal(at))
		}) {
			return "", true
		}
	}
	said := func(why string, args ...any) (string, bool) {
		return fmt.Sprintf("%s failed their health checks with the same difference, and nothing of it is blocked by itself: "+
			"%s. It is %s; what is to blame a person blocks by `patchtide patch block`", named(failed),
			fmt.Sprintf(why, args...), theFirst(failed[0].Got, len(failed[0].Got))), false
	}
	if at := slices.IndexFunc(well, func(w Well) bool { return w.has(failed[0].Got) }); at >= 0 {
		return said("%s got it by %s and is well", well[at].Instance, well[at].WaveID)
	}
	if slices.ContainsFunc(failed, func(s Suspicion) bool { return s.ByName }) {
		return said("no baseline of theirs can reject a single version, so that no machine that lacks it would be patched " +
			"at all")
	}
	again := map[string]bool{}
	for _, one := range failed {
		again[one.Instance] = again[one.Instance] || one.Well
	}
	count := 0
	for _, is := range again {
		if is {
			count++
		}
	}
	if count < 2 {
		return said("not both were well again without it, so that it may not be the patch")
	}
	others := slices.DeleteFunc(k.Blocked.At(at, failed[0].Platform), func(b BlockedPatch) bool {
		return slices.ContainsFunc(patches, b.Same)
	})
	if most := len(others) + len(patches); most > MostByAlike {
		return said("%d patches would be blocked with it, and by itself at most %d are, for baselines reject no more than "+
			"fifty", most, MostByAlike)
	}
	return "", false
}

// named are the instances of suspicions.
func named(failed []Suspicion) string {
	var all []string
	for _, one := range failed {
		all = append(all, one.Named())
	}
	return theFirst(all, len(all))
}
