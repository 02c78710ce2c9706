package world

import (
	"fmt"
	"slices"
	"strings"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// NetworkInterface is one of an instance's network interfaces. The security groups of the first one are those that EC2
// shows of the instance itself.
type NetworkInterface struct {
	Instance *Instance
	ID       string
	Device   int // 0 for the first
	Address  string

	groups []string // of a further one; the first one's are the instance's
}

// Groups are the ids of its security groups.
func (n *NetworkInterface) Groups() []string {
	if n.Device == 0 {
		return n.Instance.SecurityGroups
	}
	return n.groups
}

// SetGroups gives the interface other security groups; there must be one, and each must exist.
func (n *NetworkInterface) SetGroups(ids []string) error {
	if len(ids) == 0 {
		return api.Errorf("InvalidParameterCombination", "No attributes specified.")
	}
	for _, id := range ids {
		if _, err := n.Instance.Region.SecurityGroup(id); err != nil {
			return err
		}
	}
	if n.Device == 0 {
		n.Instance.SecurityGroups = slices.Clone(ids)
	} else {
		n.groups = slices.Clone(ids)
	}
	n.Instance.Region.Changed(
		"instance", n.Instance.ID, fmt.Sprintf("security groups of interface %d: %s", n.Device, strings.Join(ids, ", ")),
	)
	return nil
}

// Interfaces lists an instance's network interfaces, the first one first; a terminated instance has none.
func (i *Instance) Interfaces() []*NetworkInterface {
	if i.State == Terminated {
		return nil
	}
	first := &NetworkInterface{Instance: i, ID: "eni-" + strings.TrimPrefix(i.ID, "i-"), Address: i.PrivateIP}
	return append([]*NetworkInterface{first}, i.further...)
}

// AddInterface attaches a further interface, with its security groups.
func (i *Instance) AddInterface(groups []string) *NetworkInterface {
	added := &NetworkInterface{
		Instance: i, ID: i.Region.NewID("eni"), Device: len(i.further) + 1,
		Address: fmt.Sprintf("%d.%s", 172+len(i.further), strings.TrimPrefix(i.PrivateIP, "10.")),
		groups:  slices.Clone(groups),
	}
	i.further = append(i.further, added)
	return added
}

// Interface finds a network interface by id.
func (r *Region) Interface(id string) (*NetworkInterface, error) {
	for _, instance := range r.instances.all() {
		for _, one := range instance.Interfaces() {
			if one.ID == id {
				return one, nil
			}
		}
	}
	return nil, api.Errorf("InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '%s' does not exist", id)
}
