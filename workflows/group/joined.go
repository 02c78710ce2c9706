package group

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// mostRounds is how often a group is looked at again for members that joined meanwhile: one that loses and launches
// instances for ever would never end.
const mostRounds = 5

// takeJoined looks at the group as it is now that all of it was tried, and takes in the members that joined meanwhile:
// scaled out, launched in the place of others, or attached. Those on their way into service are waited for, and what is
// not reached is a gap. It reports whether there is somebody to patch.
func (g *group) takeJoined(ctx workflow.Context) bool {
	view := g.view(ctx)
	deadline := view.Now.Add(g.in.Policy.Timing.InService.D())
	for told := false; ; {
		state, end := g.readEnd(ctx)
		if state == nil {
			return false
		}
		view.Now, view.State = workflow.Now(ctx), state
		g.knowZones(*state)
		late := patch.TooLate(patch.LevelGroup, view)
		goesOn := late == nil && g.rounds < mostRounds && !g.stopped && ctx.Err() == nil
		switch {
		case goesOn && len(end.Joined) > 0:
			for _, id := range end.Joined {
				joined, _ := state.Member(id)
				g.status.Instances = append(g.status.Instances, patch.UntouchedMember(joined))
			}
			g.rounds++
			return true
		case goesOn && len(end.Coming) > 0 && !g.wanted() && view.Now.Before(deadline):
			if !told {
				told = true
				g.enter(ctx, patch.GroupPatching, "waiting for whoever joins: "+end.Coming[0].Instance+" "+end.Coming[0].Why)
			}
			if workflow.NewTimerWithOptions(ctx, g.in.Policy.Timing.HealthPoll.D(), workflow.TimerOptions{
				Summary: "until those that joined are in service",
			}).Get(ctx, nil) == nil {
				continue
			}
		}
		g.status.Gaps = slices.Concat(end.Gaps, end.Coming)
		for _, id := range end.Joined {
			why := "it joined meanwhile, again and again"
			if late != nil {
				why = "it joined meanwhile, and " + late.What
			}
			g.status.Gaps = append(g.status.Gaps, patch.Gap{Instance: id, Why: why})
		}
		return false
	}
}

// readEnd compares the group as it is now with what was tried; nil where it cannot be read, which is a gap.
func (g *group) readEnd(ctx workflow.Context) (*patch.GroupState, patch.Ending) {
	var state patch.GroupState
	if err := workflow.ExecuteActivity(run.Reading(ctx, g.in.Group, g.in.Policy.Timing), aws.InspectGroup,
		activities.InspectGroupInput{Group: g.in.Group, Targets: g.targets}).Get(ctx, &state); err != nil {
		g.status.Gaps = []patch.Gap{{Why: "it could not be read at its end, to see who joined: " + run.Reason(err)}}
		return nil, patch.Ending{}
	}
	g.status.Notes = append(state.Untouched(), g.notes...)
	end := patch.EndOf(g.in.Group, g.in.Policy.Order, state, g.status.Instances)
	g.status.LeftOut = end.LeftOut
	return &state, end
}

// nameLatecomers looks once more before a group that ended well is let go: who joined since, while the wave worked on
// others or waited for people, is named.
func (g *group) nameLatecomers(ctx workflow.Context) {
	if g.status.Phase != patch.GroupDone || !g.result().Outcome.EndsWell() {
		return
	}
	state, end := g.readEnd(ctx)
	if state == nil {
		return
	}
	for _, id := range end.Joined {
		end.Gaps = append(end.Gaps, patch.Gap{Instance: id, Why: "it joined when the wave had gone on to others"})
	}
	for _, gap := range slices.Concat(end.Gaps, end.Coming) {
		if !slices.ContainsFunc(g.status.Gaps, func(known patch.Gap) bool {
			return known == gap || known.Instance == gap.Instance && gap.Instance != ""
		}) {
			g.status.Gaps = append(g.status.Gaps, gap)
		}
	}
}

// wanted reports whether the wave wants something else of the group now. A pause that was lifted while an instance was
// under way is no such thing, though its order still waits to be taken.
func (g *group) wanted() bool {
	return slices.ContainsFunc(g.orders, func(order OrderKind) bool { return order != OrderResume })
}
