package brief

import (
	"fmt"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/patch"
)

// How much of a case is said in sentences; the status and `--json` have more.
const (
	mostPackages = 12
	mostUnseen   = 12
	mostUnproven = 12
)

// caseOf is what whoever approves has to know of the wave now, a sentence each; none where nobody is to approve.
func caseOf(status patch.WaveStatus, moment func(time.Time) string) []string {
	if status.State != patch.StateAwaitingApproval || status.Case == nil {
		return nil
	}
	return Case(*status.Case, moment)
}

// Case is a case in sentences: what was not proven first. moment writes a time.
func Case(c patch.Case, moment func(time.Time) string) []string {
	said := unproven(c)
	for _, before := range c.Before {
		said = append(said, came(before, c.At, moment))
	}
	if changed := c.Changed; changed.Instances > 0 {
		said = append(said, packages(changed))
	}
	if c.Pinned != nil {
		said = append(said, c.Stage+" is bound to "+c.Pinned.Told()+": it installs these versions and nothing else")
	}
	for _, image := range c.Images {
		said = append(said, c.Stage+" gets root volumes of "+image.Told())
	}
	if c.LosesRoot != "" {
		said = append(said, c.LosesRoot)
	}
	if c.Reading {
		return append(said, c.Loses, "What the stages before changed, what is due in "+c.Stage+
			" and how its alarms stand is being read: look again in a minute")
	}
	if len(c.Unfit) > 0 {
		said = append(said, unfit(c))
	}
	said = append(said, due(c, moment))
	if line := unseen(c); line != "" {
		said = append(said, line)
	}
	said = append(said, alarms(c, moment), c.Loses)
	for _, unknown := range c.Unknown {
		said = append(said, "not known: "+unknown)
	}
	return said
}

// unproven names who was skipped or put back, or failed otherwise.
func unproven(c patch.Case) (said []string) {
	more := 0
	for _, before := range c.Before {
		more += before.UnprovenCount
		for _, one := range before.Unproven {
			if len(said) == mostUnproven {
				break
			}
			more--
			line := fmt.Sprintf("not proven in %s: %s %s", before.Stage, strings.TrimSpace(one.Group+" "+one.ID),
				one.Outcome.Words())
			if one.Reason != "" {
				line += ": " + one.Reason
			}
			said = append(said, line)
		}
	}
	if more > 0 {
		said = append(said, fmt.Sprintf("and %d more that are not proven", more))
	}
	return said
}

// came says what a stage came to, and since when what it patched has been in service.
func came(before patch.CaseBefore, at time.Time, moment func(time.Time) string) string {
	if untouched := before.Untouched(); untouched > 0 && untouched == before.Instances {
		return fmt.Sprintf("%s: nothing was due on its %s: what they run was installed before this wave, which proves "+
			"nothing there", before.Stage, counted(untouched))
	}
	said := fmt.Sprintf("%s: %d of %d patched", before.Stage, before.Patched, before.Instances)
	if before.UnprovenCount > 0 {
		said += fmt.Sprintf(", %d not proven", before.UnprovenCount)
	}
	if untouched := before.Untouched(); untouched > 0 {
		said += fmt.Sprintf(", %d had nothing to be patched", untouched)
	}
	if before.Gaps > 0 {
		said += fmt.Sprintf(", %d not reached", before.Gaps)
	}
	if before.Since.IsZero() {
		return said + "; nothing that it patched is in service"
	}
	return said + fmt.Sprintf("; the last of them has been proven in service since %s, %s when this was asked",
		moment(before.Since), patch.Duration(max(at.Sub(before.Since), 0)).Rough())
}

// packages says which packages were changed, from which version to which.
func packages(changed patch.CaseChanged) string {
	shown := changed.Packages[:min(len(changed.Packages), mostPackages)]
	words := make([]string, len(shown))
	for i, one := range shown {
		switch {
		case one.From == "":
			words[i] = one.Name + " " + one.To + " (new)"
		case one.To == "":
			words[i] = one.Name + " " + one.From + " (removed)"
		default:
			words[i] = one.Name + " " + one.From + " → " + one.To
		}
		if one.Instances != changed.Instances {
			words[i] += fmt.Sprintf(" on %d", one.Instances)
		}
	}
	if more := len(changed.Packages) - len(shown) + changed.More; more > 0 {
		words = append(words, fmt.Sprintf("and %d more", more))
	}
	if len(words) == 0 {
		words = []string{"none that their lists of packages show"}
	}
	return fmt.Sprintf("packages changed on %s: %s", counted(changed.Instances), strings.Join(words, "; "))
}

