package patch

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// BlockedPatch is a version of a package, or an update of Windows, that no machine of any plan and account gets until
// somebody clears it, or its time is over.
type BlockedPatch struct {
	Platform Platform `json:"platform"`
	// name.arch as machines tell it, or only name: of every architecture; of Windows the id of an update: KB5031234
	Name    string    `json:"name"`
	Version string    `json:"version,omitempty"` // epoch:version-release; of dpkg 0:version where it has no epoch
	Actor   string    `json:"actor"`
	Reason  string    `json:"reason"`
	Since   time.Time `json:"since"`
	Until   time.Time `json:"until,omitzero"` // it binds no longer; zero: until it is cleared
	// Failed are instances that failed their health checks with it: "i-1 of wave-web-1".
	Failed []string `json:"failed,omitempty"`
}

var updateShape = regexp.MustCompile(`^KB[0-9]+$`)

// ParsePatch reads how people write a patch: name.arch:epoch:version-release, as Systems Manager lists packages, the
// same with a space in the first colon's place, or the id of an update of Windows. An empty platform is told by that.
func ParsePatch(platform Platform, text string) (BlockedPatch, error) {
	text = strings.TrimSpace(text)
	update := strings.ToUpper(text)
	switch platform {
	case "":
		platform = Linux
		if updateShape.MatchString(update) {
			platform = Windows
		}
	case Linux, Windows:
	default:
		return BlockedPatch{}, fmt.Errorf("platform: %q is neither %s nor %s", platform, Linux, Windows)
	}
	if platform == Windows {
		if !updateShape.MatchString(update) {
			return BlockedPatch{}, fmt.Errorf("%q is no update of Windows; write it like KB5031234", text)
		}
		return BlockedPatch{Platform: platform, Name: update}, nil
	}
	name, version := text, ""
	if at := strings.IndexAny(text, ": \t"); at > 0 {
		name, version = text[:at], strings.TrimSpace(text[at+1:])
	}
	if name == "" || version == "" || strings.ContainsAny(name+version, " \t*?,\"'") {
		return BlockedPatch{}, fmt.Errorf("%q names no version; write it like openssl.x86_64:1:3.2.2-1.amzn2023.0.1. "+
			"A package in all of its versions belongs into `rejected_patches` of its baseline", text)
	}
	if !strings.Contains(version, ":") && !isDebian(name) {
		return BlockedPatch{}, fmt.Errorf("%q has no epoch, which a package of rpm has always; write it like "+
			"openssl.x86_64:1:3.2.2-1.amzn2023.0.1, as rpm -q --qf '%%{EPOCHNUM}:%%{VERSION}-%%{RELEASE}' prints it", text)
	}
	return BlockedPatch{Platform: platform, Name: name, Version: withEpoch(version)}, nil
}

// isDebian reports whether a package is named with an architecture that only dpkg calls so: its versions have an epoch
// where one is needed.
func isDebian(name string) bool {
	at := strings.LastIndex(name, ".")
	return at > 0 && slices.Contains([]string{"amd64", "arm64", "i386", "armhf", "all"}, name[at+1:])
}

// OfDebian reports whether it is a package of dpkg by its name.
func (b BlockedPatch) OfDebian() bool { return b.Platform == Linux && isDebian(b.Name) }

// withEpoch is a version as machines tell it.
func withEpoch(version string) string {
	if strings.Contains(version, ":") {
		return version
	}
	return "0:" + version
}

// Patch names what is blocked.
func (b BlockedPatch) Patch() string { return strings.TrimSpace(b.Name + " " + b.Version) }

// Argument names it as a command takes it.
func (b BlockedPatch) Argument() string {
	if b.Version == "" {
		return b.Name
	}
	return b.Name + ":" + b.Version
}

// Same reports whether both are about the same patch, whoever blocks it.
func (b BlockedPatch) Same(other BlockedPatch) bool {
	return b.Platform == other.Platform && b.Name == other.Name && b.Version == other.Version
}

// Binds reports whether it is blocked at a moment.
func (b BlockedPatch) Binds(at time.Time) bool { return b.Until.IsZero() || at.Before(b.Until) }

