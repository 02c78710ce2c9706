package freeze

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// recall reads, where this is the first that this Temporal knows of freezes, what the evidence keeps: the database that
// held them may be lost. Until it is read everything is frozen. What cannot be read, or believed, stays so until a
// person lifts it. It reports whether freezes were found of which Temporal knew nothing.
func (f *freezer) recall(ctx workflow.Context) (found bool) {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	f.status.Freezes = patch.Freezes{f.unread(clean, "what is frozen is being read from the evidence")}
	f.show(clean)
	var kept activities.KeptFreezes
	err := workflow.ExecuteActivity(run.Controlling(clean, "what was frozen, by the evidence"),
		control.ReadKeptFreezes).Get(clean, &kept)
	switch {
	case err != nil:
		kept.Untrusted = run.Reason(err)
		fallthrough
	case kept.Untrusted != "":
		kept.Freezes = patch.Freezes{f.unread(clean, "nobody knows what was frozen: "+kept.Untrusted)}
	}
	f.status.Freezes, f.kept = kept.Freezes, slices.Clone(kept.Freezes)
	f.recalled = true
	f.show(clean)
	return len(kept.Freezes) > 0
}

// unread is the freeze of everything by nobody but us.
func (f *freezer) unread(ctx workflow.Context, why string) patch.Freeze {
	return patch.Freeze{Actor: "patchtide", Reason: why, Since: workflow.Now(ctx)}
}

// keepInEvidence writes what is frozen into the evidence as it changes. A store that is away keeps nobody from freezing;
// what is not written by the end of a run is by the next one.
func (f *freezer) keepInEvidence(ctx workflow.Context) {
	for {
		if err := workflow.Await(ctx, func() bool { return f.unkept() }); err != nil {
			return
		}
		f.keeping = true
		now := slices.Clone(f.status.Freezes)
		if err := workflow.ExecuteActivity(run.Controlling(ctx, "what is frozen, into the evidence"), control.KeepFreezes,
			activities.KeptFreezes{Freezes: now}).Get(ctx, nil); err != nil {
			workflow.GetLogger(ctx).Error("what is frozen is in no evidence", "error", run.Reason(err))
		}
		f.kept, f.keeping = now, false
	}
}

// unkept tells whether the evidence lacks what is frozen now.
func (f *freezer) unkept() bool { return f.recalled && !slices.Equal(f.kept, f.status.Freezes) }
