package wave_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// elsewhere is a scene whose staging is in another account or region than production, which gets its image.
func elsewhere(t *testing.T, account, region string, config func([]byte) []byte) *wavetest.Scene {
	return wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Fleet: wavetest.StagingIn(account, region),
		Config: func(file []byte) []byte {
			file = wavetest.FromElsewhere(account, region)(file)
			if config != nil {
				file = config(file)
			}
			return file
		},
	})
}

// What another account, or region, has proven is copied to where it is needed: the copy is production's own, encrypted,
// marked like an image of ours, and nothing stays shared.
func TestAnImageIsCopiedToWhereItsGroupIs(t *testing.T) {
	for _, c := range []struct {
		name, account, region string
		shares                int // calls that add or remove an account, of each kind
	}{
		{"from another account", "staging", wavetest.Tokyo, 2},
		{"from another region of the account", "production", wavetest.Virginia, 0},
		{"from another account's other region", "staging", wavetest.Virginia, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := elsewhere(t, c.account, c.region, nil)
			told := about(scene)
			before := scene.Packages()
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
			require.Len(t, scene.Effects("CreateImage"), 1)
			require.Len(t, scene.Effects("CopyImage"), 1)
			require.Len(t, scene.Effects("ModifyImageAttribute"), c.shares)
			require.Len(t, scene.Effects("ModifySnapshotAttribute"), c.shares)
			require.Empty(t, scene.StillShared())
			require.Empty(t, scene.NeitherRoot(result, before))
			require.Len(t, result.Stages[1].Images, 1)
			image := result.Stages[1].Images[0]
			require.Equal(t, told.Images, result.Stages[1].Images, "whoever approved was told")
			require.Equal(t, wavetest.Production, image.Account)
			require.Equal(t, wavetest.Tokyo, image.Region)
			require.Equal(t, scene.AccountID(c.account), image.CopiedFrom.Account)
			require.Equal(t, c.region, image.CopiedFrom.Region)
			require.NotEmpty(t, image.Packages)
			require.Contains(t, image.Told(), "a copy of "+image.CopiedFrom.ID)
			scene.Sim.Inspect(func(w *world.World) {
				source := w.Account(image.CopiedFrom.Account).Region(c.region)
				target := w.Account(wavetest.Production).Region(wavetest.Tokyo)
				copied := target.Image(image.ID)
				require.Equal(t, image.CopiedFrom.ID, copied.Source)
				require.Equal(t, target.EBSKey().ARN, copied.Key)
				require.Equal(t, result.WaveID, copied.Tags[names.TagWave])
				for _, tags := range []world.Tags{
					copied.Tags, target.Snapshot(image.SnapshotID).Tags, source.Image(image.CopiedFrom.ID).Tags,
					source.Snapshot(image.CopiedFrom.SnapshotID).Tags,
				} {
					require.Equal(t, "proven", tags[names.TagImageState])
					require.NotEmpty(t, tags[names.TagExpires])
				}
			})
		})
	}
}

// The account's image_key encrypts its copies, in place of EBS's default key.
func TestACopyIsEncryptedByTheKeyOfItsAccount(t *testing.T) {
	const role = "    role_arn: arn:aws:iam::111122223333:role/patchtide\n"
	scene := elsewhere(t, "staging", wavetest.Tokyo, wavetest.PlanWith(role, role+"    image_key: alias/images\n"))
	key := ""
	scene.Sim.Inspect(func(w *world.World) {
		region := w.Account(wavetest.Production).Region(wavetest.Tokyo)
		key = region.ARN("kms", "key/99998888-7777-6666-5555-444433332222")
		region.PutKey(&world.Key{ARN: key, State: "Enabled", Manager: "CUSTOMER", Alias: "alias/images"})
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	scene.Sim.Inspect(func(w *world.World) {
		region := w.Account(wavetest.Production).Region(wavetest.Tokyo)
		require.Equal(t, key, region.Image(result.Stages[1].Images[0].ID).Key)
	})
}
