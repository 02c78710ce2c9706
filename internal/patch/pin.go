package patch

import (
	"fmt"
	"slices"
	"strings"
)

// Pin says what binds the stages after the first.
type Pin string

// What binds them.
const (
	PinNone     Pin = "none"     // each installs what its repositories serve when it is patched
	PinManifest Pin = "manifest" // what the stages before proved, at its exact versions
)

// PinOf is what binds a stage of the plan, counted from 0: nothing comes before the first, and an image has its own
// versions.
func (p Plan) PinOf(stage int) Pin {
	if stage == 0 || p.Pin == "" || stage < len(p.Stages) && p.Stages[stage].ByImage() {
		return PinNone
	}
	return p.Pin
}

// ProvenStage is how a stage before was proved: who let it begin, and how long it has soaked since.
type ProvenStage struct {
	Name     string    `json:"name"`
	Outcome  Outcome   `json:"outcome"`
	Approved *Decision `json:"approved,omitempty"` // nil: it waited for nobody
	Soak     *Soak     `json:"soak,omitempty"`     // after it; nil: none was asked for
}

// ProvenStages are those before a stage, counted from 0. Who approved a step of one has not let it begin: a step asks
// once one is done.
func (s WaveStatus) ProvenStages(before int) []ProvenStage {
	stages := make([]ProvenStage, before)
	for i, stage := range s.Stages[:before] {
		stages[i] = ProvenStage{Name: stage.Name, Outcome: stage.Outcome, Soak: stage.Soak}
		for _, decision := range s.Decisions {
			steps := len(stage.Steps) > 0 && !stage.Steps[0].Done.IsZero() && decision.At.After(stage.Steps[0].Done)
			if decision.Verb == Approve && decision.Stage == stage.Name && !steps {
				stages[i].Approved = &decision
			}
		}
	}
	return stages
}

// Pinned names a manifest: what the stages before have proved, which is kept in the evidence by its hash. Nil: nothing
// binds.
type Pinned struct {
	SHA256  string         `json:"sha256"`  // of the manifest, in hexadecimal
	WaveID  string         `json:"wave_id"` // whose it is
	Systems []PinnedSystem `json:"systems"`
	Proofs  int            `json:"proofs"` // machines that proved it
	// NotProofs is how many others prove nothing: they failed, have not told their packages, or what is written of them is
	// not signed. The manifest says which and why.
	NotProofs int `json:"not_proofs,omitempty"`
	// Carries is the plan's manifest before, of which it carries what staging's machines still hold; nil: none.
	Carries *ManifestRef `json:"carries,omitempty"`
	// Waiting is how many packages of earlier waves no machine of the stages before was found to hold now, or are blocked:
	// they bind nothing, and wait for a wave in which one does.
	Waiting int `json:"waiting,omitempty"`
	// NotCarried is why something of earlier waves is not carried on, the first of it, for people.
	NotCarried []string `json:"not_carried,omitempty"`
}

// PinnedSystem is what binds machines of one system.
type PinnedSystem struct {
	Name     string `json:"name"` // ubuntu 22.04
	Packages int    `json:"packages"`
	Carried  int    `json:"carried,omitempty"` // of these: proved by earlier waves, and still held by a machine of staging
	List     string `json:"list"`              // where its InstallOverrideList is: s3://bucket/prefix/HASH.yaml
}

// Ref names it.
func (p *Pinned) Ref() ManifestRef { return ManifestRef{WaveID: p.WaveID, SHA256: p.SHA256} }

// Of is what binds machines of a system; nil: nothing was proved on it.
func (p *Pinned) Of(system string) *PinnedSystem {
	at := slices.IndexFunc(p.Systems, func(s PinnedSystem) bool { return s.Name == system })
	if at < 0 {
		return nil
	}
	return &p.Systems[at]
}

// Told says in one sentence what binds.
func (p *Pinned) Told() string {
	of := make([]string, len(p.Systems))
	for i, system := range p.Systems {
		of[i] = fmt.Sprintf("%d packages of %s", system.Packages, system.Name)
		if system.Carried > 0 {
			of[i] += fmt.Sprintf(" (%d of them by earlier waves)", system.Carried)
		}
	}
	if len(of) == 0 {
		of = []string{"nothing"}
	}
	told := fmt.Sprintf("manifest %.12s: %s, proven by %s", p.SHA256, strings.Join(of, ", "), machines(p.Proofs))
	if p.NotProofs > 0 {
		told += fmt.Sprintf("; %s more prove nothing", machines(p.NotProofs))
	}
	if p.Waiting > 0 {
		told += fmt.Sprintf("; %d more of earlier waves are not in this one: no machine asked was found to hold them, or "+
			"they are blocked", p.Waiting)
	}
	return told
}

