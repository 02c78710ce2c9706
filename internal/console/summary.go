package console

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"
)

// Summary closes the demo: what became of every instance, what it took, and where to look on. waveURL is the wave's page
// in the Temporal UI.
func (c *Console) Summary(r Report, waveURL string) {
	c.Done()
	style := outcomeStyle(r.Outcome)
	var text strings.Builder
	fmt.Fprintf(&text, "\n%s %s  %s in %.1f s, scenario %s\n", style.Render(symbol(r.Outcome)), titleStyle.Render(r.WaveID),
		style.Render(words(r.Outcome)), r.Seconds, r.Scenario)
	text.WriteString(c.instances(r) + "\n")
	for _, stage := range r.Stages {
		for _, group := range stage.Groups {
			fmt.Fprintf(&text, "Out of service at most  %d in %s/%s/%s\n", group.MaxOutOfService, group.Account, group.Region, group.Name)
		}
	}
	fmt.Fprintf(&text, "AWS calls               %s; %d throttled\n", callCounts(r.AWSCalls), r.AWSThrottled)
	if len(r.Stranded) == 0 {
		text.WriteString("Stranded                nothing\n")
	}
	for _, thing := range r.Stranded {
		fmt.Fprintf(&text, "%s  %s/%s %s is %s: %s\n", badStyle.Render("Stranded              "),
			thing.Account, thing.Region, thing.Resource, thing.State, thing.WhatToDo)
	}
	fmt.Fprintf(&text, "Temporal UI             %s\n", r.TemporalUI)
	if waveURL != "" {
		fmt.Fprintf(&text, "This wave               %s\n", waveURL)
	}
	c.write(text.String())
}

// Columns of the table of instances.
const (
	columnOutcome = 3
	columnMissing = 4
)

func (c *Console) instances(r Report) string {
	rows := table.New().Border(lipgloss.RoundedBorder()).BorderStyle(quietStyle).
		Headers("Stage", "Group", "Instance", "Outcome", "Missing", "Automation")
	styles := []lipgloss.Style{}
	for _, stage := range r.Stages {
		for _, group := range stage.Groups {
			for _, instance := range group.Instances {
				rows.Row(stage.Name, group.Account+"/"+group.Name, instance.ID, words(instance.Outcome),
					fmt.Sprintf("%d → %d", instance.MissingBefore, instance.MissingAfter), instance.AutomationExecutionID)
				styles = append(styles, outcomeStyle(instance.Outcome))
			}
		}
	}
	if !c.live {
		rows.Border(lipgloss.ASCIIBorder())
	}
	rows.StyleFunc(func(row, column int) lipgloss.Style {
		cell := lipgloss.NewStyle()
		switch {
		case row == table.HeaderRow:
			cell = titleStyle
		case column == columnOutcome && row < len(styles):
			cell = styles[row]
		case column == columnMissing:
			cell = cell.Align(lipgloss.Center)
		}
		return cell.Padding(0, 1)
	})
	text := rows.Render()
	if width, _ := c.size(); c.live && lipgloss.Width(text) > width {
		text = rows.Width(width).Render() // cells break their lines
	}
	return text
}

// callCounts is the sum and each service's share, the largest first: "120 (ssm 70, ec2 50)".
func callCounts(calls map[string]int) string {
	sum, services := 0, map[string]int{}
	for call, n := range calls {
		service, _, _ := strings.Cut(call, ":")
		services[service] += n
		sum += n
	}
	if sum == 0 {
		return "none"
	}
	order := slices.SortedFunc(maps.Keys(services), func(a, b string) int {
		if services[a] != services[b] {
			return services[b] - services[a]
		}
		return strings.Compare(a, b)
	})
	shares := make([]string, len(order))
	for i, service := range order {
		shares[i] = fmt.Sprintf("%s %d", service, services[service])
	}
	return fmt.Sprintf("%d (%s)", sum, strings.Join(shares, ", "))
}
