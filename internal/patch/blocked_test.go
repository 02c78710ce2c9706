package patch_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

func TestHowAPatchIsWritten(t *testing.T) {
	for _, c := range []struct {
		name     string
		platform patch.Platform
		text     string
		want     string // platform, name and version; "": it is refused
		problem  string
	}{
		{"as Systems Manager lists it", "", "openssl.x86_64:1:3.2.2-1.amzn2023", "linux openssl.x86_64 1:3.2.2-1.amzn2023", ""},
		{"with a space", "", "openssl.x86_64 1:3.2.2-1.amzn2023", "linux openssl.x86_64 1:3.2.2-1.amzn2023", ""},
		{"without an epoch", "", "curl.amd64:8.5.0-1ubuntu2", "linux curl.amd64 0:8.5.0-1ubuntu2", ""},
		{"without an architecture", "", "curl:0:8.5.0-1", "linux curl 0:8.5.0-1", ""},
		{"of rpm without an epoch", "", "openssl.x86_64:3.2.2-1.amzn2023", "", "has no epoch"},
		{"an update of Windows", "", "kb5031234", "windows KB5031234", ""},
		{"an update on Linux", patch.Linux, "KB5031234", "", "names no version"},
		{"a package on Windows", patch.Windows, "curl:8.5.0-1", "", "no update of Windows"},
		{"all versions of a package", "", "curl", "", "`rejected_patches`"},
		{"a pattern", "", "curl:8.*", "", "names no version"},
		{"two at once", "", "curl:1-1 vim:1-1", "", "names no version"},
		{"nothing", "", " ", "", "names no version"},
		{"another platform", "macos", "curl:1-1", "", "neither linux nor windows"},
	} {
		t.Run(c.name, func(t *testing.T) {
			one, err := patch.ParsePatch(c.platform, c.text)
			if c.want == "" {
				require.ErrorContains(t, err, c.problem)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, strings.TrimSpace(fmt.Sprintln(one.Platform, one.Patch())))
			again, err := patch.ParsePatch(one.Platform, one.Argument())
			require.NoError(t, err)
			require.Equal(t, one, again, "what a command says is what it takes")
		})
	}
}

func blocked(t *testing.T, text string) patch.BlockedPatch {
	t.Helper()
	one, err := patch.ParsePatch("", text)
	require.NoError(t, err)
	one.Actor, one.Reason, one.Since = "ann", "logins fail", noon
	return one
}

func TestWhatABlockIsAbout(t *testing.T) {
	for _, c := range []struct {
		block, name, version string
		is                   bool
	}{
		{"curl.x86_64:0:8-1", "curl.x86_64", "0:8-1", true},
		{"curl.x86_64:0:8-1", "curl.x86_64", "8-1", true},
		{"curl.x86_64:0:8-1", "curl.x86_64", "0:8-2", false},
		{"curl.x86_64:0:8-1", "curl.x86_64", "1:8-1", false},
		{"curl.x86_64:0:8-1", "curl.aarch64", "0:8-1", false},
		{"curl:0:8-1", "curl.aarch64", "0:8-1", true},
		{"python3:0:8-1", "python3.11.x86_64", "0:8-1", false},
		{"KB5031234", "KB5031234", "installed", true},
		{"KB5031234", "KB5031235", "installed", false},
	} {
		t.Run(c.block+" "+c.name+" "+c.version, func(t *testing.T) {
			one := blocked(t, c.block)
			require.Equal(t, c.is, one.Is(c.name, c.version))
			title := c.name + ":" + c.version
			if one.Platform == patch.Windows {
				title = "2023-10 Cumulative Update"
			}
			require.Equal(t, c.is, one.Listed(c.name, title), "in Systems Manager's lists")
		})
	}
}

func TestWhatIsBlockedTwiceIsBlockedOnce(t *testing.T) {
	first, later := blocked(t, "curl.x86_64:0:8-1"), noon.Add(time.Hour)
	bob := first
	bob.Actor, bob.Reason, bob.Since = "bob", "me too", later
	failed := bob
	failed.Failed = []string{"i-1 of wave-1"}
	short, over := first, first
	short.Until, over.Until = later.Add(time.Hour), later
	for _, c := range []struct {
		name    string
		before  patch.Blocks
		added   patch.BlockedPatch
		want    patch.BlockedPatch
		changed bool
	}{
		{"nothing was", nil, first, first, true},
		{"the same again", patch.Blocks{first}, first, first, false},
		{"by another", patch.Blocks{first}, bob, first, false},
		{"another failed with it", patch.Blocks{first}, failed, func() patch.BlockedPatch {
			one := first
			one.Failed = failed.Failed
			return one
		}(), true},
		{"for longer", patch.Blocks{short}, bob, first, true},
		{"for less", patch.Blocks{first}, short, first, false},
		{"its time is over", patch.Blocks{over}, bob, bob, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			all, changed := c.before.With(c.added)
			require.Equal(t, patch.Blocks{c.want}, all)
			require.Equal(t, c.changed, changed)
			again, changed := all.With(c.added)
			require.False(t, changed, "a decision recorded twice blocks once")
			require.Equal(t, all, again)
		})
	}
}

