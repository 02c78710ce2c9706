// Package names holds every name that more than one part of Patchtide or a person must spell the same way: task queues,
// handlers, search attributes, tags, and the builders of workflow ids. No such literal stands elsewhere.
package names

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/patchtide/patchtide/internal/patch"
)

// TaskQueue is where workflows run, and the activities that touch no target account.
const TaskQueue = "patchtide"

// ActivityQueue is the queue of the activities that touch one account in one region, so that one account's throttling
// starves no other.
func ActivityQueue(account patch.Account, region string) string {
	return TaskQueue + "-" + account.ID + "-" + region
}

// Workflow types, as people see them in the Temporal UI.
const (
	PatchWave        = "PatchWave"
	PreviewWave      = "PreviewWave"
	PatchGroup       = "PatchGroup"
	ExamineGroups    = "ExamineGroups"
	RegisterGroups   = "RegisterGroups"
	FindTargetGroups = "FindTargetGroups"
	JudgeGroups      = "JudgeGroups"
	ScanGroups       = "ScanGroups"
	WatchSoak        = "WatchSoak"
	RenewImage       = "RenewImage"
	HealGroup        = "HealGroup"
	ReleaseGroup     = "ReleaseGroup"
	PatchInstance    = "PatchInstance"
	RestoreInstance  = "RestoreInstance"
	HealInstance     = "HealInstance"
	EndQuarantine    = "EndQuarantine"
	ScanFleet        = "ScanFleet"
	Reconcile        = "Reconcile"
	RollBackWave     = "RollBackWave"
	OpenWindow       = "OpenWindow"
	Notify           = "Notify"
	Quarantine       = "Quarantine"
	HoldService      = "HoldService"
	Freeze           = "Freeze"
	Patches          = "Patches"
)

// PatchesID is the workflow id of a request about blocked patches: in the same words it has the same id.
func PatchesID(verb patch.BlockVerb, words string) string {
	sum := sha256.Sum256([]byte(words))
	return "patchtide-patch-" + string(verb) + "-" + hex.EncodeToString(sum[:])[:12]
}

// BlockedPatches is the document of the evidence that keeps which patches are blocked.
const BlockedPatches = "patchtide-blocked-patches"

// FreezeID is Freeze's workflow id: the one place where everybody asks.
const FreezeID = "patchtide-freeze"

// Updates of Freeze.
const (
	UpdateFreeze   = "freeze"
	UpdateUnfreeze = "unfreeze"
)

// ReconcileID is Reconcile's workflow id when a person starts it, and the id of its schedule, whose runs are named by
// it and their time.
const ReconcileID = "patchtide-reconcile"

// QuarantineListID is the workflow id of the list of quarantined instances.
const QuarantineListID = "patchtide-quarantine-list"

// QuarantineID is the workflow id by which a quarantined instance is released or terminated, and the wave id of what
// that writes into the journal: two people never end one quarantine at the same time.
func QuarantineID(instance string) string { return "quarantine-" + instance }

// RaisedMaxJournal stands for a wave in the journal: what any wave was last about to raise of a group's max.
const RaisedMaxJournal = "raised-max"

// Handlers.
const (
	QueryStatus = "status" // of every workflow

	SignalGroupReport = "group-report" // group to wave: patch.GroupCounts
	SignalSoakLook    = "soak-look"    // WatchSoak to wave: patch.SoakLook
	SignalInstanceNow = "instance-now" // instance to group: patch.InstanceNow
	SignalGroupNow    = "group-now"    // group to wave: patch.GroupAtWork, for people to look at
	SignalTurn        = "turn"         // instance to group: asks for its turn to go out or come back, or ends it
	SignalTakeTurn    = "take-turn"    // group to instance: it is its turn, or will not be
	SignalGroupOrder  = "group-order"  // wave to group: what to do next
	SignalRelease     = "release"      // wave to a service's lock: close
	SignalGiveUp      = "give-up"      // to an instance or group that puts back: stop trying, report what is left
)

// Search attributes, all keywords. PostgreSQL's visibility store has room for ten.
const (
	AttributePlan    = "PatchtidePlan"
	AttributeState   = "PatchtideState"
	AttributeStage   = "PatchtideStage"
	AttributeOutcome = "PatchtideOutcome"
	AttributeWave    = "PatchtideWave"
)

// SearchAttributes lists every search attribute that must exist before a worker starts.
func SearchAttributes() []string {
	return []string{AttributePlan, AttributeState, AttributeStage, AttributeOutcome, AttributeWave}
}

