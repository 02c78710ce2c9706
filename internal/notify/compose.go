package notify

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/temporalui"
)

// Compose puts a notice into words. It is pure: one notice and one UI always make the same message.
func Compose(n patch.Notice, ui temporalui.UI) Message {
	m := words(n)
	m.ID, m.Kind, m.At, m.Notice = n.Key, string(n.Kind), n.At.UTC(), n
	if n.WhatToDo != "" {
		m.WhatToDo = strings.TrimSpace(n.WhatToDo + " " + m.WhatToDo)
	}
	for i := len(n.Commands) - 1; i >= 0; i-- {
		m.Commands = slices.Insert(m.Commands, 0, Command{Line: n.Commands[i]})
	}
	m.Facts = facts(n)
	m.Details = details(n)
	if ui.Address != "" {
		m.Links = links(n, ui)
	}
	return bounded(m, n)
}

// bounded keeps every part short enough for every channel.
func bounded(m Message, n patch.Notice) Message {
	m.Headline, m.Why, m.WhatToDo = line(
		m.Headline,
		longestHeadline,
	), clip(
		m.Why,
		longestText,
	), clip(
		m.WhatToDo,
		longestText,
	)
	for i := range m.Commands {
		// A command that is cut is no command: it stays whole, and only what is absurd is left out.
		m.Commands[i].When = line(m.Commands[i].When, longestLine)
	}
	m.Commands = slices.DeleteFunc(
		m.Commands, func(c Command) bool { return len(c.Line) > 3*longestLine || strings.ContainsAny(c.Line, "\n\r") },
	)
	for i := range m.Facts {
		m.Facts[i].Value = line(m.Facts[i].Value, longestLine)
	}
	longest := longestLine
	if n.Case != nil {
		longest = longestOfCase
	}
	for i := range m.Details {
		m.Details[i] = line(m.Details[i], longest)
	}
	return m
}

func facts(n patch.Notice) []Fact {
	var facts []Fact
	add := func(name, value string) {
		if value != "" {
			facts = append(facts, Fact{Name: name, Value: value})
		}
	}
	add("Wave", n.WaveID)
	add("Puts back", n.PutsBack)
	add("Plan", n.Plan)
	add("Stage", n.Stage)
	add("By", n.Actor)
	add("At", stamp(n.At))
	if n.Until != nil {
		add("Answer by", stamp(*n.Until))
	}
	return facts
}

// details are at most mostDetails lines, the last of which counts those left out.
func details(n patch.Notice) []string {
	if n.Case != nil {
		return caseDetails(*n.Case)
	}
	var list []string
	room := func() bool { return len(list) < mostDetails }
	for _, i := range n.Instances {
		if room() {
			list = append(
				list, strings.TrimSuffix(fmt.Sprintf("%s/%s %s: %s", i.Group, i.ID, became(i.Outcome), i.Reason), ": "),
			)
		}
	}
	for _, s := range n.Stranded {
		if room() {
			list = append(list, "stranded: "+left(s))
		}
	}
	for _, finding := range n.Findings {
		if room() {
			list = append(list, finding)
		}
	}
	if all := len(n.Instances) + len(n.Stranded) + len(n.Findings); all > len(list) {
		list[mostDetails-1] = fmt.Sprintf("and %d more", all-mostDetails+1)
	}
	return list
}

// caseDetails are what an approval is about. More of it is let through than of other details: it was made short, and
// whoever approves has to have read it.
func caseDetails(c patch.Case) []string {
	list := brief.Case(c, stamp)
	if more := len(list) - mostOfCase; more > 0 {
		list = append(list[:mostOfCase], fmt.Sprintf("and %d more: see the wave itself", more))
	}
	return list
}

func left(s patch.Stranded) string {
	where := strings.Trim(s.Account+"/"+s.Region+" "+s.Resource, "/ ")
	return fmt.Sprintf("%s: %s. Do: %s", where, s.State, s.WhatToDo)
}

// became says what an outcome means for the instance that failed.
func became(outcome patch.Outcome) string {
	switch outcome {
	case patch.RolledBack:
		return "failed and was put back as it was"
	case patch.Quarantined:
		return "failed, is unfit to serve and is quarantined, out of its group"
	case patch.Gone:
		return "is gone"
	case patch.Skipped:
		return "was skipped"
	}
	return "failed"
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

func waveCommand(what, wave string) string {
	return "patchtide wave " + what + " " + names.ShellWord(wave)
}
