package freeze

import (
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// recall reads, where this is the first that this Temporal knows of freezes, what the evidence keeps: the database
// that held them may be lost. Until it is read everything is frozen, however long that takes: what is kept may not be
// written over unread. What cannot be believed freezes everything, until a person lifts that. Its only error is the
// cancel.
func (f *freezer) recall(ctx workflow.Context) error {
	reading := f.unread(ctx, "what is frozen is being read from the evidence")
	reading.Reading = true
	f.status.Freezes = patch.Freezes{reading}
	f.show(ctx)
	var kept activities.KeptFreezes
	for {
		err := workflow.ExecuteActivity(run.Controlling(ctx, "what was frozen, by the evidence"),
			control.ReadKeptFreezes).Get(ctx, &kept)
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		f.status.Freezes = patch.Freezes{f.unread(ctx, "the evidence cannot be read, which keeps what is frozen: "+
			run.Reason(err))}
		f.changes++
		f.tell(ctx, unreadable(f.status.Freezes[0].Reason))
		f.show(ctx)
		if err := pause(ctx); err != nil {
			return err
		}
	}
	f.status.Freezes, f.kept = kept.Freezes, slices.Clone(kept.Freezes)
	if kept.Untrusted != "" {
		f.status.Freezes = patch.Freezes{f.unread(ctx, "what the evidence keeps of freezes cannot be believed: "+
			kept.Untrusted)}
	}
	f.recalled = true
	if len(f.status.Freezes) > 0 {
		f.reminded = workflow.Now(ctx)
		f.changes++
		f.tell(ctx, recalled(f.status.Freezes))
	}
	return nil
}

// unread is the freeze of everything by nobody but us.
func (f *freezer) unread(ctx workflow.Context, why string) patch.Freeze {
	return patch.Freeze{Actor: patch.ByItself, Reason: why, Since: workflow.Now(ctx)}
}

// keepInEvidence writes what is frozen into the evidence as it changes. A store that is away keeps nobody from
// freezing, and is tried again for as long as it lacks something.
func (f *freezer) keepInEvidence(ctx workflow.Context) {
	for {
		if err := workflow.Await(ctx, f.unkept); err != nil {
			return
		}
		f.keeping = true
		if err := f.keepNow(ctx, run.Controlling(ctx, "what is frozen, into the evidence")); err != nil {
			workflow.GetLogger(ctx).Error("what is frozen is in no evidence yet", "error", run.Reason(err))
			f.keeping = false
			if pause(ctx) != nil {
				return
			}
		}
		f.keeping = false
	}
}

// pause keeps what failed for good, which an activity does at once, from being tried again without end in one moment.
func pause(ctx workflow.Context) error {
	_, err := run.Await(ctx, evidenceAgain, "until the evidence is tried again", func() bool { return false })
	return err
}

// evidenceAgain is how long after an error the evidence is tried again.
const evidenceAgain = 30 * time.Minute

// keepNow writes once what is frozen now.
func (f *freezer) keepNow(ctx, options workflow.Context) error {
	now := slices.Clone(f.status.Freezes)
	err := workflow.ExecuteActivity(options, control.KeepFreezes, activities.KeptFreezes{Freezes: now}).Get(ctx, nil)
	if err == nil {
		f.kept = now
	}
	return err
}

// unkept tells whether the evidence lacks what is frozen now.
func (f *freezer) unkept() bool {
	return f.recalled && !slices.EqualFunc(f.kept, f.status.Freezes, patch.Freeze.Equal)
}
