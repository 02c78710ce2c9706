package activities_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

type nothing struct{}

func (f *fleet) scan(ids []string, baseline string) []patch.Scan {
	f.t.Helper()
	ticket := must[activities.ScanTicket](f, f.aws.StartScan, activities.StartScanInput{
		Group: staging, Instances: ids, SnapshotID: uuid.NewString(), Attempt: attempt(),
		Budget: patch.Duration(30 * time.Minute), Pace: pace,
	})
	return must[activities.ScanResults](f, f.aws.AwaitScan, activities.AwaitScanInput{
		Group: staging, Instances: ids, Ticket: ticket, BaselineID: baseline, Pace: pace,
	}).Scans
}

func (f *fleet) startInstall(id string) activities.StartInstallInput {
	f.t.Helper()
	return activities.StartInstallInput{
		Instance: activities.Instance{Group: staging, ID: id}, Platform: patch.Linux,
		Runbook:    must[activities.Runbook](f, f.aws.EnsureRunbook, activities.EnsureRunbookInput{Group: staging}),
		SnapshotID: uuid.NewString(), Reboot: patch.RebootAlways, Attempt: attempt(),
		Budget: patch.Duration(90 * time.Minute), Pace: pace,
	}
}

// TestOneInstanceIsPatchedAndPutBack goes the whole way that one instance can go here.
func TestOneInstanceIsPatchedAndPutBack(t *testing.T) {
	for _, test := range []struct {
		name string
		lose []string
	}{
		{"every reply arrives", nil},
		{"the first reply of every change is lost", []string{
			"CreatePatchBaseline", "RegisterPatchBaselineForPatchGroup", "CreateDocument", "SendCommand", "CreateSnapshot",
			"StartAutomationExecution", "CreateReplaceRootVolumeTask", "CreateTags", "DeleteSnapshot", "DeleteVolume",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFleet(t)
			f.LoseFirst(test.lose...)
			id := f.Instances(staging.Account.ID)[0]
			instance := activities.Instance{Group: staging, ID: id}
			volume := ""
			f.Inspect(func(w *world.World) {
				volume = w.Account(staging.Account.ID).Region(staging.Region).Instance(id).RootVolume
			})

			baseline := must[activities.RegisteredBaseline](
				f, f.aws.EnsureBaseline, activities.EnsureBaselineInput{Group: staging, Baseline: "amazon-linux-2023"},
			)
			before := f.scan([]string{id}, baseline.BaselineID)[0]
			require.Empty(t, before.Error)
			require.Len(t, before.Missing, 6)

			taken := must[activities.SnapshotTaken](f, f.aws.TakeSnapshot, activities.SnapshotInput{
				Instance: instance, VolumeID: volume, Attempt: attempt(), Retention: week, Pace: pace,
			})
			start := f.startInstall(id)
			execution := must[activities.Execution](f, f.aws.StartInstall, start)
			report := must[patch.PatchReport](
				f, f.aws.AwaitInstall, activities.AwaitInstallInput{Instance: instance, Execution: execution, Pace: pace},
			)
			require.Equal(t, "Success", report.Status, report.Failure)
			require.Empty(t, report.Failure)
			require.NotNil(t, report.Before)
			require.NotNil(t, report.After)
			require.NotEqual(t, report.Before.BootID, report.After.BootID)
			require.Len(t, report.Changes, 6)
			require.Equal(t, "curl-minimal.x86_64", report.Changes[0].Name)
			require.Equal(t, "0:8.11.1-4.amzn2023.0.3", report.Changes[0].To)
			require.Equal(t, 1, f.Effects("StartAutomationExecution"))
			require.Equal(t, execution, must[activities.Execution](f, f.aws.FindInstall, activities.FindInstallInput{
				Instance: instance, Attempt: start.Attempt, Pace: pace,
			}))

			after := f.scan([]string{id}, baseline.BaselineID)[0]
			require.True(t, patch.Verify(patch.Pass{
				Platform: patch.Linux, Reboot: patch.RebootAlways, Number: 1, Of: 1, Before: before, After: after, Report: report,
			}).Proven(), "%+v", after)

			must[nothing](
				f, f.aws.AwaitSnapshot, activities.AwaitSnapshotInput{Instance: instance, SnapshotID: taken.SnapshotID, Pace: pace},
			)
			require.Equal(t, 1, f.Effects("CreateSnapshot"))
			task := must[activities.RestoreTask](f, f.aws.RestoreRoot, activities.RestoreRootInput{
				Instance: instance, SnapshotID: taken.SnapshotID, Attempt: attempt(), Retention: week, Pace: pace,
			})
			restored := must[activities.Restored](
				f, f.aws.AwaitRestore, activities.AwaitRestoreInput{Instance: instance, TaskID: task.TaskID, Pace: pace},
			)
			require.Equal(t, 1, f.Effects("CreateReplaceRootVolumeTask"))
			must[activities.TagRestoredResult](f, f.aws.TagRestored, activities.TagRestoredInput{
				Instance: instance, TaskID: task.TaskID, RootVolumeID: restored.RootVolumeID,
			})
			facts := must[patch.MachineFacts](f, f.aws.CollectMachineFacts, activities.CollectMachineFactsInput{
				Instance: instance, Platform: patch.Linux, Attempt: attempt(), Budget: patch.Duration(15 * time.Minute), Pace: pace,
			})
			point := patch.RestorePoint{
				SnapshotID: taken.SnapshotID, VolumeID: volume, TakenAt: taken.StartedAt, Facts: *report.Before,
			}
			require.Empty(t, patch.ProveRestored(point, report.After.BootID, restored.RootVolumeID, facts))

			expire := activities.ExpireInput{Group: staging, Named: []string{taken.SnapshotID, volume}}
			require.Empty(t, must[activities.Expired](f, f.aws.ExpireBackups, expire).Snapshots, "too young")
			f.Pass(week.D() + time.Hour)
			expired := must[activities.Expired](f, f.aws.ExpireBackups, expire)
			if test.lose == nil {
				require.Equal(t, []string{taken.SnapshotID}, expired.Snapshots)
				require.Equal(t, []string{volume}, expired.Volumes)
			}
			f.Inspect(func(w *world.World) {
				region := w.Account(staging.Account.ID).Region(staging.Region)
				require.Nil(t, region.Snapshot(taken.SnapshotID))
				require.Nil(t, region.Volume(volume), "the replaced volume")
				require.NotNil(t, region.Volume(restored.RootVolumeID))
			})
		})
	}
}

