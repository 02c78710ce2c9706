package property

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// scriptNodes are managed nodes, one more group of production.
type scriptNodes struct {
	Many   int       `json:",omitempty"` // 0: there is no such group
	Served bool      `json:",omitempty"` // by a load balancer, which sends them requests
	Others []nodeAct `json:",omitempty"`
}

// nodeAct is something that somebody else does to a node.
type nodeAct struct {
	At   moment
	Do   string // one of the constants below
	Node int    `json:",omitempty"`
}

const (
	actUnplug     = "cut off for an hour"
	actRegisterNo = "deregister from Systems Manager"
	actUntarget   = "take its registration away"
	actMarkNode   = "set our mark by hand"
)

const nodeTargets = "tills"

// drawNodes has nodes in a fourth of the scripts. A plan that has some keeps nothing to put back, and takes its groups
// neither by capacity nor by zones.
func (s *script) drawNodes(t *rapid.T, passes bool) {
	if rapid.IntRange(0, 3).Draw(t, "nodes") > 0 {
		return
	}
	s.Nodes = scriptNodes{Many: rapid.IntRange(1, 3).Draw(t, "many nodes"), Served: rapid.Bool().Draw(t, "served")}
	if !passes {
		s.Nodes.Others = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) nodeAct {
			return nodeAct{
				At: moment{
					On: rapid.SampledFrom([]string{
						"AddTagsToResource", "StartAutomationExecution", "RegisterTargets", "DeregisterTargets", "",
					}).Draw(t, "on"),
					Nth:   rapid.IntRange(0, 3).Draw(t, "nth"),
					Delay: rapid.SampledFrom([]int{0, 0, 10, 120, 400}).Draw(t, "delay"),
				},
				Do:   rapid.SampledFrom([]string{actUnplug, actRegisterNo, actUntarget, actMarkNode}).Draw(t, "do to a node"),
				Node: rapid.IntRange(0, 2).Draw(t, "node"),
			}
		}), 0, 1).Draw(t, "others of nodes")
	}
	s.Plan.Backup, s.Plan.Restore = string(patch.BackupNone), string(patch.RestoreNone)
	s.Plan.Capacity = ""
	if s.Shape.Order == string(patch.OrderZone) {
		s.Shape.Order, s.Shape.ZoneSoak = "", 0
	}
	s.Shape.Only = 0
}

// stage registers the nodes in production's region.
func (n scriptNodes) stage(region *world.RegionSpec, like world.TargetGroupSpec, image string) {
	switch {
	case n.Many == 0:
	case n.Served:
		wavetest.WithTills(region, like, n.Many, image, nodeTargets)
	default:
		wavetest.WithTills(region, like, n.Many, image)
	}
}

// groups is that of the nodes, if there are any, in a place like another's.
func (n scriptNodes) groups(like patch.Group) []patch.Group {
	if n.Many == 0 {
		return nil
	}
	like.AutoScalingGroup, like.ManagedNodes = "", map[string]string{"Role": "till"}
	return []patch.Group{like}
}

// othersOfNodes lets others do what they do to nodes at a moment. It runs under the simulator's lock.
func (p *play) othersOfNodes(operation string, now int) {
	for _, act := range p.script.Nodes.Others {
		if act.At.is(operation, now) {
			p.world.After(time.Duration(max(act.At.Delay, 1))*time.Second, func() { p.others.doToNode(p, act) })
		}
	}
}

func (o *othersLog) doToNode(p *play, act nodeAct) {
	region := p.world.Account(wavetest.Production).Region(wavetest.Tokyo)
	nodes := region.Nodes()
	if len(nodes) == 0 {
		return
	}
	node := nodes[act.Node%len(nodes)]
	if o.touched[node.ID] == nil {
		o.touched[node.ID] = map[string]bool{}
	}
	o.touched[node.ID][act.Do] = true
	switch act.Do {
	case actUnplug:
		node.Unplug()
		region.World.After(time.Hour, node.Plug)
	case actRegisterNo:
		_ = region.Deregister(node.ID) // it was just listed
	case actUntarget:
		for _, group := range region.TargetGroups() {
			if target := wavetest.Registration(group, node.ID, group.Port); target != nil {
				_ = group.Deregister(target.ID(), target.Port) // it was just found
				o.nodesOut++
			}
		}
	case actMarkNode:
		if node.Tags[names.TagJournal] == "" {
			node.Tags[names.TagJournal] = markByHand
		}
	}
}

// restingNodes finds nodes that are at work, or out, while nothing is under way, and are not told.
func (p *play) restingNodes(stranded []patch.Stranded, quarantined map[string]bool) (found []string) {
	p.Sim.Inspect(func(w *world.World) {
		region := w.Account(wavetest.Production).Region(wavetest.Tokyo)
		for _, node := range region.Nodes() {
			mark := node.Tags[names.TagJournal]
			if told(stranded, "instance", node.ID) {
				continue
			}
			if mark != "" && !p.others.theirs(node.ID, mark) {
				found = append(found, node.ID+" carries the journal's tag")
			}
			for _, group := range region.TargetGroups() {
				was := slices.ContainsFunc(p.Before.Targets[group.Name], func(target string) bool {
					return strings.HasPrefix(target, node.ID+":")
				})
				if was && !quarantined[node.ID] && !p.others.touched[node.ID][actUntarget] &&
					wavetest.Registration(group, node.ID, group.Port) == nil {
					found = append(found, fmt.Sprintf("%s is not registered in %s", node.ID, group.Name))
				}
			}
		}
	})
	return found
}

// nodesWrong is what must be so of the nodes in the end, besides what must be so of every machine.
func (p *play) nodesWrong() []string {
	found := p.NodesUntrue(p.result, p.boots, p.script.Patch != patchNoReboot)
	found = append(found, p.restingNodes(p.stranded, p.quarantined())...)
	if out, may := p.MostNodesOut(wavetest.Production), p.script.maxUnavailable()+p.others.nodesOut; out > may {
		found = append(found, fmt.Sprintf("mi:Role=till: %d were out of service, or at work, at once, %d may be", out, may))
	}
	return found
}

func (p *play) quarantined() map[string]bool {
	found := map[string]bool{}
	for id, outcome := range p.outcomes {
		found[id] = outcome == patch.Quarantined
	}
	return found
}

// unmendable reports whether something is left that a node serves with what its install left on it: no trouble after
// that, passing or not, can be taken back.
func (p *play) unmendable(left patch.Stranded) bool {
	id, of := strings.CutPrefix(left.Resource, "managed node ")
	return of && slices.ContainsFunc(p.Effects("StartAutomationExecution"), func(event awssim.Event) bool {
		return event.Resource == id
	})
}
