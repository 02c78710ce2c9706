package patch_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

func TestPlanRelease(t *testing.T) {
	out := time.Date(2036, 11, 22, 3, 0, 0, 0, time.UTC)
	group := patch.Group{
		Account: patch.Account{Name: "production", ID: "111122223333"}, Region: "ap-northeast-1", AutoScalingGroup: "web",
	}
	member := func(id string, launched time.Time) patch.Member {
		return patch.Member{
			ID: id, Lifecycle: patch.LifecycleInService, Health: "Healthy", State: "running", StatusOK: true, AgentOnline: true,
			FreeTags: true, LaunchTime: launched,
		}
	}
	old := out.Add(-24 * time.Hour)
	for _, c := range []struct {
		name    string
		state   patch.GroupState
		giveWay string // asked for
		want    string
		refused string // a part of the reason
	}{
		{"there is room", patch.GroupState{Min: 2, Desired: 4, Max: 5}, "", "", ""},
		{"no room: the one launched in its place goes", patch.GroupState{Min: 2, Desired: 4, Max: 4}, "", "i-new", ""},
		{"room, and a person names one all the same", patch.GroupState{Min: 2, Desired: 4, Max: 5}, "i-2", "i-2", ""},
		{"a person names one that is no member", patch.GroupState{Min: 2, Desired: 4, Max: 4}, "i-9", "", "i-9 is no member"},
		{"min forbids the one less", patch.GroupState{Min: 4, Desired: 4, Max: 4}, "", "", "NoRoom"},
		{
			"Launch is suspended",
			patch.GroupState{Min: 2, Desired: 4, Max: 5, Suspended: []string{"Launch"}},
			"", "",
			"ProcessSuspended",
		},
		{"it is being deleted", patch.GroupState{Min: 2, Desired: 4, Max: 5, Deleting: true}, "", "", "DeletionInProgress"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.state.FreeTags = true
			c.state.Members = []patch.Member{
				member("i-2", old), member("i-3", old), member("i-later", out.Add(time.Hour)),
				member("i-new", out.Add(time.Minute)),
			}
			got, refused := patch.PlanRelease(
				group, c.state, patch.Stage{MaxUnavailable: patch.Instances(1)},
				patch.ReleaseView{ID: "i-1", Since: out, Known: []string{"i-2", "i-3"}, GiveWay: c.giveWay},
			)
			require.Equal(t, c.want, got)
			if c.refused == "" {
				require.Nil(t, refused)
				return
			}
			require.NotNil(t, refused)
			require.Contains(t, refused.Error(), c.refused)
		})
	}
	t.Run("nobody stands in its place", func(t *testing.T) {
		state := patch.GroupState{
			Min: 2, Desired: 3, Max: 3, FreeTags: true,
			Members: []patch.Member{member("i-2", old), member("i-3", old), member("i-4", old)},
		}
		_, refused := patch.PlanRelease(
			group, state, patch.Stage{MaxUnavailable: patch.Instances(1)},
			patch.ReleaseView{ID: "i-1", Since: out, Known: []string{"i-2", "i-3"}},
		)
		require.NotNil(t, refused)
		require.Contains(t, refused.Error(), "no instance of the group was launched in its place")
		require.Contains(t, refused.Error(), "--give-way")
	})
}

func TestAQuarantineEndsOnlyWithATime(t *testing.T) {
	at := time.Date(2036, 11, 22, 3, 0, 0, 0, time.UTC)
	require.Equal(t, at.Add(72*time.Hour), patch.Quarantine{TTL: patch.Duration(72 * time.Hour)}.Until(at))
	require.True(t, patch.Quarantine{}.Until(at).IsZero(), "of a plan that leaves it to a person")
}
