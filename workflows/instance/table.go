// Package instance is one instance's way: patched, put back, healed, or out of its quarantine. This file holds what is
// done in which order, and what undoes it.
package instance

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/patch"
)

// A step is one line of the saga's table: what is done, and how it is undone.
type step struct {
	name patch.Step
	do   func(workflow.Context) error
	undo func(workflow.Context) error // nil: nothing to undo
}

// table is PatchInstance.
func (s *saga) table() []step {
	return s.withHooks([]step{
		{patch.StepMark, s.mark, s.unmark},
		{patch.StepSuspend, s.suspend, s.resume},
		s.hooks(patch.BeforeOut),
		{patch.StepStandby, s.takeOut, s.returnUnpatched},
		s.hooks(patch.BeforeSnapshot),
		{patch.StepSnapshot, s.snapshot, nil},
		s.hooks(patch.BeforeInstall),
		{patch.StepInstall, s.install, s.restore},
		s.hooks(patch.AfterInstall),
		{patch.StepReturn, s.returnPatched, s.takeOutToPutBack},
		{patch.StepHealth, s.awaitHealth, nil},
		s.hooks(patch.AfterIn),
		{patch.StepBake, s.bake, nil},
		{patch.StepFinish, s.finish, nil},
	})
}

// startTable begins PatchInstance of one that is stopped, which ends with stopTable; where something is due,
// installStoppedTable comes between.
func (s *saga) startTable() []step {
	return []step{
		{patch.StepMark, s.mark, s.unmark},
		{patch.StepStart, s.start, s.stopAgain},
		{patch.StepPreflight, s.comesUp, nil},
		{patch.StepScan, s.scanStarted, nil},
	}
}

func (s *saga) installStoppedTable() []step {
	return s.withHooks([]step{
		s.hooks(patch.BeforeSnapshot),
		{patch.StepSnapshot, s.snapshot, nil},
		s.hooks(patch.BeforeInstall),
		{patch.StepInstall, s.install, s.restore},
		s.hooks(patch.AfterInstall),
	})
}

func (s *saga) stopTable() []step {
	return []step{
		{patch.StepStop, s.stop, nil},
		{patch.StepFinish, s.finish, nil},
	}
}

// restoreStoppedTable is RestoreInstance of one that is stopped. It is started to be restored, also where its agent
// would never answer.
func (s *saga) restoreStoppedTable() []step {
	return s.withHooks([]step{
		{patch.StepMark, s.mark, s.unmark},
		{patch.StepStart, s.start, s.stopAgain},
		s.hooks(patch.BeforeSnapshot),
		s.hooks(patch.BeforeInstall),
		{patch.StepRestore, s.restoreOrQuarantine, nil},
		s.hooks(patch.AfterInstall),
		{patch.StepStop, s.stop, nil},
		{patch.StepFinish, s.finish, nil},
	})
}

// restoreTable is RestoreInstance. What cannot be proven is quarantined by the undo of standby.
func (s *saga) restoreTable() []step {
	return s.withHooks([]step{
		{patch.StepMark, s.mark, s.unmark},
		{patch.StepSuspend, s.suspend, s.resume},
		s.hooks(patch.BeforeOut),
		{patch.StepStandby, s.takeOut, s.returnUnpatched},
		s.hooks(patch.BeforeSnapshot),
		s.hooks(patch.BeforeInstall),
		{patch.StepRestore, s.restoreOrQuarantine, nil},
		s.hooks(patch.AfterInstall),
		{patch.StepReturn, s.returnPatched, s.takeOutToPutBack},
		{patch.StepHealth, s.healthOrQuarantine, nil},
		s.hooks(patch.AfterIn),
		{patch.StepFinish, s.finish, nil},
	})
}

// releaseTable is EndQuarantine of one that is released.
func (s *saga) releaseTable() []step {
	return []step{
		{patch.StepMark, s.markRelease, s.unmark},
		{patch.StepSuspend, s.suspend, s.resume},
		{patch.StepRelease, s.returnReleased, s.quarantineAgain},
		{patch.StepHealth, s.awaitHealth, nil},
		{patch.StepFinish, s.finishReleased, nil},
	}
}
