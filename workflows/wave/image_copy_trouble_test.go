package wave_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// deny has the calls of an operation denied from the nth on, so many times.
func deny(scene *wavetest.Scene, operation string, nth, times int) {
	seen := 0
	scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		if call.Operation != operation {
			return awssim.Fault{}
		}
		if seen++; seen < nth || seen >= nth+times {
			return awssim.Fault{}
		}
		return awssim.Fault{Kind: awssim.FaultError, Code: "UnauthorizedOperation"}
	})
}

// keyed encrypts the root volumes of staging's machines by a key of its region.
func keyed(scene *wavetest.Scene, key world.Key) {
	scene.Sim.Inspect(func(w *world.World) {
		region := w.Account(wavetest.Staging).Region(wavetest.Tokyo)
		key.ARN, key.State = region.ARN("kms", "key/11112222-3333-4444-5555-666677778888"), "Enabled"
		region.PutKey(&key)
		for _, instance := range region.Instances() {
			region.Volume(instance.RootVolume).Key = key.ARN
		}
	})
}

// Where no copy can be had the wave holds, and what was shared for it is taken back before anybody is asked.
func TestWhatIsSharedIsTakenBackWhateverComesOfTheCopy(t *testing.T) {
	const forGood = 1000
	ebsOff := func(scene *wavetest.Scene) {
		scene.Sim.Inspect(func(w *world.World) {
			w.Account(wavetest.Production).Region(wavetest.Tokyo).EBSKey().State = "Disabled"
		})
	}
	for _, c := range []struct {
		name    string
		trouble func(*wavetest.Scene)
		key     string // image_key of production
		decide  patch.Verb
		want    patch.Outcome
		says    string // the reason
		copies  int
		made    int
	}{
		{
			name: "no copy may be made", want: patch.Aborted, says: "copy the image ami-", made: 1,
			trouble: func(scene *wavetest.Scene) { deny(scene, "CopyImage", 1, forGood) },
		},
		{
			name: "none at first", decide: patch.Retry, want: patch.Succeeded, made: 2, copies: 1,
			trouble: func(scene *wavetest.Scene) { deny(scene, "CopyImage", 1, 1) },
		},
		{
			name: "the image may not be shared", want: patch.Aborted, says: "share ami-", made: 1,
			trouble: func(scene *wavetest.Scene) { deny(scene, "ModifyImageAttribute", 1, forGood) },
		},
		{
			name: "its snapshot may not be shared", want: patch.Aborted, says: "share snap-", made: 1,
			trouble: func(scene *wavetest.Scene) { deny(scene, "ModifySnapshotAttribute", 1, 1) },
		},
		{
			name: "the copy fails, for EC2 may not use the key", want: patch.Aborted, made: 1, copies: 1, trouble: ebsOff,
			says: "is failed: Given key ID is not accessible",
		},
		{
			name: "a key that is not there", want: patch.Aborted, key: "alias/none",
			says: "the key alias/none of image_key does not exist any more in production/ap-northeast-1",
		},
		{
			name: "AWS's own key, which nobody can share", want: patch.Aborted,
			says: "is encrypted with AWS's own key",
			trouble: func(scene *wavetest.Scene) {
				keyed(scene, world.Key{Manager: "AWS", Alias: "alias/aws/ebs"})
			},
		},
		{
			name: "a key that does not let production", want: patch.Aborted, says: "let the key's policy allow that account",
			trouble: func(scene *wavetest.Scene) { keyed(scene, world.Key{Manager: "CUSTOMER"}) },
		},
		{
			name: "a key that lets production", want: patch.Succeeded, made: 1, copies: 1,
			trouble: func(scene *wavetest.Scene) {
				keyed(scene, world.Key{Manager: "CUSTOMER", Accounts: []string{wavetest.Production}})
			},
		},
		{
			name: "what is shared may not be taken back at first", decide: patch.Retry, want: patch.Succeeded, made: 2, copies: 2,
			trouble: func(scene *wavetest.Scene) { deny(scene, "ModifyImageAttribute", 2, 1) },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := elsewhere(t, "staging", wavetest.Tokyo, func(file []byte) []byte {
				if c.key == "" {
					return file
				}
				const role = "    role_arn: arn:aws:iam::111122223333:role/patchtide\n"
				return wavetest.PlanWith(role, role+"    image_key: "+c.key+"\n")(file)
			})
			if c.trouble != nil {
				c.trouble(scene)
			}
			if c.decide != "" {
				scene.Decide = []patch.Verb{c.decide}
			}
			before := scene.Packages()
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, c.want, result.Outcome, "%+v", result)
			require.Contains(t, result.Reason, c.says)
			require.Empty(t, scene.StillShared())
			require.Empty(t, result.Stranded)
			require.Len(t, scene.Effects("CreateImage"), c.made)
			require.Len(t, scene.Effects("CopyImage"), c.copies)
			require.Empty(t, scene.NeitherRoot(result, before))
			if c.want == patch.Aborted {
				require.Empty(t, scene.Effects("CreateReplaceRootVolumeTask"))
			}
			scene.EachRegion(func(region *world.Region) {
				for _, image := range region.Images() {
					if image.Tags[names.TagWave] != "" {
						require.NotEmpty(t, image.Tags[names.TagExpires], "%s of %s expires", image.ID, region.Account.Name)
					}
				}
			})
		})
	}
}

