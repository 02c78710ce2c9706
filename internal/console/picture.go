package console

import (
	"fmt"
	"strings"

	"charm.land/lipgloss/v2"
)

// barWidth is the length of the progress bar in cells.
const barWidth = 24

// picture is the wave as lines of text: a bar, then stages, groups and instances, one line each.
func picture(p Progress, spin, elapsed string) []string {
	done, all := p.counts()
	lines := []string{"", fmt.Sprintf("%s  %d of %d  %s  %s", bar(done, all), done, all, timeStyle.Render(elapsed), titleStyle.Render(p.WaveID))}
	switch {
	case p.Hold != "":
		lines = append(lines, askStyle.Render("! on hold: "+p.Hold))
	case p.State != "":
		lines = append(lines, quietStyle.Render(p.State))
	}
	for _, stage := range p.Stages {
		lines = append(lines, stageLine(stage))
		for _, group := range stage.Groups {
			lines = append(lines, "  "+quietStyle.Render(group.String()))
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
	return goodStyle.Render(strings.Repeat("█", full)) + quietStyle.Render(strings.Repeat("░", barWidth-full))
}

func stageLine(stage Stage) string {
	state := quietStyle.Render(stage.State)
	if stage.Outcome != "" {
		state = outcomeStyle(stage.Outcome).Render(words(stage.Outcome))
	}
	return titleStyle.Render(stage.Name) + "  " + state
}

func instanceLine(instance Instance, spin string) string {
	mark, style, what := quietStyle.Render("·"), quietStyle, "waits for its turn"
	switch {
	case instance.Outcome != "":
		style = outcomeStyle(instance.Outcome)
		mark, what = style.Render(symbol(instance.Outcome)), words(instance.Outcome)
		if instance.Reason != "" {
			what += ": " + instance.Reason
		}
	case instance.Step != "":
		mark, style, what = busyStyle.Render(spin), busyStyle, instance.Step
	}
	return mark + " " + lipgloss.NewStyle().Width(len("i-0123456789abcdef0")).Render(instance.ID) + "  " + style.Render(what)
}
