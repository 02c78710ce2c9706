package patch

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Clearing is a block that somebody cleared.
type Clearing struct {
	Patch  BlockedPatch `json:"patch"`
	Actor  string       `json:"actor"`
	Reason string       `json:"reason"`
	At     time.Time    `json:"at"`
}

// Suspicion is an instance that failed its health checks once it had got a difference.
type Suspicion struct {
	WaveID   string    `json:"wave_id"`
	Instance string    `json:"instance"`
	Platform Platform  `json:"platform"`
	At       time.Time `json:"at"`
	Why      string    `json:"why"`
	Got      []string  `json:"got"` // "name.arch version", sorted
	// Well reports whether it was well again once it had been put back to what it had before.
	Well bool `json:"well,omitempty"`
	// ByName reports whether its baseline cannot reject one version: of its system Systems Manager takes names only, or
	// the baseline is others'. There a block keeps a machine that lacks the version from being patched at all.
	ByName bool `json:"by_name,omitempty"`
	Left   bool `json:"-"` // it did not fail: it was left patched
}

// alike reports whether both are of the same difference.
func (s Suspicion) alike(other Suspicion) bool {
	return s.Platform == other.Platform && slices.Equal(s.Got, other.Got)
}

// Named names the instance.
func (s Suspicion) Named() string { return s.Instance + " of " + s.WaveID }

// patches are what it got, as blocks without a word of anybody.
func (s Suspicion) patches() (all []BlockedPatch) {
	for _, got := range s.Got {
		name, version, _ := strings.Cut(got, " ")
		one := BlockedPatch{Platform: s.Platform, Name: name, Version: version}
		if s.Platform == Windows {
			one.Name, one.Version = strings.ToUpper(name), ""
		}
		all = append(all, one)
	}
	return all
}

// rejectedByName are the systems of which a baseline rejects names, and no version: baselines.Baseline.Rejecting has
// why.
var rejectedByName = []string{"debian", "ubuntu", "raspbian", "sles", "sled", "sles_sap"}

// Suspect is the suspicion that an instance's details lead to; nil: it got nothing that a version can be told of.
func Suspect(d InstanceDetails, why string, at time.Time) *Suspicion {
	found := &Suspicion{
		WaveID: d.WaveID, Instance: d.Instance, Platform: Linux, Why: why, At: at, Well: d.Outcome == RolledBack,
		Left: d.Outcome.LeftPatched(), ByName: d.After != nil && slices.Contains(rejectedByName, d.After.OS),
	}
	if d.After != nil && d.After.OS == string(Windows) {
		found.Platform = Windows
	}
	for _, change := range d.Changes {
		for _, version := range change.Arrived() {
			found.Got = append(found.Got, change.Name+" "+version)
		}
	}
	if slices.Sort(found.Got); len(found.Got) == 0 {
		return nil
	}
	return found
}

// KeptBlocks is all that is kept of blocked patches.
type KeptBlocks struct {
	Blocked  Blocks      `json:"blocked"`
	Cleared  []Clearing  `json:"cleared,omitempty"`  // the last of them
	Suspects []Suspicion `json:"suspects,omitempty"` // likewise
}

// How many clearings and suspicions are kept.
const (
	mostCleared  = 50
	mostSuspects = 200
)

// Block blocks patches, and reports whether that changed anything. It returns those that this very word has blocked, or
// otherwise than before: also where it is said again since its answer was lost.
func (k *KeptBlocks) Block(patches ...BlockedPatch) (fresh Blocks, changed bool) {
	for _, one := range patches {
		blocked, differs := k.Blocked.With(one)
		k.Blocked = blocked
		now := blocked[slices.IndexFunc(blocked, one.Same)]
		if differs || now.Actor == one.Actor && now.Since.Equal(one.Since) {
			fresh = append(fresh, now)
		}
		changed = changed || differs
	}
	return fresh, changed
}

// Clear clears a patch, and returns what was blocked; nil: it was not. Said again since its answer was lost it returns
// the same and changes nothing. Who failed with it counts no more: whoever clears it knows better, and is not overruled
// by the same failures.
func (k *KeptBlocks) Clear(cleared BlockedPatch, actor, reason string, at time.Time) (was *BlockedPatch, changed bool) {
	left, was := k.Blocked.Without(cleared)
	if was == nil {
		before := slices.IndexFunc(k.Cleared, func(one Clearing) bool {
			return one.Patch.Same(cleared) && one.Actor == actor && one.At.Equal(at)
		})
		if before < 0 {
			return nil, false
		}
		return &k.Cleared[before].Patch, false
	}
	k.Blocked = left
	k.Cleared = append(k.Cleared, Clearing{Patch: *was, Actor: actor, Reason: reason, At: at})
	k.Cleared = k.Cleared[max(len(k.Cleared)-mostCleared, 0):]
	k.Suspects = slices.DeleteFunc(slices.Clone(k.Suspects), func(s Suspicion) bool {
		return slices.ContainsFunc(s.patches(), func(one BlockedPatch) bool {
			return one.Platform == was.Platform && was.Is(one.Name, one.Version)
		})
	})
	return was, true
}