func TestABlockWhoseTimeIsOverBindsNoMore(t *testing.T) {
	one, update := blocked(t, "curl.x86_64:0:8-1"), blocked(t, "KB5031234")
	one.Until = noon.Add(time.Hour)
	all := patch.Blocks{one, update}
	require.Len(t, all.At(noon, ""), 2)
	require.Equal(t, patch.Blocks{one}, all.At(noon, patch.Linux))
	require.Equal(t, patch.Blocks{update}, all.At(one.Until, ""))
	require.Empty(t, all.At(one.Until, patch.Linux).Digest())
	require.NotEqual(t, all.Digest(), all[1:].Digest())
	require.Equal(t, "curl.x86_64 0:8-1 is blocked by ann since 2026-11-22 12:00 UTC until 2026-11-22 13:00 UTC: logins fail",
		one.String())
}

func TestWhatCameThoughItIsBlocked(t *testing.T) {
	all := patch.Blocks{blocked(t, "kernel.x86_64:0:6-2"), blocked(t, "curl.x86_64:0:8-1")}
	require.Len(t, all.Arrivals([]string{"kernel.x86_64 0:6-1"}, []string{"kernel.x86_64 0:6-1", "kernel.x86_64 0:6-2"}), 1)
	require.Empty(t, all.Arrivals([]string{"curl.x86_64 0:8-1"}, []string{"curl.x86_64 0:8-1"}), "it was there")
	require.Empty(t, all.Arrivals([]string{"curl.x86_64 0:8-1"}, []string{"curl.x86_64 0:8-2"}))
}

func suspicion(wave, instance string, got ...string) patch.Suspicion {
	return patch.Suspicion{WaveID: wave, Instance: instance, Platform: patch.Linux, At: noon, Why: "health: ill", Got: got}
}

func TestTwoThatFailAlike(t *testing.T) {
	difference := []string{"curl.x86_64 0:8-1", "vim.x86_64 2:9-1"}
	for _, c := range []struct {
		name   string
		failed []patch.Suspicion
		alike  bool
	}{
		{"one alone", []patch.Suspicion{suspicion("w1", "i-1", difference...)}, false},
		{
			"the same again, as an activity is repeated",
			[]patch.Suspicion{suspicion("w1", "i-1", difference...), suspicion("w1", "i-1", difference...)},
			false,
		},
		{
			"the same machine in another wave",
			[]patch.Suspicion{suspicion("w1", "i-1", difference...), suspicion("w2", "i-1", difference...)},
			false,
		},
		{
			"two of one wave",
			[]patch.Suspicion{suspicion("w1", "i-1", difference...), suspicion("w1", "i-2", difference...)},
			true,
		},
		{
			"two of two waves",
			[]patch.Suspicion{suspicion("w1", "i-1", difference...), suspicion("w2", "i-2", difference...)},
			true,
		},
		{
			"another difference",
			[]patch.Suspicion{suspicion("w1", "i-1", difference...), suspicion("w1", "i-2", difference[0])},
			false,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var kept patch.KeptBlocks
			var all []patch.Alike
			for _, one := range c.failed {
				all, _ = kept.Suspect(one)
			}
			require.Empty(t, kept.Blocked, "a person says what is to blame")
			require.Equal(t, c.alike, len(all) == 1)
			if !c.alike {
				return
			}
			require.Contains(t, all[0].Told(), "--blame PACKAGE")
			again, changed := kept.Suspect(c.failed...)
			require.False(t, changed, "it is kept once")
			require.Len(t, again, 1, "and is told once, also where the first answer was lost")
		})
	}
}

