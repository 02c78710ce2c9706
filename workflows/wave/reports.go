package wave

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// listen takes the groups' reports, and what their instances are doing.
func (w *wave) listen(ctx workflow.Context) {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	reports := workflow.GetSignalChannelWithOptions(clean, names.SignalGroupReport, workflow.SignalChannelOptions{
		Description: "A group's counts; for groups only",
	})
	news := workflow.GetSignalChannelWithOptions(clean, names.SignalGroupNow, workflow.SignalChannelOptions{
		Description: "What instances are doing; for groups only",
	})
	looks := workflow.GetSignalChannelWithOptions(clean, names.SignalSoakLook, workflow.SignalChannelOptions{
		Description: "What a look at a stage that soaks saw; for WatchSoak only",
	})
	workflow.Go(clean, func(c workflow.Context) {
		for {
			var look patch.SoakLook
			looks.Receive(c, &look)
			w.heardLook(c, look)
		}
	})
	workflow.Go(clean, func(c workflow.Context) {
		for {
			var now patch.GroupAtWork
			news.Receive(c, &now)
			for _, held := range w.roster.groups {
				if held.group.String() == now.Group && !now.At.Before(held.now.At) {
					held.now = now
					if now.Done >= held.counts.Done {
						held.counts.Done, held.counts.Tally = now.Done, now.Tally
					}
					w.show(c)
				}
			}
		}
	})
	workflow.Go(clean, func(c workflow.Context) {
		for {
			var counts patch.GroupCounts
			reports.Receive(c, &counts)
			w.heard(c, counts)
		}
	})
}

// heard takes a group's report. What it says of failures is told at once, unless the stage goes on hold with it: one
// notice then says both.
func (w *wave) heard(ctx workflow.Context, counts patch.GroupCounts) {
	reporter := w.roster.report(ctx, counts)
	if reporter != nil && w.status.State == patch.StatePaused && w.inbox.paused != nil {
		w.asks = w.pausedText(reporter.stage)
	}
	w.show(ctx)
	if reporter != nil && (counts.Phase != patch.GroupHeld || w.roster.running(reporter.stage) > 0) {
		w.tellFailures(ctx, reporter)
	}
}

// lostReason is told of a group that nobody released and that reports no more.
const lostReason = "its workflow ended before the wave released it; was it terminated?"

// writeOff gives up groups whose workflow has closed although nobody released it.
func (w *wave) writeOff(ctx workflow.Context, groups []*lockedGroup) {
	for _, held := range groups {
		held.counts.Phase, held.counts.Outcome = patch.GroupDone, patch.Failed
		held.counts.Reason, held.lost = lostReason, true
		w.show(ctx)
	}
}
