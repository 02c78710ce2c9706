package patch

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Case is what whoever approves a stage has to know: what the stages before it came to, what this one will get, and
// what putting it back would lose. Its lists are bounded, and say how many they leave out.
type Case struct {
	Stage string    `json:"stage"` // the one to be approved
	At    time.Time `json:"at"`    // when it was asked for
	// Reading: what AWS and the evidence tell is being read, and not in it yet, or was not when somebody decided.
	Reading bool         `json:"reading,omitempty"`
	Before  []CaseBefore `json:"before"` // the stages before it, in order; none: it is the first
	Changed CaseChanged  `json:"changed"`
	Due     CaseDue      `json:"due"`
	Gates   []string     `json:"gates,omitempty"`  // names of the alarms that judge the stage
	Alarms  []CaseAlarm  `json:"alarms"`           // of those, how each stands where the stage has groups
	Loses   string       `json:"loses"`            // by a roll back of the stage
	Pinned  *Pinned      `json:"pinned,omitempty"` // what its instances are bound to; nil: nothing
	// Images are those of which its root volumes are made, and LosesRoot what that loses; none and "": they stay.
	Images    []RootImage `json:"images,omitempty"`
	LosesRoot string      `json:"loses_root,omitempty"`
	// Unfit are the first to which AWS would not give a root volume of these, each with why; UnfitMore: how many more.
	Unfit     []string `json:"unfit,omitempty"`
	UnfitMore int      `json:"unfit_more,omitempty"`
	// AlarmsMore is how many alarms are left out: those that are not OK come first.
	AlarmsMore int      `json:"alarms_more,omitempty"`
	Unknown    []string `json:"unknown,omitempty"` // what nobody could tell, in words
}

// ByImage reports whether the instances of the stage get their root volumes anew: an image's content, and nothing else.
func (c Case) ByImage() bool { return c.LosesRoot != "" }

// CaseBefore is what a stage before came to.
type CaseBefore struct {
	Stage     string `json:"stage"`
	Instances int    `json:"instances"`
	Patched   int    `json:"patched"`
	// Unproven are the first of those that it skipped, put back, or that failed; UnprovenCount is how many there are.
	Unproven      []NoticedInstance `json:"unproven,omitempty"`
	UnprovenCount int               `json:"unproven_count,omitempty"`
	Gaps          int               `json:"gaps,omitempty"` // members that were not reached
	// Since is since when the last of those patched has been proven in service; zero: none was patched.
	Since time.Time `json:"since,omitzero"`
}

// CaseChanged is which packages the stages before changed, on the instances that they left patched.
type CaseChanged struct {
	Packages  []MergedChange `json:"packages,omitempty"` // by name, the first of them
	More      int            `json:"more,omitempty"`     // that are left out
	Instances int            `json:"instances"`          // whose changes these are
}

// MergedChange is one change of a package, on so many instances.
type MergedChange struct {
	PackageChange
	Instances int `json:"instances"`
}

// CaseDue is what a stage is due to get, by what Systems Manager learnt last.
type CaseDue struct {
	Instances int       `json:"instances"`       // of which it is known
	Of        int       `json:"of"`              // that the stage has
	Patches   int       `json:"patches"`         // different ones
	Oldest    time.Time `json:"oldest,omitzero"` // when the oldest of it was learnt
	// Unseen are the first ids of patches that no stage before has installed in this wave; UnseenCount: how many.
	Unseen      []string `json:"unseen,omitempty"`
	UnseenCount int      `json:"unseen_count"`
	// Compared: what the stages before installed is known, so that Unseen is.
	Compared bool `json:"compared"`
}

// CaseAlarm is an alarm that judges the stage, where it has groups.
type CaseAlarm struct {
	Place string    `json:"place"` // account/region
	Name  string    `json:"name"`
	State string    `json:"state"`
	Since time.Time `json:"since,omitzero"`
}

// How much a case names of each kind.
const (
	mostCaseUnproven = 20
	mostCaseChanges  = 40
	mostCaseUnseen   = 30
	mostCaseAlarms   = 20
	mostCaseUnfit    = 20
	longestCaseText  = 300
)

// Before is what a stage came to, by the counts of its groups.
func Before(stage string, groups []GroupCounts) CaseBefore {
	before := CaseBefore{Stage: stage}
	for _, group := range groups {
		before.Instances += group.Total
		before.Patched += group.Patched
		before.Gaps += len(group.Gaps)
		before.UnprovenCount += len(group.Unproven)
		for _, one := range group.Unproven {
			if len(before.Unproven) < mostCaseUnproven {
				one.Reason = Clip(one.Reason, longestCaseText)
				before.Unproven = append(before.Unproven, one)
			}
		}
		if group.LastPatched.After(before.Since) {
			before.Since = group.LastPatched
		}
	}
	return before
}