func TestStopInstall(t *testing.T) {
	f := newFleet(t)
	f.LoseFirst("StopAutomationExecution", "CancelCommand")
	id := f.Instances(staging.Account.ID)[0]
	execution := must[activities.Execution](f, f.aws.StartInstall, f.startInstall(id))
	f.Pass(40 * time.Second) // in the middle of the install
	in := activities.AwaitInstallInput{
		Instance: activities.Instance{Group: staging, ID: id}, Execution: execution, Pace: pace,
	}
	must[nothing](f, f.aws.StopInstall, in)
	report := must[patch.PatchReport](f, f.aws.AwaitStopped, in)
	require.Equal(t, "Cancelled", report.Status)
	require.NotEmpty(t, report.Failure)
	require.NotNil(t, report.Before)
	require.Nil(t, report.After, "what it left was never learnt")
	require.True(t, report.Touched(patch.Linux))
	f.Inspect(func(w *world.World) {
		for _, command := range w.Account(staging.Account.ID).Region(staging.Region).Commands() {
			require.True(t, command.Done(), "%s: %s", command.Document, command.Status())
		}
	})
	must[nothing](f, f.aws.StopInstall, in)
}

// Run Command's lists lag, and by instance they leave out what no agent has fetched; a step tells its command only once
// it has ended, or late. An install that none of them shows is no install that has ended.
func TestStopInstallThatIsNotListedYet(t *testing.T) {
	const never = 1000 * time.Hour
	for _, c := range []struct {
		name      string
		silent    bool // its agent has not fetched it
		listed    time.Duration
		stepTells time.Duration // after its end
	}{
		{"it runs, and nothing tells of it", false, 40 * time.Second, never},
		{"it runs, and its step tells of it before the lists do", false, 40 * time.Second, 0},
		{"it waits for its agent, and only the list of all instances shows it", true, 40 * time.Second, never},
		{"it waits for its agent, and its step tells of it", true, 40 * time.Second, 0},
		{"its step tells of it, and no list does for as long as a list may lag", false, 5 * time.Minute, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFleetOf(t, func(s *world.Scenario) {
				s.Durations.CommandLag, s.Durations.StepLag = world.Duration(c.listed), world.Duration(c.stepTells)
				s.Durations.Install = world.Duration(10 * time.Minute)
			})
			id := f.Instances(staging.Account.ID)[0]
			execution := must[activities.Execution](f, f.aws.StartInstall, f.startInstall(id))
			var install *world.Command
			for install == nil {
				f.Pass(100 * time.Millisecond)
				f.Inspect(func(w *world.World) {
					region := w.Account(staging.Account.ID).Region(staging.Region)
					for _, command := range region.Commands() {
						if command.Document == "AWS-RunPatchBaseline" {
							install = command
						}
					}
					if install != nil && c.silent {
						region.Instance(id).StopAgent()
					}
				})
			}
			if !c.silent {
				f.Pass(5 * time.Second)
			}
			in := activities.AwaitInstallInput{
				Instance: activities.Instance{Group: staging, ID: id}, Execution: execution, Pace: pace,
			}
			f.Inspect(func(*world.World) { require.False(t, install.Done()) })
			began := f.Clock()
			must[nothing](f, f.aws.StopInstall, in)
			must[patch.PatchReport](f, f.aws.AwaitStopped, in)
			require.Less(t, f.Clock().Sub(began), 6*time.Minute, "what no agent will fetch is listed without an instance")
			f.Inspect(func(*world.World) {
				require.Equal(t, "Cancelled", install.On(id).Status, "told as stopped")
			})
		})
	}
}

