package activities_test

import (
	"context"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
)

// ssmClient is what another patcher in the same account would use.
func (f *fleet) ssmClient() aws.SSMAPI {
	f.t.Helper()
	return f.Services(staging).SSM
}

func TestScanOfSeveral(t *testing.T) {
	f := newFleet(t)
	baseline := must[activities.RegisteredBaseline](
		f, f.aws.EnsureBaseline, activities.EnsureBaselineInput{Group: staging, Baseline: "amazon-linux-2023"},
	)
	ids := append(f.Instances(staging.Account.ID), "i-0123456789abcdef0")
	scans := f.scan(ids, baseline.BaselineID)
	require.Len(t, scans, 3)
	for i, scan := range scans[:2] {
		require.Equal(t, ids[i], scan.Instance)
		require.Empty(t, scan.Error)
		require.Equal(t, baseline.BaselineID, scan.BaselineID)
		require.Len(t, scan.Missing, 6)
		require.IsIncreasing(t, scan.Missing)
	}
	require.Contains(t, scans[2].Error, "does not manage the instance")

	t.Run("counted", func(t *testing.T) {
		named := f.Calls("DescribeInstancePatches")
		ticket := must[activities.ScanTicket](f, f.aws.StartScan, activities.StartScanInput{
			Group: staging, Instances: ids[:2], SnapshotID: uuid.NewString(), Attempt: attempt(),
			Budget: patch.Duration(time.Hour), Pace: pace,
		})
		results := must[activities.ScanResults](f, f.aws.AwaitScan, activities.AwaitScanInput{
			Group: staging, Instances: ids[:2], Ticket: ticket, Counts: true, Pace: pace,
		})
		require.Equal(t, named, f.Calls("DescribeInstancePatches"), "nothing is read by name")
		for _, scan := range results.Scans {
			require.Empty(t, scan.Missing)
			require.Equal(t, 6, scan.MissingNumber())
			require.False(t, scan.Compliant())
		}
	})
	t.Run("judged by another baseline", func(t *testing.T) {
		scan := f.scan(ids[:1], "pb-0123456789abcdef0")[0]
		require.Contains(t, scan.Error, "judged by baseline "+baseline.BaselineID)
		require.False(t, scan.Compliant())
	})
	t.Run("overwritten by somebody's scan", func(t *testing.T) {
		ticket := must[activities.ScanTicket](f, f.aws.StartScan, activities.StartScanInput{
			Group: staging, Instances: ids[:1], SnapshotID: uuid.NewString(), Attempt: attempt(),
			Budget: patch.Duration(time.Hour), Pace: pace,
		})
		f.Pass(time.Minute)
		_, err := f.ssmClient().SendCommand(context.Background(), &ssm.SendCommandInput{
			DocumentName: awssdk.String("AWS-RunPatchBaseline"), InstanceIds: ids[:1],
			Parameters: map[string][]string{"Operation": {"Scan"}},
		})
		require.NoError(t, err)
		f.Pass(time.Minute)
		results := must[activities.ScanResults](
			f, f.aws.AwaitScan, activities.AwaitScanInput{Group: staging, Instances: ids[:1], Ticket: ticket, Pace: pace},
		)
		require.Contains(t, results.Scans[0].Error, "another Scan overwrote the result")
	})
	t.Run("of nothing", func(t *testing.T) {
		_, err := run[activities.ScanTicket](
			f, time.Hour, f.aws.StartScan, activities.StartScanInput{Group: staging, Attempt: attempt(), Pace: pace},
		)
		requireType(t, err, activities.ErrInvalidInput)
	})
}

func TestScanStartedTwiceIsOne(t *testing.T) {
	f := newFleet(t)
	in := activities.StartScanInput{
		Group: staging, Instances: f.Instances(staging.Account.ID), SnapshotID: uuid.NewString(), Attempt: attempt(),
		Budget: patch.Duration(time.Hour), Pace: pace,
	}
	first := must[activities.ScanTicket](f, f.aws.StartScan, in)
	again := must[activities.ScanTicket](f, f.aws.StartScan, in)
	require.Equal(t, first.CommandID, again.CommandID)
	require.Nil(t, again.Before, "what stood before it is not known any more")
	require.Equal(t, 1, f.Effects("SendCommand"))
}

