package activities

import (
	"context"
	"encoding/json"
	"time"

	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/patch"
)

// Control holds the activities that touch no target account; they run on the workflows' own queue.
type Control struct {
	Plans    Plans
	Evidence Evidence
	// Manifests and Lists keep what binds later stages; Lists is nil where no place is configured.
	Manifests Manifests
	Lists     Lists
	Locks     Locks
	Waves     Waves
	Pendings  Pendings
	Notifier  Notifier // nil: nobody is told
	Notices   Notices
	Freezes   Freezes
	// NamespaceID is Temporal's own id of the worker's namespace: records that another wrote are not acted upon.
	NamespaceID string
	// Speed divides every duration of a resolved plan; only the laboratory sets it, whose AWS lives that much faster.
	Speed float64
}

// Plans gives resolved plans by name.
type Plans interface {
	Plan(name string) (patch.Plan, error)
	PlanNames() []string
	// Window is the plan's window that is open at a moment and still starts instances, or else the next one; nil for a
	// plan without a window.
	Window(plan string, at time.Time) (*patch.Window, error)
	// Over are the exceptions of the plan's baselines whose day is over, each in a sentence.
	Over(plan string, at time.Time) []string
	// Places lists every account and region that a plan may touch.
	Places() []patch.Place
}

// Evidence keeps what waves did and what they are about to change.
type Evidence interface {
	PutWave(ctx context.Context, id string, document any) error
	GetWave(ctx context.Context, id string, into any) error // *evidence.NotFoundError when the wave left none
	// PutInstance writes what a wave did to an instance, in the place of what was there, and returns its SHA-256.
	PutInstance(ctx context.Context, wave, instance string, document any) (string, error)
	// ListInstances gives the ids of the instances of which PutInstance has written, sorted.
	ListInstances(ctx context.Context, wave string) ([]string, error)
	// GetInstance reads what PutInstance wrote, to be shown; *evidence.NotFoundError where it wrote nothing.
	GetInstance(ctx context.Context, wave, instance string, into any) error
	// ProvenInstance is GetInstance for who acts by the document: *evidence.InvalidInstanceError where it is not signed
	// for that wave and instance.
	ProvenInstance(ctx context.Context, wave, instance string, into any) error
	// PutDraft and GetDraft keep pages of a document that is not whole yet.
	PutDraft(ctx context.Context, wave string, page int, content []byte) error
	GetDraft(ctx context.Context, wave string, page int) ([]byte, error)
	// ProvenWave is GetWave for who acts by the document: *evidence.InvalidWaveError where a version of it is not signed,
	// or does not follow the one before it.
	ProvenWave(ctx context.Context, id string, into any) error
	// ProvenVersion is ProvenWave, and tells which version it read; PutVersion writes the one behind that:
	// *evidence.ConflictError where somebody else has written it.
	ProvenVersion(ctx context.Context, id string, into any) (version int, err error)
	PutVersion(ctx context.Context, id string, read int, document any) error
	// ListWaves gives the ids of all waves that left evidence, sorted.
	ListWaves(ctx context.Context) ([]string, error)
	AppendJournal(ctx context.Context, wave, name string, record any) error
	// RenewJournal is AppendJournal for what leads nobody to act by an earlier version: behind one that cannot be trusted
	// it begins anew.
	RenewJournal(ctx context.Context, wave, name string, record any) error
	// ReadJournal gives the newest version of a record once its signature is verified: *evidence.NotFoundError
	// for none, *evidence.InvalidRecordError for one that cannot be trusted.
	ReadJournal(ctx context.Context, wave, name string) (json.RawMessage, error)
	// ListJournal gives those of a wave's records that can be trusted, and says why the others cannot.
	ListJournal(ctx context.Context, wave string) (records []json.RawMessage, unproven []string, err error)
	// ListVersions gives all versions of them that can be trusted.
	ListVersions(ctx context.Context, wave string) (records []json.RawMessage, unproven []string, err error)
}

// Locks answers who holds a lock: the workflow with that id, if it runs; nil when nobody does.
type Locks interface {
	Holder(ctx context.Context, workflowID string) (*LockHolder, error)
	// Closed is when the workflow with that id ended, by Temporal's clock; zero when it runs or is not known.
	Closed(ctx context.Context, workflowID string) (time.Time, error)
	// Runs reports whether that very run of a workflow goes on.
	Runs(ctx context.Context, workflowID, runID string) (bool, error)
	// Ending is how that very run of a workflow, and those that it continued as, ended.
	Ending(ctx context.Context, workflowID, runID string) (journal.Ending, error)
}
