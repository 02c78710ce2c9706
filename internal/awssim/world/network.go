package world

import (
	"slices"
	"strings"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// zoneLetters are the availability zones of every region, each of which has one subnet of the region's only network.
const zoneLetters = "abcd"

// Zones lists the region's availability zones.
func (r *Region) Zones() []string {
	zones := make([]string, len(zoneLetters))
	for n := range zoneLetters {
		zones[n] = r.Name + zoneLetters[n:n+1]
	}
	return zones
}

// HasZone reports whether a zone is the region's.
func (r *Region) HasZone(zone string) bool { return slices.Contains(r.Zones(), zone) }

// SubnetOf is the id of a zone's subnet.
func (r *Region) SubnetOf(zone string) string {
	return "subnet-0" + r.Account.ID + "000" + strings.TrimPrefix(zone, r.Name)
}

// ZoneOf is the zone of a subnet; the error is EC2's.
func (r *Region) ZoneOf(subnet string) (string, error) {
	for _, zone := range r.Zones() {
		if r.SubnetOf(zone) == subnet {
			return zone, nil
		}
	}
	return "", api.Errorf("InvalidSubnetID.NotFound", "The subnet ID '%s' does not exist", subnet)
}