// Who clears what failed is not told of the same failures once more.
func TestWhatIsClearedStaysCleared(t *testing.T) {
	var kept patch.KeptBlocks
	kept.Suspect(suspicion("w1", "i-1", "curl.x86_64 0:8-1"))
	alike, _ := kept.Suspect(suspicion("w1", "i-2", "curl.x86_64 0:8-1"))
	require.Len(t, alike, 1)
	kept.Block(blocked(t, "curl.x86_64:0:8-1"))
	was, changed := kept.Clear(blocked(t, "curl.x86_64:0:8-2"), "ann", "good", noon)
	require.Nil(t, was, "it is not blocked")
	require.False(t, changed)
	for _, first := range []bool{true, false} { // an answer that was lost
		was, changed = kept.Clear(blocked(t, "curl.x86_64:0:8-1"), "ann", "the database was away", noon)
		require.NotNil(t, was)
		require.Equal(t, first, changed)
	}
	was, _ = kept.Clear(blocked(t, "curl.x86_64:0:8-1"), "ann", "the database was away", noon.Add(time.Hour))
	require.Nil(t, was)
	require.Empty(t, kept.Blocked)
	require.Equal(t, "the database was away", kept.Cleared[0].Reason)
	old := []patch.Suspicion{
		suspicion("w1", "i-1", "curl.x86_64 0:8-1"), suspicion("w1", "i-2", "curl.x86_64 0:8-1"),
	}
	alike, _ = kept.Suspect(old...)
	require.Empty(t, alike, "a hold sends what failed before once more")
	again := []patch.Suspicion{suspicion("w2", "i-3", "curl.x86_64 0:8-1"), suspicion("w2", "i-4", "curl.x86_64 0:8-1")}
	for i := range again {
		again[i].At = noon.Add(2 * time.Hour)
	}
	alike, _ = kept.Suspect(again...)
	require.Len(t, alike, 1, "it fails again")
}

func TestWhatAPersonBlames(t *testing.T) {
	failed := []patch.Suspicion{
		suspicion("w1", "i-1", "curl.x86_64 0:8-1", "vim.x86_64 2:9-1"), suspicion("w1", "i-2", "curl.x86_64 0:8-1"),
	}
	for _, c := range []struct {
		name, blame string
		failed      []patch.Suspicion
		want        []string
		problem     string
	}{
		{"by its name", "curl", failed, []string{"curl.x86_64 0:8-1 [i-1 of w1 i-2 of w1]"}, ""},
		{"with its architecture", "vim.x86_64", failed, []string{"vim.x86_64 2:9-1 [i-1 of w1]"}, ""},
		{"with its version", "vim.x86_64:2:9-1", failed, []string{"vim.x86_64 2:9-1 [i-1 of w1]"}, ""},
		{"all", "all", failed, []string{"curl.x86_64 0:8-1 [i-1 of w1 i-2 of w1]", "vim.x86_64 2:9-1 [i-1 of w1]"}, ""},
		{"what nobody got", "curl,openssl", failed, nil, `none of the instances got "openssl"; they got curl.x86_64 0:8-1, vim`},
		{"another version", "vim.x86_64:2:9-2", failed, nil, "none of the instances got"},
		{"nobody told", "all", nil, nil, "patchtide patch block"},
	} {
		t.Run(c.name, func(t *testing.T) {
			blamed, err := patch.Blame(strings.Split(c.blame, ","), c.failed)
			if c.problem != "" {
				require.ErrorContains(t, err, c.problem)
				return
			}
			require.NoError(t, err)
			var told []string
			for _, one := range blamed {
				told = append(told, fmt.Sprint(one.Patch(), " ", one.Failed))
			}
			require.Equal(t, c.want, told)
		})
	}
}

func TestNothingBeginsWhereNobodyKnowsWhatIsBlocked(t *testing.T) {
	for _, level := range []patch.Level{patch.LevelWave, patch.LevelGroup, patch.LevelInstance} {
		view := viewOf(four(), "")
		view.Around = &patch.Interference{Blocks: &patch.KnownBlocks{Unknown: "the bucket is away"}}
		if level == patch.LevelInstance {
			view.Instance = "i-01"
		}
		found := patch.Refusals(level, view)
		require.Len(t, found, 1, level)
		require.Equal(t, patch.RefusedBlocked, found[0].Code)
		require.Contains(t, found[0].What, "the bucket is away")
		view.Around.Blocks = &patch.KnownBlocks{Digest: "1", TooMany: "would reject 51"}
		require.Contains(t, patch.Refusals(level, view)[0].What, "would reject 51")
		view.Around.Blocks = &patch.KnownBlocks{Digest: "1"}
		require.Empty(t, patch.Refusals(level, view))
	}
}

func TestAnInstallThatBroughtWhatIsBlockedFails(t *testing.T) {
	machine := func(boot, packages string) *patch.MachineFacts {
		return &patch.MachineFacts{BootID: boot, PackagesSHA256: packages}
	}
	verdict := patch.Verify(patch.Pass{
		Platform: patch.Linux, Reboot: patch.RebootAlways, Number: 1, Of: 1,
		Report: patch.PatchReport{Before: machine("1", "a"), After: machine("2", "b"), Blocked: []string{"curl is blocked by ann"}},
	})
	require.Equal(t, "it got what is blocked: curl is blocked by ann", verdict.Reason)
}