// unfit names who is refused before it is touched, for its image does not fit it.
func unfit(c patch.Case) string {
	shown := c.Unfit[:min(len(c.Unfit), mostUnproven)]
	said := strings.Join(shown, "; ")
	if more := len(c.Unfit) - len(shown) + c.UnfitMore; more > 0 {
		said += fmt.Sprintf("; and %d more", more)
	}
	return "refused before they are touched, for AWS would not make their root volumes of the image: " + said
}

// due says what the stage is due to get, and how well that is known.
func due(c patch.Case, moment func(time.Time) string) string {
	if c.Due.Instances == 0 {
		return fmt.Sprintf("%s: what is due on its %s is not known", c.Stage, counted(c.Due.Of))
	}
	said := fmt.Sprintf("%s: %d different patches due, as far as is known of %d of its %s by scans since %s", c.Stage,
		c.Due.Patches, c.Due.Instances, counted(c.Due.Of), moment(c.Due.Oldest))
	switch {
	case c.ByImage():
		return said + "; each is scanned again before it is touched, and gets what its image holds and nothing else"
	case c.Pinned != nil:
		return said + "; each is scanned and asked again before it is touched"
	}
	return said + "; each is scanned again before it is touched, and gets the versions that are published by then"
}

// unseen says what the stage will get that no stage before has installed; "" where there is no stage before.
func unseen(c patch.Case) string {
	switch {
	case len(c.Before) == 0:
		return "no stage comes before it: nothing of this was proven anywhere in this wave"
	case c.Due.Instances == 0:
		return ""
	case !c.Due.Compared:
		return "which of these the stages before have not installed is not known"
	case c.Due.UnseenCount == 0 && c.ByImage():
		return "each of these was installed in the stages before, by its name: what is newer than the image is not in " +
			"this wave"
	case c.Due.UnseenCount == 0 && c.Pinned != nil:
		return "each of these is in what binds " + c.Stage + ", by its name: a newer version is not in this wave"
	case c.Due.UnseenCount == 0:
		return "each of these was installed in the stages before, by its name: a version may be newer here"
	}
	names := strings.Join(c.Due.Unseen[:min(len(c.Due.Unseen), mostUnseen)], ", ")
	if more := c.Due.UnseenCount - min(len(c.Due.Unseen), mostUnseen); more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	if c.ByImage() {
		return fmt.Sprintf("not installed by this wave in the stages before, so that an image may lack them, %d: %s",
			c.Due.UnseenCount, names)
	}
	if c.Pinned != nil {
		return fmt.Sprintf("not in this wave, for what binds %s does not have them, %d: %s", c.Stage,
			c.Due.UnseenCount, names)
	}
	return fmt.Sprintf("not installed by this wave in the stages before, %d: %s", c.Due.UnseenCount, names)
}

// alarms says how the alarms stand that judge the stage.
func alarms(c patch.Case, moment func(time.Time) string) string {
	switch {
	case len(c.Gates) == 0:
		return "alarms: none judges " + c.Stage
	case len(c.Alarms) == 0:
		return "alarms: how " + strings.Join(c.Gates, ", ") + " stand is not known"
	}
	words := make([]string, len(c.Alarms))
	for i, alarm := range c.Alarms {
		words[i] = alarm.Name + " is " + alarm.State + " in " + alarm.Place
		if alarm.State != patch.AlarmWell {
			words[i] += " since " + moment(alarm.Since) + ", and nothing begins there before it is " + patch.AlarmWell
		}
	}
	if c.AlarmsMore > 0 {
		words = append(words, fmt.Sprintf("and %d more", c.AlarmsMore))
	}
	return "alarms: " + strings.Join(words, "; ")
}