func TestBaselineIsKeptEqual(t *testing.T) {
	f := newFleet(t)
	in := activities.EnsureBaselineInput{Group: staging, Baseline: "amazon-linux-2023"}
	first := must[activities.RegisteredBaseline](f, f.aws.EnsureBaseline, in)
	changes := func() int {
		return f.Effects("CreatePatchBaseline") + f.Effects("UpdatePatchBaseline") + f.Effects(
			"RegisterPatchBaselineForPatchGroup",
		)
	}
	require.Equal(t, 2, changes())
	require.Equal(t, first, must[activities.RegisteredBaseline](f, f.aws.EnsureBaseline, in))
	require.Equal(t, 2, changes(), "equal: nothing to do")

	_, err := f.ssmClient().UpdatePatchBaseline(context.Background(), &ssm.UpdatePatchBaselineInput{
		BaselineId: &first.BaselineID, RejectedPatches: []string{"kernel*"},
	})
	require.NoError(t, err)
	putBack := must[activities.RegisteredBaseline](f, f.aws.EnsureBaseline, in)
	require.Equal(t, first.BaselineID, putBack.BaselineID)
	require.Equal(t, `rejected patches is "kernel*", should be nothing (it was changed last on 2026-11-08 02:00 UTC; nobody `+
		"can say who yet: CloudTrail tells it up to 15 minutes later; it was written from this file, and somebody changed it in Systems Manager since)", putBack.Differed)
	require.Equal(t, first, must[activities.RegisteredBaseline](f, f.aws.EnsureBaseline, in), "told once")
	got, err := f.ssmClient().GetPatchBaseline(
		context.Background(), &ssm.GetPatchBaselineInput{BaselineId: &first.BaselineID},
	)
	require.NoError(t, err)
	require.Empty(t, got.RejectedPatches, "drift is put back")

	_, err = run[activities.RegisteredBaseline](
		f, time.Hour, f.aws.EnsureBaseline, activities.EnsureBaselineInput{Group: staging, Baseline: "beos"},
	)
	requireType(t, err, activities.ErrInvalidInput)
	require.ErrorContains(t, err, "known: alma-8, alma-9, amazon-linux-2, amazon-linux-2023")
}

func TestBackupsThatFail(t *testing.T) {
	instanceOf := func(f *fleet) (activities.Instance, string) {
		id, volume := f.Instances(staging.Account.ID)[0], ""
		f.Inspect(func(w *world.World) {
			volume = w.Account(staging.Account.ID).Region(staging.Region).Instance(id).RootVolume
		})
		return activities.Instance{Group: staging, ID: id}, volume
	}
	snapshot := func(f *fleet) (activities.Instance, activities.SnapshotTaken) {
		instance, volume := instanceOf(f)
		return instance, must[activities.SnapshotTaken](f, f.aws.TakeSnapshot, activities.SnapshotInput{
			Instance: instance, VolumeID: volume, Attempt: attempt(), Retention: week, Pace: pace,
		})
	}
	t.Run("the snapshot ends in error", func(t *testing.T) {
		f := newFleet(t, world.WorldFault{Kind: world.FaultSnapshotFails})
		instance, taken := snapshot(f)
		_, err := run[nothing](
			f, time.Hour, f.aws.AwaitSnapshot,
			activities.AwaitSnapshotInput{Instance: instance, SnapshotID: taken.SnapshotID, Pace: pace},
		)
		requireType(t, err, activities.ErrSnapshotFailed)
	})
	for _, fault := range []string{world.FaultRootReplaceFails, world.FaultRootReplaceDetaches} {
		t.Run("the restore: "+fault, func(t *testing.T) {
			f := newFleet(t, world.WorldFault{Kind: fault})
			instance, taken := snapshot(f)
			must[nothing](
				f, f.aws.AwaitSnapshot, activities.AwaitSnapshotInput{Instance: instance, SnapshotID: taken.SnapshotID, Pace: pace},
			)
			task := must[activities.RestoreTask](f, f.aws.RestoreRoot, activities.RestoreRootInput{
				Instance: instance, SnapshotID: taken.SnapshotID, Attempt: attempt(), Retention: week, Pace: pace,
			})
			_, err := run[activities.Restored](
				f, time.Hour, f.aws.AwaitRestore, activities.AwaitRestoreInput{Instance: instance, TaskID: task.TaskID, Pace: pace},
			)
			requireType(t, err, activities.ErrRestoreFailed)
			require.Zero(t, f.Effects("CreateTags"), "a volume that was not replaced gets no expiry")
		})
	}
	t.Run("no snapshot is named", func(t *testing.T) {
		f := newFleet(t)
		instance, _ := instanceOf(f)
		_, err := run[activities.RestoreTask](
			f, time.Hour, f.aws.RestoreRoot, activities.RestoreRootInput{Instance: instance, Attempt: attempt(), Pace: pace},
		)
		requireType(t, err, activities.ErrInvalidInput)
		require.Zero(t, f.Effects("CreateReplaceRootVolumeTask"))
	})
	t.Run("the instance is stopped: it is started first", func(t *testing.T) {
		f := newFleet(t)
		instance, taken := snapshot(f)
		must[nothing](
			f, f.aws.AwaitSnapshot, activities.AwaitSnapshotInput{Instance: instance, SnapshotID: taken.SnapshotID, Pace: pace},
		)
		f.Inspect(func(w *world.World) {
			require.NoError(t, w.Account(staging.Account.ID).Region(staging.Region).Instance(instance.ID).Stop())
		})
		f.Pass(5 * time.Minute)
		task := must[activities.RestoreTask](f, f.aws.RestoreRoot, activities.RestoreRootInput{
			Instance: instance, SnapshotID: taken.SnapshotID, Attempt: attempt(), Retention: week, Pace: pace,
		})
		require.Equal(t, 1, f.Effects("StartInstances"))
		must[activities.Restored](
			f, f.aws.AwaitRestore, activities.AwaitRestoreInput{Instance: instance, TaskID: task.TaskID, Pace: pace},
		)
	})
	t.Run("the instance is gone", func(t *testing.T) {
		f := newFleet(t)
		instance := activities.Instance{Group: staging, ID: "i-0123456789abcdef0"}
		_, err := run[activities.RestoreTask](f, time.Hour, f.aws.RestoreRoot, activities.RestoreRootInput{
			Instance: instance, SnapshotID: "snap-0123456789abcdef0", Attempt: attempt(), Pace: pace,
		})
		requireType(t, err, activities.ErrGone)
		_, err = run[patch.MachineFacts](
			f, time.Hour, f.aws.CollectMachineFacts,
			activities.CollectMachineFactsInput{Instance: instance, Platform: patch.Linux, Attempt: attempt(), Pace: pace},
		)
		requireType(t, err, activities.ErrGone)
	})
}

