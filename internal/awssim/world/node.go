package world

import (
	"fmt"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// NodeSpec is a machine elsewhere that was registered with Systems Manager by a hybrid activation, or Count equal ones:
// a managed node, which EC2 knows nothing of.
type NodeSpec struct {
	Name         string            `yaml:"name"` // of its activation, and its tag Name; several get -1, -2, ...
	Count        int               `yaml:"count"`
	Image        string            `yaml:"image"`   // name of an image above, whose system and application it runs
	Address      string            `yaml:"address"` // as its agent tells; empty: one of 192.168.0.0/16. For one only
	Tags         map[string]string `yaml:"tags"`    // those of Systems Manager
	TargetGroups []string          `yaml:"target_groups"`
}

// OutsideNetwork is the zone of a target that lies outside its target group's network, as a node always does.
const OutsideNetwork = "all"

// placeNode registers a node of the scenario, as if a day before. What is inside is what an instance is inside; of what
// EC2 knows of an instance it has nothing.
func (r *Region) placeNode(spec NodeSpec, n int) error {
	image := r.Image(spec.Image)
	if image == nil {
		return fmt.Errorf("managed node %s: there is no image %q", spec.Name, spec.Image)
	}
	tags := Tags(spec.Tags).Clone()
	if spec.Name != "" {
		tags["Name"] = spec.Name
		if spec.Count > 1 {
			tags["Name"] = fmt.Sprintf("%s-%d", spec.Name, n+1)
		}
	}
	node := &Instance{
		Region: r, ID: r.NewID("mi"), Image: image, Tags: tags, Node: true, PrivateIP: spec.Address, disk: image.disk.Clone(),
	}
	if node.PrivateIP == "" {
		known := len(r.nodes.ids)
		node.PrivateIP = fmt.Sprintf("192.168.%d.%d", known>>6&255, known&63+10)
	}
	r.nodes.put(node.ID, node)
	node.settle()
	r.LoadBalancing.joinAtStart(r, node, spec.TargetGroups)
	return nil
}

// Machine is what Systems Manager may manage by that id, an instance or a managed node; nil when there is none.
func (r *Region) Machine(id string) *Instance {
	if node, ok := r.nodes.get(id); ok {
		return node
	}
	return r.Instance(id)
}

// Nodes lists the region's managed nodes in the order they were registered.
func (r *Region) Nodes() []*Instance { return r.nodes.all() }

// Machines lists what Systems Manager may manage: EC2's instances, then the managed nodes.
func (r *Region) Machines() []*Instance { return append(r.Instances(), r.Nodes()...) }

// Deregister takes a managed node out of Systems Manager's list, with its tags. The machine itself goes on; its agent
// is heard of no more. Registered again it has another id.
func (r *Region) Deregister(id string) error {
	node, ok := r.nodes.get(id)
	if !ok {
		return api.Errorf("InvalidInstanceId", "Instance %s is not registered for account %s", id, r.Account.ID)
	}
	node.silencedForGood = true
	node.machine.silenceAgent(node)
	r.nodes.drop(id)
	r.Changed("instance", id, "deregistered")
	return nil
}

// Unplug cuts a node off from Systems Manager, as a broken line does: it goes on, and its agent is not heard of, boot
// or no boot, until Plug.
func (i *Instance) Unplug() {
	i.silencedForGood = true
	i.machine.silenceAgent(i)
}

// Plug mends the line.
func (i *Instance) Plug() {
	i.silencedForGood = false
	if i.machine.up && !i.machine.agentUp {
		i.machine.agentUp, i.machine.agentSince = true, i.Region.World.now
		i.Region.agentBack(i)
	}
}

// Lose takes the power from a node: it is down, and comes back by nothing that anybody calls.
func (i *Instance) Lose() {
	i.machine.goDown(i)
	i.machine.hung = true
	i.Region.Changed("instance", i.ID, "lost power")
}
