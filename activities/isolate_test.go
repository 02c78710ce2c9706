package activities_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/journal"
)

// isolation is a fleet whose first staging instance has two interfaces, and the isolating security group.
func isolation(
	t *testing.T,
) (f *attempts, it activities.Instance, change func(device int, groups ...string), groups func() [][]string) {
	t.Helper()
	f = newAttempts(t)
	it = activities.Instance{Group: staging, ID: f.Instances(staging.Account.ID)[0]}
	find := func(w *world.World) *world.Instance {
		return w.Account(staging.Account.ID).Region(staging.Region).Instance(it.ID)
	}
	f.Inspect(func(w *world.World) {
		_, err := w.Account(staging.Account.ID).Region(staging.Region).CreateSecurityGroup(
			"quarantined", "nothing in, nothing out", "",
		)
		require.NoError(t, err)
		find(w).AddInterface(find(w).SecurityGroups)
	})
	change = func(device int, names ...string) {
		f.Inspect(func(w *world.World) {
			var ids []string
			for _, group := range find(w).Region.SecurityGroups() {
				for _, name := range names {
					if group.Name == name {
						ids = append(ids, group.ID)
					}
				}
			}
			require.NoError(t, find(w).Interfaces()[device].SetGroups(ids))
		})
	}
	groups = func() [][]string {
		var all [][]string
		f.Inspect(func(w *world.World) {
			for _, one := range find(w).Interfaces() {
				var names []string
				for _, id := range one.Groups() {
					names = append(names, find(w).Region.SecurityGroupName(id))
				}
				all = append(all, names)
			}
		})
		return all
	}
	return f, it, change, groups
}

func TestIsolatingAndOpeningAgain(t *testing.T) {
	f, it, _, groups := isolation(t)
	var found, byID journal.Isolation
	f.must(f.FindIsolation, activities.FindIsolationInput{Instance: it, SecurityGroup: "quarantined"}, &found)
	require.Len(t, found.Interfaces, 2)
	f.must(f.FindIsolation, activities.FindIsolationInput{Instance: it, SecurityGroup: found.SecurityGroup}, &byID)
	require.Equal(t, found, byID)

	f.LoseFirst("ModifyNetworkInterfaceAttribute")
	require.Equal(
		t, activities.ErrAWS,
		f.fails(f.SetSecurityGroups, activities.SecurityGroupsInput{Instance: it, Isolation: found}).Type(),
	)
	f.must(f.SetSecurityGroups, activities.SecurityGroupsInput{Instance: it, Isolation: found}, nil)
	require.Equal(t, [][]string{{"quarantined"}, {"quarantined"}}, groups())
	require.Equal(t, 2, f.Effects("ModifyNetworkInterfaceAttribute"), "a lost reply repeats nothing")
	f.must(f.SetSecurityGroups, activities.SecurityGroupsInput{Instance: it, Isolation: found}, nil)
	require.Equal(t, 2, f.Effects("ModifyNetworkInterfaceAttribute"))

	f.must(f.SetSecurityGroups, activities.SecurityGroupsInput{Instance: it, Isolation: found, Restore: true}, nil)
	require.Equal(t, [][]string{{"default"}, {"default"}}, groups())
}

func TestSecurityGroupsThatSomebodyElseGaveStay(t *testing.T) {
	f, it, change, groups := isolation(t)
	var found journal.Isolation
	f.must(f.FindIsolation, activities.FindIsolationInput{Instance: it, SecurityGroup: "quarantined"}, &found)
	f.must(f.SetSecurityGroups, activities.SecurityGroupsInput{Instance: it, Isolation: found}, nil)
	change(1, "quarantined", "default")
	require.Equal(
		t, activities.ErrSecurityGroupsChanged,
		f.fails(f.SetSecurityGroups, activities.SecurityGroupsInput{Instance: it, Isolation: found, Restore: true}).Type(),
	)
	require.Equal(t, []string{"default"}, groups()[0], "the other one is opened all the same")
	require.ElementsMatch(t, []string{"default", "quarantined"}, groups()[1])
}

func TestAnIsolatingGroupThatIsNotThereIsNamed(t *testing.T) {
	f, it, _, _ := isolation(t)
	err := f.fails(f.FindIsolation, activities.FindIsolationInput{Instance: it, SecurityGroup: "quarantine"})
	require.Equal(t, activities.ErrNoSecurityGroup, err.Type())
	require.ErrorContains(t, err, `called "quarantine"`)
}
