package baselinesync_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/baselines"
	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/awssim/simtest"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/baselinesync"
	"github.com/patchtide/patchtide/internal/patch"
)

// name is the baseline of the tests.
const name = "amazon-linux-2023"

// changes are the calls that a sync may change something by.
var changes = []string{"CreatePatchBaseline", "UpdatePatchBaseline", "RegisterPatchBaselineForPatchGroup"}

func count(f *simtest.Fleet) (n int) {
	for _, operation := range changes {
		n += f.Effects(operation)
	}
	return n
}

// places are the two accounts of the healthy scenario.
func places(t *testing.T, f *simtest.Fleet) []baselinesync.Place {
	wanted, err := baselines.Load(name)
	require.NoError(t, err)
	var all []baselinesync.Place
	for _, group := range []patch.Group{simtest.Staging, simtest.Production} {
		all = append(all, baselinesync.Place{
			Account: group.Account.Name, Region: group.Region, Baseline: wanted, Plans: []string{"web"},
			Connect: func(context.Context) (*aws.Services, error) { return f.Services(group), nil },
		})
	}
	return all
}

func conditions(states []baselinesync.State) (all []string) {
	for _, state := range states {
		all = append(all, strings.TrimSpace(string(state.Condition)+" "+state.Done))
	}
	return all
}

// What is missing is made and registered, what is equal is left alone, and what somebody changed is told with the time,
// shown, and put back.
func TestSync(t *testing.T) {
	f := simtest.New(t, simtest.Options{})
	all := places(t, f)
	shown := baselinesync.Compare(t.Context(), all)
	require.Equal(t, []string{"missing", "missing"}, conditions(shown))
	require.Zero(t, count(f), "looking changes nothing")
	require.Equal(t, []string{"equal made", "equal made"}, conditions(baselinesync.Sync(t.Context(), all, shown)))
	require.Equal(t, 4, count(f))

	shown = baselinesync.Compare(t.Context(), all)
	require.Equal(t, []string{"equal", "equal"}, conditions(shown))
	done := baselinesync.Sync(t.Context(), all, shown)
	require.Equal(t, []string{"equal unchanged", "equal unchanged"}, conditions(done))
	require.Equal(t, 4, count(f), "it is idempotent")

	f.Pass(time.Hour)
	_, err := f.Services(simtest.Production).SSM.UpdatePatchBaseline(t.Context(), &ssm.UpdatePatchBaselineInput{
		BaselineId: &shown[1].ID, RejectedPatches: []string{"kernel*"},
	})
	require.NoError(t, err)
	changed := f.Clock()
	f.Pass(time.Hour)
	shown = baselinesync.Compare(t.Context(), all)
	require.Equal(t, []string{"equal", "different"}, conditions(shown))
	require.Len(t, shown[1].Differences, 1)
	require.Equal(t, `rejected patches is "kernel*", should be nothing`, shown[1].Differences[0].String())
	require.WithinDuration(t, changed, *shown[1].Modified, time.Minute)
	require.Equal(t, "it was changed last on 2026-11-08 03:00 UTC by arn:aws:sts::111122223333:assumed-role/patchtide/"+
		"patchtide; it was written from this file, and somebody changed it in Systems Manager since", shown[1].Since())
	require.Equal(t, []string{"equal unchanged", "equal changed"}, conditions(baselinesync.Sync(t.Context(), all, shown)))
	require.Equal(t, []string{"equal", "equal"}, conditions(baselinesync.Compare(t.Context(), all)))
}

// A baseline of our name that somebody else made is taken over, and keeps its id.
func TestSyncTakesOverByName(t *testing.T) {
	f := simtest.New(t, simtest.Options{})
	all := places(t, f)[1:]
	s := f.Services(simtest.Production)
	made, err := s.SSM.CreatePatchBaseline(t.Context(), &ssm.CreatePatchBaselineInput{
		Name: awssdk.String("patchtide-" + name), OperatingSystem: types.OperatingSystemAmazonLinux2023,
		Description: awssdk.String("by hand"), ApprovedPatches: []string{"vim"},
	})
	require.NoError(t, err)
	shown := baselinesync.Compare(t.Context(), all)
	require.Equal(t, []string{"different"}, conditions(shown))
	require.Contains(t, shown[0].Since(), "Patchtide has not written it")
	done := baselinesync.Sync(t.Context(), all, shown)
	require.Equal(t, []string{"equal changed"}, conditions(done))
	require.Equal(t, *made.BaselineId, done[0].ID)
	require.Equal(t, 1, f.Effects("CreatePatchBaseline"))
}

