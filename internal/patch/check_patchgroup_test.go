package patch_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

// Systems Manager finds an instance's baseline by a tag. What it would judge by another one is told with the commands
// that change it, before anything is touched.
func TestJudgedElsewhere(t *testing.T) {
	ours := patch.Judges{
		Baseline: "patchtide-al2023", PatchGroup: "it's al", System: "AMAZON_LINUX_2023", Asked: 7,
	}
	with := func(elsewhere ...patch.Elsewhere) patch.Judges {
		judges := ours
		judges.Elsewhere = elsewhere
		return judges
	}
	many := with()
	for _, id := range []string{"i-1", "i-2", "i-3", "i-4", "i-5", "i-6", "i-7"} {
		many.Elsewhere = append(many.Elsewhere, patch.Elsewhere{Instance: id})
	}
	taken := ours
	taken.TakenBy, taken.TakenByID = "theirs", "pb-0123"
	nameless := with(patch.Elsewhere{Instance: "i-1"})
	nameless.PatchGroup = ""
	for _, c := range []struct {
		name     string
		judges   patch.Judges
		instance string
		what     []string // none: nothing stands against it
		todo     []string
	}{
		{name: "all are judged by ours", judges: ours},
		{name: "another instance's turn", judges: with(patch.Elsewhere{Instance: "i-2"}), instance: "i-1"},
		{
			"five are named, the command has all", many, "",
			[]string{"7 of 7 instances are not in the patch group it's al", "i-5 (none), and 2 more"},
			[]string{
				"--resources i-1 i-2 i-3 i-4 i-5 i-6 i-7 --tags 'Key=PatchGroup,Value=it'\\''s al'", "PropagateAtLaunch=true",
			},
		},
		{
			"one in its turn", with(patch.Elsewhere{Instance: "i-1", Joined: "old"}), "i-1",
			[]string{"it is not in the patch group it's al but (PatchGroup=old)"},
			[]string{"--resources i-1 --tags"},
		},
		{
			"the spelling that it has is kept", with(patch.Elsewhere{Instance: "i-1", Spaced: "old"}), "",
			[]string{"(Patch Group=old)"},
			[]string{"'Key=Patch Group,Value=it'"},
		},
		{
			"both, and different", with(patch.Elsewhere{Instance: "i-1", Joined: "it's al", Spaced: "old"}), "",
			[]string{"(PatchGroup=it's al, Patch Group=old)"},
			[]string{"delete-tags", "'Key=Patch Group' && aws ec2 create-tags"},
		},
		{
			"another baseline has the patch group", taken, "i-1",
			[]string{"registered with the baseline theirs"},
			[]string{"--baseline-id pb-0123"},
		},
		{
			"the baseline names none", nameless, "",
			[]string{"names no patch_group", "not the default of AMAZON_LINUX_2023"},
			[]string{"write a patch_group"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			group := webGroup
			found := patch.JudgedElsewhere(group, c.instance, c.judges)
			if len(c.what) == 0 {
				require.Empty(t, found)
				return
			}
			require.Len(t, found, 1)
			for _, part := range c.what {
				require.Contains(t, found[0].What, part)
			}
			for _, part := range c.todo {
				require.Contains(t, found[0].WhatToDo, part)
			}
			at := patch.Refusals(patch.LevelWave, patch.View{
				Group: group, Instance: c.instance, Around: &patch.Interference{Judges: &c.judges},
			})
			require.Equal(t, []patch.RefusalCode{patch.RefusedPatchGroup}, codesOf(at))
		})
	}
}
