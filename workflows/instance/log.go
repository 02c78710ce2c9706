package instance

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/patch"
)

// log tells in the worker's log what begins and how long took what was done before it: by these lines a wave is
// followed.
func (s *saga) log(ctx workflow.Context, next patch.Step) {
	if next == s.status.Step && !s.status.Undoing { // once more of the same
		return
	}
	about := []any{"instance", s.in.Instance}
	if s.status.Step != "" {
		took := workflow.Now(ctx).Sub(s.status.Since).Round(time.Millisecond)
		about = append(about, "after", s.status.Step, "took", took.String())
	}
	log := workflow.GetLogger(ctx)
	result := &s.status.Result
	if next != patch.StepEnded {
		log.Info(next.Told(s.putsBack()), about...)
		return
	}
	about = append(about, "outcome", result.Outcome, "missing",
		fmt.Sprintf("%d to %d", result.MissingBefore, result.MissingAfter))
	if result.Reason != "" {
		about = append(about, "reason", result.Reason)
	}
	for _, left := range result.Stranded {
		log.Error("stranded", "instance", s.in.Instance, "resource", left.Resource, "state", left.State, "do", left.WhatToDo)
	}
	if wanted := s.putBack != nil && result.Outcome == patch.RolledBack; result.Outcome.Worries() && !wanted {
		log.Warn("instance has ended", about...)
		return
	}
	log.Info("instance has ended", about...)
}