// What a sync must not do: take a patch group from another baseline, change what nobody was shown, or call an account
// equal that it could not ask.
func TestSyncLeavesAlone(t *testing.T) {
	t.Run("another baseline's patch group", func(t *testing.T) {
		f := simtest.New(t, simtest.Options{})
		all := places(t, f)[1:]
		f.Inspect(func(w *world.World) {
			region := w.Account(simtest.Production.Account.ID).Region(simtest.Tokyo)
			other, err := region.CreateBaseline(world.Baseline{Name: "theirs", OS: "AMAZON_LINUX_2023"})
			require.NoError(t, err)
			require.NoError(t, region.RegisterPatchGroup(name, other.ID))
		})
		shown := baselinesync.Compare(t.Context(), all)
		require.Equal(t, []string{"missing"}, conditions(shown))
		require.Contains(t, shown[0].TakenBy, "theirs (pb-")
		done := baselinesync.Sync(t.Context(), all, shown)
		require.Equal(t, []string{"missing failed"}, conditions(done))
		require.Contains(t, done[0].Error, "the patch group amazon-linux-2023 is registered with theirs")
		require.Zero(t, count(f))
	})
	t.Run("what has changed since it was shown", func(t *testing.T) {
		f := simtest.New(t, simtest.Options{})
		all := places(t, f)[1:]
		baselinesync.Sync(t.Context(), all, baselinesync.Compare(t.Context(), all))
		reject := func(id, patches string) {
			_, err := f.Services(simtest.Production).SSM.UpdatePatchBaseline(t.Context(), &ssm.UpdatePatchBaselineInput{
				BaselineId: &id, RejectedPatches: []string{patches},
			})
			require.NoError(t, err)
		}
		id := baselinesync.Compare(t.Context(), all)[0].ID
		reject(id, "kernel*")
		shown := baselinesync.Compare(t.Context(), all)
		reject(id, "docker*")
		before := count(f)
		done := baselinesync.Sync(t.Context(), all, shown)
		require.Equal(t, []string{"different failed"}, conditions(done))
		require.Contains(t, done[0].Error, "somebody changed it since it was shown")
		require.Equal(t, before, count(f))
	})
	t.Run("an account that cannot be asked", func(t *testing.T) {
		f := simtest.New(t, simtest.Options{})
		all := places(t, f)
		all[0].Connect = func(context.Context) (*aws.Services, error) { return nil, errors.New("no role") }
		shown := baselinesync.Compare(t.Context(), all)
		require.Equal(t, []string{"unread", "missing"}, conditions(shown))
		require.Equal(t, "no role", shown[0].Error)
		require.Equal(t, []string{"unread failed", "equal made"}, conditions(baselinesync.Sync(t.Context(), all, shown)))
	})
}

// blocks are patches that are blocked, or an error.
type blocks struct {
	all patch.Blocks
	err error
}

func (b *blocks) Blocked(context.Context) (patch.Blocks, error) { return b.all, b.err }

// describedWith is the description of the baseline that rejects what is blocked.
func describedWith(t *testing.T, all patch.Blocks) *string {
	wanted, err := baselines.Load(name)
	require.NoError(t, err)
	with, err := wanted.Rejecting(all)
	require.NoError(t, err)
	return with.ToSSM().Description
}