// A command that is known, and that no list shows for longer than it might have been handed over, may have been: its
// agent fell silent while it ran, and its cancel was not heard.
func TestACommandThatNoListShowsHasNotEnded(t *testing.T) {
	f := newFleetOf(t, func(s *world.Scenario) {
		s.Durations.CommandLag, s.Durations.Install = world.Duration(3*time.Hour), world.Duration(10*time.Minute)
	})
	id := f.Instances(staging.Account.ID)[0]
	execution := must[activities.Execution](f, f.aws.StartInstall, f.startInstall(id))
	f.Pass(time.Minute)
	f.Inspect(func(w *world.World) {
		w.Account(staging.Account.ID).Region(staging.Region).Instance(id).StopAgent()
	})
	in := activities.AwaitInstallInput{
		Instance: activities.Instance{Group: staging, ID: id}, Execution: execution, Pace: pace,
	}
	must[nothing](f, f.aws.StopInstall, in)
	_, err := run[patch.PatchReport](f, 30*time.Minute, f.aws.AwaitStopped, in)
	requireType(t, err, activities.ErrNotReady)
}

func TestFindInstallThatNeverWas(t *testing.T) {
	f := newFleet(t)
	began := f.Clock()
	found := must[activities.Execution](f, f.aws.FindInstall, activities.FindInstallInput{
		Instance: activities.Instance{Group: staging, ID: f.Instances(staging.Account.ID)[0]}, Attempt: attempt(), Pace: pace,
	})
	require.Empty(t, found.ID)
	require.GreaterOrEqual(t, f.Clock().Sub(began), pace.ReadLag.D(), "one empty list proves nothing")
}

func TestInstallIsNotStarted(t *testing.T) {
	// What a wave is told to have pinned is only its version: name and content are the worker's own.
	t.Run("of a version that says something else than the worker's runbook", func(t *testing.T) {
		f := newFleet(t)
		in := f.startInstall(f.Instances(staging.Account.ID)[0])
		f.Inspect(func(w *world.World) {
			region := w.Account(staging.Account.ID).Region(staging.Region)
			ours, err := region.Document(names.Runbook)
			require.NoError(t, err)
			content := strings.Replace(ours.Versions[0].Content, "maxAttempts: 1", "maxAttempts: 2", 1)
			other, err := region.UpdateDocument(names.Runbook, "$LATEST", "YAML", content, "")
			require.NoError(t, err)
			in.Runbook.Version, in.Runbook.Hash = strconv.Itoa(other.Version), other.Hash
		})
		_, err := run[activities.Execution](f, time.Hour, f.aws.StartInstall, in)
		requireType(t, err, activities.ErrRunbookChanged)
		require.Zero(t, f.Effects("StartAutomationExecution"))
	})
	t.Run("of another document than the worker's", func(t *testing.T) {
		f := newFleet(t)
		in := f.startInstall(f.Instances(staging.Account.ID)[0])
		in.Runbook.Name = "Somebody-Elses"
		must[activities.Execution](f, f.aws.StartInstall, in)
		f.Inspect(func(w *world.World) {
			for _, execution := range w.Account(staging.Account.ID).Region(staging.Region).Executions() {
				require.Equal(t, names.Runbook, execution.Document)
			}
		})
	})
	t.Run("a second time when the first was throttled, and without a minute's wait", func(t *testing.T) {
		f := newFleet(t)
		in := f.startInstall(f.Instances(staging.Account.ID)[0])
		throttled := false
		f.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
			if call.Operation == "StartAutomationExecution" && !throttled {
				throttled = true
				return awssim.Fault{Kind: awssim.FaultThrottle}
			}
			return awssim.Fault{}
		})
		began := f.Clock()
		must[activities.Execution](f, f.aws.StartInstall, in)
		require.Less(t, f.Clock().Sub(began), 10*time.Second)
		require.Equal(t, 1, f.Effects("StartAutomationExecution"))
	})
	t.Run("a second time when a server's error hid that it began", func(t *testing.T) {
		f := newFleet(t)
		in := f.startInstall(f.Instances(staging.Account.ID)[0])
		failed := false
		f.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
			if call.Operation == "StartAutomationExecution" && !failed {
				failed = true
				return awssim.Fault{Kind: awssim.FaultError}
			}
			return awssim.Fault{}
		})
		began := f.Clock()
		must[activities.Execution](f, f.aws.StartInstall, in)
		require.GreaterOrEqual(t, f.Clock().Sub(began), pace.ReadLag.D(), "the list had to stay empty first")
		require.Equal(t, 1, f.Effects("StartAutomationExecution"))
	})
}

