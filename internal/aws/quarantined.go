package aws

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// Quarantined is what EC2 and Auto Scaling say of an instance that was taken out of its group.
type Quarantined struct {
	Present bool      // EC2 has it
	State   string    // EC2's word for its state
	Member  string    // the Auto Scaling group it is a member of, or on its way into; "" for none
	Image   string    // it was launched from
	Zone    string    // it runs in
	At      time.Time // AWS's clock

	// Unattachable says why its group could not take it back, whatever room it has; "" where nothing is known against it,
	// or where nobody has asked.
	Unattachable string

	Quarantine Journal // what its quarantine's tag points to; zero where it carries none that can be read
}

// ReadQuarantined reads an instance that was taken out of its group, as a quarantine does. One that EC2 no longer has
// is not Present, which is no error.
func ReadQuarantined(ctx context.Context, s *Services, in Instance) (*Quarantined, error) {
	found, at, err := ReadInstances(ctx, s, in.String(), []string{in.ID})
	if err != nil {
		return nil, err
	}
	seen, instance := &Quarantined{At: at}, found[in.ID]
	switch seen.State = StateOf(instance); seen.State {
	case "", "terminated", "shutting-down":
		return seen, nil
	}
	seen.Present, seen.Image = true, Deref(instance.ImageId)
	if instance.Placement != nil {
		seen.Zone = Deref(instance.Placement.AvailabilityZone)
	}
	if journal, problem := ParseQuarantine(
		TagOf(instance.Tags, names.TagQuarantine), names.JournalRecord(in.Group, in.ID),
	); problem == "" {
		seen.Quarantine = journal
	}
	if patch.IsNode(in.ID) { // no Auto Scaling group has any
		return seen, nil
	}
	out, err := s.AutoScaling.DescribeAutoScalingInstances(
		ctx, &autoscaling.DescribeAutoScalingInstancesInput{InstanceIds: []string{in.ID}},
	)
	if err != nil {
		return nil, Wrap("ask whether it is a member of a group", in.String(), err)
	}
	for _, listed := range out.AutoScalingInstances {
		// This call spells states without capitals where the others have them.
		if state := strings.ToLower(
			Deref(listed.LifecycleState),
		); !strings.HasPrefix(state, "terminat") && !strings.HasPrefix(state, "detach") {
			seen.Member = Deref(listed.AutoScalingGroupName)
		}
	}
	return seen, nil
}
