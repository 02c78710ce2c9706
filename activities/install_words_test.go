package activities_test

import (
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
)

// Whichever step of the runbook is given up, or fails, people are told what became of the machine, and the step behind
// it.
func TestEachStepIsToldAsWhatBecameOfTheMachine(t *testing.T) {
	const (
		slow    = 9 * time.Minute // Systems Manager tells of a silent agent after five
		notBack = "it has not come back from its reboot: Systems Manager has not heard of its agent since 20"
	)
	tested := []struct {
		step   string
		waits  string // while its agent answers
		silent string // ... and once it does not
		failed string // once the step has ended
	}{
		{
			"factsBefore", "it has not told yet what it is before its install (step factsBefore)",
			"it fell silent before its install: Systems Manager has not heard of its agent since 20",
			"it did not tell what it is before its install (step factsBefore): ",
		},
		{"install", "it has not ended its install (step install)", notBack, "AWS-RunPatchBaseline failed on it (step install): "},
		{
			"factsAfter", "it has not told yet what it is after its install (step factsAfter)", notBack,
			"AWS-RunPatchBaseline failed on it (step install): ", // which was the first to fail
		},
	}
	var covered []string
	for _, c := range tested {
		covered = append(covered, c.step)
		t.Run(c.step, func(t *testing.T) {
			f := newFleet(t)
			in := f.awaitedInstall()
			f.passToStep(c.step)
			_, err := run[patch.PatchReport](f, time.Second, f.aws.AwaitInstall, in)
			requireType(t, err, activities.ErrNotReady)
			require.ErrorContains(t, err, c.waits)

			f = newFleet(t, world.WorldFault{Kind: world.FaultRebootHangs})
			in = f.awaitedInstall()
			f.passToStep(c.step)
			if c.step == "factsBefore" {
				f.Inspect(func(w *world.World) {
					w.Account(staging.Account.ID).Region(staging.Region).Instance(in.Instance.ID).StopAgent()
				})
			}
			f.Pass(slow)
			for _, f.aws.Speed = range []float64{0, 240} { // the laboratory's AWS has no other patience
				_, err = run[patch.PatchReport](f, time.Second, f.aws.AwaitInstall, in)
				requireType(t, err, activities.ErrMachineAway)
				require.ErrorContains(t, err, in.Instance.ID+": "+c.silent)
			}
			f.aws.Speed = 0
			report := must[patch.PatchReport](f, f.aws.AwaitInstall, in)
			require.Contains(t, report.Failure, c.failed)
			require.Contains(t, report.Failure, in.Instance.ID+": "+c.silent)
		})
	}
	runbook, err := os.ReadFile("runbook.yaml")
	require.NoError(t, err)
	var steps []string
	for _, found := range regexp.MustCompile(`(?m)^ +- name: (\w+)$`).FindAllStringSubmatch(string(runbook), -1) {
		steps = append(steps, found[1])
	}
	require.Equal(t, steps, covered, "every step of the runbook has its words")
}

// awaitedInstall starts an install, and says how it is waited for.
func (f *fleet) awaitedInstall() activities.AwaitInstallInput {
	f.t.Helper()
	id := f.Instances(staging.Account.ID)[0]
	return activities.AwaitInstallInput{
		Instance:  activities.Instance{Group: staging, ID: id},
		Execution: must[activities.Execution](f, f.aws.StartInstall, f.startInstall(id)), Pace: pace,
	}
}

// passToStep lets time pass until the only execution is at that step.
func (f *fleet) passToStep(step string) {
	f.t.Helper()
	for range 100_000 {
		there := false
		f.Inspect(func(w *world.World) {
			for _, execution := range w.Account(staging.Account.ID).Region(staging.Region).Executions() {
				for _, one := range execution.Steps {
					there = there || one.Step == step && one.Status == "InProgress"
				}
			}
		})
		if there {
			return
		}
		f.Pass(100 * time.Millisecond)
	}
	f.t.Fatalf("the execution never came to step %s", step)
}
