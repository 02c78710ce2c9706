package worker

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/taskqueue/v1"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/pollers"
)

// lookBeside is how often Temporal is asked who polls.
const lookBeside = 5 * time.Second

// checkBeside refuses to start beside a worker that keeps its evidence elsewhere, or signs with a key that is not known
// here: neither would believe what the other has recorded, so that nothing could be put back. journals are this one's
// (evidence.Store's Fingerprints). Temporal does not tell whether who polled lately still runs; so one that differs is
// watched until it polls again, which is an error, or is forgotten.
func checkBeside(ctx context.Context, queues pollers.Queues, journals []string, logger *slog.Logger) error {
	seen := map[string]time.Time{}
	for told := false; ; told = true {
		workers, err := pollers.Workers(ctx, queues, time.Now())
		if err != nil {
			return fmt.Errorf("ask Temporal who polls the queue %s: %w", names.TaskQueue, err)
		}
		var strange []string
		for _, other := range workers {
			if slices.Contains(append(journals, names.UnknownJournal), other.Worker.Journal) {
				continue
			}
			last, again := seen[other.Identity]
			switch {
			case !again:
				seen[other.Identity] = other.Last
			case other.Last.After(last):
				return fmt.Errorf("the worker %s serves this namespace with another evidence store or journal key, so that "+
					"neither would believe what the other has recorded: stop one of the two, or give both the same evidence "+
					"and journal_key_from (a bucket where they are on two machines; single_worker: true is for one worker)",
					other.Process())
			}
			strange = append(strange, other.Process())
		}
		if len(strange) == 0 {
			return nil
		}
		if !told {
			logger.Warn("another worker with another evidence store or journal key was here: looking whether it still runs, "+
				"for as long as a poll is held", "workers", strange, "at_most", pollers.Age)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lookBeside):
		}
	}
}

const (
	listedWithin = 10 * time.Second       // Temporal lists who polls
	lookListed   = 100 * time.Millisecond // for it
)

// awaitListed waits until Temporal lists that this worker polls for workflows. That it does not is told, and is no
// reason to stop: some servers list late.
func awaitListed(ctx context.Context, queues pollers.Queues, identity string, logger *slog.Logger) {
	ctx, cancel := context.WithTimeout(ctx, listedWithin)
	defer cancel()
	for {
		asked, err := queues.DescribeTaskQueue(ctx, names.TaskQueue, enums.TASK_QUEUE_TYPE_WORKFLOW)
		if err == nil && slices.ContainsFunc(asked.GetPollers(), func(p *taskqueue.PollerInfo) bool {
			return p.GetIdentity() == identity
		}) {
			return
		}
		select {
		case <-ctx.Done():
			logger.Warn("Temporal does not list this worker among those that poll", "queue", names.TaskQueue, "error", err,
				"todo", "see whether its credentials may poll there, and `patchtide doctor`")
			return
		case <-time.After(lookListed):
		}
	}
}
