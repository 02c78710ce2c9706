package wave

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// Bounds of what is read for whoever approves: it is only shown, nobody waits for it for long, and a history of a
// thousand groups has room for no more.
const (
	caseBudget        = 2 * time.Minute // for all of AWS; what does not answer by then is told as not known
	caseEvidence      = time.Minute     // for the evidence
	mostCaseInstances = 200             // of which it is read what is due
	mostCaseOfGroup   = 50              // of those, of one group
	mostCasePlaces    = 30              // accounts and regions whose alarms are read
	mostCaseCompared  = 1000            // ids of patches that are looked for in what the stages before installed
	mostCaseWithout   = 2000            // instances that are not proven, whose packages do not count
)

// caseOf is what the wave itself knows of a stage to be approved. What AWS and the evidence tell is read into it.
func (w *wave) caseOf(ctx workflow.Context, stage int) *patch.Case {
	planned := w.plan.Stages[stage]
	of := &patch.Case{
		Stage: planned.Name, At: workflow.Now(ctx), Reading: true, Before: []patch.CaseBefore{},
		Due: patch.CaseDue{Of: w.roster.members(stage)}, Gates: run.Gates(planned.Health), Alarms: []patch.CaseAlarm{},
		Loses: w.plan.RollBackOf(planned.Name), Pinned: w.turn.pinned,
		Images: w.turn.images, LosesRoot: planned.LosesRoot(),
	}
	for before, planned := range w.plan.Stages[:w.seenBy(stage)] {
		var counts []patch.GroupCounts
		for _, held := range w.roster.of(before) {
			counts = append(counts, held.counts)
		}
		of.Before = append(of.Before, patch.Before(planned.Name, counts))
	}
	return of
}

// seenBy is how many stages of the plan show what a stage is about to get: those before it, and itself once some of its
// steps are done.
func (w *wave) seenBy(stage int) int {
	if w.turn.approval != nil {
		return stage + 1
	}
	return stage
}

// readCase reads what AWS and the evidence tell of the stage to be approved. What cannot be read is told as not known,
// and keeps nobody from deciding.
func (w *wave) readCase(ctx workflow.Context, stage int) {
	read := caseReader{wave: w, stage: stage, of: *w.status.Case, until: workflow.Now(ctx).Add(caseBudget)}
	read.alarms(ctx)
	read.fit(ctx)
	read.changes(ctx, read.due(ctx))
	if ctx.Err() != nil {
		return // somebody has decided
	}
	read.of.Reading = false
	w.status.Case = &read.of
	w.show(ctx)
}

// caseReader fills in a case.
type caseReader struct {
	wave  *wave
	stage int
	of    patch.Case
	until time.Time // AWS is asked no longer than that
}

func (r *caseReader) unknown(format string, words ...any) {
	r.of.Unknown = append(r.of.Unknown, fmt.Sprintf(format, words...))
}

// reads is for one read of it in an account.
func (r *caseReader) reads(ctx workflow.Context, group patch.Group, what string) workflow.Context {
	return run.Before(run.Summed(run.Reading(ctx, group, r.wave.plan.Timing), what), r.until)
}

// looked are members of a group about which is asked.
type looked struct {
	held    *lockedGroup
	members []string
}

// looks are those of the stage's groups, as many as are asked about.
func (r *caseReader) looks() (groups []looked) {
	left := mostCaseInstances
	for _, held := range r.wave.roster.of(r.stage) {
		if some := min(len(held.members), mostCaseOfGroup, left); some > 0 {
			groups, left = append(groups, looked{held, held.members[:some]}), left-some
		}
	}
	return groups
}

// due reads what the stage is due to get, and returns the ids.
func (r *caseReader) due(ctx workflow.Context) []string {
	type asked struct {
		looked
		read activities.DueRead
		err  error
	}
	var groups []*asked
	for _, one := range r.looks() {
		groups = append(groups, &asked{looked: one})
	}
	// What fails is told, and no error.
	_ = run.EachAtOnce(ctx, len(groups), lookedAtOnce, func(ctx workflow.Context, i int) error {
		one := groups[i]
		one.err = workflow.ExecuteActivity(r.reads(ctx, one.held.group, "what is due in "+one.held.group.String()),
			aws.ReadDue, activities.ReadDueInput{
				Group: one.held.group, Instances: one.members, BaselineID: one.held.baselineID,
			}).Get(ctx, &one.read)
		return nil
	})
	due, into := []string{}, &r.of.Due
	unnamed, unasked, failed := 0, into.Of, 0
	for _, one := range groups {
		unasked -= len(one.members)
		if one.err != nil {
			if failed++; failed == 1 {
				r.unknown("what is due in %s: %s", one.held.group, patch.Clip(run.Reason(one.err), longestUnknown))
			}
			continue
		}
		due = append(due, one.read.Patches...)
		into.Instances += one.read.Instances
		unnamed += one.read.Unnamed
		if at := one.read.Oldest; into.Oldest.IsZero() || !at.IsZero() && at.Before(into.Oldest) {
			into.Oldest = at
		}
		if never := len(one.members) - one.read.Instances; never > 0 {
			r.unknown("what is due on %d of %s: they were not scanned by the plan's baseline", never, one.held.group)
		}
	}
	if failed > 1 {
		r.unknown("what is due in %d more groups, which could not be read either", failed-1)
	}
	if unasked > 0 {
		r.unknown("what is due on %d more instances, which were not asked: %d are, at most", unasked, mostCaseInstances)
	}
	if unnamed > 0 {
		r.unknown("which patches %d more are that are due and not named", unnamed)
	}
	slices.Sort(due)
	due = slices.Compact(due)
	into.Patches = len(due)
	return due
}