// TestAFailedInstallIsAReport and says what the command said.
func TestAFailedInstallIsAReport(t *testing.T) {
	f := newFleet(t, world.WorldFault{Kind: world.FaultInstallFails})
	id := f.Instances(staging.Account.ID)[0]
	execution := must[activities.Execution](f, f.aws.StartInstall, f.startInstall(id))
	report := must[patch.PatchReport](f, f.aws.AwaitInstall, activities.AwaitInstallInput{
		Instance: activities.Instance{Group: staging, ID: id}, Execution: execution, Pace: pace,
	})
	require.Equal(t, "Failed", report.Status)
	require.Contains(t, report.Failure, "AWS-RunPatchBaseline failed on it (step install): ")
	require.NotNil(t, report.After, "what a failed install left is learnt")
	require.True(t, report.Touched(patch.Linux))
}

// TestAnythingMayGoWrongAtAnyTime lets a tenth of all calls lose their reply and a tenth be throttled, with several
// seeds.
func TestAnythingMayGoWrongAtAnyTime(t *testing.T) {
	for seed := range 6 {
		f := newFleet(t)
		draw := uint32(seed)*2654435761 + 1
		f.SetInterceptor(func(awssim.CallInfo) awssim.Fault {
			draw = draw*1664525 + 1013904223
			switch share := draw >> 16 % 100; {
			case share < 10:
				return awssim.Fault{Kind: awssim.FaultLostReply}
			case share < 20:
				return awssim.Fault{Kind: awssim.FaultThrottle}
			}
			return awssim.Fault{}
		})
		id := f.Instances(staging.Account.ID)[0]
		must[activities.RegisteredBaseline](
			f, f.aws.EnsureBaseline, activities.EnsureBaselineInput{Group: staging, Baseline: "amazon-linux-2023"},
		)
		f.scan([]string{id}, "")
		execution := must[activities.Execution](f, f.aws.StartInstall, f.startInstall(id))
		report := must[patch.PatchReport](f, f.aws.AwaitInstall, activities.AwaitInstallInput{
			Instance: activities.Instance{Group: staging, ID: id}, Execution: execution, Pace: pace,
		})
		require.Equal(t, "Success", report.Status)
		require.Equal(t, 1, f.Effects("StartAutomationExecution"), "seed %d", seed)
		require.Equal(t, 1, f.Effects("CreateDocument"), "seed %d", seed)
		require.Equal(t, 1, f.Effects("CreatePatchBaseline"), "seed %d", seed)
	}
}

// AWS keeps client tokens for a time that it does not tell: what one made may have been deleted since.
func TestABaselineThatSomebodyDeletedIsMadeAgain(t *testing.T) {
	f := newFleetOf(t, func(s *world.Scenario) { s.Doubts = []world.Doubt{world.DoubtTokensOutliveBaselines} })
	in := activities.EnsureBaselineInput{Group: staging, Baseline: "windows-server-2022"}
	made := map[string]bool{}
	for range 4 {
		now := must[activities.RegisteredBaseline](f, f.aws.EnsureBaseline, in)
		require.False(t, made[now.BaselineID], "it was deleted")
		require.Equal(t, now, must[activities.RegisteredBaseline](f, f.aws.EnsureBaseline, in))
		made[now.BaselineID] = true
		f.Inspect(func(w *world.World) {
			region := w.Account(staging.Account.ID).Region(staging.Region)
			require.NoError(t, region.DeregisterPatchGroup("windows-server-2022", now.BaselineID))
			require.NoError(t, region.DeleteBaseline(now.BaselineID))
		})
	}
}

