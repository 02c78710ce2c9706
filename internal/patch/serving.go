package patch

import "slices"

// Serving is how the target groups of an instance stand at a look.
type Serving struct {
	Attached []string `json:"attached,omitempty"` // ARNs of those that its Auto Scaling group registers it with
	Gone     []string `json:"gone,omitempty"`     // ARNs of those that exist no more
}

// ExpectTargets tells in which target groups an instance must be healthy to serve as it did before: in those it was
// registered in, but for the ones that exist no more and those that its group was attached to and is no more; and in
// the ones that its group was attached to meanwhile. before is read before it went out, and attached are the ARNs of
// the target groups that its Auto Scaling group was attached to then; is are its registrations now. The changes are
// what somebody else changed meanwhile, for people.
func ExpectTargets(before []Target, attached []string, now Serving, is []Target) (expected []Target, changes []string) {
	var told []string
	change := func(arn, what string) {
		if !slices.Contains(told, arn) {
			told, changes = append(told, arn), append(changes, TargetGroupCalled(arn)+" "+what+" meanwhile")
		}
	}
	for _, was := range before {
		switch arn := was.TargetGroupARN; {
		case slices.Contains(now.Gone, arn):
			change(arn, "was deleted")
		case slices.Contains(attached, arn) && !slices.Contains(now.Attached, arn):
			change(arn, "was detached from the group")
		default:
			expected = append(expected, was)
		}
	}
	for _, arn := range now.Attached {
		if slices.Contains(attached, arn) || registeredIn(before, arn) || slices.Contains(now.Gone, arn) {
			continue
		}
		change(arn, "was attached to the group")
		if !registeredIn(is, arn) { // Auto Scaling is about to
			expected = append(expected, Target{TargetGroupARN: arn, Health: TargetHealthy})
			continue
		}
		for _, target := range is {
			// A group that no load balancer uses judges nobody.
			if target.TargetGroupARN == arn && target.Health != TargetUnused {
				target.Health = TargetHealthy
				expected = append(expected, target)
			}
		}
	}
	return expected, changes
}

// LostTargets are the target groups of registrations that are not there any more.
func LostTargets(before, now []Target) []string {
	var lost []string
	for _, was := range before {
		if findTarget(now, was) == nil && !slices.Contains(lost, was.TargetGroupARN) {
			lost = append(lost, was.TargetGroupARN)
		}
	}
	return lost
}

func registeredIn(targets []Target, arn string) bool {
	return slices.ContainsFunc(targets, func(target Target) bool { return target.TargetGroupARN == arn })
}
