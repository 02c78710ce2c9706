package patch_test

import (
	"testing"

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
	for _, c := range []struct {
		name    string
		members []patch.Member
		want    []string
	}{
		{"nobody", nil, nil},
		{
			"two zones alike: by id",
			[]patch.Member{well(4, "c"), well(1, "a"), well(3, "c"), well(2, "a")},
			[]string{"i-01", "i-02", "i-03", "i-04"},
		},
		{
			"the crowded zone first", []patch.Member{well(1, "a"), well(2, "c"), well(3, "c")}, []string{"i-02", "i-03", "i-01"},
		},
		{
			"those that leave are not taken",
			[]patch.Member{leaving(1, "a", "Terminating:Wait"), leaving(2, "a", "Detaching"), well(3, "c")},
			[]string{"i-03"},
		},
		{
			"those that leave crowd no zone",
			[]patch.Member{leaving(1, "a", "Terminating"), well(2, "a"), well(3, "c"), well(4, "c")},
			[]string{"i-03", "i-04", "i-02"},
		},
		{"a stopped one in no Auto Scaling group is not taken", []patch.Member{stopped, well(1, "a")}, []string{"i-01"}},
		{"a terminated one is not taken", []patch.Member{gone, well(1, "a")}, []string{"i-01"}},
		{
			"somebody's standby is: its turn tells the reason",
			[]patch.Member{leaving(1, "a", patch.LifecycleStandby)},
			[]string{"i-01"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, m := range (patch.GroupState{Members: c.members}).Order() {
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