// Tags on resources in the target accounts. Journal goes on before a change and comes off last.
const (
	TagJournal = "patchtide:journal"  // value: wave id and where its record is
	TagPrefix  = "patchtide:"         // begins the keys of all tags of ours
	TagAttempt = "patchtide:attempt:" // prefix of a tag key on Automation executions; the attempt's token follows
	// TagQuarantine is on a quarantined instance. Value: wave id and where its record is, as the journal's, and until when
	// it is kept: RFC 3339, or "-" for ever.
	TagQuarantine = "patchtide:quarantine"

	TagWave    = "patchtide:wave"    // on snapshots and replaced volumes: the wave that made them
	TagExpires = "patchtide:expires" // on snapshots and replaced volumes: RFC 3339, AWS's clock
	// TagReplaced is on root volume replacement tasks the volume that they replace, and on that volume its instance.
	TagReplaced = "patchtide:replaced"

	// TagImage is on an image of ours, its snapshots, and the instance that tries it. Value: ImageOf its group.
	TagImage = "patchtide:image"
	TagPlan  = "patchtide:plan" // on the same: the plan of the wave
	// TagImageState is on an image of ours: making, proven, or failed.
	TagImageState = "patchtide:image-state"
	// TagShared is on an image of ours, and on its snapshot, while another account is let copy it. Value: its own id, and
	// the account's.
	TagShared = "patchtide:shared"
	// TagTrial is on an instance that tries an image, outside its group. Value: the group's name.
	TagTrial = "patchtide:trial"
)

// Runbook is the Automation document that patches; it is registered in each account and region.
const Runbook = "Patchtide-PatchInstance"

// What the workflow ids of locks begin with.
const (
	groupLock    = "patch-group/"
	instanceLock = "patch-instance/"
	serviceLock  = "patch-service/"
	imageLock    = "renew-image/"
)

const longest = 200 // of a name inside a workflow id; Temporal allows 1000 characters, its stores fewer

// GroupLock is the workflow id of PatchGroup, HealGroup and ReleaseGroup, and so the lock of a group.
func GroupLock(group patch.Group) string {
	return groupLock + group.Account.ID + "/" + group.Region + "/" + short(group.Name())
}

// InstanceLock is the workflow id of PatchInstance, RestoreInstance, HealInstance and EndQuarantine, and so the lock of
// an instance.
func InstanceLock(group patch.Group, instance string) string {
	return instanceLock + group.Account.ID + "/" + group.Region + "/" + instance
}

// ImageLock is the workflow id of RenewImage of a group.
func ImageLock(group patch.Group) string {
	return imageLock + group.Account.ID + "/" + group.Region + "/" + short(group.Name())
}

// ImageOf is the value of TagImage, by which a group's images are found: a tag's value takes what Auto Scaling's names
// may not be.
func ImageOf(group patch.Group) string {
	sum := sha256.Sum256([]byte(GroupLock(group)))
	return hex.EncodeToString(sum[:8])
}

// ServiceLock is HoldService's workflow id, and so the lock of a service, or of a target group by its ARN, whose groups
// are taken one group at a time.
func ServiceLock(service string) string { return serviceLock + short(service) }

