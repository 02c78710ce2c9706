package patch

import (
	"strings"
)

// MayUnlock refuses an instance of the surroundings whose root volume could not be made again for want of its key.
func MayUnlock(group Group, restore Restore, around Interference) *Refusal {
	return first(UnlockRefusals(group, restore, around))
}

// UnlockRefusals is MayUnlock with every reason to refuse.
func UnlockRefusals(group Group, restore Restore, around Interference) []*Refusal {
	if restore != RestoreRootVolume {
		return nil
	}
	var found []*Refusal
	for _, locked := range around.LockedRoots {
		found = append(found, &Refusal{
			Code: RefusedNoRestore, Where: place(group, locked.Instance), What: locked.Why,
			WhatToDo: "let the role use the key (README lists the actions), or use restore: replace or none in the plan",
		})
	}
	return found
}

// MayTrust refuses a machine whose own word tells that its root volume is not all of it, or that it patches itself.
func MayTrust(group Group, restore Restore, instance string, facts MachineFacts) *Refusal {
	refuse := func(code RefusalCode, what, todo string) *Refusal {
		return &Refusal{Code: code, Where: place(group, instance), What: what, WhatToDo: todo}
	}
	switch {
	case restore == RestoreRootVolume && facts.Elsewhere == nil:
		return refuse(RefusedNoRestore, "it did not tell which of its directories are on the root volume", "see why the facts script fails on it, or use restore: replace or none in the plan")
	case restore == RestoreRootVolume && len(facts.Elsewhere) > 0:
		return refuse(RefusedNoRestore, "its system is not all on the root volume, and a restore would mix versions: "+strings.Join(facts.Elsewhere, ", "),
			"use restore: replace or none in the plan")
	case facts.Patchers == nil:
		return refuse(RefusedOtherPatcher, "it did not tell whether it patches itself", "see why the facts script fails on it")
	case len(facts.Patchers) > 0:
		return refuse(RefusedOtherPatcher, "it patches itself by "+strings.Join(facts.Patchers, ", "), "disable that on the machine, since Patchtide patches it now")
	}
	return nil
}
