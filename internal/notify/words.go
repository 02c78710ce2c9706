package notify

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// words says what each kind means: headline, severity, why, what to do, and the commands for it.
func words(n patch.Notice) Message {
	switch n.Kind {
	case patch.NoticeStarted:
		return started(n)
	case patch.NoticeAwaitingPlan:
		return Message{
			Severity: Info, Headline: "Wave of " + n.Plan + " waits for another plan", Why: n.Why,
			WhatToDo: "Nothing, if that plan is under way: the wave goes on by itself, and has changed nothing. Else see why " +
				"that plan's last wave did not succeed, or start one.",
			Commands: verbs(n),
		}
	case patch.NoticeAwaitingApproval:
		return Message{
			Severity: Warning, Headline: place(n) + " awaits approval", Why: n.Why,
			WhatToDo: "Read what it is about, look at the stage before it, then approve or reject." + otherwise(n) +
				quarantine(n),
			Commands: verbs(n),
		}
	case patch.NoticeOnHold:
		return Message{
			Severity: Alarm, Headline: place(n) + " is on hold" + failures(n), Why: n.Why,
			WhatToDo: "Find out why, then decide. Nothing more is begun, and groups can scale meanwhile." + otherwise(n) +
				quarantine(n),
			Commands: verbs(n),
		}
	case patch.NoticeParked:
		return parked(n)
	case patch.NoticeSoaking:
		return Message{
			Severity: Info, Headline: place(n) + " is done and soaks", Why: n.Why,
			WhatToDo: "Nothing: the wave goes on by itself. If something is wrong with the patch, roll it back.",
			Commands: verbs(n),
		}
	case patch.NoticeFailedInstance:
		return Message{
			Severity: Warning, Headline: place(n) + failures(n), Why: n.Why,
			WhatToDo: "Look at what it says. If the stage may not carry the failure, the wave goes on hold and asks." +
				quarantine(n),
			Commands: []Command{{Line: waveCommand("show", n.WaveID)}},
		}
	case patch.NoticeRolledBack:
		return Message{
			Severity: worse(Warning, n), Headline: "Wave of " + n.Plan + " was rolled back: " + tally(n), Why: n.Why,
			WhatToDo: "Find out what was wrong with the patch before the next wave." + strandedToDo(n),
			Commands: putBackMore(n),
		}
	case patch.NoticeFinished:
		return finished(n)
	case patch.NoticeScheduleSkipped:
		return Message{
			Severity: Warning, Headline: "The window of " + about(n) + " opened and no wave was started", Why: n.Why,
			WhatToDo: "Mend what is in the way; start the wave by hand inside the window, or leave it to the next one.",
			Commands: planCommand(n),
		}
	case patch.NoticeDrift:
		return Message{
			Severity: Warning, Headline: fmt.Sprintf("%s: %s", sentence(about(n)), plural(len(n.Findings), "difference")),
			Why: n.Why,
		}
	case patch.NoticeFrozen, patch.NoticeBlocked:
		return Message{Severity: Warning, Headline: sentence(about(n)), Why: n.Why}
	case patch.NoticeStranded:
		return Message{
			Severity: Alarm,
			Headline: fmt.Sprintf("%s: %s", sentence(about(n)), plural(len(n.Stranded), "thing")+" left stranded"), Why: n.Why,
			WhatToDo: "Do what each line says, then look again.", Commands: []Command{{Line: "patchtide reconcile --dry-run"}},
		}
	case patch.NoticeUndoFails:
		return Message{
			Severity: Alarm, Headline: sentence(about(n)) + " fails, and is tried again", Why: n.Why,
			WhatToDo: "Mend what the error says, such as a permission that was taken away: it is tried until it succeeds, and " +
				"ends by itself. Or do it by hand.",
			Commands: append(giveUp(n), Command{When: "to look at it", Line: waveCommand("show", n.WaveID)}),
		}
	case patch.NoticeUndoEnded:
		return Message{
			Severity: Info, Headline: sentence(about(n)) + " is not failing any longer", Why: n.Why,
			WhatToDo: "Nothing, unless it was given up: then do what the wave tells as stranded.",
			Commands: []Command{{Line: waveCommand("show", n.WaveID)}},
		}
	case patch.NoticePaused:
		return Message{
			Severity: Warning, Headline: sentence(about(n)) + " waits, paused in Temporal", Why: n.Why,
			WhatToDo: "Let it go on as the command says. Until then the instance is as it is, and may be out of service.",
			Commands: []Command{{Line: waveCommand("show", n.WaveID)}},
		}
	case patch.NoticeTest:
		return Message{
			Severity: Info, Headline: "This is a test: Patchtide reaches this channel", Why: n.Why, WhatToDo: "Nothing.",
		}
	}
	return Message{Severity: Warning, Headline: n.Kind.Words() + ": " + about(n), Why: n.Why}
}

