package activities

import (
	"context"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

const (
	// measuredWaves of a plan, the newest, say how long an instance takes: enough to know, and few enough to follow a change.
	measuredWaves = 10
	// measuring bounds reading them, well within the activity's time: a slow store must not keep a wave from starting.
	measuring = 10 * time.Second
)

// measure puts the durations of the plan's earlier waves over its estimates. A wave is found by the id that Patchtide gives
// it, which begins with the plan's name and sorts by time. What cannot be read is left out: the estimates remain.
func (c *Control) measure(ctx context.Context, plan *patch.Plan) {
	short, cancel := context.WithTimeout(ctx, measuring)
	defer cancel()
	ids, err := c.Evidence.ListWaves(short)
	if err != nil {
		c.warn(ctx, "earlier waves not listed; the plan's estimates count", err)
		return
	}
	var measured patch.Measured
	read := 0
	for _, id := range slices.Backward(ids) {
		if read == measuredWaves {
			break
		}
		if !strings.HasPrefix(id, names.WaveOf(plan.Name)) {
			continue
		}
		var document WaveDocument
		if err := c.Evidence.GetWave(short, id, &document); err != nil {
			if short.Err() != nil {
				c.warn(ctx, "earlier waves not read in time; what was read counts", err)
				break
			}
			continue // a journal without a document: it was terminated, or runs
		}
		if document.Plan.Name != plan.Name {
			continue // web-blue begins like web
		}
		read++
		measured.Measure(document.Result)
	}
	estimates := plan.Estimates.With(measured)
	plan.Estimates = &estimates
}

// warn logs, also where no activity runs around it.
func (c *Control) warn(ctx context.Context, what string, err error) {
	if activity.IsActivity(ctx) {
		activity.GetLogger(ctx).Warn(what, "error", err)
	}
}
