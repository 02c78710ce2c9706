package activities

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// Control holds the activities that touch no target account; they run on the workflows' own queue.
type Control struct {
	Plans    Plans
	Evidence Evidence
	Locks    Locks
	Notifier Notifier // nil: nobody is told
	Notices  Notices
	Freezes  Freezes
	// Speed divides every duration of a resolved plan; only the laboratory sets it, whose AWS lives that much faster.
	Speed float64
}

// Plans gives resolved plans by name.
type Plans interface {
	Plan(name string) (patch.Plan, error)
	PlanNames() []string
	// Window is the plan's window that is open at a moment and still starts instances, or else the next one; nil for a plan
	// without a window.
	Window(plan string, at time.Time) (*patch.Window, error)
	// Places lists every account and region that a plan may touch.
	Places() []patch.Place
}

// Evidence keeps what waves did and what they are about to change.
type Evidence interface {
	PutWave(ctx context.Context, id string, document any) error
	GetWave(ctx context.Context, id string, into any) error // *evidence.NotFoundError when the wave left none
	// ListWaves gives the ids of all waves that left evidence, sorted.
	ListWaves(ctx context.Context) ([]string, error)
	AppendJournal(ctx context.Context, wave, name string, record any) error
	// ReadJournal gives the newest version of a record once every version's signature is verified: *evidence.NotFoundError for
	// none, *evidence.InvalidRecordError for one that cannot be trusted.
	ReadJournal(ctx context.Context, wave, name string) (json.RawMessage, error)
	// ListJournal gives those of a wave's records that can be trusted.
	ListJournal(ctx context.Context, wave string) ([]json.RawMessage, error)
}

// Locks answers who holds a lock: the workflow with that id, if it runs; nil when nobody does.
type Locks interface {
	Holder(ctx context.Context, workflowID string) (*LockHolder, error)
	// Closed is when the workflow with that id ended, by Temporal's clock; zero when it runs or is not known.
	Closed(ctx context.Context, workflowID string) (time.Time, error)
}

// ResolvePlanInput names a plan.
type ResolvePlanInput struct {
	Plan string
	At   time.Time // the present, by Temporal's clock; zero, from an older release, is the worker's clock
	// AnyTime asks for no window: nothing is to be changed.
	AnyTime bool
}

// ResolvedPlan is a plan as the worker's configuration has it now.
type ResolvedPlan struct {
	Plan patch.Plan
	// Hash is the SHA-256 of the plan's JSON as configured, without the window's occurrence and the laboratory's speed: two
	// waves of one hash ran the same plan.
	Hash string
	// Notifies tells that the configuration has a channel for notices. Histories of before have none and tell nobody.
	Notifies bool `json:",omitempty"`
}

// ResolvePlan reads the worker's configuration, and tells the times of the plan's current or next window: time zones and
// schedules never reach a workflow. An unknown plan is InvalidInput and lists the known ones.
func (c *Control) ResolvePlan(ctx context.Context, in ResolvePlanInput) (*ResolvedPlan, error) {
	if in.At.IsZero() {
		in.At = time.Now()
	}
	known := c.Plans.PlanNames()
	if !slices.Contains(known, in.Plan) {
		if len(known) == 0 {
			return nil, once.Final(ErrInvalidInput, "there is no plan %q: the worker's configuration has no plans; add one under plans:", in.Plan)
		}
		return nil, once.Final(ErrInvalidInput, "there is no plan %q in the worker's configuration; it knows %s; start the wave with {\"plan\": %q}", in.Plan, strings.Join(known, ", "), known[0])
	}
	plan, err := c.Plans.Plan(in.Plan)
	if err != nil {
		return nil, once.Final(ErrInvalidInput, "plan %q cannot be resolved: %v", in.Plan, err)
	}
	hash, err := planHash(plan)
	if err != nil {
		return nil, once.Final(ErrInvalidInput, "plan %q cannot be written as JSON: %v", in.Plan, err)
	}
	resolved := &ResolvedPlan{Plan: plan.Scaled(c.Speed), Hash: hash, Notifies: c.notifies()}
	resolved.Plan.Window = nil
	if in.AnyTime {
		return resolved, nil
	}
	if resolved.Plan.Window, err = c.Plans.Window(in.Plan, in.At); err != nil {
		return nil, once.Final(ErrInvalidInput, "plan %q: %v", in.Plan, err)
	}
	if resolved.Plan.Estimates != nil {
		c.measure(ctx, &resolved.Plan)
	}
	return resolved, nil
}

func planHash(plan patch.Plan) (string, error) {
	plan.Window = nil
	// Struct fields keep their order and map keys are sorted, so equal plans are equal bytes.
	document, err := json.Marshal(plan)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(document)
	return hex.EncodeToString(sum[:]), nil
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
func (c *Control) SaveWave(ctx context.Context, in SaveWaveInput) error {
	return evidenceError("save the document of wave "+in.WaveID, c.Evidence.PutWave(ctx, in.WaveID, in.Document))
}

// RecordInput is what a saga is about to change.
type RecordInput struct {
	WaveID string
	Name   string // account/region/instance, or account/region/group
	Record json.RawMessage
}

// Record appends to the journal before a change is made.
func (c *Control) Record(ctx context.Context, in RecordInput) error {
	if !json.Valid(in.Record) {
		return once.Final(ErrInvalidInput, "journal record %s of wave %s is not JSON", in.Name, in.WaveID)
	}
	if err := c.Evidence.AppendJournal(ctx, in.WaveID, in.Name, in.Record); err != nil {
		return evidenceError("record "+in.Name+" of wave "+in.WaveID, err)
	}
	return c.recordRaise(ctx, in)
}

// LockHolderInput names a lock.
type LockHolderInput struct {
	WorkflowID string
}

// LockHolder is who holds a lock; empty when nobody does.
type LockHolder struct {
	WorkflowID string
	Parent     string // the wave's workflow id; "" when it has none
	Wave       string // the wave it works for, by its search attribute; "" when it has none
}

// LockHolder asks Temporal who holds a lock, so that a refused wave can name the one in its way.
func (c *Control) LockHolder(ctx context.Context, in LockHolderInput) (*LockHolder, error) {
	holder, err := c.Locks.Holder(ctx, in.WorkflowID)
	if err != nil {
		return nil, temporal.NewApplicationErrorWithCause("ask Temporal who holds "+in.WorkflowID+": "+err.Error(), ErrLockUnknown, err)
	}
	if holder == nil {
		return &LockHolder{}, nil
	}
	return holder, nil
}
