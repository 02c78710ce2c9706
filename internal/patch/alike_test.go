package patch_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

func TestWhatTwoFailedWithIsBlockedAtTheEnd(t *testing.T) {
	got := []string{"curl.x86_64 0:8-1", "vim.x86_64 2:9-1"}
	later := noon.Add(time.Hour)
	wellAgain := func(wave, instance string, got ...string) patch.Suspicion {
		one := suspicion(wave, instance, got...)
		one.Well = true
		return one
	}
	var many []string
	for i := range patch.MostByAlike + 1 {
		many = append(many, fmt.Sprintf("p%02d.x86_64 0:1-1", i))
	}
	two := []patch.Suspicion{wellAgain("w1", "i-1", got...), wellAgain("w1", "i-2", got...)}
	byName := two[1]
	byName.ByName = true
	for _, c := range []struct {
		name   string
		failed []patch.Suspicion
		well   []patch.Well
		before func(*patch.KeptBlocks)
		blocks int    // of what two failed with
		doubt  string // "": none is told
	}{
		{name: "two of the wave", failed: two, blocks: 2},
		{name: "one of another wave", failed: []patch.Suspicion{
			wellAgain("w0", "i-1", got...), wellAgain("w1", "i-2", got...),
		}, blocks: 2},
		{name: "both of other waves", failed: []patch.Suspicion{
			wellAgain("w0", "i-1", got...), wellAgain("w2", "i-2", got...),
		}},
		{name: "the same machine twice", failed: []patch.Suspicion{
			wellAgain("w0", "i-1", got...), wellAgain("w1", "i-1", got...),
		}},
		{name: "another difference", failed: []patch.Suspicion{
			wellAgain("w1", "i-1", got...), wellAgain("w1", "i-2", got[0]),
		}},
		{
			name: "a machine is well with it", failed: two,
			well: []patch.Well{{Instance: "i-3", WaveID: "w0", Got: append([]string{"bash.x86_64 0:5-1"}, got...)}},
			doubt: "i-1 of w1, i-2 of w1 failed their health checks with the same difference, and nothing of it is blocked " +
				"by itself: i-3 got it by w0 and is well",
		},
		{
			name: "a machine is well with a part of it", failed: two, well: []patch.Well{{Instance: "i-3", Got: got[:1]}},
			blocks: 2,
		},
		{
			name: "baselines of one reject names only", failed: []patch.Suspicion{two[0], byName},
			doubt: "nothing of it is blocked by itself: no baseline of theirs can reject a single version",
		},
		{
			name: "an outage: one was not well again without it",
			failed: []patch.Suspicion{
				wellAgain("w1", "i-1", got...), suspicion("w1", "i-2", got...),
			},
			doubt: "not both were well again without it",
		},
		{
			name: "at another try it was", blocks: 2,
			failed: []patch.Suspicion{suspicion("w1", "i-1", got...), two[0], two[1]},
		},
		{
			name: "a person has blamed one of them", failed: two,
			before: func(k *patch.KeptBlocks) { k.Block(blocked(t, "curl.x86_64:0:8-1")) },
		},
		{
			name: "a person has cleared one of them since", failed: two,
			before: func(k *patch.KeptBlocks) {
				k.Block(blocked(t, "curl.x86_64:0:8-1"))
				k.Clear(blocked(t, "curl.x86_64:0:8-1"), "ann", "it is good", noon.Add(time.Minute))
			},
		},
		{
			name: "too many at once", doubt: "21 patches would be blocked with it, and by itself at most 20 are",
			failed: []patch.Suspicion{wellAgain("w1", "i-1", many...), wellAgain("w1", "i-2", many...)},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var kept patch.KeptBlocks
			kept.Suspect(c.failed...)
			if c.before != nil {
				c.before(&kept)
			}
			before := len(kept.Blocked)
			for _, first := range []bool{true, false} { // a lost answer
				done, changed := kept.BlockAlike("w1", c.well, later)
				require.Equal(t, first && c.blocks > 0, changed)
				require.Len(t, done.Fresh, c.blocks)
				require.Len(t, kept.Blocked, before+c.blocks)
				require.Equal(t, c.doubt != "", len(done.Doubts) == 1, "%v", done.Doubts)
				require.Contains(t, strings.Join(done.Doubts, ""), c.doubt)
				for _, one := range done.Fresh {
					require.Equal(t, "patchtide", one.Actor)
					require.Equal(t, later.Add(14*24*time.Hour), one.Until, "it is no block for ever")
					require.Contains(t, one.String(), "two failed alike in wave w1 (failed with it: i-1 of ")
				}
			}
			after, changed := kept.BlockAlike("w1", nil, later.Add(patch.AlikeBinds))
			require.False(t, changed && c.blocks > 0, "its time is over, and the same failures say nothing new: %v", after)
		})
	}
}

func TestWhoIsWell(t *testing.T) {
	details := patch.InstanceDetails{
		WaveID: "w1", Instance: "i-1", Outcome: patch.Patched,
		Changes: []patch.PackageChange{{Name: "curl.x86_64", From: "0:8-1", To: "0:8-2"}},
	}
	require.Equal(t, &patch.Well{Instance: "i-1", WaveID: "w1", Got: []string{"curl.x86_64 0:8-2"}}, patch.WellOf(details))
	details.Outcome = patch.RolledBack
	require.Nil(t, patch.WellOf(details))
	require.True(t, patch.Suspect(details, "ill", noon).Well)
	details.Outcome = patch.Quarantined
	require.False(t, patch.Suspect(details, "ill", noon).Well)
}

func TestHowManyAreCleared(t *testing.T) {
	var all patch.Blocks
	for i := range 10 {
		all = append(all, blocked(t, fmt.Sprintf("p%d.x86_64:0:1-1", i)))
	}
	require.Equal(t, []string{
		"patchtide patch clear p0.x86_64:0:1-1 p1.x86_64:0:1-1 p2.x86_64:0:1-1 p3.x86_64:0:1-1 p4.x86_64:0:1-1 " +
			`p5.x86_64:0:1-1 p6.x86_64:0:1-1 p7.x86_64:0:1-1 --reason "..."`,
		`patchtide patch clear p8.x86_64:0:1-1 p9.x86_64:0:1-1 --reason "..."`,
	}, all.Clear())
	require.Equal(t, `patchtide patch clear p0.x86_64:0:1-1 --reason "..."`, all[0].Clear())
}