// parked says of a wave that waits for a window what it waits for besides.
func parked(n patch.Notice) Message {
	m := Message{
		Severity: Warning, Headline: place(n) + " is parked until the next window", Why: n.Why, Commands: verbs(n),
	}
	m.WhatToDo = "Nothing: it goes on by itself when the window opens."
	if slices.Contains(n.Verbs, patch.Resume) {
		m.WhatToDo = "Send resume, and the wave goes on when that window is open. Until then it holds no lock, and " +
			"nothing is out of service." + otherwise(n)
	}
	return m
}

// putBackMore shows a wave that was rolled back, and how what its other stages patched is put back.
func putBackMore(n patch.Notice) []Command {
	list := []Command{{Line: waveCommand("show", n.WaveID)}}
	if n.PutsBack == "" && n.Tally[patch.Patched]+n.Tally[patch.PatchedRebootPending] > 0 {
		list = append(
			list,
			Command{When: "to put back what its other stages patched, too", Line: names.VerbCommand(patch.RollBack, n.WaveID)},
		)
	}
	return list
}

func started(n patch.Notice) Message {
	headline := "Wave of " + n.Plan + " started"
	if n.PutsBack != "" {
		headline = "Roll back of " + n.PutsBack + " started"
	}
	return Message{
		Severity: Info, Headline: headline, Why: n.Why, WhatToDo: "Nothing; it asks when it needs somebody.",
		Commands: []Command{
			{"to watch it", waveCommand("watch", n.WaveID)}, {"to stop it", names.VerbCommand(patch.Abort, n.WaveID)},
		},
	}
}

func finished(n patch.Notice) Message {
	m := Message{Why: n.Why, Commands: []Command{{Line: waveCommand("show", n.WaveID)}}}
	what := "Wave of " + n.Plan
	if n.PutsBack != "" {
		what = "Roll back of " + n.PutsBack
	}
	switch n.Outcome {
	case patch.Succeeded:
		m.Severity, m.Headline, m.WhatToDo = Good, what+" succeeded: "+tally(n), "Nothing."
	case patch.SucceededWithSkips:
		m.Severity, m.Headline, m.WhatToDo = Warning, what+
			" succeeded with skips: "+tally(n), "Look at what was skipped; the next wave tries it again."
	case patch.SucceededWithGaps:
		m.Severity, m.Headline, m.WhatToDo = Warning, what+
			" left gaps: "+tally(n), "Look at who was not reached and why; another wave takes them."
	case patch.SucceededImageStale:
		m.Severity, m.Headline, m.WhatToDo = Warning, what+" succeeded, and an image is stale: "+tally(n),
			"Mend what it says of the image: until then what the group launches next lacks these patches."
	case patch.NothingPutBack:
		m.Severity, m.Headline, m.WhatToDo = Warning, what+" put nothing back: "+tally(n),
			"Nothing: nothing of what was to be put back is patched."
		if n.Tally[patch.Patched]+n.Tally[patch.PatchedRebootPending] > 0 {
			m.WhatToDo = "What earlier stages patched stays. Where the patch is bad, put that back as well:"
			m.Commands = append(m.Commands, Command{Line: names.VerbCommand(patch.RollBack, n.WaveID)})
		}
	case patch.Refused:
		m.Severity, m.Headline = Warning, what+" was refused: nothing was changed"
		m.WhatToDo = "Read why and mend it, then start it again."
		switch {
		case n.PutsBack != "" && strings.HasPrefix(n.Why, "NotRestorable: "):
			m.WhatToDo = "Read why: nothing of it can be put back, and asking again changes nothing. It stays patched; " +
				"what is bad of it has to be mended another way."
		case n.PutsBack != "":
			m.WhatToDo = "Read why and mend it, or accept what would be lost where it says so, then roll back again."
			again := Command{When: "to roll back again", Line: names.VerbCommand(patch.RollBack, n.PutsBack)}
			m.Commands = append(m.Commands, again)
		}
	case patch.Aborted:
		m.Severity, m.Headline, m.WhatToDo = Warning, what+
			" was aborted: "+tally(n), "Start another wave when the reason has passed; it leaves alone what is patched."
	default:
		m.Severity, m.Headline, m.WhatToDo = Alarm, what+
			" "+n.Outcome.Words()+
			": "+tally(n), "Read why, mend it, and start another wave; it leaves alone what is patched."
		if n.PutsBack != "" {
			m.WhatToDo = "Read why and mend it, or accept what would be lost where it says so, then roll back again; what was " +
				"put back is left alone."
			again := Command{When: "to roll back again", Line: names.VerbCommand(patch.RollBack, n.PutsBack)}
			m.Commands = append(m.Commands, again)
		}
	}
	m.Severity = worse(m.Severity, n)
	m.WhatToDo += strandedToDo(n)
	return m
}

