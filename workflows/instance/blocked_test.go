package instance_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// onUbuntu makes Ubuntu of every machine, with one patch.
func onUbuntu(s *world.Scenario) {
	s.OperatingSystems = append(s.OperatingSystems, world.OperatingSystem{
		Name: "ubuntu-24.04", SSM: "UBUNTU", Platform: "Linux", PlatformName: "Ubuntu", PlatformVersion: "24.04",
		Product: "Ubuntu24.04", Release: "24.04", Kernel: "linux-image.amd64",
		Packages: map[string]string{"linux-image.amd64": "0:6.8-1", "curl.amd64": "0:8.5.0-1", "vim.amd64": "0:9.1-1"},
	})
	for i := range s.Images {
		s.Images[i].OS = "ubuntu-24.04"
	}
	s.Patches = []world.Patch{
		{OS: "ubuntu-24.04", ID: "curl.amd64", Version: "0:8.5.0-2", Severity: "Important", Classification: "Security", AgeDays: 9},
		{OS: "ubuntu-24.04", ID: "vim.amd64", Version: "0:9.1-2", Severity: "Important", Classification: "Security", AgeDays: 9},
	}
	for a := range s.Accounts {
		for r := range s.Accounts[a].Regions {
			region := &s.Accounts[a].Regions[r]
			for i := range region.Instances {
				region.Instances[i].Tags["PatchGroup"] = "ubuntu-24.04"
			}
			for g := range region.Groups {
				region.Groups[g].Tags["PatchGroup"] = "ubuntu-24.04"
			}
		}
	}
}

// Where a baseline can name what is blocked, it is left out; where it cannot, as on Ubuntu, whose lists hold names
// without versions, a machine that would get it is not begun.
func TestWhatABaselineCannotRejectIsNotBegun(t *testing.T) {
	month, definition := windowsPatch(cumulative, "SecurityUpdates", ""), windowsPatch(secondRound, "SecurityUpdates", "")
	for _, c := range []struct {
		name    string
		fleet   func(*world.Scenario)
		config  func([]byte) []byte
		block   string
		outcome patch.Outcome // of the first machine of production
		said    string
		has     map[string]string // what it holds in the end
	}{
		{
			"Windows", patchTuesday(month, definition), onWindows(), cumulative, patch.Patched, "",
			map[string]string{cumulative: "", secondRound: "installed"},
		},
		{
			"Ubuntu, and nothing is blocked", onUbuntu, forUbuntu, "", patch.Patched, "",
			map[string]string{"curl.amd64": "0:8.5.0-2", "vim.amd64": "0:9.1-2"},
		},
		{
			"Ubuntu", onUbuntu, forUbuntu, "curl.amd64:8.5.0-2", patch.Failed,
			"it would get what is blocked: curl.amd64 0:8.5.0-2 is blocked by ann",
			map[string]string{"curl.amd64": "0:8.5.0-1", "vim.amd64": "0:9.1-1"},
		},
		{
			"Ubuntu, and another version is blocked", onUbuntu, forUbuntu, "curl.amd64:8.5.0-3", patch.Patched, "",
			map[string]string{"curl.amd64": "0:8.5.0-2", "vim.amd64": "0:9.1-2"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: c.fleet, Config: c.config})
			if c.block != "" {
				one, err := patch.ParsePatch("", c.block)
				require.NoError(t, err)
				one.Actor, one.Reason, one.Since = "ann", "logins fail", scene.Env.Now().Add(-time.Hour)
				_, err = scene.Control.BlockPatches(context.Background(), activities.BlockPatchesInput{
					Patches: []patch.BlockedPatch{one},
				})
				require.NoError(t, err)
			}
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			first := result.Stages[0].Groups[0].Instances[0]
			require.Equal(t, c.outcome, first.Outcome, "%+v", first)
			require.Contains(t, first.Reason, c.said)
			if c.outcome == patch.Failed {
				require.Contains(t, first.Reason, "refused: "+string(patch.RefusedBlocked)+": ")
				require.Empty(t, scene.Effects("EnterStandby"), "it has not been taken out")
			}
			scene.Sim.Inspect(func(w *world.World) {
				at := scene.WebIn(w).Region.Instance(first.ID)
				for id, version := range c.has {
					require.Equal(t, version, at.Disk().Version(id), id)
				}
			})
		})
	}
}

