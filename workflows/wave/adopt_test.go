package wave_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

// untagged takes the patch groups off every machine, so that AWS's own baseline judges.
func untagged(s *world.Scenario) {
	for a := range s.Accounts {
		for r := range s.Accounts[a].Regions {
			region := &s.Accounts[a].Regions[r]
			for i := range region.Instances {
				delete(region.Instances[i].Tags, "PatchGroup")
			}
			for g := range region.Groups {
				delete(region.Groups[g].Tags, "PatchGroup")
			}
		}
	}
}

// adopting is the plan that takes whatever Systems Manager has.
var adopting = wavetest.PlanWith("baseline: amazon-linux-2023", "baseline: {adopt: true}",
	"approval: {required: true, timeout: 24h}", "approval: {required: false}")

// A plan that adopts needs no tag, changes no baseline, and says which one judged.
func TestAWaveByWhateverSystemsManagerHas(t *testing.T) {
	for _, c := range []struct {
		name    string
		config  func([]byte) []byte
		before  func(*testing.T, *wavetest.Scene)
		outcome patch.Outcome
		said    string // of the first machine of the last stage
	}{
		{name: "AWS's own baseline", config: adopting, outcome: patch.Succeeded},
		{
			name: "a file's baseline is refused", config: wavetest.Unattended, outcome: patch.Refused,
		},
		{
			name: "what is blocked is not rejected by another's baseline, and not begun", outcome: patch.Aborted,
			config: wavetest.ProductionOnly(adopting), said: "it would get what is blocked: curl-minimal.x86_64 ",
			before: func(t *testing.T, s *wavetest.Scene) { blockPatch(t, s, blockedCurl, time.Time{}) },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: untagged, Config: c.config})
			scene.Decide = []patch.Verb{patch.Abort}
			if c.before != nil {
				c.before(t, scene)
			}
			result, err := scene.Run(wavetest.WebWave)
			if c.outcome == patch.Refused {
				require.ErrorContains(t, err, "are not in the patch group amazon-linux-2023")
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.outcome, result.Outcome, "%+v", result)
			for _, call := range []string{
				"CreatePatchBaseline", "UpdatePatchBaseline", "RegisterPatchBaselineForPatchGroup",
			} {
				require.Empty(t, scene.Effects(call))
			}
			groups := result.Stages[len(result.Stages)-1].Groups
			first := groups[0].Instances[0]
			require.Contains(t, first.Reason, c.said)
			require.Contains(t, first.Notes[0], "judged by the patch baseline pb-")
			if c.said != "" {
				require.Empty(t, scene.Effects("EnterStandby"))
				return
			}
			require.Equal(t, patch.Patched, first.Outcome)
			var details patch.InstanceDetails
			require.NoError(t, scene.Control.Evidence.GetInstance(t.Context(), result.WaveID, first.ID, &details))
			require.Regexp(t, "^pb-", details.BaselineID)
		})
	}
}

// A plan says who judges, and a scan does.
func TestWhoJudgesIsTold(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: untagged, Config: adopting})
	scene.Env.ExecuteWorkflow(names.ScanFleet, workflows.ScanRequest{Plan: "web"})
	require.NoError(t, scene.Env.GetWorkflowError())
	var fleet workflows.FleetScan
	require.NoError(t, scene.Env.GetWorkflowResult(&fleet))
	require.True(t, fleet.Whole())
	require.Empty(t, fleet.Groups[0].BaselineID)
	require.Len(t, fleet.Groups[1].Judges(), 1)
	require.Contains(t, fleet.Groups[1].Judges()[0], "judged by the patch baseline pb-")

	scene.Again(scene.Env.Now().Add(time.Minute))
	scene.Env.ExecuteWorkflow(names.PreviewWave, workflows.PreviewRequest{Plan: "web"})
	require.NoError(t, scene.Env.GetWorkflowError())
	var shown workflows.PreviewResult
	require.NoError(t, scene.Env.GetWorkflowResult(&shown))
	require.Equal(t, patch.WouldRun, shown.Outcome, "%+v", shown.Preview.Blockers)
	require.Contains(t, shown.Preview.Notes, "4 judged by the patch baseline "+
		shown.Preview.Stages[1].Groups[0].Instances[0].JudgedBy+", which Systems Manager has for them")
}
