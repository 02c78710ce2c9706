package wavetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
)

// Untrue compares what a wave tells as succeeded with the simulated machines as they are when it ends: no member of a
// group, as it is at the group's end, lacks an approved patch; nothing is on a version that an earlier stage put back;
// none waits for a reboot that nobody is told of.
func (s *Scene) Untrue(result *patch.WaveResult) []string {
	if result == nil {
		return nil
	}
	var found []string
	putBack := ""
	for _, stage := range result.Stages {
		for _, group := range stage.Groups {
			s.inRegionOf(group, func(region *world.Region) {
				found = append(found, waitsUntold(region, group)...)
				if group.Outcome == patch.Succeeded {
					found = append(found, lacking(region, group)...)
				}
			})
			if result.Outcome == patch.Succeeded && putBack != "" && patched(group) {
				found = append(found, fmt.Sprintf("%s: the wave says succeeded, and it has what was put back on %s", group.Name,
					putBack))
			}
		}
		for _, group := range stage.Groups {
			for _, instance := range group.Instances {
				if instance.Outcome == patch.RolledBack {
					putBack = instance.ID
				}
			}
		}
	}
	return found
}

func (s *Scene) inRegionOf(group patch.GroupResult, do func(*world.Region)) {
	s.EachRegion(func(region *world.Region) {
		if region.Name == group.Region && (region.Account.Name == group.Account || region.Account.ID == group.Account) {
			do(region)
		}
	})
}

func patched(group patch.GroupResult) bool {
	return slices.ContainsFunc(group.Instances, func(r patch.InstanceResult) bool { return r.Outcome == patch.Patched })
}

// waitsUntold finds machines that wait for a reboot after they were told to be done.
func waitsUntold(region *world.Region, group patch.GroupResult) []string {
	var found []string
	for _, told := range group.Instances {
		machine := region.Machine(told.ID)
		if machine == nil || machine.State != world.Running || machine.Disk() == nil || !machine.Disk().PendingReboot() {
			continue
		}
		// That AWS lists some as pending which need no reboot tells of no machine that does.
		says := told.Reason + strings.Join(told.Notes, " ")
		tells := strings.Contains(says, "waits for a reboot") || strings.Contains(says, "live-patched")
		if (told.Outcome == patch.Patched || told.Outcome == patch.AlreadyCompliant) && !tells {
			found = append(found, fmt.Sprintf("%s is told to be %s and waits for a reboot that nobody is told of", told.ID,
				told.Outcome))
		}
	}
	return found
}

// joinedLately is how long before a group's end a member that came into service need not have been seen: the group was
// read a little before, and what AWS shows lags.
const joinedLately = 3 * time.Minute

// lacking finds members that were there when a group that is told as succeeded ended, lack approved patches, and are
// not named as left out.
func lacking(region *world.Region, group patch.GroupResult) []string {
	var found []string
	for _, node := range nodesOf(region, group) {
		if node.State == world.Running && node.BehindBy() > 1 && !isLeftOut(group, node.ID) {
			found = append(found, fmt.Sprintf("%s is a node of %s, which is told to have succeeded, and is behind by %d",
				node.ID, group.Name, node.BehindBy()))
		}
	}
	scaling, err := region.ScalingGroup(group.Name)
	if err != nil {
		return found // chosen by tags, or deleted meanwhile
	}
	ended := time.Time{}
	for _, told := range group.Instances {
		if told.Ended.After(ended) {
			ended = told.Ended
		}
	}
	for _, warm := range scaling.Warm() {
		if warm.BehindBy() > 1 {
			found = append(found, fmt.Sprintf("%s waits in the warm pool of %s, which is told to have succeeded, and is behind "+
				"by %d", warm.ID, group.Name, warm.BehindBy()))
		}
	}
	for _, member := range scaling.Members() {
		there := member.State == world.LifecycleInService && member.Instance.State == world.Running &&
			member.Since.Before(ended.Add(-joinedLately))
		if isLeftOut(group, member.Instance.ID) {
			continue
		}
		// One is too young to be approved, so that a machine that has all is behind by one.
		if there && member.Instance.BehindBy() > 1 {
			found = append(found, fmt.Sprintf("%s is a member of %s, which is told to have succeeded, and is behind by %d",
				member.Instance.ID, group.Name, member.Instance.BehindBy()))
		}
	}
	return found
}

func isLeftOut(group patch.GroupResult, id string) bool {
	return slices.ContainsFunc(group.LeftOut, func(left patch.Gap) bool { return left.Instance == id })
}

// nodesOf are those of a region where the group is of nodes: a scene's all carry its tag.
func nodesOf(region *world.Region, group patch.GroupResult) []*world.Instance {
	if !strings.HasPrefix(group.Name, "mi:") {
		return nil
	}
	return region.Nodes()
}
