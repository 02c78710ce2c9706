package group

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/patch"
)

// rollBack puts back every instance that was patched, the last one first.
func (g *group) rollBack(ctx workflow.Context) {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	if !g.needsBack() && g.in.Run != "" {
		g.rolledBack = true
		g.enter(ctx, patch.GroupDone, "nothing to put back")
		return
	}
	if !g.takeResumed() {
		g.enter(ctx, patch.GroupRollingBack, "")
		if g.needsBack() {
			if why := g.prepare(clean, false); why != "" {
				g.leavePatched("roll back cannot begin: " + why)
				g.enter(ctx, patch.GroupHeld, "roll back cannot begin: "+why)
				return
			}
		}
	}
	for i := len(g.status.Instances) - 1; i >= 0; i-- {
		was := g.status.Instances[i]
		if was.Outcome != patch.Patched {
			continue
		}
		if g.mayContinueAsNew(ctx) {
			return
		}
		g.try[was.ID]++
		point := patch.RestorePoint{}
		if was.Backup != nil {
			point = *was.Backup
		}
		result := g.runInstance(clean, was.ID, &journal.PutBack{Point: point, PatchedBoot: was.BootID, Run: g.in.Run, Earlier: g.leftEarlier(was)})
		result.MissingBefore, result.AutomationExecutionID = was.MissingBefore, was.AutomationExecutionID
		result.MissingAfter = was.MissingBefore
		if result.StillPatched {
			result.ApplicationAfter = was.ApplicationAfter
			result.BootID, result.PackagesAfter, result.Changes, result.MissingAfter = was.BootID, was.PackagesAfter, was.Changes, was.MissingAfter
		}
		g.status.Instances[i] = result
		g.status.Stranded = append(g.status.Stranded, result.Stranded...)
		g.report(ctx)
	}
	g.giveBack(clean)
	g.rolledBack = true
	g.enter(ctx, patch.GroupDone, "rolled back")
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
		if instance.Outcome == patch.Patched {
			g.status.Instances[i].Outcome, g.status.Instances[i].StillPatched, g.status.Instances[i].Reason = patch.Failed, true, why
		}
	}
}

func (g *group) needsBack() bool {
	for _, instance := range g.status.Instances {
		if instance.Outcome == patch.Patched {
			return true
		}
	}
	return false
}
