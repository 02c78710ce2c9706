package patch

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Order says in which order the instances of a group are taken.
type Order string

// The orders.
const (
	// OrderZoneBalanced takes crowded zones first, so that no zone is left with one instance longer than need be.
	OrderZoneBalanced Order = "zone_balanced"
	OrderZone         Order = "zone"         // one zone after the other, by their names
	OrderOldestFirst  Order = "oldest_first" // by the time of their launch
	OrderExposure     Order = "exposure"     // by what they miss, the most dangerous first
)

// UnmarshalText reads an order by its name.
func (o *Order) UnmarshalText(text []byte) error {
	switch order := Order(text); order {
	case "", OrderZoneBalanced, OrderZone, OrderOldestFirst, OrderExposure:
		*o = order
		return nil
	}
	return fmt.Errorf("%q is not known; write one of zone_balanced, zone, oldest_first, exposure", text)
}

// Ordered are the members in the order in which they are taken, those alike by id, so that every reader can predict it.
// Those that leave are not taken, nor those that are stopped or left out. Who is started for it comes last: it serves
// nobody, and would prove as little as a canary.
func (s GroupState) Ordered(by Order) []Member {
	ordered := slices.DeleteFunc(slices.Clone(s.Members), func(m Member) bool {
		return m.Leaving() || m.Rests() || m.LeftOut != ""
	})
	crowd := map[string]int{}
	for _, member := range ordered {
		if !member.Starts {
			crowd[member.Zone]++
		}
	}
	slices.SortStableFunc(ordered, func(a, b Member) int {
		var first int
		switch by {
		case OrderZone:
			first = strings.Compare(a.Zone, b.Zone)
		case OrderOldestFirst:
			first = a.LaunchTime.Compare(b.LaunchTime)
		case OrderExposure:
			first = compareExposure(a.Exposure, b.Exposure)
		default:
			first = crowd[b.Zone] - crowd[a.Zone]
		}
		last := 0
		switch {
		case a.Starts && !b.Starts:
			last = 1
		case b.Starts && !a.Starts:
			last = -1
		}
		if by == OrderZone { // a zone that was begun is finished first
			return cmp.Or(first, last, strings.Compare(a.ID, b.ID))
		}
		return cmp.Or(last, first, strings.Compare(a.ID, b.ID))
	})
	return ordered
}

// ZoneWay is how far a group has come that is taken by zone.
type ZoneWay struct {
	Of   map[string]string // the zone of each instance that is known, by id
	Last string            // the zone in which an instance was changed last
	At   time.Time         // when that one ended; zero: none was changed yet
}

// Next is who is taken next of those that wait, in their order; "": nobody, while one of another zone is under way. A
// zone that was begun is finished first: whoever joins it later would have the group go to and fro.
func (z ZoneWay) Next(waiting, underWay []string) string {
	if len(waiting) == 0 {
		return ""
	}
	current := z.Last
	if len(underWay) > 0 {
		current = z.Of[underWay[0]]
	}
	for _, id := range waiting {
		if z.Of[id] == current {
			return id
		}
	}
	if len(underWay) > 0 {
		return ""
	}
	return waiting[0]
}

// Until is when an instance may be begun: once the zone before has been left alone for soak; zero: at once.
func (z ZoneWay) Until(id string, soak Duration) time.Time {
	if soak == 0 || z.At.IsZero() || z.Of[id] == z.Last {
		return time.Time{}
	}
	return z.At.Add(soak.D())
}

// Soaks says for people what an instance waits for until then.
func (z ZoneWay) Soaks(id string, until time.Time) string {
	return fmt.Sprintf("%s is patched and watched: %s begins at %s", zoneCalled(z.Last), zoneCalled(z.Of[id]),
		until.UTC().Format(time.RFC3339))
}

// zoneCalled names a zone for people; what no zone is known of is none of AWS's.
func zoneCalled(zone string) string {
	if zone == "" {
		return "what is in no zone"
	}
	return "zone " + zone
}