// What cannot be taken back is told by name, and Reconcile takes it back once it may.
func TestWhatIsStillSharedIsToldAsStranded(t *testing.T) {
	scene := elsewhere(t, "staging", wavetest.Tokyo, nil)
	deny(scene, "ModifySnapshotAttribute", 2, 1000)
	var onHold []patch.Stranded
	scene.OnHold = func(status patch.WaveStatus) { onHold = status.Stranded }
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Aborted, result.Outcome)
	require.Len(t, onHold, 1)
	require.Len(t, result.Stranded, 1)
	require.Contains(t, result.Stranded[0].State, "may still be shared with the account "+wavetest.Production)
	require.Len(t, scene.StillShared(), 1, "the image is not")
}

// Whoever aborts while a copy is made waits for none: it is marked with when it expires, and nothing stays shared.
func TestAnAbortDuringTheCopyTakesBackWhatIsShared(t *testing.T) {
	for _, c := range []struct{ name, operation string }{
		{"while the image is made", "CreateImage"},
		{"as it is shared", "ModifyImageAttribute"},
		{"while it is copied", "CopyImage"},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := elsewhere(t, "staging", wavetest.Virginia, nil)
			scene.When(scene.Did(c.operation), func(patch.WaveStatus) { scene.Tell(patch.Abort, "") })
			began := time.Time{}
			scene.When(scene.Did(c.operation), func(patch.WaveStatus) { began = scene.Env.Now() })
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, patch.Aborted, result.Outcome, "%+v", result)
			require.Less(t, scene.Env.Now().Sub(began), 30*time.Minute)
			require.Empty(t, scene.StillShared())
			require.Empty(t, result.Stranded)
			require.Empty(t, scene.Effects("CreateReplaceRootVolumeTask"))
		})
	}
}

// A reply that is lost, an error of AWS's own, and lists that show nothing yet change nothing: one image, one copy.
func TestACopyIsMadeOnceWhateverIsLost(t *testing.T) {
	for _, operation := range []string{"CopyImage", "ModifyImageAttribute", "ModifySnapshotAttribute"} {
		for _, nth := range []int{1, 2} {
			for _, kind := range []string{awssim.FaultLostReply, awssim.FaultError, awssim.FaultThrottle} {
				if operation == "CopyImage" && nth > 1 {
					continue
				}
				t.Run(operation+" "+string(rune('0'+nth))+" "+kind, func(t *testing.T) {
					scene := elsewhere(t, "staging", wavetest.Virginia, nil)
					seen := 0
					lags := time.Time{} // lists show nothing new until then
					scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
						if call.Operation == "DescribeImages" && call.Account == wavetest.Production && call.Time.Before(lags) {
							return awssim.Fault{Kind: awssim.FaultEmpty}
						}
						if call.Operation != operation {
							return awssim.Fault{}
						}
						if seen++; seen != nth {
							return awssim.Fault{}
						}
						if operation == "CopyImage" {
							lags = call.Time.Add(20 * time.Second)
						}
						return awssim.Fault{Kind: kind}
					})
					result, err := scene.Run(wavetest.WebWave)
					require.NoError(t, err)
					require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
					scene.EachRegion(func(region *world.Region) {
						ours := 0
						for _, image := range region.Images() {
							if image.Tags[names.TagWave] != "" {
								ours++
							}
						}
						require.LessOrEqual(t, ours, 1)
					})
					require.Empty(t, scene.StillShared())
				})
			}
		}
	}
}
