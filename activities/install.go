package activities

import (
	"context"

	"github.com/patchtide/patchtide/internal/patch"
)

// EnsureRunbookInput names an account and region.
type EnsureRunbookInput struct {
	Group patch.Group
}

// Runbook is our Automation document as registered: a wave pins its version and hash.
type Runbook struct {
	Name    string
	Version string
	Hash    string // SHA-256 as SSM reports it
}

// EnsureRunbook registers the embedded runbook when it is missing or differs, and returns the version whose content is
// exactly ours.
func (a *AWS) EnsureRunbook(ctx context.Context, in EnsureRunbookInput) (*Runbook, error) {
	return nil, errUnbuilt
}

// StartInstallInput asks for install and reboot on one instance.
type StartInstallInput struct {
	Instance   Instance
	Platform   patch.Platform
	Runbook    Runbook
	SnapshotID string
	Reboot     patch.RebootOption
	Attempt    Attempt
	Budget     patch.Duration // of install and reboot; the step's own time-out
	Pace       Pace
}

// Execution names an Automation execution.
type Execution struct {
	ID string
}

// StartInstall starts our runbook once per attempt token: the token is ClientToken and part of a tag key. On a repeat it
// looks the execution up before it starts one, and concludes that none was started only after Pace.ReadLag of empty reads. It
// refuses when the document's pinned version no longer has the pinned hash (RunbookChanged, terminal).
func (a *AWS) StartInstall(ctx context.Context, in StartInstallInput) (*Execution, error) {
	return nil, errUnbuilt
}

// AwaitInstallInput waits for an execution.
type AwaitInstallInput struct {
	Instance  Instance
	Execution Execution
	Pace      Pace
}

// AwaitInstall waits until the execution is terminal and reports what it left; a failed one is a report, not an error. While
// it is Pending the error's type is InstallPending, else NotReady, so that the caller can bound only the time it runs.
func (a *AWS) AwaitInstall(ctx context.Context, in AwaitInstallInput) (*patch.PatchReport, error) {
	return nil, errUnbuilt
}

// FindInstallInput looks for the execution of an attempt.
type FindInstallInput struct {
	Instance Instance
	Attempt  Attempt
	Pace     Pace
}

// FindInstall returns the attempt's execution, or an empty ID once ReadLag of empty reads says that none was started.
func (a *AWS) FindInstall(ctx context.Context, in FindInstallInput) (*Execution, error) {
	return nil, errUnbuilt
}

// StopInstall stops the execution if it is not terminal, and cancels its commands. AWS does both in its own time.
func (a *AWS) StopInstall(ctx context.Context, in AwaitInstallInput) error { return errUnbuilt }

// AwaitStopped waits until the execution and every command of it are terminal, and reports what is known.
func (a *AWS) AwaitStopped(ctx context.Context, in AwaitInstallInput) (*patch.PatchReport, error) {
	return nil, errUnbuilt
}

// AskInput asks an instance for its facts by a fresh read-only command.
type AskInput struct {
	Instance Instance
	Platform patch.Platform
	Attempt  Attempt
	Budget   patch.Duration
	Pace     Pace
}

// Ask is a fresh command that returns boot id and packages: the only proof that an agent lives. NotReady until it answered.
func (a *AWS) Ask(ctx context.Context, in AskInput) (*patch.MachineFacts, error) {
	return nil, errUnbuilt
}