// place names plan and stage.
func place(n patch.Notice) string {
	name := n.Plan
	if n.Stage != "" {
		name += "/" + n.Stage
	}
	if n.Step != "" {
		name += " (" + n.Step + ")"
	}
	if n.PutsBack != "" {
		return name + " (roll back)"
	}
	return name
}

// about names what a notice is about that is no wave's.
func about(n patch.Notice) string {
	for _, name := range []string{n.Subject, n.Plan, n.WorkflowID} {
		if name != "" {
			return name
		}
	}
	return "Patchtide"
}

func sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

func failures(n patch.Notice) string {
	switch len(n.Instances) {
	case 0:
		return ""
	case 1:
		return ": " + n.Instances[0].ID + " failed"
	}
	return ": " + plural(len(n.Instances), "instance") + " failed"
}

// otherwise says what happens when nobody answers, and until when an answer lets anything begin.
func otherwise(n patch.Notice) string {
	wave, said := brief.Told(n), ""
	for _, sentence := range []string{wave.Silence(stamp), wave.Window(stamp)} {
		if sentence != "" {
			said += " " + sentence
		}
	}
	return said
}

// quarantine says who is quarantined.
func quarantine(n patch.Notice) string {
	if said := brief.Told(n).Quarantine(); said != "" {
		return " " + said
	}
	return ""
}

// verbs are the commands for what the wave takes now.
func verbs(n patch.Notice) []Command {
	var list []Command
	for _, choice := range brief.Told(n).Choices() {
		list = append(list, Command{When: choice.When, Line: choice.Command})
	}
	return list
}

// giveUp is the command of an abort, where an undo fails. It names no point: an abort stops a wave first, and one more
// gives the undo up; the command looks where the wave stands, and names the point that the second one needs.
func giveUp(n patch.Notice) []Command {
	if !slices.Contains(n.Verbs, patch.Abort) {
		return nil
	}
	return []Command{{
		When: "to give it up: it stops the wave; sent again it says what to add, and then what is left is reported",
		Line: names.VerbCommand(patch.Abort, n.WaveID),
	}}
}

func planCommand(n patch.Notice) []Command {
	if n.Plan == "" {
		return nil
	}
	return []Command{{Line: fmt.Sprintf(`patchtide wave start %s --reason "..."`, names.ShellWord(n.Plan))}}
}

// tally counts the instances by outcome, in a fixed order.
func tally(n patch.Notice) string { return cmp.Or(n.Tally.Words(), "no instance was touched") }

func worse(than Severity, n patch.Notice) Severity {
	if len(n.Stranded) > 0 {
		return Alarm
	}
	return than
}

func strandedToDo(n patch.Notice) string {
	if len(n.Stranded) == 0 {
		return ""
	}
	return fmt.Sprintf(" %s left stranded: do what each line says.", sentence(plural(len(n.Stranded), "thing")))
}