// Is reports whether a package that a machine tells, "name.arch" and its version, is the one that is blocked. Of
// Windows the version is of no matter: an update has one.
func (b BlockedPatch) Is(name, version string) bool {
	if b.Platform == Windows {
		return strings.EqualFold(b.Name, name)
	}
	arch, every := strings.CutPrefix(name, b.Name+".")
	return (name == b.Name || every && !strings.Contains(arch, ".")) && withEpoch(version) == b.Version
}

// Overlapping is the first that is of a machine's package that another names as well: of one architecture, or of every;
// nil: none is.
func (b Blocks) Overlapping(other BlockedPatch) *BlockedPatch {
	at := slices.IndexFunc(b, func(one BlockedPatch) bool {
		return one.Platform == other.Platform && (one.Is(other.Name, other.Version) || other.Is(one.Name, one.Version))
	})
	if at < 0 {
		return nil
	}
	return &b[at]
}

// Listed reports whether an entry of Systems Manager's lists is the one: an id, and a title that adds a package's
// version to it.
func (b BlockedPatch) Listed(id, title string) bool {
	if b.Platform == Windows {
		return b.Is(id, "")
	}
	named, version, ok := strings.Cut(title, ":")
	return ok && (named == id || id == title) && b.Is(named, version)
}

// String says what is blocked, by whom, since and until when, and why.
func (b BlockedPatch) String() string {
	said := fmt.Sprintf("%s is blocked by %s since %s", b.Patch(), b.Actor, b.Since.UTC().Format(blockedMoment))
	if !b.Until.IsZero() {
		said += " until " + b.Until.UTC().Format(blockedMoment)
	}
	said += ": " + Clip(b.Reason, longestFreezeReason)
	if len(b.Failed) > 0 {
		said += " (failed with it: " + theFirst(b.Failed, len(b.Failed)) + ")"
	}
	return said
}

const blockedMoment = "2006-01-02 15:04 MST"

// Clear is the command that clears it.
func (b BlockedPatch) Clear() string { return Blocks{b}.Clear()[0] }

// Blocks are all patches that are blocked.
type Blocks []BlockedPatch

// clearedAtOnce is how many patches a command clears, so that it stays short enough to be told.
const clearedAtOnce = 8

// Clear are the commands that clear them all.
func (b Blocks) Clear() (commands []string) {
	for some := range slices.Chunk(b, clearedAtOnce) {
		command := "patchtide patch clear"
		for _, one := range some {
			command += " " + one.Argument()
		}
		commands = append(commands, command+` --reason "..."`)
	}
	return commands
}

// At are those that bind at a moment, of a platform; "": of all.
func (b Blocks) At(at time.Time, platform Platform) Blocks {
	return slices.DeleteFunc(slices.Clone(b), func(one BlockedPatch) bool {
		return !one.Binds(at) || platform != "" && one.Platform != platform
	})
}

// With adds a block and reports whether that changed anything. What is blocked already is blocked once: the first
// one's word stands, whoever failed with it since is added, and the longer time counts.
func (b Blocks) With(added BlockedPatch) (all Blocks, changed bool) {
	all = slices.Clone(b)
	at := slices.IndexFunc(all, added.Same)
	switch {
	case at < 0:
		return append(all, added), true
	case !all[at].Binds(added.Since):
		all[at] = added
		return all, true
	}
	known := &all[at]
	if !known.Until.IsZero() && (added.Until.IsZero() || added.Until.After(known.Until)) {
		known.Until, changed = added.Until, true
	}
	known.Failed = slices.Clone(known.Failed)
	for _, failed := range added.Failed {
		if !slices.Contains(known.Failed, failed) && len(known.Failed) < mostFailedWith {
			known.Failed, changed = append(known.Failed, failed), true
		}
	}
	return all, changed
}

// MostBlocked is how many patches may be blocked at a time: a baseline rejects fifty with those of its file, and where
// it would have to reject more nothing could be patched.
const MostBlocked = 40

// mostFailedWith is how many instances are kept that failed with one patch.
const mostFailedWith = 20

