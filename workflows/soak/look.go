package soak

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// mostAtALook bounds the instances of one look: in a larger stage each look takes the next ones.
const mostAtALook = 300

// How many groups, and how many instances of each, are asked at once.
const (
	groupsAtOnce    = 5
	instancesAtOnce = 10
)

// look looks once at the instances whose turn it is. It has no error: what could not be read is told.
func (in Input) look(ctx workflow.Context) patch.SoakLook {
	groups := in.turn()
	looks := make([]patch.SoakLook, len(groups))
	// Its only error is the cancel, which the caller looks at.
	_ = run.EachAtOnce(ctx, len(groups), groupsAtOnce, func(ctx workflow.Context, i int) error {
		looks[i] = in.lookAt(ctx, groups[i])
		return ctx.Err()
	})
	seen := patch.SoakLook{}
	for _, look := range looks {
		seen = seen.And(look)
	}
	seen.At = workflow.Now(ctx)
	return seen
}

// turn are the groups with those instances that are looked at this time.
func (in Input) turn() (groups []Watched) {
	all := 0
	for _, group := range in.Groups {
		all += len(group.Instances)
	}
	if all <= mostAtALook {
		return in.Groups
	}
	first, at := in.Looks*mostAtALook%all, 0
	for _, group := range in.Groups {
		var ids []string
		for _, id := range group.Instances {
			if (at-first+all)%all < mostAtALook {
				ids = append(ids, id)
			}
			at++
		}
		if len(ids) > 0 {
			group.Instances = ids
			groups = append(groups, group)
		}
	}
	return groups
}

// lookAt looks at a group's instances: first at the group, which tells who is gone.
func (in Input) lookAt(ctx workflow.Context, of Watched) (look patch.SoakLook) {
	var state patch.GroupState
	err := workflow.ExecuteActivity(run.Sweeping(ctx, of.Group, in.Timing), aws.InspectGroup,
		activities.InspectGroupInput{Group: of.Group, Targets: of.Targets}).Get(ctx, &state)
	switch {
	case ctx.Err() != nil:
		return look
	case run.IsType(err, activities.ErrGroupNotFound):
		look.Away = len(of.Instances)
		return look
	case err != nil:
		look.CouldNotRead(len(of.Instances), of.Group.String()+": "+run.Reason(err))
		return look
	}
	_ = run.EachAtOnce(ctx, len(of.Instances), instancesAtOnce, func(ctx workflow.Context, i int) error {
		member, listed := state.Member(of.Instances[i])
		if !listed || !member.InService() {
			look.Away++
			return nil
		}
		in.observe(ctx, of.Group, member, &look)
		return ctx.Err()
	})
	return look
}

// observe looks at one instance as the bake of its stage did.
func (in Input) observe(ctx workflow.Context, group patch.Group, member patch.Member, look *patch.SoakLook) {
	query := activities.ObserveHealthInput{
		Instance: activities.Instance{Group: group, ID: member.ID}, Platform: group.PlatformOr(in.Platform),
		Checks: patch.WithoutPeers(in.Checks), Pace: activities.Pace{Poll: in.Timing.HealthPoll, ReadLag: in.Timing.ReadLag},
	}
	for _, target := range member.Targets {
		query.TargetGroups = append(query.TargetGroups, target.TargetGroupARN)
	}
	slices.Sort(query.TargetGroups)
	query.TargetGroups = slices.Compact(query.TargetGroups)
	var seen patch.HealthObservation
	options := run.Summed(run.Waiting(ctx, group, in.Timing, in.Timing.Agent), "how it is while it soaks: "+member.ID)
	err := workflow.ExecuteActivity(options, aws.ObserveHealth, query).Get(ctx, &seen)
	switch {
	case ctx.Err() != nil:
	case run.IsType(err, activities.ErrGone):
		look.Away++
	case err != nil:
		look.CouldNotRead(1, group.String()+" "+member.ID+": "+run.Reason(err))
	default:
		if health := patch.JudgeSoak(in.Checks, seen); !health.Healthy() {
			look.SawIll(patch.NoticedInstance{
				Group: group.String(), ID: member.ID, Outcome: patch.Patched, Reason: health.String(),
			})
		} else {
			look.Well++
		}
	}
}
