package patch_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

func TestCheckRootVolume(t *testing.T) {
	for _, c := range []struct {
		name    string
		restore patch.Restore
		change  func(*patch.Member)
		refused bool
	}{
		{name: "an EBS root", restore: patch.RestoreRootVolume},
		{
			name: "no EBS root", restore: patch.RestoreRootVolume, change: func(m *patch.Member) { m.RootVolumeID = "" },
			refused: true,
		},
		{
			name: "from the Marketplace", restore: patch.RestoreRootVolume,
			change: func(m *patch.Member) { m.ProductCodes = true }, refused: true,
		},
		{
			name: "bare metal", restore: patch.RestoreRootVolume, change: func(m *patch.Member) { m.BareMetal = true },
			refused: true,
		},
		{
			name: "bare metal, replaced when it fails", restore: patch.RestoreReplace,
			change: func(m *patch.Member) { m.BareMetal = true },
		},
		{
			name: "no EBS root, nothing restored", restore: patch.RestoreNone,
			change: func(m *patch.Member) { m.RootVolumeID = "" },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := well(1, "a")
			if c.change != nil {
				c.change(&m)
			}
			state := four(func(s *patch.GroupState) { s.Members[0] = m })
			policy := patch.Policy{Restore: c.restore, MaxUnavailable: patch.Instances(1)}
			refusal := patch.First(
				patch.LevelInstance, patch.View{Group: webGroup, Policy: policy, State: &state, Instance: m.ID},
			)
			if !c.refused {
				require.Nil(t, refusal)
				return
			}
			requireRefusal(t, refusal, patch.RefusedNoRestore, webGroup.String()+"/i-01")
		})
	}
}
