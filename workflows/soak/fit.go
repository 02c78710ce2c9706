package soak

// Bounds of what is watched, for Temporal should be given no more than 512 KB at once: an instance's id takes some 25
// bytes, a target group's ARN some 130.
const (
	mostWatched = 8_000
	mostTargets = 1_500
)

// Fit leaves out what is too much for one input: of the instances, of which there are so many in all, as large a part
// of each group; of the target groups all, and each look asks then which of the account's hold a member.
func Fit(groups []Watched, instances int) {
	targets := 0
	for i, group := range groups {
		targets += len(group.Targets)
		if instances > mostWatched {
			groups[i].Instances = group.Instances[:len(group.Instances)*mostWatched/instances]
		}
	}
	for i := range groups {
		if targets > mostTargets {
			groups[i].Targets = nil
		}
	}
}
