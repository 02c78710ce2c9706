package console

import (
	"fmt"
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/patchtide/patchtide/internal/palette"
)

// barWidth is the length of the progress bar in cells.
const barWidth = 24

// headLines are the first lines of a picture, which tell of the wave: a gap, its bar, and what it does or asks.
const headLines = 3

// picture is the wave as lines of text: its head, then stages, groups and instances, one line each.
func picture(p Progress, spin, elapsed string) []string {
	count := p.count()
	lines := []string{
		"",
		fmt.Sprintf(
			"%s  %s  %s  %s", bar(count.Over(), count.Total), count, palette.Quiet.Render(elapsed),
			palette.Title.Render(p.WaveID),
		),
	}
	switch {
	case p.Asks != "":
		lines = append(lines, palette.Asks.Render("! "+p.State+": "+p.Asks))
	case p.State != "":
		lines = append(lines, palette.Quiet.Render(p.State))
	}
	for _, stage := range p.Stages {
		lines = append(lines, stageLine(stage))
		for _, group := range stage.Groups {
			lines = append(lines, "  "+palette.Quiet.Render(group.String()))
			for _, instance := range group.Instances {
				lines = append(lines, "    "+instanceLine(instance, spin))
			}
		}
	}
	return lines
}

func bar(done, all int) string {
	full := 0
	if all > 0 {
		full = done * barWidth / all
	}
	return palette.Good.Render(strings.Repeat("█", full)) + palette.Quiet.Render(strings.Repeat("░", barWidth-full))
}

func stageLine(stage Stage) string {
	state := palette.Quiet.Render(stage.State)
	if stage.Outcome != "" {
		state = palette.Of(stage.Outcome).Style.Render(stage.Outcome.Words())
	}
	return palette.Title.Render(stage.Name) + "  " + state
}

func instanceLine(instance Instance, spin string) string {
	mark, style, what := palette.Quiet.Render("·"), palette.Quiet, "waits for its turn"
	switch {
	case instance.Outcome != "":
		style = palette.Of(instance.Outcome).Style
		mark, what = style.Render(palette.Of(instance.Outcome).Sign), instance.Outcome.Words()
		if instance.Reason != "" {
			what += ": " + instance.Reason
		}
	case instance.Step != "":
		mark, style, what = palette.Busy.Render(spin), palette.Busy, instance.Step
	}
	return mark + " " + lipgloss.NewStyle().Width(len("i-0123456789abcdef0")).Render(instance.ID) + "  " +
		style.Render(what)
}