// Without clears a patch, and returns what was blocked; nil: it was not.
func (b Blocks) Without(cleared BlockedPatch) (left Blocks, was *BlockedPatch) {
	left = slices.Clone(b)
	if at := slices.IndexFunc(left, cleared.Same); at >= 0 {
		was = &b[at]
		left = slices.Delete(left, at, at+1)
	}
	return left, was
}

// Digest tells whether the same patches are blocked as before; "": none is.
func (b Blocks) Digest() string {
	if len(b) == 0 {
		return ""
	}
	patches := make([]string, len(b))
	for i, one := range b {
		patches[i] = string(one.Platform) + " " + one.Patch()
	}
	slices.Sort(patches)
	sum := sha256.Sum256([]byte(strings.Join(patches, "\n")))
	return hex.EncodeToString(sum[:])[:16]
}

// Of is the block of a package that a machine tells; nil: it is not blocked.
func (b Blocks) Of(name, version string) *BlockedPatch {
	if at := slices.IndexFunc(b, func(one BlockedPatch) bool { return one.Is(name, version) }); at >= 0 {
		return &b[at]
	}
	return nil
}

// Listed is the block of an entry of Systems Manager's lists; nil: it is not blocked.
func (b Blocks) Listed(id, title string) *BlockedPatch {
	if at := slices.IndexFunc(b, func(one BlockedPatch) bool { return one.Listed(id, title) }); at >= 0 {
		return &b[at]
	}
	return nil
}

// Arrivals are the blocks of what has newly come to a machine, by its lists of packages before and after.
func (b Blocks) Arrivals(before, after []string) (came []string) {
	for _, change := range DiffPackages(before, after) {
		for _, version := range change.Arrived() {
			if block := b.Of(change.Name, version); block != nil {
				came = append(came, block.String())
			}
		}
	}
	return came
}

// Arrived are the versions that a change brought: of several that stay, as kernels do, those that are new.
func (c PackageChange) Arrived() []string {
	before := strings.Fields(c.From)
	return slices.DeleteFunc(strings.Fields(c.To), func(v string) bool { return slices.Contains(before, v) })
}

// KnownBlocks is what is known of blocked patches before something begins.
type KnownBlocks struct {
	Digest  string `json:"digest,omitempty"` // of those that bind; "": none does
	Unknown string `json:"unknown,omitempty"`
	// TooMany is why the baseline cannot reject them all; "": it can.
	TooMany string `json:"too_many,omitempty"`
	// Told are the first of those that bind, by whom and why, where that is asked.
	Told []string `json:"told,omitempty"`
}

// Tells are the first of the blocks, each in a sentence.
func (b Blocks) Tells() (told []string) {
	for _, one := range b[:min(len(b), MostPinned)] {
		told = append(told, one.String())
	}
	return told
}

// checkBlocks refuses where nobody knows what is blocked, and where the baseline cannot reject it.
func checkBlocks(view View) []*Refusal {
	switch blocks := view.Around.Blocks; {
	case blocks == nil || blocks.Unknown+blocks.TooMany == "":
		return nil
	case blocks.Unknown == "":
		return view.refuse(blocks.TooMany, "clear what is known to be good by now: `patchtide patch clear`")
	}
	return view.refuse("nobody knows which patches are blocked: "+view.Around.Blocks.Unknown,
		"see that the worker reaches its evidence store, which keeps them, by `patchtide doctor`; `patchtide evidence verify` "+
			"names what cannot be believed there")
}

// RefuseBlocked is why an instance is not begun that would get patches that are blocked, and that its baseline does not
// keep from it; nil: there are none.
func RefuseBlocked(where string, would []string) *Refusal {
	if len(would) == 0 {
		return nil
	}
	return &Refusal{
		Code: RefusedBlocked, Where: where, What: "it would get what is blocked: " + theFirst(would, len(would)),
		WhatToDo: "reject it by name in its baseline, or wait for another version; once it is known to be good: `patchtide " +
			"patch clear`",
	}
}

// BlockVerb is what people do about blocked patches.
type BlockVerb string

// What people do about them.
const (
	ListBlocked BlockVerb = "list"
	BlockPatch  BlockVerb = "block"
	ClearPatch  BlockVerb = "clear"
)