// TestStuckReboot waits for a machine that never comes back, and is still bounded.
func TestStuckReboot(t *testing.T) {
	f := newFleet(t, world.WorldFault{Kind: world.FaultRebootHangs})
	id := f.Instances(staging.Account.ID)[0]
	execution := must[activities.Execution](f, f.aws.StartInstall, f.startInstall(id))
	in := activities.AwaitInstallInput{
		Instance: activities.Instance{Group: staging, ID: id}, Execution: execution, Pace: pace,
	}
	_, err := run[patch.PatchReport](f, time.Hour, f.aws.AwaitInstall, in)
	requireType(t, err, activities.ErrMachineAway)
	require.ErrorContains(t, err, id+": it has not come back from its reboot: Systems Manager has not heard of its agent since ")
	in.Reboot = patch.RebootNever
	_, err = run[patch.PatchReport](f, time.Minute, f.aws.AwaitInstall, in)
	require.ErrorContains(t, err, id+": it has fallen silent while it was patched, without a reboot that is ours: ")
	_, err = run[patch.MachineFacts](f, 20*time.Minute, f.aws.CollectMachineFacts, activities.CollectMachineFactsInput{
		Instance: in.Instance, Platform: patch.Linux, Attempt: attempt(), Budget: patch.Duration(15 * time.Minute),
		Pace: pace,
	})
	requireType(t, err, activities.ErrNotReady)
}

// When an agent counts as silent is Systems Manager's to say, by AWS's clock: in the laboratory that runs faster.
func TestAStuckRebootIsToldInTheLaboratory(t *testing.T) {
	f := newFleet(t, world.WorldFault{Kind: world.FaultRebootHangs})
	f.aws.Speed = 240
	id := f.Instances(staging.Account.ID)[0]
	execution := must[activities.Execution](f, f.aws.StartInstall, f.startInstall(id))
	_, err := run[patch.PatchReport](f, time.Hour, f.aws.AwaitInstall, activities.AwaitInstallInput{
		Instance: activities.Instance{Group: staging, ID: id}, Execution: execution, Pace: pace,
	})
	requireType(t, err, activities.ErrMachineAway)
}

func TestRunbookIsRegisteredOnce(t *testing.T) {
	f := newFleet(t)
	in := activities.EnsureRunbookInput{Group: staging}
	first := must[activities.Runbook](f, f.aws.EnsureRunbook, in)
	require.Equal(t, "1", first.Version)
	require.NotEmpty(t, first.Hash)
	require.Equal(t, first, must[activities.Runbook](f, f.aws.EnsureRunbook, in))
	require.Equal(t, 1, f.Effects("CreateDocument"))

	// Somebody else's version stands above ours: it is left alone, and ours is found under it.
	f.Inspect(func(w *world.World) {
		_, err := w.Account(staging.Account.ID).Region(staging.Region).UpdateDocument(
			first.Name, "$LATEST", "YAML", foreignRunbook, "",
		)
		require.NoError(t, err)
	})
	require.Equal(t, first, must[activities.Runbook](f, f.aws.EnsureRunbook, in))
	require.Zero(t, f.Effects("UpdateDocument"))
}

const foreignRunbook = `
schemaVersion: "0.3"
mainSteps:
  - {name: wait, action: "aws:sleep", inputs: {Duration: PT1M}}
`

func TestRunbookOfAnotherReleaseIsUpdated(t *testing.T) {
	f := newFleet(t)
	f.LoseFirst("UpdateDocument")
	f.Inspect(func(w *world.World) {
		_, err := w.Account(staging.Account.ID).Region(staging.Region).CreateDocument(
			"Patchtide-PatchInstance", "Automation", "YAML", foreignRunbook, "", nil,
		)
		require.NoError(t, err)
	})
	got := must[activities.Runbook](f, f.aws.EnsureRunbook, activities.EnsureRunbookInput{Group: staging})
	require.Equal(t, "2", got.Version)
	require.Equal(t, 1, f.Effects("UpdateDocument"))
}
