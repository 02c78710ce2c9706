// Package journal is what Patchtide writes down of a resource before it changes anything of it: every value as it was,
// every change intended, and the policy by which it is put back. Sagas write records, Reconcile and roll backs read
// them; both sides use the types of this package and its one Decode.
package journal

import (
	"time"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// Record is what the journal keeps of one instance, or of a group where Instance is "", before anything of it is
// changed, so that the state can be put back even when no workflow is left to do it. It is amended before a change that
// nobody foresaw.
type Record struct {
	WaveID   string
	Plan     string
	Group    patch.Group
	Policy   patch.Policy
	Instance string `json:",omitempty"`
	Try      int
	At       time.Time // of this version, by Temporal's clock
	Before   GroupBefore
	Targets  []patch.Target // the instance's registrations and their health
	Intended Intended

	// Weight is how much of its group's numbers the instance is; 0: AWS told none, as where the group counts instances.
	Weight int `json:",omitempty"`

	RootVolume string              `json:",omitempty"`
	PutBack    *PutBack            `json:",omitempty"` // of an instance that is being rolled back
	Point      *patch.RestorePoint `json:",omitempty"` // once the backup is taken
	// Installing is written before the first install is started: without it none has been.
	Installing bool `json:",omitempty"`
	// ImageRoot is the root volume that an image gave it, once EC2 shows that.
	ImageRoot string `json:",omitempty"`
	// Hooks are those that may have been begun, in order: each is written before.
	Hooks []Hook `json:",omitempty"`
	// Proven is written before one that was started is stopped again: what was installed on it is proven, or what was put
	// back is, and only the stop is left.
	Proven bool `json:",omitempty"`

	// Origin is who wrote this version. It is filled where it is signed, never by a workflow's input.
	Origin Origin
	// Ended: nothing of what it tells is left to be put back. The last version before the mark comes off says so.
	Ended bool `json:",omitempty"`
	// Left: its saga ended by itself and left something, which it has told. Nobody else may take it for left.
	Left bool `json:",omitempty"`
	// Patched is what a roll back needs to know of an instance that its saga has ended with and left patched. Its wave may
	// never come to tell it. Nil: it is not patched, or its saga goes on.
	Patched *patch.InstanceResult `json:",omitempty"`

	Quarantine *Quarantine     `json:",omitempty"` // of an instance that must not serve
	Release    *Release        `json:",omitempty"` // of a quarantined one that is on its way back
	Ends       *patch.Decision `json:",omitempty"` // of a quarantined one that is about to be terminated
}

// OfGroup is a group's record, of which nothing is intended yet.
func OfGroup(waveID string, group patch.Group, policy patch.Policy, before patch.GroupState) Record {
	return Record{WaveID: waveID, Plan: policy.Plan, Group: group, Policy: policy, Before: BeforeOf(before)}
}

// Name is the record's name in its wave's journal: account/region/instance, or account/region/group.
func (r Record) Name() string { return names.JournalRecord(r.Group, r.Instance) }

// complete reports whether the record holds what putting back needs.
func (r Record) complete() bool {
	return r.WaveID != "" && r.Group.Account.ID != "" && r.Policy.Timing.Act > 0 && !r.At.IsZero() && r.Origin.RunID != ""
}

// GroupBefore are a group's values before a change.
type GroupBefore struct {
	Min, Max, Desired int
	Counts            patch.Unit `json:",omitempty"` // what these three count; "": instances
	Suspended         []string
	Members           []string
	TargetGroups      []patch.TargetGroup
	At                time.Time // AWS's clock when they were read
}

// BeforeOf takes from a group's state what is journalled of it.
func BeforeOf(state patch.GroupState) GroupBefore {
	return GroupBefore{
		Min: state.Min, Max: state.Max, Desired: state.Desired, Counts: state.Counts, Suspended: state.Suspended,
		Members: state.IDs(), TargetGroups: state.TargetGroups, At: state.At,
	}
}

// State are the values before, as a room and a saga remember them; of its members only the ids.
func (b GroupBefore) State() patch.GroupState {
	state := patch.GroupState{
		Min: b.Min, Max: b.Max, Desired: b.Desired, Counts: b.Counts, Suspended: b.Suspended,
		TargetGroups: b.TargetGroups, At: b.At,
	}
	for _, id := range b.Members {
		state.Members = append(state.Members, patch.Member{ID: id})
	}
	return state
}

// Intended are the changes that are about to be made.
type Intended struct {
	Suspend       []string       `json:",omitempty"`
	Standby       bool           `json:",omitempty"`
	Deregister    []patch.Target `json:",omitempty"`
	InstallTokens []string       `json:",omitempty"` // one a pass: by them an install that may run is found
	RestoreToken  string         `json:",omitempty"` // by it a replacement of the root volume is found
	RaiseDesired  int            `json:",omitempty"` // by so many
	RaiseMax      int            `json:",omitempty"` // by so many
	MaxBefore     int            `json:",omitempty"` // with RaiseMax
	Surge         []string       `json:",omitempty"` // the instances that RaiseDesired launched, once they are known
	Image         *Image         `json:",omitempty"` // of a group: its image is renewed
	Start         bool           `json:",omitempty"` // it was stopped, is started for the patch, and is to be stopped again
}

// Image is what renewing a group's image makes before it is proven, and by which tokens that is found. Its template is
// changed only after that.
type Image struct {
	MakeToken  string
	TrialToken string
}

// Hook is one of the policy's hooks that may have been begun, and by which tokens it and its undo are found.
type Hook struct {
	Point     patch.HookPoint
	Name      string
	Token     string
	UndoToken string
}

// PutBack is the wish that an instance which a wave patched is put back as it was.
type PutBack struct {
	Point       patch.RestorePoint
	PatchedBoot string // boot id after the install: a restored machine has another one
	RootVolume  string `json:",omitempty"` // that an image gave it
	Missing     int    `json:",omitempty"` // patches that it lacked before the install, and lacks again
	Run         string // of the RollBackWave that asks, "" for the wave that patched: its attempts are its own
	// Earlier comes with one that an earlier window of the wave patched: what putting it back would lose is asked first.
	// Nil: this window patched it, or a person has accepted what would be lost.
	Earlier *LeftBy `json:",omitempty"`
}

// LeftBy is what an install left on a machine, to be compared with what is there now; see patch.MachineFacts.
type LeftBy struct {
	Packages    string
	Application string
}

// Quarantine is what keeping an unfit instance out of its group changes, and what releasing it needs.
type Quarantine struct {
	Why           string // it must not serve
	Told          string // for people: what failed first, and that
	At            time.Time
	Until         time.Time // zero: until a person decides
	DesiredWanted int       // of its Auto Scaling group: the capacity it gets back
	Weight        int       `json:",omitempty"` // how much of that it was; 0: its group counts instances
	Members       []string  // of its Auto Scaling group, without it: one launched since stands in its place
	Isolation     *Isolation
	Ended         time.Time `json:",omitzero"` // it was released: whatever a tag says, it is over
}

// DoubtQuarantine is why a record does not tell of a quarantine that goes on; "" when it does.
func (r Record) DoubtQuarantine() string {
	switch {
	case r.Quarantine == nil:
		return "its record tells of no quarantine"
	case !r.Quarantine.Ended.IsZero():
		return "its quarantine ended on " + r.Quarantine.Ended.UTC().Format("2006-01-02 15:04 MST") +
			", and somebody has put the tag back"
	}
	return ""
}

// Isolation is what isolating an instance changes.
type Isolation struct {
	SecurityGroup string             // id of the isolating one
	Interfaces    []NetworkInterface // as they were before, sorted by id
}

// NetworkInterface is one of an instance's network interfaces with the ids of its security groups, sorted.
type NetworkInterface struct {
	ID             string
	SecurityGroups []string
}

// Release is what a release from quarantine is about to change, by whose word.
type Release struct {
	Actor         string
	Reason        string
	DesiredBefore int    // of its Auto Scaling group
	GiveWay       string // the instance that is terminated with decrement first; "" for none
	Of            string // the wave whose record tells of the quarantine
}

// LeftPatched reports whether the saga that wrote the record, in that run of its wave and as the try of that number or
// a later one, left its instance patched, on the root volume that it has still. What is patched is for the saga to say
// as it ends, see Patched; here is asked only whether it said so of what is there now.
func (r Record) LeftPatched(run string, try int, root string) bool {
	return r.Patched != nil && r.Ended && r.Policy.Run == run && r.Try >= try && r.PatchedRoot() == root
}

// PatchedRoot is the root volume on which the instance is patched: its own, or the one that an image gave it; "": it
// got none.
func (r Record) PatchedRoot() string {
	if r.Policy.ByImage() {
		return r.ImageRoot
	}
	return r.RootVolume
}
