package activities

import (
	"context"
	"encoding/json"

	"github.com/patchtide/patchtide/internal/patch"
)

// Control holds the activities that touch no target account; they run on the workflows' own queue.
type Control struct {
	Plans    Plans
	Evidence Evidence
	Locks    Locks
	// Speed divides every duration of a resolved plan; only the laboratory sets it, whose AWS lives that much faster.
	Speed float64
}

// Plans gives resolved plans by name.
type Plans interface {
	Plan(name string) (patch.Plan, error)
	PlanNames() []string
}

// Evidence keeps what waves did and what they are about to change.
type Evidence interface {
	PutWave(ctx context.Context, id string, document any) error
	AppendJournal(ctx context.Context, wave, name string, record any) error
}

// Locks answers who holds a lock: the workflow with that id, if it runs.
type Locks interface {
	Holder(ctx context.Context, workflowID string) (*LockHolder, error)
}

// ResolvePlanInput names a plan.
type ResolvePlanInput struct {
	Plan string
}

// ResolvedPlan is a plan as the worker's configuration has it now.
type ResolvedPlan struct {
	Plan patch.Plan
	Hash string // SHA-256 of its JSON: two waves of one hash ran the same plan
}

// ResolvePlan reads the worker's configuration. An unknown plan is InvalidInput and lists the known ones.
func (c *Control) ResolvePlan(ctx context.Context, in ResolvePlanInput) (*ResolvedPlan, error) {
	return nil, errUnbuilt
}

// SaveWaveInput is a wave's evidence.
type SaveWaveInput struct {
	WaveID   string
	Document WaveDocument
}

// WaveDocument is the one JSON document a wave leaves in the evidence store.
type WaveDocument struct {
	Version  int                `json:"version"` // of this document's shape: 1
	Status   patch.WaveStatus   `json:"status"`
	Result   patch.WaveResult   `json:"result"`
	Plan     patch.Plan         `json:"plan"`
	Hash     string             `json:"plan_hash"`
	Runbooks map[string]Runbook `json:"runbooks"` // by account/region
}

// SaveWave writes the wave's document.
func (c *Control) SaveWave(ctx context.Context, in SaveWaveInput) error { return errUnbuilt }

// RecordInput is what a saga is about to change.
type RecordInput struct {
	WaveID string
	Name   string // account/region/instance, or account/region/group
	Record json.RawMessage
}

// Record appends to the journal before a change is made.
func (c *Control) Record(ctx context.Context, in RecordInput) error { return errUnbuilt }

// LockHolderInput names a lock.
type LockHolderInput struct {
	WorkflowID string
}

// LockHolder is who holds a lock.
type LockHolder struct {
	WorkflowID string
	Parent     string // the wave's workflow id; "" when it has none
}

// LockHolder asks Temporal who holds a lock, so that a refused wave can name the one in its way.
func (c *Control) LockHolder(ctx context.Context, in LockHolderInput) (*LockHolder, error) {
	return nil, errUnbuilt
}
