package patch

import (
	"fmt"
	"slices"
	"strings"
)

// DryInstall is what stands against a machine's getting what is due on it, by the word of its own package manager
// before anything is done. Of long lists it has the first lines.
type DryInstall struct {
	By         string   `json:"by"`                   // apt, zypper, dnf or yum
	Absent     []string `json:"absent,omitempty"`     // "name.arch 0:2-1", which its repositories do not serve
	Held       []string `json:"held,omitempty"`       // "name.arch 0:2-1: a version lock (name-0:1-1.*)"
	Left       []string `json:"left,omitempty"`       // what it would not install for no reason that it tells
	Unproven   []string `json:"unproven,omitempty"`   // what would come with it, or go, and staging has not proved
	Unresolved string   `json:"unresolved,omitempty"` // why it cannot be installed together
}

// ProvenNotInstallable is why a machine is not taken out: what staging proved cannot be installed on it.
const ProvenNotInstallable RefusalCode = "ProvenNotInstallable"

// RefuseDry is why a machine is not begun that cannot get what is due on it; nil where nothing stands against it.
func (c PinCheck) RefuseDry(where string) *Refusal {
	if c.Dry == nil {
		return nil
	}
	dry := *c.Dry
	var why, todo []string
	say := func(list []string, said, remedy string) {
		if len(list) > 0 {
			why, todo = append(why, fmt.Sprintf(said, theFirst(list, len(list)))), append(todo, remedy)
		}
	}
	say(dry.Absent, "its repositories do not serve %s", c.serveIt())
	say(dry.Held, "it holds %s", "take that off on the machine")
	if dry.Unresolved != "" {
		say([]string{dry.Unresolved}, dry.By+" cannot install it together: %s", "mend that on the machine")
	}
	say(dry.Left, dry.By+" would not install %s, and does not say why", "see what "+dry.By+" says of that on the machine")
	say(dry.Unproven, "with it would come, or go, what staging has not proved: %s", anotherWave)
	if len(why) == 0 {
		return nil
	}
	return &Refusal{
		Code: ProvenNotInstallable, Where: where,
		What:     "what staging proved cannot be installed on it, by a dry install: " + strings.Join(why, "; "),
		WhatToDo: strings.Join(slices.Compact(todo), "; "),
	}
}

const anotherWave = "start another wave, whose staging proves what the repositories serve now"

// serveIt is what to do about repositories that do not serve what staging proved.
func (c PinCheck) serveIt() string {
	if told := c.OtherRelease(); told != "" {
		return told + ": `dnf upgrade --releasever=" + c.ProvenRelease + "` brings it there, or write that release to " +
			"/etc/dnf/vars/releasever on it"
	}
	return "have them serve that, or " + anotherWave
}

// OtherRelease says that the machine's repositories are those of another release of Amazon Linux than staging runs
// since it was patched; "" where they are not, or are those of the latest.
func (c PinCheck) OtherRelease() string {
	if c.Release == "" || c.ProvenRelease == "" || c.Release == c.ProvenRelease {
		return ""
	}
	return fmt.Sprintf("its repositories are those of release %s, and staging runs %s", c.Release, c.ProvenRelease)
}
