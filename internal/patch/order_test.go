package patch_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

func TestOrder(t *testing.T) {
	leaving := func(i int, zone, state string) patch.Member {
		m := well(i, zone)
		m.Lifecycle = state
		return m
	}
	stopped := well(8, "a")
	stopped.State = "stopped"
	gone := well(9, "a")
	gone.State = "terminated"
	launched := func(i int, zone string, at time.Duration) patch.Member {
		m := well(i, zone)
		m.LaunchTime = noon.Add(at)
		return m
	}
	for _, c := range []struct {
		name    string
		by      patch.Order
		members []patch.Member
		want    []string
	}{
		{"nobody", "", nil, nil},
		{
			"one zone after the other, by their names", patch.OrderZone,
			[]patch.Member{well(1, "c"), well(2, "a"), well(3, "c"), well(4, "b"), well(5, "c"), well(6, "a")},
			[]string{"i-02", "i-06", "i-04", "i-01", "i-03", "i-05"},
		},
		{
			"the oldest first, those alike by id", patch.OrderOldestFirst,
			[]patch.Member{launched(1, "a", 2), launched(3, "c", 0), launched(2, "c", 0), launched(4, "c", 1)},
			[]string{"i-02", "i-03", "i-04", "i-01"},
		},
		{
			"those that leave are not taken, whatever the order", patch.OrderZone,
			[]patch.Member{leaving(1, "a", "Detaching"), gone, well(3, "c")},
			[]string{"i-03"},
		},
		{
			"two zones alike: by id", "",
			[]patch.Member{well(4, "c"), well(1, "a"), well(3, "c"), well(2, "a")},
			[]string{"i-01", "i-02", "i-03", "i-04"},
		},
		{
			"the crowded zone first", patch.OrderZoneBalanced,
			[]patch.Member{well(1, "a"), well(2, "c"), well(3, "c")},
			[]string{"i-02", "i-03", "i-01"},
		},
		{
			"those that leave are not taken", "",
			[]patch.Member{leaving(1, "a", "Terminating:Wait"), leaving(2, "a", "Detaching"), well(3, "c")},
			[]string{"i-03"},
		},
		{
			"those that leave crowd no zone", "",
			[]patch.Member{leaving(1, "a", "Terminating"), well(2, "a"), well(3, "c"), well(4, "c")},
			[]string{"i-03", "i-04", "i-02"},
		},
		{"a stopped one in no Auto Scaling group is not taken", "", []patch.Member{stopped, well(1, "a")}, []string{"i-01"}},
		{"a terminated one is not taken", "", []patch.Member{gone, well(1, "a")}, []string{"i-01"}},
		{
			"somebody's standby is: its turn tells the reason", "",
			[]patch.Member{leaving(1, "a", patch.LifecycleStandby)},
			[]string{"i-01"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, m := range (patch.GroupState{Members: c.members}).Ordered(c.by) {
				got = append(got, m.ID)
			}
			require.Equal(t, c.want, got)
		})
	}
}

func TestFirstNewcomer(t *testing.T) {
	at := func(i, minute int, state string) patch.Member {
		m := well(i, "a")
		m.State, m.LaunchTime = state, noon.Add(minutes(minute))
		return m
	}
	for _, c := range []struct {
		name    string
		members []patch.Member
		known   []string
		want    string
	}{
		{"attached by hand, or not listed for once: it is older", []patch.Member{at(2, -1, "running")}, nil, ""},
		{"nobody new", []patch.Member{at(1, 0, "running")}, []string{"i-01"}, ""},
		{"one new", []patch.Member{at(1, 0, "running"), at(2, 5, "running")}, []string{"i-01"}, "i-02"},
		{
			"of two the one launched first: the other came by somebody else's doing",
			[]patch.Member{at(2, 9, "running"), at(3, 5, "pending")},
			nil, "i-03",
		},
		{"terminated ones do not count", []patch.Member{at(2, 1, "terminated"), at(3, 5, "running")}, nil, "i-03"},
		{"an empty group", nil, []string{"i-01"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.want, patch.FirstNewcomer(patch.GroupState{Members: c.members}, c.known, noon))
		})
	}
}

func TestAnOrderThatNobodyKnowsIsRefused(t *testing.T) {
	var order patch.Order
	require.NoError(t, json.Unmarshal([]byte(`"zone"`), &order))
	require.Equal(t, patch.OrderZone, order)
	require.ErrorContains(t, json.Unmarshal([]byte(`"zones"`), &order), "zone_balanced, zone, oldest_first, exposure")
}

func TestOneZoneAfterTheOther(t *testing.T) {
	zones := map[string]string{"a1": "a", "a2": "a", "c1": "c", "c2": "c"}
	later := noon.Add(30 * time.Minute)
	for _, c := range []struct {
		name           string
		last           string
		waiting, under []string
		want           string
		until          time.Time // for a soak of half an hour
	}{
		{"nobody waits", "a", nil, nil, "", time.Time{}},
		{"the first begins at once", "", []string{"a1", "a2", "c1"}, nil, "a1", time.Time{}},
		{"the next of its zone as well", "a", []string{"a2", "c1"}, nil, "a2", time.Time{}},
		{"the next zone soaks", "a", []string{"c1", "c2"}, nil, "c1", later},
		{"beside one of its zone", "", []string{"a2", "c1"}, []string{"a1"}, "a2", time.Time{}},
		{"not beside one of another", "", []string{"c1"}, []string{"a1"}, "", time.Time{}},
		{"a zone that was begun is finished first", "c", []string{"a2", "c2"}, nil, "c2", time.Time{}},
		{"who joined an earlier zone comes last", "c", []string{"a2"}, nil, "a2", later},
		{"who is in no zone that is known is in one of its own", "a", []string{"m1"}, nil, "m1", later},
	} {
		t.Run(c.name, func(t *testing.T) {
			way := patch.ZoneWay{Of: zones, Last: c.last}
			if c.last != "" {
				way.At = noon
			}
			got := way.Next(c.waiting, c.under)
			require.Equal(t, c.want, got)
			if got != "" {
				require.Equal(t, c.until, way.Until(got, patch.Duration(30*time.Minute)))
				require.Zero(t, way.Until(got, 0), "no soak was asked for")
			}
		})
	}
	require.Equal(t, "zone a is patched and watched: zone c begins at 2026-11-22T12:30:00Z",
		patch.ZoneWay{Of: zones, Last: "a"}.Soaks("c1", time.Date(2026, 11, 22, 12, 30, 0, 0, time.UTC)))
}
