package workflows

import (
	"encoding/json"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// Record is what the journal keeps of one instance, or of a group where Instance is "", before anything of it is changed:
// every value as it was, every change intended, and the policy by which it is put back, so that the state can be put back
// even when no workflow is left to do it. It is amended before a change that nobody foresaw.
type Record struct {
	WaveID   string
	Plan     string
	Group    patch.Group
	Policy   Policy
	Instance string `json:",omitempty"`
	Try      int
	At       time.Time // of this version
	Before   GroupBefore
	Targets  []patch.Target // the instance's registrations and their health
	Intended Intended

	RootVolume string              `json:",omitempty"`
	PutBack    *PutBack            `json:",omitempty"` // of an instance that is being rolled back
	Point      *patch.RestorePoint `json:",omitempty"` // once the backup is taken
	// Installing is written before the first install is started: without it none has been.
	Installing bool `json:",omitempty"`

	Quarantine *QuarantineRecord `json:",omitempty"` // of an instance that must not serve
	Release    *Release          `json:",omitempty"` // of a quarantined one that is on its way back
	Ends       *patch.Decision   `json:",omitempty"` // of a quarantined one that is about to be terminated
}

// GroupBefore are a group's values before a change.
type GroupBefore struct {
	Min, Max, Desired int
	Suspended         []string
	Members           []string
	TargetGroups      []patch.TargetGroup
}

// Intended are the changes that are about to be made.
type Intended struct {
	Suspend       []string       `json:",omitempty"`
	Standby       bool           `json:",omitempty"`
	Deregister    []patch.Target `json:",omitempty"`
	SnapshotToken string         `json:",omitempty"`
	InstallToken  string         `json:",omitempty"`
	RestoreToken  string         `json:",omitempty"`
	RaiseDesired  bool           `json:",omitempty"`
	RaiseMax      bool           `json:",omitempty"`
	MaxBefore     int            `json:",omitempty"` // with RaiseMax
	Surge         string         `json:",omitempty"` // the instance that RaiseDesired launched, once it is known
}

func groupBefore(state patch.GroupState) GroupBefore {
	return GroupBefore{
		Min: state.Min, Max: state.Max, Desired: state.Desired, Suspended: state.Suspended, Members: memberIDs(state), TargetGroups: state.TargetGroups,
	}
}

// state are the values before, as a room and a saga remember them.
func (b GroupBefore) state() patch.GroupState {
	state := patch.GroupState{Min: b.Min, Max: b.Max, Desired: b.Desired, Suspended: b.Suspended, TargetGroups: b.TargetGroups}
	for _, id := range b.Members {
		state.Members = append(state.Members, patch.Member{ID: id})
	}
	return state
}

// groupRecord is a group's record, of which nothing is intended yet.
func groupRecord(waveID string, group patch.Group, policy Policy, before patch.GroupState) Record {
	return Record{WaveID: waveID, Plan: policy.Plan, Group: group, Policy: policy, Before: groupBefore(before)}
}

// complete tells whether the record holds what healing needs; one written by an older version may not.
func (r Record) complete() bool {
	return r.WaveID != "" && r.Group.Account.ID != "" && r.Policy.Timing.Act > 0 && !r.At.IsZero()
}

// journalsAll tells a run that writes all that healing needs into the journal. One that began before wrote a group's record
// only with a surge, after the mark, and amended none.
func journalsAll(ctx workflow.Context) bool {
	return workflow.GetVersion(ctx, "journal-holds-all", workflow.DefaultVersion, 1) != workflow.DefaultVersion
}

// readRecord reads the instance's own record of this wave.
func (s *saga) readRecord(ctx workflow.Context) (activities.RecordRead, error) {
	var read activities.RecordRead
	err := workflow.ExecuteActivity(controlling(ctx, "what the journal's record says"), control.ReadRecord, s.journal().Journal).Get(ctx, &read)
	return read, err
}

// write appends the record to the journal as of now, before what it tells of is done.
func (r *Record) write(ctx workflow.Context) error {
	r.At = workflow.Now(ctx)
	document, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return workflow.ExecuteActivity(controlling(ctx, "into the journal, before it is done"), control.AppendJournal, activities.AppendJournalInput{
		WaveID: r.WaveID, Name: names.JournalRecord(r.Group, r.Instance), Record: document,
	}).Get(ctx, nil)
}
