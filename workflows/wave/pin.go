package wave

import (
	"fmt"
	"slices"
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// pin writes down what the stages before have proved, which binds the stage. Where that cannot be had the stage does
// not begin.
func (w *wave) pin(ctx workflow.Context, stage int) (outcome patch.Outcome, goesOn bool) {
	if w.plan.PinOf(stage) != patch.PinManifest {
		return "", true
	}
	w.turn.binding = true
	defer func() { w.turn.binding = false }()
	var pinned patch.Pinned
	for {
		w.enter(ctx, patch.StateRunning, "")
		err := w.makeManifest(ctx, stage, &pinned)
		if ctx.Err() != nil || w.inbox.aborts() {
			w.reason = "aborted: " + w.whoAborted(ctx)
			return patch.Aborted, false
		}
		if err == nil {
			break
		}
		if decision := w.holdUnbound(ctx, stage, run.Reason(err)); decision.Verb != patch.Retry {
			w.enter(ctx, patch.StateAborting, "")
			return w.unpinned(stage, unwritten+run.Reason(err)+": aborted: "+decision.Actor+": "+decision.Reason)
		}
	}
	if len(pinned.Systems) == 0 && !w.roster.nothingDue(stage, w.status.Only) {
		why := "the stages before have proved nothing, neither in this wave nor in an earlier one of the plan that they " +
			"still hold. What was installed there by others binds nobody: a wave with pin: none brings production level"
		if pinned.NotProofs > 0 {
			why += fmt.Sprintf("; of %d of their machines the manifest %.12s in its evidence says why", pinned.NotProofs,
				pinned.SHA256)
		}
		if len(pinned.NotCarried) > 0 {
			why += "; of earlier waves: " + strings.Join(pinned.NotCarried, "; ")
		}
		return w.unpinned(stage, why)
	}
	w.turn.pinned, w.status.Stages[stage].Pinned = &pinned, &pinned
	w.show(ctx)
	return "", true
}

const unwritten = "what the stages before proved could not be written down: "

// makeManifest has the manifest written, as long as nobody aborts the wave.
func (w *wave) makeManifest(ctx workflow.Context, stage int, pinned *patch.Pinned) (err error) {
	writing, stop := workflow.WithCancel(ctx)
	defer stop()
	written := false
	workflow.Go(writing, func(ctx workflow.Context) {
		err = w.writeManifest(ctx, stage, pinned)
		written = true
	})
	// Its only error is the cancel, which whoever asked looks at.
	_ = workflow.Await(ctx, func() bool { return written || w.inbox.aborts() })
	if !written {
		return nil
	}
	return err
}

// writeManifest finds the plan's manifest before, asks machines of the stages before what they hold of it, and has all
// that is proved written down.
func (w *wave) writeManifest(ctx workflow.Context, stage int, pinned *patch.Pinned) error {
	in := activities.MakeManifestInput{
		Plan: w.plan.Name, WaveID: w.status.WaveID, Stages: w.status.ProvenStages(stage),
	}
	for before := range stage {
		for _, held := range w.roster.of(before) {
			for _, one := range held.counts.Unproven {
				in.Without = append(in.Without, one.ID)
			}
		}
	}
	var found activities.FoundCarried
	if err := workflow.ExecuteActivity(run.Controlling(ctx, "what earlier waves proved"), control.FindCarried,
		activities.FindCarriedInput{Plan: w.plan.Name, WaveID: w.status.WaveID}).Get(ctx, &found); err != nil {
		return err
	}
	in.Carries, in.NotCarried = found.Manifest, found.Unproven
	if found.Manifest != nil {
		w.askCarried(ctx, stage, &in)
	}
	return workflow.ExecuteActivity(run.Controlling(ctx, "what binds the stage "+w.plan.Stages[stage].Name),
		control.MakeManifest, in).Get(ctx, pinned)
}

// askCarried asks machines that the stages before have proved what they hold of the manifest before. One that does not
// answer proves nothing of it.
func (w *wave) askCarried(ctx workflow.Context, stage int, in *activities.MakeManifestInput) {
	var groups []*lockedGroup
	var members [][]string
	for before := range stage {
		for _, held := range w.roster.of(before) {
			groups = append(groups, held)
			// Whom this wave does not take holds what earlier ones have proved all the same.
			members = append(members, slices.DeleteFunc(slices.Concat(held.members, held.reach.Aside()),
				func(id string) bool { return slices.Contains(in.Without, id) }))
		}
	}
	t := w.plan.Timing
	var asked []string
	var answers []workflow.Future
	for i, ids := range patch.AsksForCarried(members) {
		for _, id := range ids {
			options := run.Summed(run.Waiting(ctx, groups[i].group, t, t.Agent), "what it holds of earlier waves: "+id)
			asked = append(asked, id)
			answers = append(answers, workflow.ExecuteActivity(options, aws.CheckCarried, activities.CheckCarriedInput{
				CollectMachineFactsInput: activities.CollectMachineFactsInput{
					Instance: activities.Instance{Group: groups[i].group, ID: id}, Platform: w.plan.Of(groups[i].group).Platform,
					Attempt: run.Anew(ctx, run.Attempt(w.status.WaveID, id, "facts-carried", stage)), Budget: t.Agent,
					Pace: run.Pace(t),
				},
				Manifest: *in.Carries, At: workflow.Now(ctx),
			}))
		}
	}
	for i, answer := range answers {
		var proof patch.CarriedProof
		if err := answer.Get(ctx, &proof); err != nil {
			in.NotCarried = append(in.NotCarried, asked[i]+": it has not told which packages it holds: "+run.Reason(err))
			continue
		}
		for _, blocked := range proof.Blocked {
			in.NotCarried = append(in.NotCarried, asked[i]+": blocked: "+blocked)
		}
		proof.Blocked = nil
		in.Held = append(in.Held, proof)
	}
}

// holdUnbound asks people what to do about a place for manifests that is away: staging need not be patched once more
// for it. There is nothing that could be skipped, or put back.
func (w *wave) holdUnbound(ctx workflow.Context, stage int, why string) patch.Decision {
	planned := w.plan.Stages[stage]
	w.ask(ctx, patch.StateOnHold, w.roster.of(stage), func(also string) string {
		return fmt.Sprintf("%s has not begun: it is bound to what the stages before prove (pin: manifest), and %s%s. %s"+
			"Nothing of it was touched. Send retry once that is mended, or abort; what the stages before have patched can be "+
			"put back once the wave has closed.", planned.Name, unwritten, why, also)
	})
	timeout := planned.OnFailure.Timeout
	until := unless(ctx, timeout, patch.Abort)
	tell := func(ctx workflow.Context) { w.tell(ctx, patch.NoticeOnHold, until) }
	tell(ctx)
	return w.awaitDecision(ctx, timeout, patch.Decision{
		Verb: patch.Abort, Actor: patch.ByItself, Point: w.status.Point(),
		Reason: "nobody answered within " + timeout.String(),
	}, tell)
}

func (w *wave) unpinned(stage int, why string) (patch.Outcome, bool) {
	w.reason = strings.TrimPrefix(w.reason+"; "+w.plan.Stages[stage].Name+" was not begun: it is bound to what the "+
		"stages before prove (pin: manifest), and "+why, "; ")
	return patch.Aborted, false
}
