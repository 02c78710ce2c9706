package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/pending"
)

// frozenWait is how long whoever looks at a wave waits to hear what is frozen.
const frozenWait = 3 * time.Second

// readWaits reads what a wave waits for, and what is frozen for it; a wave asks anew before it begins anything.
func readWaits(ctx context.Context, c client.Client, status patch.WaveStatus) (patch.Waits, error) {
	waits, err := pending.Read(ctx, c, status.WaveID, status.AtWork()...)
	if err != nil {
		return waits, err
	}
	ctx, stop := context.WithTimeout(ctx, frozenWait)
	defer stop()
	freezes, err := activities.NewFreezes(c).Freezes(ctx)
	if err != nil {
		waits.Unknown = plain(err)
	}
	waits.Frozen = freezes.Holding(status)
	return waits, nil
}

// sayFrozen says what keeps a verb that was accepted from letting anything begin, or that nobody knows.
func sayFrozen(cmd *cobra.Command, c client.Client, wave string, verb patch.Verb) {
	if !verb.Spec().GoesOn {
		return
	}
	ctx, stop := context.WithTimeout(cmd.Context(), frozenWait)
	defer stop()
	status, err := askWave(ctx, c, wave)
	var freezes patch.Freezes
	if err == nil {
		freezes, err = activities.NewFreezes(c).Freezes(ctx)
	}
	if err != nil {
		line(cmd.ErrOrStderr(), "%s", brief.FrozenUnknown(plain(err)))
		return
	}
	for _, freeze := range freezes.Holding(*status) {
		line(cmd.ErrOrStderr(), "%s", brief.Frozen(freeze))
	}
}

// sayWindow says what a verb that was accepted has made of the wave's window.
func sayWindow(cmd *cobra.Command, c client.Client, wave string, verb patch.Verb) {
	if !verb.Spec().Windowed {
		return
	}
	ctx, stop := context.WithTimeout(cmd.Context(), frozenWait)
	defer stop()
	if status, err := askWave(ctx, c, wave); err == nil && status.Window != nil {
		line(cmd.ErrOrStderr(), "Its window closes at %s, and nothing is begun from %s on",
			console.Moment(status.Window.Closes), console.Moment(status.Window.Cutoff))
	}
}

// putBackBy is the roll back of a wave that has closed; nil: there is none that began, or Temporal does not say.
func putBackBy(ctx context.Context, c client.Client, status patch.WaveStatus) *patch.PutBackBy {
	if status.State != patch.StateClosed || status.PutsBack != "" {
		return nil
	}
	return rolledBackSince(ctx, c, status.WaveID, status.Since)
}

// rolledBackSince is the roll back of a wave that has ended then.
func rolledBackSince(ctx context.Context, c client.Client, wave string, ended time.Time) *patch.PutBackBy {
	ctx, stop := context.WithTimeout(ctx, frozenWait)
	defer stop()
	by := patch.PutBackBy{WaveID: names.RollBack(wave)}
	described, err := c.DescribeWorkflowExecution(ctx, by.WaveID, "")
	if err != nil {
		return nil
	}
	seen := listedOf(described.GetWorkflowExecutionInfo())
	if seen.Started.Before(ended) {
		return nil // of an earlier wave with the same id
	}
	if seen.Closed == nil {
		return &by
	}
	if seen.Outcome == "" && seen.neverBegan() {
		return nil // it was refused before it had read what to put back
	}
	by.Outcome, by.Closed = patch.Outcome(seen.Outcome), *seen.Closed
	if by.Outcome == patch.NothingPutBack { // an earlier run may have
		if earlier := putBackBefore(ctx, c, by.WaveID, ended); !earlier.IsZero() {
			by.Outcome, by.Closed = patch.RolledBack, earlier
		}
	}
	return &by
}

// putBackBefore is when the last run of a roll back closed that put back what a wave had patched which has ended then;
// zero: none did, or Temporal does not say.
func putBackBefore(ctx context.Context, c lister, id string, ended time.Time) (closed time.Time) {
	page, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		Query: "WorkflowId = " + quoted(id), PageSize: 100,
	})
	if err != nil {
		return closed
	}
	for _, info := range page.GetExecutions() {
		run := listedOf(info)
		putBack := run.Outcome == string(patch.RolledBack) && run.Closed != nil && !run.Started.Before(ended)
		if putBack && run.Closed.After(closed) {
			closed = *run.Closed
		}
	}
	return closed
}
