package activities

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// AwaitSurgeInput waits for the instances that a raise launched.
type AwaitSurgeInput struct {
	Group patch.Group
	Known []string  // members before the raise
	Since time.Time // AWS's clock when they were read
	By    int       // so many were launched
	Pace  Pace
}

// SurgeInstances are those that the raise launched.
type SurgeInstances struct {
	IDs []string
}

// AwaitSurge waits until so many members that were launched since and not known before are InService and healthy in
// their target groups. Of more those launched first are ours: others came later, by somebody else's doing. One launched
// before was attached by somebody, or a list lacked it for once: it is never ours.
func (a *AWS) AwaitSurge(ctx context.Context, in AwaitSurgeInput) (_ *SurgeInstances, err error) {
	defer once.Typed(&err)
	if err := aws.RequireGroup(in.Group, "launch more instances"); err != nil {
		return nil, err
	}
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return nil, err
	}
	var surge *SurgeInstances
	err = a.waits().Look(ctx, in.Pace, func(ctx context.Context) (bool, string, error) {
		members, attached, err := aws.ReadNewcomers(ctx, s, in.Group, in.Known)
		if err != nil {
			return false, "", err
		}
		members = slices.DeleteFunc(members, func(m patch.Member) bool { return m.LaunchTime.Before(in.Since) })
		if len(members) < in.By {
			return false, fmt.Sprintf("%s: %d of %d instances have been launched for the surge yet", in.Group, len(members),
				in.By), nil
		}
		launched := &SurgeInstances{}
		for _, member := range members[:in.By] {
			if why := notServing(member, attached); len(why) > 0 {
				return false, fmt.Sprintf(
					"%s/%s, launched for the surge, is not in service yet: %s", in.Group, member.ID, strings.Join(why, "; "),
				), nil
			}
			launched.IDs = append(launched.IDs, member.ID)
		}
		surge = launched
		return true, "", nil
	})
	return surge, err
}

// notServing says what keeps a new member from serving: it must be registered in every attached target group, and
// healthy wherever that can be judged.
func notServing(member patch.Member, attached []string) []string {
	var why []string
	if member.Lifecycle != patch.LifecycleInService {
		why = append(why, "it is "+member.Lifecycle)
	}
	if member.State != "running" || !member.StatusOK {
		why = append(why, fmt.Sprintf("EC2 says it is %s, status checks passed: %t", member.State, member.StatusOK))
	}
	for _, arn := range attached {
		at := slices.IndexFunc(member.Targets, func(target patch.Target) bool { return target.TargetGroupARN == arn })
		switch {
		case at < 0:
			why = append(why, "it is not registered in "+arn)
		case member.Targets[at].Judged() && member.Targets[at].Health != patch.TargetHealthy:
			why = append(why, fmt.Sprintf("it is %s in %s", member.Targets[at].Health, arn))
		}
	}
	return why
}