// What is blocked is no difference where it is rejected, and sync keeps it; a version that somebody rejects by hand is
// one. Where nobody knows, nobody says what differs.
func TestWhatIsBlockedIsNoDifference(t *testing.T) {
	f := simtest.New(t, simtest.Options{})
	known := &blocks{all: patch.Blocks{{Platform: patch.Linux, Name: "curl.x86_64", Version: "0:8-1"}}}
	all := places(t, f)[1:]
	all[0].Blocks = known
	done := baselinesync.Sync(t.Context(), all, baselinesync.Compare(t.Context(), all))
	require.Equal(t, []string{"equal made"}, conditions(done))
	rejected := func() []string {
		got, err := f.Services(simtest.Production).SSM.GetPatchBaseline(t.Context(), &ssm.GetPatchBaselineInput{
			BaselineId: &done[0].ID,
		})
		require.NoError(t, err)
		return got.RejectedPatches
	}
	_, err := f.Services(simtest.Production).SSM.UpdatePatchBaseline(t.Context(), &ssm.UpdatePatchBaselineInput{
		BaselineId: &done[0].ID, RejectedPatches: []string{"curl.x86_64:0:8-1"}, // as a wave does
		Description: describedWith(t, known.all),
	})
	require.NoError(t, err)
	require.Equal(t, []string{"equal"}, conditions(baselinesync.Compare(t.Context(), all)))
	known.all[0].Until = time.Now().Add(-time.Hour) // it was, and a wave will take it out
	require.Equal(t, []string{"equal"}, conditions(baselinesync.Compare(t.Context(), all)))

	_, err = f.Services(simtest.Production).SSM.UpdatePatchBaseline(t.Context(), &ssm.UpdatePatchBaselineInput{
		BaselineId: &done[0].ID, RejectedPatches: []string{"curl.x86_64:0:8-1", "vim.x86_64:2:9-1"},
	})
	require.NoError(t, err)
	shown := baselinesync.Compare(t.Context(), all)
	require.Equal(t, []string{"different"}, conditions(shown))
	known.err = errors.New("the bucket is away")
	unread := baselinesync.Compare(t.Context(), all)
	require.Equal(t, []string{"unread"}, conditions(unread))
	require.Contains(t, unread[0].Error, "which patches are blocked is not known, and so not what it should reject")
	known.err = nil
	require.Equal(t, []string{"equal changed"}, conditions(baselinesync.Sync(t.Context(), all, shown)))
	require.Equal(t, []string{"curl.x86_64:0:8-1"}, rejected())
}

// A change whose reply was lost is found to be made, by looking, and is made once.
func TestSyncOfLostReplies(t *testing.T) {
	f := simtest.New(t, simtest.Options{})
	all := places(t, f)[1:]
	f.LoseFirst(changes...)
	made := baselinesync.Sync(t.Context(), all, baselinesync.Compare(t.Context(), all))
	require.Equal(t, []string{"equal made"}, conditions(made))
	require.Equal(t, 2, count(f), "made once, and registered once")

	id := baselinesync.Compare(t.Context(), all)[0].ID
	f.Inspect(func(w *world.World) {
		region := w.Account(simtest.Production.Account.ID).Region(simtest.Tokyo)
		b, err := region.Baseline(id)
		require.NoError(t, err)
		changed := *b
		changed.Rejected = []string{"kernel*"}
		require.NoError(t, region.UpdateBaseline(changed))
	})
	done := baselinesync.Sync(t.Context(), all, baselinesync.Compare(t.Context(), all))
	require.Equal(t, []string{"equal changed"}, conditions(done))
	require.Equal(t, 1, f.Effects("UpdatePatchBaseline"))
}

