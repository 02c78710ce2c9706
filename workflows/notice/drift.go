package notice

import (
	"slices"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// Drifts gathers how patch baselines differed from their files before they were made equal, one line each, for people.
type Drifts []string

// Add keeps how the baseline of a group differed; "": it did not.
func (d *Drifts) Add(group patch.Group, baseline, differed string) {
	line := group.Account.Name + "/" + group.Region + " " + baseline + ": " + differed
	if differed != "" && !slices.Contains(*d, line) {
		*d = append(*d, line)
	}
}

// Fill makes a notice of them.
func (d Drifts) Fill(n *patch.Notice) {
	n.Subject, n.Findings = "patch baselines that somebody changed", d[:min(len(d), run.MostListed)]
	n.WhatToDo = "Nothing, if the files are right: the baselines are as they say again. Who wants one otherwise changes " +
		"its file; what is changed in Systems Manager the next wave or scan undoes."
}