// short keeps a name that would make an id too long recognisable and unique.
func short(name string) string {
	if len(name) <= longest {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return strings.ToValidUTF8(name[:longest-33], "") + "-" + hex.EncodeToString(sum[:16])
}

// LeftPrefix begins the names of what a wave's groups leave in the evidence where the wave itself is gone.
func LeftPrefix(wave string) string { return wave + "/left-" }

// LeftOf names what a group leaves so.
func LeftOf(wave string, group patch.Group) string {
	sum := sha256.Sum256([]byte(GroupLock(group)))
	return LeftPrefix(wave) + hex.EncodeToString(sum[:8])
}

// NamesWave reports whether a document of the evidence is a wave's: beside those are what is frozen, and what groups
// leave.
func NamesWave(id string) bool { return id != FreezeID && !strings.Contains(id, LeftPrefix("")) }

// RollBack is RollBackWave's workflow id, and so keeps two people from rolling one wave back at the same time.
func RollBack(wave string) string { return rollBack + short(wave) }

const rollBack = "roll-back-"

// RolledBackBy is the wave that a RollBackWave of the id puts back; false: the id is of no roll back.
func RolledBackBy(id string) (wave string, is bool) { return strings.CutPrefix(id, rollBack) }

// CheckRollsBack refuses to roll back what is a roll back itself.
func CheckRollsBack(id string) error {
	if wave, is := RolledBackBy(id); is {
		return fmt.Errorf("%s is itself a roll back, and what it has not put back is what %s patched: roll that back again, "+
			"once this has ended", id, wave)
	}
	return nil
}

// Notice is the id of the workflow that tells people a notice, and so keeps it from being told twice.
func Notice(key string) string { return "patchtide-notice/" + short(key) }

// Scan is the workflow id of a scan of a plan by the time it starts.
func Scan(plan string, starts time.Time) string {
	return "scan-" + plan + "-" + starts.UTC().Format("20060102-150405")
}

// Plan is the workflow id of a preview of a plan by the time it starts. It is not one of a wave: it leaves no evidence.
func Plan(plan string, starts time.Time) string {
	return "plan-" + plan + "-" + starts.UTC().Format("20060102-150405")
}

// JournalRecord names the journal's record of an instance, or of a group where instance is "".
func JournalRecord(group patch.Group, instance string) string {
	if instance == "" {
		instance = "group-" + short(group.Name())
	}
	return group.Account.ID + "/" + group.Region + "/" + instance
}

// ScheduledWave is the id of a wave by the time it starts, or of the wave of one opening of a plan's window: a second
// wave of it is refused, also after the first has closed.
func ScheduledWave(plan string, opens time.Time) string {
	return WaveOf(plan) + opens.UTC().Format("20060102-150405")
}

// longestWaveID leaves room for what stands beside it: in the journal's tag of 256 characters the key of a record.
const longestWaveID = 120

// waveID are the characters of tags of Systems Manager (API reference of Tag), less the space, which ends a wave's id
// in the journal's tag.
var waveID = regexp.MustCompile(`^[\p{L}\p{N}_.:/=+\-@]+$`)

// CheckWaveID refuses an id that AWS would not take in a tag, before anything is touched.
func CheckWaveID(id string) error {
	switch {
	case !waveID.MatchString(id):
		return fmt.Errorf("wave id %q: only letters, digits and _.:/=+-@ may stand in the tags of AWS that hold it; start "+
			"the wave under another id", id)
	case utf8.RuneCountInString(id) > longestWaveID:
		return fmt.Errorf("wave id %q: is longer than %d characters; start the wave under a shorter id", id, longestWaveID)
	}
	return nil
}

// CheckNewWaveID refuses what CheckWaveID does, and ids of roll backs.
func CheckNewWaveID(id string) error {
	if _, is := RolledBackBy(id); is {
		return fmt.Errorf("wave id %q: what begins with %s is the roll back of a wave; start the wave under another id", id,
			rollBack)
	}
	if most := longestWaveID - len(rollBack); utf8.RuneCountInString(id) > most || len(id) > longest {
		return fmt.Errorf("wave id %q: is longer than %d characters, or %d bytes, and its roll back could not be named; "+
			"start the wave under a shorter id", id, most, longest)
	}
	return CheckWaveID(id)
}

// WaveOf begins the ids of a plan's waves, where nobody chose another: the time follows.
func WaveOf(plan string) string { return "wave-" + plan + "-" }

// ScheduledTime is Temporal's own search attribute on what a schedule starts: the time it was due, without jitter.
const ScheduledTime = "TemporalScheduledStartTime"

// ScheduledBy is Temporal's own search attribute on what a schedule starts: the schedule's id.
const ScheduledBy = "TemporalScheduledById"

const windowSchedule = "patchtide-window-"

// WindowSchedule is the id of the schedule of one of a plan's windows, by its place in the file from 1. No plan's name
// has a slash.
func WindowSchedule(plan string, window int) string { return windowSchedule + numbered(plan, window) }

// IsWindowSchedule reports whether an id looks like that of a window's schedule.
func IsWindowSchedule(id string) bool { return strings.HasPrefix(id, windowSchedule) }

// PlanOfSchedule is the plan whose window a schedule is.
func PlanOfSchedule(id string) string {
	plan, _, _ := strings.Cut(strings.TrimPrefix(id, windowSchedule), "/")
	return plan
}

// OpenWindowID begins the ids of the workflows that the schedule of a plan's window starts; Temporal adds the time.
func OpenWindowID(plan string, window int) string { return "open-window-" + numbered(plan, window) }

func numbered(plan string, window int) string {
	if window == 1 {
		return plan
	}
	return fmt.Sprintf("%s/%d", plan, window)
}
