package wavetest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// tillPlan patches the tills of shops, which are managed nodes.
const tillPlan = `plans:
  - name: web
    baseline: amazon-linux-2023
    backup: none
    restore: none
    stages:
      - name: tills
        groups: [{account: staging, region: ap-northeast-1, managed_nodes: {Role: till}}]
        health: [{target_group: auto}, {http: {path: /healthz, port: 80}}]
        bake: 5m
        on_failure: {action: hold, timeout: 30m, then: abort}

`

// TillPlan puts a plan of managed nodes in the place of the example's.
func TillPlan(file []byte) []byte {
	from, to := bytes.Index(file, []byte("plans:\n")), bytes.Index(file, []byte("# Who is told."))
	return slices.Concat(file[:from], []byte(tillPlan), file[to:])
}

// Tills has two managed nodes of an image's system in staging's account, behind load balancers where some are named.
func Tills(image string, targetGroups ...string) func(*world.Scenario) {
	return func(s *world.Scenario) {
		region := &s.Accounts[0].Regions[0]
		WithTills(region, region.TargetGroups[0], 2, image, targetGroups...)
	}
}

// WithTills has so many managed nodes in a region, in target groups that are like another.
func WithTills(
	region *world.RegionSpec, like world.TargetGroupSpec, many int, image string, targetGroups ...string,
) {
	for _, name := range targetGroups {
		like.Name, like.TargetType, like.LoadBalancer = name, "ip", name
		region.TargetGroups = append(region.TargetGroups, like)
	}
	region.Nodes = append(region.Nodes, world.NodeSpec{
		Name: "till", Count: many, Image: image, TargetGroups: targetGroups,
		Tags: map[string]string{"Role": "till", "PatchGroup": "amazon-linux-2023"},
	})
}

// Registration is what a target group has of a machine on a port, by its id or by its address; nil: nothing.
func Registration(group *world.TargetGroup, machine string, port int) *world.Target {
	for _, target := range group.Targets() {
		if target.Instance.ID == machine && target.Port == port {
			return target
		}
	}
	return nil
}

// Boots are those of the managed nodes, by id.
func (s *Scene) Boots() map[string]string {
	boots := map[string]string{}
	s.EachRegion(func(region *world.Region) {
		for _, node := range region.Nodes() {
			boots[node.ID] = node.BootID()
		}
	})
	return boots
}

// MostNodesOut is how many of an account's managed nodes were, at most, out at one moment: those that do not serve as
// they did, by the simulator's measure, and those that carry our mark, by its log of calls. One that serves with what
// an install has left on it keeps its mark, since nobody can tell whether it serves well.
func (s *Scene) MostNodesOut(account string) int {
	type move struct {
		at       time.Time
		node, by string
		out      bool
	}
	var moves []move
	for _, line := range s.Sim.Timeline() {
		for _, point := range line.Points {
			if line.Account == account && patch.IsNode(point.Instance) {
				moves = append(moves, move{point.Time, point.Instance, "measure", point.Out})
			}
		}
	}
	for _, event := range s.Sim.Events() {
		marks := event.Operation == "AddTagsToResource"
		if ours := strings.Contains(string(event.Arguments), names.TagJournal); event.Account == account && event.Effect &&
			ours && (marks || event.Operation == "RemoveTagsFromResource") {
			moves = append(moves, move{event.Time, event.Resource, "mark", marks})
		}
	}
	slices.SortStableFunc(moves, func(a, b move) int { return a.at.Compare(b.at) })
	most, out := 0, map[string]map[string]bool{}
	for _, now := range moves {
		if out[now.node] == nil {
			out[now.node] = map[string]bool{}
		}
		if out[now.node][now.by] = true; !now.out {
			delete(out[now.node], now.by)
		}
		count := 0
		for _, by := range out {
			count += min(len(by), 1)
		}
		most = max(most, count)
	}
	return most
}

// NodesUntrue compares what a wave tells of managed nodes with the machines, that were of these boots before it: a
// patched one was rebooted where its patches need that, one that is told as left alone was not, and a quarantined one
// is tagged so and gets no requests.
func (s *Scene) NodesUntrue(result *patch.WaveResult, boots map[string]string, reboots bool) (found []string) {
	if result == nil {
		return nil
	}
	told := map[string]patch.InstanceResult{}
	for _, stage := range result.Stages {
		for _, group := range stage.Groups {
			for _, instance := range group.Instances {
				told[instance.ID] = instance
			}
		}
	}
	s.EachRegion(func(region *world.Region) {
		for _, node := range region.Nodes() {
			is := told[node.ID].Outcome
			rebooted := node.BootID() != boots[node.ID]
			switch is {
			case patch.Patched:
				if reboots && !rebooted {
					found = append(found, node.ID+" is told to be patched, and was not rebooted")
				}
			case patch.NotStarted, patch.Skipped, patch.RolledBack, patch.AlreadyCompliant:
				if rebooted {
					found = append(found, fmt.Sprintf("%s is told to be %s, and was rebooted", node.ID, is))
				}
			}
			tagged := node.Tags[names.TagQuarantine] != ""
			if unclear := len(told[node.ID].Stranded) > 0; !unclear && tagged != (is == patch.Quarantined) {
				found = append(found, fmt.Sprintf("%s is told to be %q, and tagged as in quarantine: %t", node.ID, is, tagged))
			}
			for _, group := range region.TargetGroups() {
				if is == patch.Quarantined && Registration(group, node.ID, group.Port) != nil {
					found = append(found, fmt.Sprintf("%s is in quarantine, and %s sends it requests", node.ID, group.Name))
				}
			}
		}
	})
	return found
}