// forUbuntu is production's plan for such a fleet.
func forUbuntu(file []byte) []byte {
	return wavetest.ProductionOnly(wavetest.PlanWith(
		"baseline: amazon-linux-2023", "baseline: ubuntu-24.04",
		"approval: {required: true, timeout: 24h}", "approval: {required: false}",
	))(file)
}

const blockedCurl = "curl-minimal.x86_64:0:8.11.1-4.amzn2023.0.3"

// block blocks a patch, as a person would.
func block(t *testing.T, scene *wavetest.Scene, text string) {
	one, err := patch.ParsePatch("", text)
	if err == nil {
		one.Actor, one.Reason, one.Since = "ann", "logins fail", scene.Env.Now()
		_, err = scene.Control.BlockPatches(context.Background(), activities.BlockPatchesInput{
			Patches: []patch.BlockedPatch{one},
		})
	}
	if err != nil {
		t.Errorf("block %s: %v", text, err)
	}
}

// atOnce is the plan without staging and questions.
func atOnce() func([]byte) []byte {
	return wavetest.ProductionOnly(wavetest.PlanWith(
		"approval: {required: true, timeout: 24h}", "approval: {required: false}",
	))
}

// called reports whether a request is a call of Systems Manager.
func called(request *http.Request, operation, holds string) bool {
	if request.Header.Get("X-Amz-Target") != "AmazonSSM."+operation {
		return false
	}
	text, err := io.ReadAll(request.Body)
	request.Body = io.NopCloser(bytes.NewReader(text))
	return err == nil && bytes.Contains(text, []byte(holds))
}

// What is blocked between an instance's scan and its turn may be all that was due: it is not taken out for nothing.
func TestWhatIsBlockedWhileAnInstanceWaits(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: atOnce(), Fleet: func(s *world.Scenario) {
		s.Patches = slices.DeleteFunc(s.Patches, func(p world.Patch) bool { return p.ID != "curl-minimal.x86_64" })
	}})
	var once sync.Once
	scene.Wire.Through(func(request *http.Request, next http.RoundTripper) (*http.Response, error) {
		reads := called(request, "DescribeInstancePatches", "")
		response, err := next.RoundTrip(request)
		if reads { // the result of the first instance's scan is read
			once.Do(func() { block(t, scene, blockedCurl) })
		}
		return response, err
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	for _, one := range result.Stages[0].Groups[0].Instances {
		require.Equal(t, patch.AlreadyCompliant, one.Outcome, "%+v", one)
	}
	require.Empty(t, scene.Effects("EnterStandby"), "nobody has been taken out")
}

// Another wave that has read less, and writes after ours, leaves a snapshot without the newest block: another is used.
func TestASnapshotWithoutTheNewestBlock(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: atOnce()})
	block(t, scene, blockedCurl)
	overtaken := 0
	scene.Wire.Through(func(request *http.Request, next http.RoundTripper) (*http.Response, error) {
		scans := called(request, "SendCommand", `"Scan"`)
		response, err := next.RoundTrip(request)
		if scans {
			// The first is the wave's own scan, the second the first instance's.
			if overtaken++; overtaken == 2 {
				scene.EachRegion(func(r *world.Region) {
					for _, one := range r.Baselines() {
						if len(one.Rejected) > 0 {
							older := *one
							older.Rejected = nil
							if err := r.UpdateBaseline(older); err != nil {
								t.Errorf("update: %v", err)
							}
						}
					}
				})
			}
		}
		return response, err
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result.Stages[0].Groups)
	require.Greater(t, overtaken, 2)
	scene.Production(func(group *world.ScalingGroup) {
		for _, member := range group.Region.Instances() {
			require.NotEqual(t, "0:8.11.1-4.amzn2023.0.3", member.Disk().Version("curl-minimal.x86_64"))
		}
	})
}