// Untouched are those of it that had nothing to be patched, or went away meanwhile.
func (b CaseBefore) Untouched() int {
	tried := 0
	for _, one := range b.Unproven {
		if one.ID != "" {
			tried++
		}
	}
	tried += b.UnprovenCount - len(b.Unproven)
	return max(b.Instances-b.Patched-tried, 0)
}

// LastPatched is when the last of the instances that are left patched had been proven; zero: none is.
func LastPatched(instances []InstanceResult) (last time.Time) {
	for _, instance := range instances {
		if instance.Outcome.LeftPatched() && instance.Ended.After(last) {
			last = instance.Ended
		}
	}
	return last
}

// Merge adds up what was done to instances: each change once, by name, with on how many it was made, and the ids of the
// patches that were installed, sorted.
func Merge(details []InstanceDetails) (changed CaseChanged, installed []string) {
	counts := map[PackageChange]int{}
	ids := map[string]bool{}
	for _, one := range details {
		changed.Instances++
		for _, change := range one.Changes {
			counts[change]++
		}
		for _, id := range one.MissingBefore {
			if !slices.Contains(one.MissingAfter, id) {
				ids[id] = true
			}
		}
	}
	for change, instances := range counts {
		change.Name = Clip(change.Name, longestCaseText)
		change.From, change.To = Clip(change.From, longestCaseText), Clip(change.To, longestCaseText)
		changed.Packages = append(changed.Packages, MergedChange{change, instances})
	}
	slices.SortFunc(changed.Packages, func(a, b MergedChange) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.From, b.From), strings.Compare(a.To, b.To))
	})
	if more := len(changed.Packages) - mostCaseChanges; more > 0 {
		changed.Packages, changed.More = changed.Packages[:mostCaseChanges], more
	}
	for id := range ids {
		installed = append(installed, id)
	}
	slices.Sort(installed)
	return changed, installed
}

// Unseen are those of the due patches that were not installed before, sorted.
func Unseen(due, installed []string) []string {
	unseen := slices.DeleteFunc(slices.Clone(due), func(id string) bool { return slices.Contains(installed, id) })
	slices.Sort(unseen)
	return slices.Compact(unseen)
}

// NameUnseen takes what no stage before has installed.
func (d *CaseDue) NameUnseen(unseen []string) {
	d.Compared, d.UnseenCount = true, len(unseen)
	d.Unseen = slices.Clone(unseen[:min(len(unseen), mostCaseUnseen)])
	for i := range d.Unseen {
		d.Unseen[i] = Clip(d.Unseen[i], longestCaseText)
	}
}

// AddUnfit takes who is not to get a root volume of its image, and why.
func (c *Case) AddUnfit(why string) {
	if len(c.Unfit) == mostCaseUnfit {
		c.UnfitMore++
		return
	}
	c.Unfit = append(c.Unfit, Clip(why, longestCaseText))
}

// FitAlarms puts the alarms that are not OK first, and leaves out what is too many.
func (c *Case) FitAlarms() {
	order := func(alarm CaseAlarm) int {
		if alarm.State == AlarmWell {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(c.Alarms, func(a, b CaseAlarm) int {
		return cmp.Or(order(a)-order(b), strings.Compare(a.Place, b.Place), strings.Compare(a.Name, b.Name))
	})
	if more := len(c.Alarms) - mostCaseAlarms; more > 0 {
		c.Alarms, c.AlarmsMore = c.Alarms[:mostCaseAlarms], more
	}
}

// lean is a case of which the counts are told, and little is named.
func (c *Case) lean() *Case {
	if c == nil {
		return nil
	}
	lean := *c
	lean.Before = slices.Clone(c.Before)
	for i := range lean.Before {
		lean.Before[i].Unproven = c.Before[i].Unproven[:min(len(c.Before[i].Unproven), fewFailed)]
	}
	lean.Changed.Packages = c.Changed.Packages[:min(len(c.Changed.Packages), fewTold)]
	lean.Changed.More += len(c.Changed.Packages) - len(lean.Changed.Packages)
	lean.Unfit = c.Unfit[:min(len(c.Unfit), fewTold)]
	lean.UnfitMore += len(c.Unfit) - len(lean.Unfit)
	lean.Unknown = c.Unknown[:min(len(c.Unknown), fewTold)]
	return &lean
}

// RollBackOf says what a roll back of a stage of the plan would do, and lose, once it is patched.
func (p Plan) RollBackOf(stage string) string {
	said := "a roll back of stage " + stage
	switch {
	case p.Backup == BackupNone:
		return said + " puts nothing back, for the plan keeps no backup: what is patched stays patched"
	case p.NoPutBack() != "":
		return said + " puts nothing back: " + p.NoPutBack() + "; what is patched stays patched"
	}
	return said + ": " + p.RollBackLoses()
}