func machines(n int) string {
	if n == 1 {
		return "1 machine"
	}
	return fmt.Sprintf("%d machines", n)
}

// SystemNotProven is why a machine is not patched though patches are due: the stages before have proved nothing on its
// system.
const SystemNotProven RefusalCode = "SystemNotProven"

// Refuse is why a machine of a system that the manifest does not know is not begun.
func (p *Pinned) Refuse(where, system string) *Refusal {
	names := make([]string, len(p.Systems))
	for i, known := range p.Systems {
		names[i] = known.Name
	}
	return &Refusal{
		Code: SystemNotProven, Where: where,
		What: fmt.Sprintf("it runs %s, on which staging has proved nothing; it has on: %s", system,
			strings.Join(names, ", ")),
		WhatToDo: "have a machine of that system in the stages before, or a plan of its own for such machines",
	}
}

// PinCheck is what a machine lacks of a manifest, asked of it before it is touched.
type PinCheck struct {
	System string   `json:"system"`
	List   string   `json:"list"`            // "": nothing was proved on its system
	Due    int      `json:"due"`             // packages that it holds in an older version than was proved
	Ahead  []string `json:"ahead,omitempty"` // held in a newer version than was proved, the first of them
	// NotOffered is what was proved and does not apply to it, or was withdrawn: of Windows.
	NotOffered []string `json:"not_offered,omitempty"`
	// Blocked is what of that is blocked, by whom and why.
	Blocked []string `json:"blocked,omitempty"`
	// Unreadable is why the machine cannot read the list, by S3's word; Unread why it could not ask S3, of which nobody
	// knows what it means. Of Windows neither is asked.
	Unreadable string `json:"unreadable,omitempty"`
	Unread     string `json:"unread,omitempty"`
	// Dry is what a dry install of what is due says; nil: nothing is due, or it is Windows, where there is none.
	Dry *DryInstall `json:"dry,omitempty"`
	// Release is the one whose repositories the machine has, and ProvenRelease the one that staging runs since: of Amazon
	// Linux 2023. "": it is locked to none.
	Release       string `json:"release,omitempty"`
	ProvenRelease string `json:"proven_release,omitempty"`
}

// ListNotReadable is why a machine is not taken out: it cannot read the list that binds it.
const ListNotReadable RefusalCode = "ListNotReadable"

// RefuseList is why a machine is not begun that cannot read its list; nil where it can, or nobody knows.
func (c PinCheck) RefuseList(where string) *Refusal {
	if c.Unreadable == "" {
		return nil
	}
	return &Refusal{
		Code: ListNotReadable, Where: where,
		What: "it cannot read the list of what staging proved, " + c.List + ", with its own role: " + c.Unreadable,
		WhatToDo: "let the role of its instance profile do s3:GetObject there, `patchtide iam policy --instances` prints " +
			"the policy, and the bucket's policy and key let its account",
	}
}

// PinVerdict is what of a manifest a machine does not hold, and what it holds that no manifest tells, once it has been
// patched. Nil where nothing binds.
type PinVerdict struct {
	Missing  []string `json:"missing,omitempty"`  // "name.arch 0:2-1", the first of them
	Unproven []string `json:"unproven,omitempty"` // likewise
	Unknown  string   `json:"unknown,omitempty"`  // why it cannot be told
}

// NotInWave names patches that are approved and missing and that staging has not proved.
func NotInWave(scan Scan) string {
	return "not in this wave, for staging has not proved them: " + theFirst(scan.Missing, scan.MissingNumber())
}

// NotOffered names updates that staging has got and that a machine of Windows is not offered.
func NotOffered(ids []string) string {
	return "staging has got what is not offered there, for it does not apply or was withdrawn: " + theFirst(ids, len(ids))
}

// theFirst names the first of so many packages, and says how many more there are.
func theFirst(list []string, number int) string {
	named := list[:min(len(list), MostPinned)]
	if more := number - len(named); more > 0 {
		named = append(slices.Clone(named), fmt.Sprintf("%d more", more))
	}
	return strings.Join(named, ", ")
}

// MostPinned is how many packages are named where a machine is not as its manifest.
const MostPinned = 20

// Unlike says why the machine may not stay as it is, whatever another pass installs; "" where it may.
func (v PinVerdict) Unlike() string {
	switch {
	case v.Unknown != "":
		return "whether it holds what staging proved cannot be told: " + v.Unknown
	case len(v.Unproven) > 0:
		return "it got what staging has not proved: " + strings.Join(v.Unproven, ", ")
	}
	return ""
}
