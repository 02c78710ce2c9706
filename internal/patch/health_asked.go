package patch

import (
	"fmt"
	"slices"
	"strings"
)

// Answer is what an instance answered to a check that asks it: http, https or command.
type Answer struct {
	Check HealthCheck `json:"check"`
	// Status is that of HTTP, 0 where nothing answered; a command's exit code, -1 where it has none.
	Status int  `json:"status"`
	Lacks  bool `json:"lacks,omitempty"` // the body has not in it what it must
	// Said is why nothing answered, or what a command said last.
	Said string `json:"said,omitempty"`
}

// FromWorker is who asks a check that the worker asks itself.
const FromWorker = "worker"

// Asks reports whether the check asks the instance something, and so is answered by an Answer.
func (c HealthCheck) Asks() bool { return c.Web() != nil || c.Command != nil }

// Probed reports whether the check is asked on the instance itself, by the probe, which also watches for the length of
// a bake.
func (c HealthCheck) Probed() bool {
	web := c.Web()
	return web != nil && web.From != FromWorker || c.Command != nil && c.Command.Document == ""
}

// Unanswered is the answer to a check that nobody answered, which is no good one.
func (c HealthCheck) Unanswered(why string) Answer {
	answer := Answer{Check: c, Said: why}
	if c.Web() == nil {
		answer.Status = -1
	}
	return answer
}

// Good reports whether the answer is one of a healthy instance.
func (a Answer) Good() bool {
	if web := a.Check.Web(); web != nil {
		return web.Wants(a.Status) && !a.Lacks
	}
	return a.Status == 0
}

// String tells a person what was asked and what came back.
func (a Answer) String() string {
	said := a.Check.asked()
	switch web := a.Check.Web(); {
	case web == nil && a.Status < 0:
		said += " did not end"
	case web == nil:
		said += fmt.Sprintf(" exits with %d", a.Status)
	case a.Lacks && web.Wants(a.Status):
		said += fmt.Sprintf(" answers %d without %q in its body", a.Status, web.Body)
	default:
		said += fmt.Sprintf(" answers %d", a.Status)
	}
	if a.Said != "" {
		said += ": " + a.Said
	}
	return said
}

// asked names what a check asks.
func (c HealthCheck) asked() string {
	switch {
	case c.HTTPS != nil:
		return fmt.Sprintf("https %s on port %d", c.HTTPS.Path, c.HTTPS.Port)
	case c.HTTP != nil:
		return fmt.Sprintf("http %s on port %d", c.HTTP.Path, c.HTTP.Port)
	case c.Command != nil && c.Command.Document != "":
		return "the document " + c.Command.Document
	case c.Command != nil:
		return fmt.Sprintf("the command %q", firstWords(c.Command.Run))
	}
	return "a check"
}

// wordsOfCommand is how much of a command names it.
const wordsOfCommand = 60

func firstWords(text string) string {
	line, more, _ := strings.Cut(strings.TrimSpace(text), "\n")
	runes := []rune(line)
	if len(runes) > wordsOfCommand {
		return string(runes[:wordsOfCommand]) + "…"
	}
	if more != "" {
		return line + " …"
	}
	return line
}

// judgeAnswers has a check wait for every answer of one kind that is not good.
func judgeAnswers(asks func(HealthCheck) bool) func(*Health, HealthView) {
	return func(health *Health, view HealthView) {
		for _, answer := range view.Now.Answers {
			if asks(answer.Check) && !answer.Good() {
				health.wait("%s", answer)
			}
		}
	}
}

// checkAnswersBefore refuses an instance whose checks do not pass while it still serves: patched and returned it would
// be held for ill, and be put back, for what nobody has changed.
func checkAnswersBefore(v View) []*Refusal {
	var found []*Refusal
	for _, answer := range v.Machine.Answers {
		if !answer.Good() {
			found = append(found, v.refuse(answer.String()+", before we began", answer.Check.mend())...)
		}
	}
	return found
}

// mend is what to do about a check that does not pass while its instance serves.
func (c HealthCheck) mend() string {
	switch {
	case c.HTTPS != nil:
		return "correct path, port, server_name or ca_from of the stage's health, or leave the check out"
	case c.HTTP != nil:
		return "correct the path and port of the stage's health, which is asked by plain HTTP (https is a check of its " +
			"own), or leave the check out"
	}
	return "correct the command of the stage's health, which must exit with 0 on a machine that is well, or leave the " +
		"check out"
}

// AllGood reports whether no answer stands against the instance.
func AllGood(answers []Answer) bool {
	return !slices.ContainsFunc(answers, func(a Answer) bool { return !a.Good() })
}

// IsDocument reports whether the check is a document of Systems Manager.
func (c HealthCheck) IsDocument() bool { return c.Command != nil && c.Command.Document != "" }

// Once reports whether the check is not asked again and again in a bake: the probe watches by itself, and a document is
// asked at the end.
func (c HealthCheck) Once() bool { return c.Probed() || c.IsDocument() }
