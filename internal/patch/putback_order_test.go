package patch_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

func illTarget(m *patch.Member) { m.Targets[0].Health = patch.TargetUnhealthy }
func silent(m *patch.Member)    { m.AgentOnline = false }
func stopped(m *patch.Member)   { m.State = "stopped" }

func TestPutBackOrder(t *testing.T) {
	patched := []string{"i-01", "i-02", "i-03", "i-04"}
	for _, c := range []struct {
		name  string
		group patch.Group
		state patch.GroupState
		want  []string
	}{
		{"all are well: the last patched first", webGroup, four(), []string{"i-04", "i-03", "i-02", "i-01"}},
		{"the ill first", webGroup, four(member(0, illTarget), member(2, illTarget)), []string{
			"i-03", "i-01", "i-04", "i-02",
		}},
		{"a silent agent serves", webGroup, four(member(0, silent)), []string{"i-04", "i-03", "i-02", "i-01"}},
		{"one that is gone takes nothing", webGroup, four(func(s *patch.GroupState) { s.Members = s.Members[1:] }), []string{
			"i-01", "i-04", "i-03", "i-02",
		}},
		{"of those chosen by tags", tagsGroup, four(untracked, member(1, stopped)), []string{"i-02", "i-04", "i-03", "i-01"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.want, patch.PutBackOrder(c.group, c.state, patched))
			require.Equal(t, c.want[0], patch.NextPutBack(c.group, c.state, patched, nil))
			require.Equal(t, c.want[1], patch.NextPutBack(c.group, c.state, patched, c.want[:1]))
			require.Empty(t, patch.NextPutBack(c.group, c.state, patched, patched), "each was refused meanwhile")
		})
	}
	require.Equal(t, []string{"i-01", "i-02", "i-03", "i-04"}, patched)
}

// One illTarget instance keeps the others from nothing: it goes first, and then there is room. And while somebody
// else's stays illTarget, all that could be put back is, and the asking ends.
func TestPuttingBackGetsAsFarAsItCan(t *testing.T) {
	for _, c := range []struct {
		name    string
		state   patch.GroupState
		patched []string
		mended  []string // who was put back, in order
	}{
		{"one of them is ill", four(member(1, illTarget)), []string{"i-01", "i-02", "i-03"}, []string{
			"i-02", "i-03",
			"i-01",
		}},
		{
			"two of them are", four(member(0, illTarget), member(1, illTarget)),
			[]string{"i-01", "i-02", "i-03"},
			[]string{"i-02", "i-01", "i-03"},
		},
		{"somebody else's is illTarget, too", four(member(1, illTarget), member(3, illTarget)), []string{
			"i-01", "i-02",
			"i-03",
		}, []string{"i-02"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var mended, refused []string
			left := slices.Clone(c.patched)
			for asked := 0; ; asked++ {
				require.Less(t, asked, 20, "it never ends")
				next := patch.NextPutBack(webGroup, c.state, left, refused)
				if next == "" {
					break
				}
				one := patch.Policy{MaxUnavailable: patch.Instances(1)}
				view := patch.View{Group: webGroup, Policy: one, State: &c.state, Instance: next}
				if refusal := patch.First(patch.LevelPutBack, view); refusal != nil {
					require.Equal(t, patch.RefusedCapacity, refusal.Code)
					refused = append(refused, next)
					continue
				}
				for i := range c.state.Members {
					if c.state.Members[i].ID == next {
						c.state.Members[i].Targets[0].Health = patch.TargetHealthy
					}
				}
				left = slices.DeleteFunc(left, func(id string) bool { return id == next })
				mended, refused = append(mended, next), nil
			}
			require.Equal(t, c.mended, mended)
		})
	}
}
