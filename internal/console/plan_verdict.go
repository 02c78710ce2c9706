package console

import (
	"fmt"
	"strings"

	"github.com/patchtide/patchtide/internal/palette"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/plain"
)

// planBlockers tells everything that is in the way.
func planBlockers(text *planWriter, p patch.Preview) {
	if len(p.Blockers) == 0 {
		return
	}
	text.WriteString("\n")
	text.line(0, "%s", palette.Bad.Render("In the way"))
	for _, blocker := range p.Blockers {
		text.line(6, "  %s %s  %s", palette.Bad.Render("✗"), palette.Bad.Render(blocker.Code), blocker.Where)
		if len(blocker.Instances) > 0 {
			text.line(6, "      %s", strings.Join(blocker.Instances, " "))
		}
		text.line(6, "      %s", blocker.What)
		text.line(8, "      → %s", blocker.WhatToDo)
	}
}

// planFooter tells when, what a rollback loses, what to know, and the verdict.
func planFooter(text *planWriter, p patch.Preview) {
	const behindLabel = 12
	text.WriteString("\n")
	field := func(label, value string) {
		text.line(behindLabel, "%s%s", palette.Quiet.Render(fmt.Sprintf("%-*s", behindLabel, label)), value)
	}
	takes := "about " + p.Takes.Rough()
	if len(p.NotCounted) > 0 {
		takes += "; not counted: " + strings.Join(p.NotCounted, ", ")
	} else {
		takes += ", done about " + moment(p.Ends)
	}
	field("Takes", takes)
	if p.Window == nil {
		field("Window", "none: at any time")
	} else {
		field("Window", fmt.Sprintf(
			"%s to %s, nothing is begun after %s; %d of %d fit",
			moment(p.Window.Opens),
			until(p.Window.Opens, p.Window.Closes),
			until(p.Window.Opens, p.Window.Cutoff),
			p.InTime,
			p.Due,
		))
		if p.Window.Of != "" {
			field("", "it is of "+p.Window.Of)
		}
		if p.Window.Cut != "" {
			field("", "it closes early for "+p.Window.Cut)
		}
	}
	following := p.Following
	if p.Window != nil && p.Window.Of != "" {
		following = nil // who opens one for this wave opens none for nobody
	}
	for i, next := range following {
		label := "Then"
		if i > 0 {
			label = ""
		}
		field(label, moment(next.Opens)+" to "+until(next.Opens, next.Closes))
	}
	if p.Loses != "" {
		field("Roll back", p.Loses)
	}
	for i, note := range p.Notes {
		label := "Notes"
		if i > 0 {
			label = ""
		}
		field(label, note)
	}
	text.WriteString("\n")
	text.line(2, "%s", verdict(p))
}

// onlyFlags are those by which a start takes the same; "": it takes everybody.
func onlyFlags(only *patch.Only) (flags string) {
	if only.Empty() {
		return ""
	}
	if len(only.Zones) > 0 {
		flags += " --only-zones " + strings.Join(only.Zones, ",")
	}
	if len(only.Instances) > 0 {
		flags += " --only-instances " + strings.Join(only.Instances, ",")
	}
	return flags
}

// verdict is what a start would come to.
func verdict(p patch.Preview) string {
	switch start := "patchtide wave start " + p.Plan + onlyFlags(p.Only); {
	case !p.CouldRun():
		return palette.Bad.Render(fmt.Sprintf("✗ It is blocked by %s.", plain.Plural(len(p.Blockers), "thing")))
	case p.Due == 0:
		return palette.Good.Render("✓ There is nothing to do:") + " no instance of the plan misses anything."
	case p.Begins.After(p.At):
		return palette.Asks.Render("! It could run once its window opens, at "+moment(p.Begins)+".") +
			fmt.Sprintf(" A start now is refused (%s). Then: ", p.RefusedNow) + start
	default:
		return palette.Good.Render("✓ It could run:") + "  " + start
	}
}
