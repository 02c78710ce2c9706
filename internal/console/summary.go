package console

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/patchtide/patchtide/internal/palette"
	"github.com/patchtide/patchtide/internal/plain"
)

// Summary closes the demo: what became of every instance and why, what it took, and where to look on, if there is such
// a place.
func (c *Console) Summary(r Report) {
	c.Done()
	c.mu.Lock()
	defer c.mu.Unlock()
	style := palette.Of(r.Outcome).Style
	var text strings.Builder
	fmt.Fprintf(
		&text,
		"\n%s %s  %s in %.1f s, scenario %s\n",
		style.Render(palette.Of(r.Outcome).Sign),
		palette.Title.Render(r.WaveID),
		style.Render(r.Outcome.Words()),
		r.Seconds,
		r.Scenario,
	)
	text.WriteString(c.instances(r) + "\n")
	c.reasons(&text, r)
	c.field(&text, palette.Plain, "Instances", outcomes(r))
	for _, stage := range r.Stages {
		for _, group := range stage.Groups {
			c.field(
				&text, palette.Plain, "Out of service at most",
				fmt.Sprintf("%d in %s/%s/%s", group.MaxOutOfService, group.Account, group.Region, group.Name),
			)
		}
	}
	c.field(&text, palette.Plain, "AWS calls", fmt.Sprintf("%s; %d throttled", callCounts(r.AWSCalls), r.AWSThrottled))
	if len(r.Stranded) == 0 {
		c.field(&text, palette.Plain, "Stranded", "nothing")
	}
	for _, thing := range r.Stranded {
		c.field(
			&text, palette.Bad, "Stranded",
			fmt.Sprintf("%s/%s %s is %s: %s", thing.Account, thing.Region, thing.Resource, thing.State, thing.WhatToDo),
		)
	}
	if r.Pages != nil {
		c.field(&text, palette.Plain, "Temporal UI", r.Pages.TemporalUI)
		c.field(&text, palette.Plain, "This wave", r.Pages.Wave)
		c.field(&text, palette.Plain, "Fleet", r.Pages.Fleet)
	}
	c.write(text.String())
}

// labelWidth is the column where the values begin.
const labelWidth = 24

// field writes a label and its value.
func (c *Console) field(text *strings.Builder, style lipgloss.Style, label, value string) {
	text.WriteString(style.Render(fmt.Sprintf("%-*s", labelWidth, label)) + c.wrap(plain.Line(value), labelWidth) + "\n")
}

// reasons tells why the wave ended as it did, and what befell each instance that has something to say.
func (c *Console) reasons(text *strings.Builder, r Report) {
	if r.Reason != "" {
		c.field(text, palette.Plain, "Why", r.Reason)
	}
	for _, stage := range r.Stages {
		for _, group := range stage.Groups {
			for _, instance := range group.Instances {
				if instance.Reason != "" {
					c.field(text, palette.Plain, instance.ID, instance.Outcome.Words()+": "+instance.Reason)
				}
			}
		}
	}
}

// outcomes counts instances by what became of them, and the patches that were missing.
func outcomes(r Report) string {
	var order []string
	counts := map[string]int{}
	for _, stage := range r.Stages {
		for _, group := range stage.Groups {
			for _, instance := range group.Instances {
				name := instance.Outcome.Words()
				if counts[name] == 0 {
					order = append(order, name)
				}
				counts[name]++
			}
		}
	}
	if len(order) == 0 {
		return "none"
	}
	for i, name := range order {
		order[i] = fmt.Sprintf("%d %s", counts[name], name)
	}
	return fmt.Sprintf(
		"%s; patches missing: %d before, %d after", strings.Join(order, ", "), r.Missing.Before, r.Missing.After,
	)
}

// Columns of the table of instances.
const (
	columnOutcome    = 3
	columnMissing    = 4
	columnAutomation = 5
)

// instances is the table of instances. On a narrow terminal it goes without the Automation ids, which are long and
// stand in the JSON document and in the Temporal UI.
func (c *Console) instances(r Report) string {
	page := c.page()
	wide := Page{Width: math.MaxInt32, Terminal: page.Terminal}
	if text := tableOf(r, true, wide); !page.Terminal || lipgloss.Width(text) <= page.Width {
		return text
	}
	return tableOf(r, false, page)
}

func tableOf(r Report, automation bool, page Page) string {
	shown := columnAutomation
	if automation {
		shown++
	}
	headers := []string{"Stage", "Group", "Instance", "Outcome", "Missing", "Automation"}
	var rows [][]string
	var styles []lipgloss.Style
	for _, stage := range r.Stages {
		for _, group := range stage.Groups {
			for _, instance := range group.Instances {
				cells := []string{
					stage.Name, group.Account + "/" + group.Name, instance.ID, instance.Outcome.Words(),
					fmt.Sprintf("%d → %d", instance.MissingBefore, instance.MissingAfter), instance.AutomationExecutionID,
				}
				rows = append(rows, cells[:shown])
				styles = append(styles, palette.Of(instance.Outcome).Style)
			}
		}
	}
	return page.styled(headers[:shown], rows, func(row, column int) lipgloss.Style {
		switch {
		case row < 0: // the headers
			return palette.Title
		case column == columnOutcome:
			return styles[row]
		case column == columnMissing:
			return lipgloss.NewStyle().Align(lipgloss.Center)
		}
		return lipgloss.NewStyle()
	}, palette.Quiet)
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