// Suspect keeps suspicions, and reports whether that changed anything. Where two instances have failed with the same
// difference, that is told once: nothing is blocked by it before the wave's end (see BlockAlike). The others of the
// same wave would count as having nothing due, and an outage makes two fail alike as well.
func (k *KeptBlocks) Suspect(failed ...Suspicion) (alike []Alike, changed bool) {
	failed = slices.DeleteFunc(slices.Clone(failed), k.lapsed)
	for _, one := range failed {
		if k.remember(one) {
			changed = true
		}
	}
	for _, one := range failed {
		if slices.ContainsFunc(alike, func(a Alike) bool { return slices.Equal(a.Got, one.Got) }) {
			continue
		}
		if found := k.alike(one); found != nil {
			alike = append(alike, *found)
		}
	}
	return alike, changed
}

// lapsed reports whether a person has cleared what an instance failed with since it did, or its time has passed: the
// same failure says nothing new.
func (k *KeptBlocks) lapsed(failed Suspicion) bool {
	return k.lapsedUnless(failed, func(BlockedPatch) bool { return false })
}

// lapsedUnless is lapsed without blocks of which something holds.
func (k *KeptBlocks) lapsedUnless(failed Suspicion, is func(BlockedPatch) bool) bool {
	return slices.ContainsFunc(failed.patches(), func(one BlockedPatch) bool {
		return slices.ContainsFunc(k.Cleared, func(c Clearing) bool { return c.Patch.Same(one) && !failed.At.After(c.At) }) ||
			slices.ContainsFunc(k.Blocked, func(b BlockedPatch) bool {
				return b.Same(one) && !is(b) && !b.Until.IsZero() && !failed.At.After(b.Until)
			})
	})
}

// remember keeps a suspicion once.
func (k *KeptBlocks) remember(failed Suspicion) (changed bool) {
	if at := slices.IndexFunc(k.Suspects, func(one Suspicion) bool {
		return one.Named() == failed.Named() && one.alike(failed)
	}); at >= 0 {
		if changed = failed.Well && !k.Suspects[at].Well; changed { // of another try
			k.Suspects = slices.Clone(k.Suspects)
			k.Suspects[at].Well = true
		}
		return changed
	}
	k.Suspects = append(slices.Clone(k.Suspects), failed)
	k.Suspects = k.Suspects[max(len(k.Suspects)-mostSuspects, 0):]
	return true
}

// alike are those that failed with the same difference as one, which comes last; nil: no other instance did.
func (k *KeptBlocks) alike(failed Suspicion) *Alike {
	found := &Alike{Got: failed.Got}
	for _, one := range k.Suspects {
		if one.Instance != failed.Instance && one.alike(failed) {
			found.Failed = append(found.Failed, one.Named())
		}
	}
	if len(found.Failed) == 0 {
		return nil
	}
	found.Failed = append(found.Failed, failed.Named())
	return found
}

// BlameAll blames the whole difference.
const BlameAll = "all"

// Blame finds what a person blames among what failed instances got: packages by name, with or without their
// architecture, or all. It refuses what none of them got, and says what they did.
func Blame(names []string, suspects []Suspicion) ([]BlockedPatch, error) {
	var found []BlockedPatch
	var got []string
	if len(suspects) == 0 {
		return nil, errors.New("blame: no instance has told what it got, so that nothing of it can be blamed: name the " +
			"version with `patchtide patch block`")
	}
	all := slices.Contains(names, BlameAll)
	heard := map[string]bool{}
	for _, suspect := range suspects {
		for _, one := range suspect.patches() {
			if !slices.Contains(got, one.Patch()) {
				got = append(got, one.Patch())
			}
			name := slices.IndexFunc(names, func(name string) bool { return one.named(name) })
			if name < 0 && !all {
				continue
			}
			if name >= 0 {
				heard[names[name]] = true
			}
			one.Failed = []string{suspect.Named()}
			if at := slices.IndexFunc(found, one.Same); at >= 0 {
				if len(found[at].Failed) < mostFailedWith {
					found[at].Failed = append(found[at].Failed, suspect.Named())
				}
			} else {
				found = append(found, one)
			}
		}
	}
	for _, name := range names {
		if name != BlameAll && !heard[name] {
			return nil, fmt.Errorf("blame: none of the instances got %q; they got %s", name, theFirst(got, len(got)))
		}
	}
	return found, nil
}

// named reports whether a person means it by a name: with or without architecture, with or without version.
func (b BlockedPatch) named(name string) bool {
	if asked, err := ParsePatch(b.Platform, name); err == nil {
		return asked.Is(b.Name, b.Version)
	}
	return BlockedPatch{Name: name, Version: b.Version}.Is(b.Name, b.Version)
}
