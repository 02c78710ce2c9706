// Package service is HoldService, the lock of a service whose groups are taken one group at a time.
package service

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// Input starts HoldService. Its workflow id is the service's lock.
type Input struct {
	WaveID  string
	Service patch.Service // with those of its groups that the wave may take instances of
	Timing  patch.Timing
}

// Release is the wave's word that it is done with a service.
type Release struct {
	AtRest bool // every group has given its result: nothing of the wave's can be out of service any more
}

// Status is what HoldService answers to the query `status`.
type Status struct {
	Service   string   `json:"service"`
	WaveID    string   `json:"wave_id"`
	Groups    []string `json:"groups"`
	Releasing bool     `json:"releasing"` // the wave is done or gone, and what it left under way is waited for
}

// HoldService holds the lock of a service whose groups are taken one group at a time, until its wave releases
// it. A wave that is terminated releases nothing: then the lock stays until the groups' and instances' workflows, which
// are asked to cancel, have put back what they hold. It ends without an error in either case.
func HoldService(ctx workflow.Context, in Input) error {
	if err := run.ChildOf(ctx, "the wave or the release that it is held for,", in.WaveID); err != nil {
		return err
	}
	status := Status{Service: in.Service.Name, WaveID: in.WaveID, Groups: []string{}}
	for _, group := range in.Service.Groups {
		status.Groups = append(status.Groups, group.String())
	}
	if err := workflow.SetQueryHandlerWithOptions(ctx, names.QueryStatus, func() (Status, error) { return status, nil },
		workflow.QueryHandlerOptions{Description: "Whose lock this is, and whether what a wave left under way is waited " +
			"for"}); err != nil {
		return err
	}
	workflow.SetCurrentDetails(
		ctx, string(run.Said("**%s** is taken one group at a time, and %s has its turn.",
			in.Service, in.WaveID)),
	)
	var release Release
	orphaned, owner := workflow.NewChannel(ctx), run.Owner(ctx)
	if owner != nil {
		workflow.Go(ctx, func(c workflow.Context) {
			if run.AwaitClosed(c, *owner, run.OwnerPoll(in.Timing), "until the wave's run has closed, as by a reset") {
				orphaned.Close()
			}
		})
	}
	workflow.NewSelector(ctx).
		AddReceive(orphaned, func(workflow.ReceiveChannel, bool) {}).
		AddReceive(
			workflow.GetSignalChannel(ctx, names.SignalRelease),
			func(c workflow.ReceiveChannel, _ bool) { c.Receive(ctx, &release) },
		).
		AddReceive(ctx.Done(), func(workflow.ReceiveChannel, bool) {}).
		Select(ctx)
	if release.AtRest {
		return nil
	}
	status.Releasing = true
	workflow.SetCurrentDetails(
		ctx, string(run.Said("%s is done or gone; what it left under way in **%s** is waited for.",
			in.WaveID, in.Service)),
	)
	clean, _ := workflow.NewDisconnectedContext(ctx)
	// Twice: an instance whose group was terminated may not have heard the cancel at the first look, and have begun to
	// act.
	if err := AwaitClosed(clean, in.WaveID, in.Service.Groups); err != nil {
		return err
	}
	if err := workflow.NewTimerWithOptions(
		clean, hearing, workflow.TimerOptions{Summary: "until every child has heard the cancel"},
	).Get(clean, nil); err != nil {
		return err
	}
	return AwaitClosed(clean, in.WaveID, in.Service.Groups)
}
