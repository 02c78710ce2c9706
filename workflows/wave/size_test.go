package wave_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/payload"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

// patchedWith is a result of a usual instance, all of it filled in.
func patchedWith(id string, changes int, at time.Time) *patch.InstanceResult {
	hash := strings.Repeat("0123456789abcdef", 4)
	result := &patch.InstanceResult{
		ID: id, Outcome: patch.Patched, AutomationExecutionID: "01234567-89ab-cdef-0123-456789abcdef",
		BootID: "01234567-89ab-cdef-0123-456789abcdef", PackagesAfter: hash, ApplicationAfter: hash,
		Started: at, Ended: at.Add(10 * time.Minute),
		Backup: &patch.RestorePoint{
			SnapshotID: "snap-0123456789abcdef0", VolumeID: "vol-0123456789abcdef0", TakenAt: at,
			Facts: patch.MachineFacts{
				BootID: "01234567-89ab-cdef-0123-456789abcdef", Release: "2023.6.20241010",
				Kernel: "6.1.112-122.189.amzn2023.x86_64", PackagesSHA256: hash, ApplicationSHA256: hash,
			},
		},
	}
	result.MissingBefore, result.Changes, result.Details = changes, changes, hash
	return result
}

// Five hundred instances with 150 package changes each, whose own sagas are left out here.
func TestAWaveOfFiveHundredIsSmall(t *testing.T) {
	const many, changes = 500, 150
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Config: wavetest.ProductionOnly(wavetest.Unattended), Fleet: wavetest.Sized(2, many, many),
	})
	scene.Env.OnWorkflow(names.PatchInstance, mock.Anything, mock.Anything).Return(
		func(ctx workflow.Context, in workflows.InstanceInput) (*patch.InstanceResult, error) {
			return patchedWith(in.Instance, changes, workflow.Now(ctx)), nil
		})
	result, err := scene.Run(wavetest.WebWave)
	t.Log(strings.Join(scene.Sizes.Largest(50_000), "\n"))
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%s", result.Reason)
	require.Empty(t, scene.Sizes.Largest(payload.Most*9/10))
	require.Empty(t, result.Stages[0].Groups[0].Instances)
	require.Equal(t, patch.Tally{patch.Patched: many}, result.Stages[0].Groups[0].Tally)
	var document activities.WaveDocument
	require.NoError(t, scene.Store.GetWave(t.Context(), result.WaveID, &document))
	require.Len(t, document.Result.Stages[0].Groups[0].Instances, many, "the evidence has all of them")
	require.Equal(t, patch.StateClosed, document.Status.State)
	control := scene.Control
	read, err := control.ReadWave(t.Context(), activities.ReadWaveInput{WaveID: result.WaveID})
	require.NoError(t, err)
	require.NotEmpty(t, read.Pages, "a roll back reads it in pages")
	pages := make([][]byte, len(read.Pages))
	for i, sum := range read.Pages {
		page, err := control.ReadWavePage(t.Context(), activities.ReadWavePageInput{WaveID: result.WaveID, Page: i})
		require.NoError(t, err)
		require.Equal(t, sum, payload.Sum(page.Content))
		pages[i] = page.Content
	}
	var again activities.WaveDocument
	require.NoError(t, payload.Unpack(pages, &again))
	require.Equal(t, document.Result, again.Result)
}

// farBehind is a production group of so many machines that lack 450 packages each, beside the usual six.
func farBehind(machines, nameLength int) func(*world.Scenario) {
	return func(s *world.Scenario) {
		wavetest.Sized(2, machines, machines)(s)
		for i := range 450 {
			name := fmt.Sprintf("package-%03d-%s.x86_64", i, strings.Repeat("n", nameLength-len("package-000-.x86_64")))
			s.OperatingSystems[0].Packages[name] = "1:3.2.2-1.amzn2023.0.2"
			s.Patches = append(s.Patches, world.Patch{
				OS: s.OperatingSystems[0].Name, ID: name, Version: "1:3.2.2-1.amzn2023.0.7", Severity: "Critical",
				Classification: "Security", AgeDays: 10,
			})
		}
	}
}

const lacking = 456

// What a scan of whole groups finds is counted, and not carried through Temporal by name: many groups are scanned in
// one history. Whoever approves is told.
func TestAWaveOfMachinesFarBehind(t *testing.T) {
	const many = 50
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: farBehind(many, 36)})
	scene.Env.OnWorkflow(names.PatchInstance, mock.Anything, mock.Anything).Return(
		func(ctx workflow.Context, in workflows.InstanceInput) (*patch.InstanceResult, error) {
			return patchedWith(in.Instance, lacking, workflow.Now(ctx)), nil
		})
	var asked []string
	scene.OnLook = func(status patch.WaveStatus) {
		if status.State == patch.StateAwaitingApproval {
			asked = append(asked, status.Awaiting)
		}
	}
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%s", result.Reason)
	require.NotEmpty(t, asked)
	require.Contains(t, asked[0], fmt.Sprintf("%d instances, %d patches missing in all", many, many*lacking))
	require.Empty(t, scene.Sizes.Largest(payload.Most/4))
}

// ScanFleet tells by name what fits, and else how many.
func TestAScanThatDoesNotFitIsCounted(t *testing.T) {
	const many = 8
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: farBehind(many, 150)})
	scene.Env.ExecuteWorkflow(names.ScanFleet, workflows.ScanRequest{Plan: "web"})
	require.NoError(t, scene.Env.GetWorkflowError())
	var fleet workflows.FleetScan
	require.NoError(t, scene.Env.GetWorkflowResult(&fleet))
	scanned := 0
	for _, group := range fleet.Groups {
		require.Empty(t, group.Error)
		for _, instance := range group.Instances {
			scanned++
			require.Equal(t, lacking, instance.MissingNumber(), instance.Instance)
		}
	}
	require.Equal(t, 2+many, scanned)
	require.Empty(t, scene.Sizes.Largest(payload.Most))
}
