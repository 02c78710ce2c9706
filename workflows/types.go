package workflows

import (
	"github.com/patchtide/patchtide/workflows/freeze"
	"github.com/patchtide/patchtide/workflows/group"
	"github.com/patchtide/patchtide/workflows/instance"
	"github.com/patchtide/patchtide/workflows/patches"
	"github.com/patchtide/patchtide/workflows/reconcile"
	"github.com/patchtide/patchtide/workflows/scan"
	"github.com/patchtide/patchtide/workflows/service"
	"github.com/patchtide/patchtide/workflows/wave"
	"github.com/patchtide/patchtide/workflows/window"
)

// What people and other programs send to workflows, and what they get.
type (
	// WaveRequest starts PatchWave.
	WaveRequest = wave.Request
	// PreviewRequest starts PreviewWave.
	PreviewRequest = wave.PreviewRequest
	// PreviewResult is what PreviewWave found.
	PreviewResult = wave.PreviewResult
	// VerbRequest is what an operator sends with a verb.
	VerbRequest = wave.VerbRequest
	// VerbAccepted answers a verb.
	VerbAccepted = wave.VerbAccepted
	// RollBackRequest starts RollBackWave.
	RollBackRequest = wave.RollBackRequest
	// ReconcileRequest starts Reconcile.
	ReconcileRequest = reconcile.Request
	// Reconciliation is what Reconcile found and did.
	Reconciliation = reconcile.Reconciliation
	// Finding is one resource of a Reconciliation.
	Finding = reconcile.Finding
	// QuarantineRequest starts Quarantine.
	QuarantineRequest = reconcile.QuarantineRequest
	// QuarantineResult is what Quarantine found and did.
	QuarantineResult = reconcile.QuarantineResult
	// Quarantined is one instance of a QuarantineResult.
	Quarantined = reconcile.Quarantined
	// ScanRequest starts ScanFleet.
	ScanRequest = scan.Request
	// FleetScan is what ScanFleet found.
	FleetScan = scan.FleetScan
	// GroupScan is one group of a FleetScan.
	GroupScan = scan.GroupScan
	// OpenWindowRequest starts OpenWindow.
	OpenWindowRequest = window.Request
	// WindowOpened is what came of an opening.
	WindowOpened = window.WindowOpened
	// FreezeInput starts Freeze.
	FreezeInput = freeze.Input
	// FreezeRequest is what a person sends with freeze and unfreeze.
	FreezeRequest = freeze.Request
	// FreezeAnswer is what comes back.
	FreezeAnswer = freeze.Answer
	// PatchesRequest starts Patches.
	PatchesRequest = patches.Request
	// PatchesResult is what is blocked, and what was changed of that.
	PatchesResult = patches.Result
	// ServiceInput starts HoldService.
	ServiceInput = service.Input
	// ServiceRelease is the word of a wave that it is done with a service.
	ServiceRelease = service.Release
	// ServiceStatus is what HoldService answers to the query status.
	ServiceStatus = service.Status
	// GroupInput starts PatchGroup.
	GroupInput = group.Input
	// GroupOrder is what a wave tells a group.
	GroupOrder = group.Order
	// GroupEnd is what PatchGroup returns.
	GroupEnd = group.End
	// OrderKind names an order.
	OrderKind = group.OrderKind
	// GroupReleaseInput starts ReleaseGroup.
	GroupReleaseInput = group.ReleaseInput
	// InstanceInput starts PatchInstance.
	InstanceInput = instance.Input
)

// Types of errors that end a workflow before anything was changed.
const (
	ErrGroupLocked         = wave.ErrGroupLocked
	ErrServiceLocked       = wave.ErrServiceLocked
	ErrWaveRunning         = wave.ErrWaveRunning
	ErrDataLoss            = wave.ErrDataLoss
	ErrNotRestorable       = wave.ErrNotRestorable
	ErrUnsupportedEvidence = wave.ErrUnsupportedEvidence
	ErrNotQuarantined      = reconcile.ErrNotQuarantined
)
