package activities_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// isolation is a fleet whose first staging instance has two interfaces, and the isolating security group.
func isolation(t *testing.T) (f *fleet, it activities.Instance, change func(device int, groups ...string), groups func() [][]string) {
	t.Helper()
	f = newFleet(t, "healthy")
	it = activities.Instance{Group: staging, ID: f.instances(staging.Account.ID)[0]}
	find := func(w *world.World) *world.Instance {
		return w.Account(staging.Account.ID).Region(staging.Region).Instance(it.ID)
	}
	f.sim.Inspect(func(w *world.World) {
		_, err := w.Account(staging.Account.ID).Region(staging.Region).CreateSecurityGroup("quarantined", "nothing in, nothing out", "")
		require.NoError(t, err)
		find(w).AddInterface(find(w).SecurityGroups)
	})
	change = func(device int, names ...string) {
		f.sim.Inspect(func(w *world.World) {
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
		f.sim.Inspect(func(w *world.World) {
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
	found := must[activities.Isolation](f, f.aws.FindIsolation, activities.FindIsolationInput{Instance: it, SecurityGroup: "quarantined"})
	require.Len(t, found.Interfaces, 2)
	byID := must[activities.Isolation](f, f.aws.FindIsolation, activities.FindIsolationInput{Instance: it, SecurityGroup: found.SecurityGroup})
	require.Equal(t, found, byID)

	f.loseFirst("ModifyNetworkInterfaceAttribute")
	must[any](f, f.aws.SetSecurityGroups, activities.SecurityGroupsInput{Instance: it, Isolation: found})
	require.Equal(t, [][]string{{"quarantined"}, {"quarantined"}}, groups())
	require.Equal(t, 2, f.effects("ModifyNetworkInterfaceAttribute"), "a lost reply repeats nothing")
	must[any](f, f.aws.SetSecurityGroups, activities.SecurityGroupsInput{Instance: it, Isolation: found})
	require.Equal(t, 2, f.effects("ModifyNetworkInterfaceAttribute"))

	must[any](f, f.aws.SetSecurityGroups, activities.SecurityGroupsInput{Instance: it, Isolation: found, Restore: true})
	require.Equal(t, [][]string{{"default"}, {"default"}}, groups())
}

func TestSecurityGroupsThatSomebodyElseGaveStay(t *testing.T) {
	f, it, change, groups := isolation(t)
	found := must[activities.Isolation](f, f.aws.FindIsolation, activities.FindIsolationInput{Instance: it, SecurityGroup: "quarantined"})
	must[any](f, f.aws.SetSecurityGroups, activities.SecurityGroupsInput{Instance: it, Isolation: found})
	change(1, "quarantined", "default")
	_, err := run[any](f, time.Hour, f.aws.SetSecurityGroups, activities.SecurityGroupsInput{Instance: it, Isolation: found, Restore: true})
	requireType(t, err, activities.ErrForeignGroups)
	require.Equal(t, []string{"default"}, groups()[0], "the other one is opened all the same")
	require.ElementsMatch(t, []string{"default", "quarantined"}, groups()[1])
}

func TestAnIsolatingGroupThatIsNotThereIsNamed(t *testing.T) {
	f, it, _, _ := isolation(t)
	_, err := run[any](f, time.Hour, f.aws.FindIsolation, activities.FindIsolationInput{Instance: it, SecurityGroup: "quarantine"})
	requireType(t, err, activities.ErrNoSecurityGroup)
	require.ErrorContains(t, err, `called "quarantine"`)
}
