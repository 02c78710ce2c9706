package patch

import (
	"fmt"
	"strings"

	"github.com/patchtide/patchtide/internal/plain"
)

// mostBoundTold is how many packages are told of what binds a stage, and of what does not yet.
const mostBoundTold = 10

// BoundLine is a line for people of what would bind a stage: of its manifest, or of one of its packages.
type BoundLine struct {
	Text    string
	Package bool
	Asks    bool // somebody should look at it
}

// Told says what would bind a stage, and what its machines miss that nothing before them has proved yet; all is where
// what is not listed can be read.
func (b *PreviewBound) Told(all string) (lines []BoundLine) {
	if b == nil {
		return nil
	}
	tell := func(line BoundLine, format string, args ...any) {
		line.Text = fmt.Sprintf(format, args...)
		lines = append(lines, line)
	}
	switch {
	case b.Unknown != "":
		tell(BoundLine{}, "is not known: %s", b.Unknown)
	case b.Manifest == nil:
		tell(BoundLine{}, "none yet: no earlier wave of the plan has made one")
	default:
		var due []BoundPackage
		of := []string{}
		for _, system := range b.Systems {
			of = append(of, fmt.Sprintf("%s of %s", plain.Plural(len(system.Packages), "package"), system.Name))
			for _, one := range system.Packages {
				if one.Due > 0 {
					due = append(due, one)
				}
			}
		}
		tell(BoundLine{}, "%.12s of %s: %s, as far as staging holds them", b.Manifest.SHA256, b.Manifest.WaveID,
			strings.Join(of, ", "))
		for _, one := range due[:min(len(due), mostBoundTold)] {
			tell(BoundLine{Package: true}, "%s %s", one.Name, one.fromTo())
		}
		if more := len(due) - mostBoundTold; more > 0 {
			tell(BoundLine{Package: true}, "and %d more, see %s", more, all)
		}
	}
	for _, why := range b.Unproven {
		tell(BoundLine{Asks: true}, "not believed: %s", why)
	}
	if len(b.NotYet) == 0 {
		return lines
	}
	told := strings.Join(b.NotYet[:min(len(b.NotYet), mostBoundTold)], ", ")
	if more := len(b.NotYet) - mostBoundTold; more > 0 {
		told += fmt.Sprintf(", and %d more, see %s", more, all)
	}
	tell(BoundLine{Asks: true}, "not in it, and comes only once this wave has proved it before: %s", told)
	return lines
}

// fromTo is what a package was before on the machines that proved it, and what it would be.
func (p BoundPackage) fromTo() string {
	var from []string
	for _, version := range p.From {
		if version == "" {
			version = "nothing"
		}
		from = append(from, version)
	}
	return strings.Join(from, " or ") + " → " + p.To
}
