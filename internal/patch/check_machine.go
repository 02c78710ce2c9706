package patch

import "strings"

// checkAnswer refuses a machine that did not answer a fresh command: what its agent's last sign of life says may be
// old.
func checkAnswer(v View) []*Refusal {
	if v.Machine.Facts != nil {
		return nil
	}
	return v.refuse("its SSM agent did not answer a fresh command within "+v.Machine.Within.String(), mendAgent)
}

// checkAllOnRoot refuses a machine whose own word tells that its root volume is not all of it.
func checkAllOnRoot(v View) []*Refusal {
	facts := v.Machine.Facts
	switch {
	case facts == nil || v.Policy.Restore != RestoreRootVolume:
		return nil
	case facts.Elsewhere == nil:
		return v.refuse("it did not tell which of its directories are on the root volume",
			"see why the facts script fails on it, or use restore: replace or none in the plan")
	case len(facts.Elsewhere) > 0:
		return v.refuse("its system is not all on the root volume, and a restore would mix versions: "+
			strings.Join(facts.Elsewhere, ", "), "use restore: replace or none in the plan")
	}
	return nil
}

// checkPatchesItself refuses a machine that installs packages by itself.
func checkPatchesItself(v View) []*Refusal {
	facts := v.Machine.Facts
	switch {
	case facts == nil:
		return nil
	case facts.Patchers == nil:
		return v.refuse("it did not tell whether it patches itself", "see why the facts script fails on it")
	case len(facts.Patchers) > 0:
		return v.refuse("it patches itself by "+strings.Join(facts.Patchers, ", "),
			"disable that on the machine, since Patchtide patches it now")
	}
	return nil
}

// checkPackagesWhole refuses a machine whose package database is installed by half: an install would end it, or fail
// for it, and a restore bring it back.
func checkPackagesWhole(v View) []*Refusal {
	if facts := v.Machine.Facts; facts != nil && len(facts.Broken) > 0 {
		return v.refuse("packages are installed by half: "+strings.Join(facts.Broken, ", "),
			"mend it on the machine (dpkg --configure -a, apt-get -f install); Patchtide starts only from health")
	}
	return nil
}