// Whoever's agent is silent does not keep the others' results, whether AWS refuses a command that names it (as the API
// reference of SendCommand has it of InvalidInstanceId) or lets it wait (as the guide on command statuses has it):
// which of the two is unverified, and a doubt of the simulator's. And one that falls silent right after the look is
// told like it.
func TestASilentAgentKeepsNobodysScan(t *testing.T) {
	silence := func(f *fleet, id string) {
		f.Inspect(func(w *world.World) {
			w.Account(staging.Account.ID).Region(staging.Region).Instance(id).StopAgent()
		})
	}
	for name, doubts := range map[string][]world.Doubt{
		"it waits for its agent": nil, "the command is refused for all": {world.DoubtSilentAgentRefused},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(t)
			f.Inspect(func(w *world.World) { w.Scenario.Doubts = doubts })
			ids := f.Instances(staging.Account.ID)
			silence(f, ids[0])
			f.Pass(10 * time.Minute)
			scans := f.scan(ids, "")
			require.Contains(t, scans[0].Error, "its agent is silent (ConnectionLost) since ")
			require.Empty(t, scans[1].Error)
			require.NotEmpty(t, scans[1].Missing)
		})
	}
	t.Run("since the look", func(t *testing.T) {
		f := newFleet(t)
		ids := f.Instances(staging.Account.ID)
		silence(f, ids[0]) // for five minutes more Systems Manager says that it is online
		scans := f.scan(ids, "")
		require.Contains(t, scans[0].Error, "DeliveryTimedOut")
		require.NotEmpty(t, scans[1].Missing)
	})
	t.Run("all of them", func(t *testing.T) {
		f := newFleet(t)
		ids := f.Instances(staging.Account.ID)
		for _, id := range ids {
			silence(f, id)
		}
		f.Pass(10 * time.Minute)
		_, err := run[activities.ScanTicket](f, time.Hour, f.aws.StartScan, activities.StartScanInput{
			Group: staging, Instances: ids, SnapshotID: uuid.NewString(), Attempt: attempt(),
			Budget: patch.Duration(time.Hour), Pace: pace,
		})
		requireType(t, err, activities.ErrRejected)
		require.ErrorContains(t, err, ids[1]+": its agent is silent")
	})
}

// One whose scan fails ends nobody else's, whether or not the others' agents have taken the command yet.
func TestAScanThatFailsEndsNoOther(t *testing.T) {
	for name, doubts := range map[string][]world.Doubt{
		"what is under way goes on": nil, "an error ends what no agent has taken": {world.DoubtErrorsEndPending},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFleetOf(t, func(s *world.Scenario) {
				s.Doubts, s.Durations.Reboot = doubts, world.Duration(3*time.Minute)
				s.Faults.World = []world.WorldFault{{Kind: world.FaultScanFails}}
			})
			ids := f.Instances(staging.Account.ID)
			f.Inspect(func(w *world.World) { // which Systems Manager has not noticed yet
				require.NoError(t, w.Account(staging.Account.ID).Region(staging.Region).Instance(ids[1]).Reboot())
			})
			scans := f.scan(ids, "")
			require.Contains(t, scans[0].Error, "Failed")
			require.Empty(t, scans[1].Error)
			require.NotEmpty(t, scans[1].Missing)
		})
	}
}

// A list of patches that is shorter than what is counted is read again; where it stays so, what is counted is due.
func TestPatchesThatAreCountedAndNotListedAreDue(t *testing.T) {
	for _, tc := range []struct {
		name  string
		kind  string
		times int
		named int
	}{
		{"empty once", awssim.FaultEmpty, 1, 3},
		{"the last lacks once", awssim.FaultUnlisted, 1, 3},
		{"empty for good", awssim.FaultEmpty, 1000, 0},
		{"the last lacks for good", awssim.FaultUnlisted, 1000, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFleet(t)
			times := 0
			f.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
				if call.Operation != "DescribeInstancePatches" || times == tc.times {
					return awssim.Fault{}
				}
				times++
				return awssim.Fault{Kind: tc.kind}
			})
			scan := f.scan(f.Instances(staging.Account.ID)[:1], "")[0]
			require.Empty(t, scan.Error)
			require.Len(t, scan.Missing, tc.named)
			require.Equal(t, 3, scan.MissingNumber())
			require.True(t, scan.Due(patch.RebootNever, nil))
		})
	}
}
