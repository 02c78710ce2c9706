package patch_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

func TestASystemThatTheBaselineIsNotFor(t *testing.T) {
	for _, c := range []struct {
		runs patch.System
		what string // "": nothing refuses
	}{
		{patch.System{Name: "Amazon Linux", Version: "2023"}, ""},
		{patch.System{}, ""}, // a silent agent is another check's
		{
			patch.System{Name: "Amazon Linux", Version: "2"},
			"it runs Amazon Linux 2, and the plan's baseline patchtide-al is for",
		},
		{
			patch.System{Name: "Red Hat Enterprise Linux", Version: "8.8"},
			"it runs Red Hat Enterprise Linux 8.8, and the plan's baseline patchtide-al is for AMAZON_LINUX_2023",
		},
		{
			patch.System{Name: "CentOS Stream", Version: "9"},
			"it runs CentOS Stream 9, which Patchtide does not patch",
		},
	} {
		t.Run(c.runs.String(), func(t *testing.T) {
			state := four(member(1, func(m *patch.Member) { m.Runs = c.runs }))
			view := viewOf(state, "")
			view.Around = &patch.Interference{Judges: &patch.Judges{Baseline: "patchtide-al", System: "AMAZON_LINUX_2023"}}
			found := patch.Refusals(patch.LevelWave, view)
			if c.what == "" {
				require.Empty(t, found)
				return
			}
			require.Equal(t, []patch.RefusalCode{patch.RefusedSystem}, codesOf(found))
			require.Contains(t, found[0].What, c.what)
			require.Equal(t, webGroup.String()+"/i-02", found[0].Where)
		})
	}
}
