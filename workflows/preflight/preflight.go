// Package preflight is what a wave asks of many groups before it patches any. A wave's history has no room for six
// activities of each of a thousand groups, so children of the wave do it for a batch of groups at a time.
package preflight

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// Bounds of a batch, for Temporal should be given no more than 512 KB at once, and keeps 50 MB of a history. The ids
// and target groups of 20 groups of 600 instances are some 400 KB. Of an instance a scan keeps some 5 KB in the
// history, and what a roll back is given to judge is some 0.7 KB.
const (
	mostGroups  = 20
	MostScanned = 2_000 // instances
	MostJudged  = 300   // instances; a group that has more is a batch of its own
)

// groupsAtOnce bounds the groups of a batch that are worked on at once. A wave has a few batches at once, and a task
// that lies in an account's queue for half a minute is taken for one that nobody serves.
const groupsAtOnce = 10

// Batches divides groups, in their order, so that none has more than most instances; instances tells how many a group
// has.
func Batches[G any](groups []G, most int, instances func(G) int) (batches [][]G) {
	var batch []G
	held := 0
	for _, group := range groups {
		if len(batch) == mostGroups || len(batch) > 0 && held+instances(group) > most {
			batches, batch, held = append(batches, batch), nil, 0
		}
		batch, held = append(batch, group), held+instances(group)
	}
	if len(batch) > 0 {
		batches = append(batches, batch)
	}
	return batches
}

// ofEach does something for each group of a batch, some at once, and answers in their order.
func ofEach[G, A any](
	ctx workflow.Context, waveID string, groups []G, do func(workflow.Context, G) (A, error),
) ([]A, error) {
	if err := run.ChildOf(ctx, "its wave,", waveID); err != nil {
		return nil, err
	}
	answers := make([]A, len(groups))
	err := run.EachAtOnce(ctx, len(groups), groupsAtOnce, func(ctx workflow.Context, i int) (err error) {
		answers[i], err = do(ctx, groups[i])
		return err
	})
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, err
	}
	return answers, nil
}

// Refused is the first refusal of what has been read so far, as an error.
func Refused(ctx workflow.Context, level patch.Level, view patch.View) error {
	view.Now = workflow.Now(ctx)
	if refusal := patch.First(level, view); refusal != nil {
		return run.Refused(refusal)
	}
	return nil
}