// A file of what is in Systems Manager differs from it in nothing, and neither a wave nor a sync changes any of it.
func TestAdoptedIsEqual(t *testing.T) {
	f := simtest.New(t, simtest.Options{})
	s := f.Services(simtest.Production)
	create := func(in ssm.CreatePatchBaselineInput, groups ...string) string {
		made, err := s.SSM.CreatePatchBaseline(t.Context(), &in)
		require.NoError(t, err)
		for _, group := range groups {
			_, err := s.SSM.RegisterPatchBaselineForPatchGroup(t.Context(), &ssm.RegisterPatchBaselineForPatchGroupInput{
				BaselineId: made.BaselineId, PatchGroup: awssdk.String(group),
			})
			require.NoError(t, err)
		}
		return *made.BaselineId
	}
	rule := func(days int32, filters ...types.PatchFilter) *types.PatchRuleGroup {
		return &types.PatchRuleGroup{PatchRules: []types.PatchRule{{
			ApproveAfterDays: &days, PatchFilterGroup: &types.PatchFilterGroup{PatchFilters: filters},
		}}}
	}
	create(ssm.CreatePatchBaselineInput{
		Name: awssdk.String("Corp-AL2023"), OperatingSystem: types.OperatingSystemAmazonLinux2023,
		ApprovalRules: rule(7, types.PatchFilter{Key: types.PatchFilterKeyClassification, Values: []string{"Security"}}),
		Sources: []types.PatchSource{{
			Name: awssdk.String("ours"), Products: []string{"AmazonLinux2023"},
			Configuration: awssdk.String("[ours]\nenabled=1\n"),
		}},
	}, "corp")
	debian := create(ssm.CreatePatchBaselineInput{
		Name: awssdk.String("corp.debian"), OperatingSystem: types.OperatingSystemDebian,
		Description: awssdk.String("Theirs."), ApprovalRules: rule(3, types.PatchFilter{
			Key: types.PatchFilterKeyPriority, Values: []string{"Required"},
		}),
	}, "one", "two")
	create(ssm.CreatePatchBaselineInput{
		Name: awssdk.String("corp-win"), OperatingSystem: types.OperatingSystemWindows,
		RejectedPatches: []string{"KB1234567"}, RejectedPatchesAction: types.PatchActionBlock,
		ApprovalRules: rule(0, types.PatchFilter{
			Key: types.PatchFilterKeyMsrcSeverity, Values: []string{"Critical", "Low"},
		}),
	})
	for _, c := range []struct {
		baseline, group string
		file            string
		notes           []string
	}{
		{"Corp-AL2023", "", "corp-al2023", []string{"there is no password"}},
		{debian, "two", "corp.debian", []string{"stays registered for the patch groups one"}},
		{"corp-win", "", "corp-win", []string{"registered for no patch group"}},
	} {
		t.Run(c.file, func(t *testing.T) {
			before := count(f)
			catalog, err := baselines.Open("")
			require.NoError(t, err)
			adopted, err := baselinesync.Adopt(t.Context(), s, "production", baselinesync.Adoption{
				Baseline: c.baseline, PatchGroup: c.group, Catalog: catalog,
			})
			require.NoError(t, err)
			require.Equal(t, c.file, adopted.Name)
			require.Len(t, adopted.Notes, len(c.notes))
			for i, note := range c.notes {
				require.Contains(t, adopted.Notes[i], note)
			}
			own := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(own, adopted.Name+".yaml"), adopted.Text, 0o600))
			catalog, err = baselines.Open(own)
			require.NoError(t, err)
			wanted, err := catalog.Load(adopted.Name)
			require.NoError(t, err)
			found, err := baselinesync.Read(t.Context(), s, "production", wanted)
			require.NoError(t, err)
			require.Empty(t, found.Differences)
			require.Equal(t, adopted.ID, found.ID)
			id, err := baselinesync.Apply(t.Context(), s, "production", wanted, found)
			require.NoError(t, err)
			require.Equal(t, found.ID, id)
			require.Equal(t, before, count(f))

			_, err = baselinesync.Adopt(t.Context(), s, "production", baselinesync.Adoption{
				Baseline: c.baseline, Catalog: catalog,
			})
			require.ErrorContains(t, err, "is the baseline "+adopted.Name+" already")
		})
	}
	for _, c := range []struct {
		name string
		in   baselinesync.Adoption
		says string
	}{
		{"none of that name", baselinesync.Adoption{Baseline: "beos"}, "no patch baseline of its own that is called beos"},
		{"none of that id", baselinesync.Adoption{Baseline: "pb-0123456789abcdef9"}, "no patch baseline pb-0123456789"},
		{"several patch groups", baselinesync.Adoption{Baseline: debian}, "for the patch groups one, two, and a file"},
		{"another's patch group", baselinesync.Adoption{Baseline: debian, PatchGroup: "x"}, "for the patch group x; it is"},
		{"a name that is taken", baselinesync.Adoption{Baseline: "corp-win", Name: name}, "is a baseline " + name},
	} {
		t.Run(c.name, func(t *testing.T) {
			var err error
			c.in.Catalog, err = baselines.Open("")
			require.NoError(t, err)
			_, err = baselinesync.Adopt(t.Context(), s, "production", c.in)
			require.ErrorContains(t, err, c.says)
		})
	}
	t.Run("AWS's own", func(t *testing.T) {
		catalog, err := baselines.Open("")
		require.NoError(t, err)
		got, err := s.SSM.GetPatchBaselineForPatchGroup(t.Context(), &ssm.GetPatchBaselineForPatchGroupInput{
			PatchGroup: awssdk.String("nobody"), OperatingSystem: types.OperatingSystemRockyLinux,
		})
		require.NoError(t, err)
		_, err = baselinesync.Adopt(t.Context(), s, "production", baselinesync.Adoption{
			Baseline: *got.BaselineId, Catalog: catalog,
		})
		require.ErrorContains(t, err, "is AWS's own, which nobody can change")
	})
}
