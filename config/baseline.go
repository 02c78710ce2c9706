package config

import (
	"strings"

	"github.com/patchtide/patchtide/internal/patch"
)

// Baseline is by what a plan, a stage or a group is patched.
type Baseline struct {
	Name     string         `yaml:"name" example:"amazon-linux-2023" doc:"A built-in patch baseline or one from baselines_dir. Either this, or adopt."`
	Adopt    bool           `yaml:"adopt" default:"false" example:"true" doc:"Each instance is judged by whatever patch baseline Systems Manager has for it: the one of its patch group, else the default of its system. No tag is needed, and no baseline is made, changed or registered. What is blocked is not rejected by it: a machine that would get it is not begun."`
	Platform patch.Platform `yaml:"platform" enum:"linux,windows" default:"linux" example:"windows" doc:"With adopt: what the instances run, for nothing else tells it."`
}

// Short lets it be written as its name alone.
func (Baseline) Short() string { return "name" }

// String names it as (*baselines.Catalog).Load takes it; "" where none is written.
func (b Baseline) String() string {
	if b.Adopt {
		return patch.AdoptedOn(b.Platform)
	}
	return b.Name
}

// or is the first of baselines that is written.
func (b Baseline) or(others ...Baseline) string {
	for _, other := range others {
		if b.String() == "" {
			b = other
		}
	}
	return b.String()
}

// checkBaseline refuses what names none, or both a file and what Systems Manager has.
func (v *validator) checkBaseline(at string, b Baseline) {
	switch {
	case b.Adopt && b.Name != "":
		v.doc.Problem(at+".name", "stands beside adopt, which takes whatever Systems Manager has; write one of them")
	case !b.Adopt && b.Name == "" && v.doc.Has(at):
		v.doc.Problem(at, "names no baseline; write it like baseline: amazon-linux-2023, or {adopt: true}")
	case !b.Adopt && v.doc.Has(at+".platform"):
		v.doc.Problem(at+".platform", "is for adopt: true; a baseline's file tells it")
	case strings.ContainsAny(b.Name, "{}"): // which would be taken for the very words that adopt stands for
		v.doc.Problem(at, "may not be a set of keys in quotes; write it without them")
	case b.Name == "" || v.baselines == nil:
	default:
		if _, err := v.baselines.Load(b.Name); err != nil {
			v.doc.Problem(at, "%v", err)
		}
	}
}
