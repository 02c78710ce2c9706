package console

import (
	"github.com/patchtide/patchtide/internal/palette"
	"github.com/patchtide/patchtide/internal/patch"
)

// planBound tells what would bind a stage, and what its machines miss that nothing before them has proved yet.
func planBound(text *planWriter, bound *patch.PreviewBound) {
	for _, line := range bound.Told("--json") {
		switch {
		case line.Package:
			text.line(8, "      %s", line.Text)
		case line.Asks:
			text.line(6, "    %s %s", palette.Asks.Render("!"), line.Text)
		default:
			text.line(6, "    %s %s", palette.Quiet.Render("manifest"), line.Text)
		}
	}
}
