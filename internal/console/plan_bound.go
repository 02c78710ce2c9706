package console

import (
	"fmt"
	"strings"

	"github.com/patchtide/patchtide/internal/palette"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/plain"
)

// mostBoundTold is how many packages are told of what binds a stage, and of what does not yet: --json has all.
const mostBoundTold = 10

// planBound tells what would bind a stage, and what its machines miss that nothing before them has proved yet.
func planBound(text *planWriter, bound *patch.PreviewBound) {
	if bound == nil {
		return
	}
	switch {
	case bound.Unknown != "":
		text.line(6, "    %s %s", palette.Quiet.Render("manifest"), "is not known: "+bound.Unknown)
	case bound.Manifest == nil:
		text.line(6, "    %s %s", palette.Quiet.Render("manifest"), "none yet: no earlier wave of the plan has made one")
	default:
		var due []patch.BoundPackage
		of := []string{}
		for _, system := range bound.Systems {
			of = append(of, fmt.Sprintf("%s of %s", plain.Plural(len(system.Packages), "package"), system.Name))
			for _, one := range system.Packages {
				if one.Due > 0 {
					due = append(due, one)
				}
			}
		}
		text.line(6, "    %s %.12s of %s: %s, as far as staging holds them", palette.Quiet.Render("manifest"),
			bound.Manifest.SHA256, bound.Manifest.WaveID, strings.Join(of, ", "))
		for _, one := range due[:min(len(due), mostBoundTold)] {
			text.line(8, "      %s %s", one.Name, fromTo(one))
		}
		if more := len(due) - mostBoundTold; more > 0 {
			text.line(8, "      and %d more, see --json", more)
		}
	}
	for _, why := range bound.Unproven {
		text.line(6, "    %s %s", palette.Asks.Render("!"), "not believed: "+why)
	}
	if len(bound.NotYet) == 0 {
		return
	}
	told := strings.Join(bound.NotYet[:min(len(bound.NotYet), mostBoundTold)], ", ")
	if more := len(bound.NotYet) - mostBoundTold; more > 0 {
		told += fmt.Sprintf(", and %d more, see --json", more)
	}
	text.line(
		6, "    %s not in it, and comes only once this wave has proved it before: %s", palette.Asks.Render("!"), told,
	)
}

// fromTo is what a package was before on the machines that proved it, and what it would be.
func fromTo(one patch.BoundPackage) string {
	var from []string
	for _, version := range one.From {
		if version == "" {
			version = "nothing"
		}
		from = append(from, version)
	}
	return strings.Join(from, " or ") + " → " + one.To
}
