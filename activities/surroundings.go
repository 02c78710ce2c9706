package activities

import (
	"context"
	"slices"
	"time"

	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/patch"
)

// ReadInterferenceInput asks what others do around a group.
type ReadInterferenceInput struct {
	Group     patch.Group
	Instances []string // those that are about to be changed; none: only what concerns the group as a whole
	Calendars []string // Change Calendars, by name or ARN
	Alarms    []string // those that are to judge the stage
	Restore   patch.Restore
	Within    patch.Duration // how long an instance is likely to take, in the plan's time
}

// ReadInterference reads what others do, or are about to do, to a group and the named instances: change calendars, stack updates,
// deployments, alarms that stop machines, maintenance windows and associations that patch; and whether the keys of encrypted
// root volumes may be used. It judges nothing and changes nothing. A calendar that gives no answer is told as such; any
// other question that AWS does not answer is an error.
func (a *AWS) ReadInterference(ctx context.Context, in ReadInterferenceInput) (*patch.Interference, error) {
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return nil, err
	}
	around := &patch.Interference{}
	if around.Calendars, err = a.readCalendars(ctx, in.Group, in.Calendars); err != nil {
		return nil, err
	}
	instances, at, err := lookedAt(ctx, s, in)
	if err != nil {
		return nil, err
	}
	around.At, around.Until = at, at.Add(a.onAWS(in.Within))
	if around.Stacks, err = stacksUnderWay(ctx, s, in.Group, instances); err != nil {
		return nil, err
	}
	if around.GateAlarms, err = a.readGates(ctx, s, in.Group, in.Alarms); err != nil || len(instances) == 0 {
		return around, err
	}
	if around.Deployments, err = deploymentsUnderWay(ctx, s, in.Group, instances); err != nil {
		return nil, err
	}
	if around.StopAlarms, err = stopAlarms(ctx, s, in.Group, instances); err != nil {
		return nil, err
	}
	if around.Patchers, err = otherPatchers(ctx, s, in.Group, instances, around.Until); err != nil {
		return nil, err
	}
	if in.Restore == patch.RestoreRootVolume {
		around.LockedRoots, err = lockedRoots(ctx, s, in.Group, instances)
	}
	return around, err
}

// lookedAt reads the named instances, and AWS's clock even when there are none.
func lookedAt(ctx context.Context, s *Services, in ReadInterferenceInput) (map[string]ec2types.Instance, time.Time, error) {
	found := map[string]ec2types.Instance{}
	ids := in.Instances
	if len(ids) == 0 {
		ids = []string{"i-00000000000000000"} // a filter that finds nothing: only the clock is read
	}
	var at time.Time
	for chunk := range slices.Chunk(ids, filterValues) {
		instances, now, err := describeInstances(ctx, s, in.Group.String(), filter("instance-id", chunk...))
		if err != nil {
			return nil, at, err
		}
		at = now
		for _, instance := range instances {
			found[deref(instance.InstanceId)] = instance
		}
	}
	return found, at, nil
}

func (a *AWS) readGates(ctx context.Context, s *Services, group patch.Group, wanted []string) ([]patch.AlarmObservation, error) {
	if len(wanted) == 0 {
		return nil, nil
	}
	return a.readAlarms(ctx, s, group, wanted)
}
