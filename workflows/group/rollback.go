package group

import (
	"fmt"
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/plain"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// rollBack puts back every instance that was patched: those that do not serve first, for they take nothing away, then
// the one that was patched last. One for which there is no room is asked again once another has been put back; one that
// is refused for good is told with its reason and stops no other.
func (g *group) rollBack(ctx workflow.Context) {
	g.wantedBack = true
	clean, _ := workflow.NewDisconnectedContext(ctx)
	if !g.takeResumed() {
		g.recallUntried()
		g.askAgain()
		if !g.needsBack() && !g.status.Image.Undoes() && g.in.Run != "" {
			g.rolledBack = true
			g.enter(ctx, patch.GroupDone, "nothing to put back")
			return
		}
		g.enter(ctx, patch.GroupRollingBack, "")
		g.putImageBack(ctx) // before anything is launched in its place
		g.tellNewerImage(ctx)
		if g.needsBack() {
			if err := g.prepare(clean, patch.LevelPutBack); err != nil {
				why := "roll back cannot begin: " + run.Reason(err)
				g.leavePatched(why)
				g.enter(ctx, patch.GroupHeld, why)
				return
			}
		}
	}
	for g.needsBack() {
		if g.mayContinueAsNew(ctx) {
			return
		}
		g.putBackNext(ctx)
	}
	g.giveBack(clean)
	g.rolledBack = true
	g.enter(ctx, patch.GroupDone, g.cameBack())
}

// cameBack says what came of a roll back.
func (g *group) cameBack() string {
	stay := g.stillPatched()
	back := slices.Contains(outcomesOf(g.status.Instances), patch.RolledBack)
	switch {
	case stay == 0 && back:
		return patch.RolledBack.Words()
	case stay == 0:
		return patch.NothingPutBack.Words()
	case back:
		return fmt.Sprintf("rolled back, but for %s: still patched", plain.Plural(stay, "instance"))
	}
	return fmt.Sprintf("%s could not be put back: still patched", plain.Plural(stay, "instance"))
}

// stillPatched counts those that were to be put back and could not be. Before a roll back what an install has left on
// an instance that serves is none of them.
func (g *group) stillPatched() (count int) {
	for _, instance := range g.status.Instances {
		if g.wantedBack && instance.StillPatched {
			count++
		}
	}
	return count
}

// putBackNext puts one instance back, chosen by what the group is now.
func (g *group) putBackNext(ctx workflow.Context) {
	var patched, refused []string
	for _, instance := range g.status.Instances {
		switch {
		case instance.Outcome.LeftPatched():
			patched = append(patched, instance.ID)
		case lacksRoom(instance):
			patched, refused = append(patched, instance.ID), append(refused, instance.ID)
		}
	}
	// Of a group that cannot be read nobody is known to serve, and the instance's own look tells why. Whoever gives up
	// meanwhile need not wait for AWS.
	var state patch.GroupState
	clean, stop := workflow.NewDisconnectedContext(ctx)
	g.stopTrying = stop
	_ = workflow.ExecuteActivity(run.Reading(clean, g.in.Group, g.in.Policy.Timing), aws.InspectGroup,
		activities.InspectGroupInput{Group: g.in.Group, Targets: g.targets}).Get(clean, &state)
	g.stopTrying = nil
	stop()
	i := indexOf(g.status.Instances, patch.NextPutBack(g.in.Group, state, patched, refused))
	was := g.status.Instances[i]
	g.try[was.ID]++
	point := patch.RestorePoint{}
	if was.Backup != nil {
		point = *was.Backup
	}
	result := g.putBackInstance(ctx, was.ID, journal.PutBack{
		Point: point, PatchedBoot: was.BootID, Run: g.in.Run, Earlier: g.leftEarlier(was),
		Missing: was.MissingBefore, RootVolume: was.RootVolume,
	})
	if lacksRoom(result) {
		// What the wave knows of it is kept: it may be asked again.
		was.Outcome, was.StillPatched, was.Reason, was.Refused = result.Outcome, true, result.Reason, result.Refused
		g.status.Instances[i] = was
		workflow.SetCurrentDetails(ctx, g.details(ctx))
		return
	}
	result.MissingBefore, result.AutomationExecutionID = was.MissingBefore, was.AutomationExecutionID
	result.Changes, result.Details = was.Changes, was.Details // what was done, and is put back
	result.Canary, result.WasStopped = was.Canary, was.WasStopped
	if result.StillPatched {
		result.ApplicationAfter, result.MissingAfter = was.ApplicationAfter, was.MissingAfter
		result.BootID, result.PackagesAfter = was.BootID, was.PackagesAfter
		result.RebootPending, result.RootVolume = was.RebootPending, was.RootVolume
	}
	g.status.Instances[i] = result
	g.status.Stranded = append(g.status.Stranded, result.Stranded...)
	if result.Outcome == patch.RolledBack {
		g.askAgain()
	}
	g.report(ctx)
}

// lacksRoom reports whether an instance stays patched for the time being, since its group could not do without it.
func lacksRoom(instance patch.InstanceResult) bool {
	return instance.StillPatched && instance.Refused == patch.RefusedCapacity
}

// askAgain has those put back for which there was no room: there may be by now.
func (g *group) askAgain() {
	for i, instance := range g.status.Instances {
		if lacksRoom(instance) {
			instance.Outcome, instance.StillPatched = patch.PatchedAs(instance.RebootPending), false
			instance.Reason, instance.Refused = "", ""
			g.status.Instances[i] = instance
		}
	}
}

// leftEarlier is what an instance was left with that an earlier window patched; nil for one of this window.
func (g *group) leftEarlier(was patch.InstanceResult) *journal.LeftBy {
	if g.earlier.IsZero() || was.Ended.After(g.earlier) {
		return nil
	}
	return &journal.LeftBy{Packages: was.PackagesAfter, Application: was.ApplicationAfter}
}

// leavePatched says of every instance still to be put back why it was not.
func (g *group) leavePatched(why string) {
	for i, instance := range g.status.Instances {
		if instance.Outcome.LeftPatched() {
			g.status.Instances[i].Outcome, g.status.Instances[i].StillPatched, g.status.Instances[i].Reason = patch.Failed,
				true, why
		}
	}
}

// needsBack reports whether an instance is to be put back that was not refused for want of room since anything changed.
func (g *group) needsBack() bool {
	for _, instance := range g.status.Instances {
		if instance.Outcome.LeftPatched() {
			return true
		}
	}
	return false
}
