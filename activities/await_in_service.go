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

// AwaitInServiceInput waits for an instance to be back.
type AwaitInServiceInput struct {
	Instance Instance
	Before   []patch.Target // as read before it went out
	Attached []string       // ARNs that its Auto Scaling group was attached to then
	Pace     Pace
}

// Returned tells when the instance was seen in service, by AWS's clock.
type Returned struct {
	Member  patch.Member
	At      time.Time
	Changes []string // what others changed of its target groups meanwhile (patch.ExpectTargets)
}

// AwaitInService waits until the instance is InService (an Auto Scaling member) and healthy in every target group it
// was healthy in before, as far as they still serve it (patch.ExpectTargets). Gone when it is no longer there.
func (a *AWS) AwaitInService(ctx context.Context, in AwaitInServiceInput) (_ *Returned, err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return nil, err
	}
	var returned *Returned
	err = a.waits().Look(ctx, in.Pace, func(ctx context.Context) (bool, string, error) {
		seen, err := aws.ReadSighting(ctx, s, in.Instance, targetGroupsOf(in.Before))
		if err != nil {
			return false, "", err
		}
		expected, changes := patch.ExpectTargets(in.Before, in.Attached, seen.Serving, seen.Member.Targets)
		if why := notBack(in.Instance.Group, seen.Member, expected); len(why) > 0 {
			return false, in.Instance.String() + " is not back in service yet: " + strings.Join(why, "; "), nil
		}
		returned = &Returned{Member: seen.Member, At: seen.At, Changes: changes}
		return true, "", nil
	})
	return returned, err
}

// notBack says what is missing until the member serves as it did before.
func notBack(group patch.Group, now patch.Member, before []patch.Target) []string {
	var why []string
	if now.State != "running" {
		said := "EC2 says it is " + now.State
		if now.Why != "" {
			said += " (" + now.Why + ")"
		}
		why = append(why, said)
	}
	if group.IsAutoScaling() && now.Lifecycle != patch.LifecycleInService {
		why = append(why, "it is "+patch.ToldLifecycle(group, now.Lifecycle))
	}
	for _, was := range before {
		if was.Health != patch.TargetHealthy {
			continue
		}
		at := slices.IndexFunc(now.Targets, func(is patch.Target) bool {
			return is.TargetGroupARN == was.TargetGroupARN && is.ID == was.ID && is.Port == was.Port
		})
		switch {
		case at < 0:
			why = append(why, "it is not registered in "+was.TargetGroupARN)
		case now.Targets[at].Health != patch.TargetHealthy:
			why = append(
				why, fmt.Sprintf("it is %s in %s (%s)", now.Targets[at].Health, was.Where(), now.Targets[at].Reason),
			)
		}
	}
	return why
}

func targetGroupsOf(targets []patch.Target) []string {
	arns := make([]string, len(targets))
	for i, target := range targets {
		arns[i] = target.TargetGroupARN
	}
	slices.Sort(arns)
	return slices.Compact(arns)
}