// longestUnknown is how much is told of why something is not known.
const longestUnknown = 300

// alarms reads how the alarms stand that judge the stage, once in each account and region.
func (r *caseReader) alarms(ctx workflow.Context) {
	if len(r.of.Gates) == 0 {
		return
	}
	var groups []patch.Group
	for _, held := range r.wave.roster.of(r.stage) {
		if !slices.ContainsFunc(groups, func(g patch.Group) bool { return placeOf(g) == placeOf(held.group) }) {
			groups = append(groups, held.group)
		}
	}
	if more := len(groups) - mostCasePlaces; more > 0 {
		groups = groups[:mostCasePlaces]
		r.unknown("how its alarms stand in %d more accounts and regions, which were not asked", more)
	}
	seen, errs := make([]activities.AlarmsRead, len(groups)), make([]error, len(groups))
	_ = run.EachAtOnce(ctx, len(groups), lookedAtOnce, func(ctx workflow.Context, i int) error {
		errs[i] = workflow.ExecuteActivity(r.reads(ctx, groups[i], "how the alarms stand in "+placeOf(groups[i])),
			aws.ReadAlarms, activities.ReadAlarmsInput{Group: groups[i], Alarms: r.of.Gates}).Get(ctx, &seen[i])
		return nil
	})
	for i, group := range groups {
		if errs[i] != nil {
			r.unknown("how its alarms stand in %s: %s", placeOf(group), patch.Clip(run.Reason(errs[i]), longestUnknown))
		}
		for _, alarm := range seen[i].Alarms {
			r.of.Alarms = append(r.of.Alarms, patch.CaseAlarm{
				Place: placeOf(group), Name: alarm.Name, State: alarm.State, Since: alarm.Since,
			})
		}
	}
	r.of.FitAlarms()
}

func placeOf(group patch.Group) string { return group.Account.Name + "/" + group.Region }

// changes reads what the stages before changed, and which of what is due they did not install.
func (r *caseReader) changes(ctx workflow.Context, due []string) {
	in := activities.ReadChangesInput{
		WaveID: r.wave.status.WaveID, Due: due[:min(len(due), mostCaseCompared)], Pinned: r.of.Pinned,
	}
	patched := 0
	for before := range r.wave.seenBy(r.stage) {
		for _, held := range r.wave.roster.of(before) {
			patched += held.counts.Patched
			for _, one := range held.counts.Unproven {
				in.Without = append(in.Without, one.ID)
			}
		}
	}
	if patched == 0 && in.Pinned == nil { // then nobody has anything to tell
		r.of.Due.NameUnseen(due)
		return
	}
	var read activities.ChangesRead
	if more := len(in.Without) - mostCaseWithout; more > 0 {
		in.Without = in.Without[:mostCaseWithout]
		r.unknown("which of the packages were changed on %d more instances only that are not proven", more)
	}
	options := run.Within(run.Controlling(ctx, "what the stages before have changed"), caseEvidence)
	if err := workflow.ExecuteActivity(options, control.ReadChanges, in).Get(ctx, &read); err != nil {
		r.unknown("what the stages before changed, and so what they have not seen: %s",
			patch.Clip(run.Reason(err), longestUnknown))
		return
	}
	r.of.Changed = read.Changed
	if missing := patched - read.Changed.Instances; missing > 0 {
		r.unknown("what was changed on %d of the %d instances that the stages before patched, and so whether they have "+
			"seen all of the patches", missing, patched)
	}
	if len(due) > mostCaseCompared {
		r.unknown("which of %d more patches the stages before have not seen", len(due)-mostCaseCompared)
	}
	r.of.Due.NameUnseen(read.Unseen)
}
