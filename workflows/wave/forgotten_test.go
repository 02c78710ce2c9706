package wave_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// What a wave left in the middle that Temporal has forgotten, as after a reset of an instance's workflow to its
// beginning or with an older copy of its database, is taken up by the wave that it begins anew.
func TestWhatTemporalForgotIsTakenUp(t *testing.T) {
	for _, c := range []struct {
		left      string
		account   string
		operation string
		nth       int
	}{
		{"the instance's mark", wavetest.Production, "CreateTags", 1},
		{"suspended processes", wavetest.Production, "SuspendProcesses", 1},
		{"standby", wavetest.Production, "EnterStandby", 1},
		{"standby and a snapshot", wavetest.Production, "CreateSnapshot", 1},
		{"an install that ran on", wavetest.Production, "StartAutomationExecution", 1},
		{"an instance on its way back", wavetest.Production, "ExitStandby", 1},
		{"an instance in service, still marked", wavetest.Production, "ResumeProcesses", 1},
		{"the second instance in standby", wavetest.Production, "EnterStandby", 2},
		{"deregistered targets", wavetest.Staging, "DeregisterTargets", 1},
		{"deregistered targets and an install", wavetest.Staging, "StartAutomationExecution", 1},
	} {
		t.Run(c.left, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Config: wavetest.Unattended, Fleet: wavetest.Sized(2, 4, 6),
			})
			before := scene.Snapshot()
			scene.DieAt(c.account, c.operation, c.nth)
			scene.Again(scene.Env.Now().Add(time.Hour))
			scene.Decide = []patch.Verb{patch.Retry, patch.Retry}
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
			require.Empty(t, result.Stranded)
			for _, stage := range result.Stages {
				for _, instance := range stage.Groups[0].Instances {
					require.Equal(t, patch.Patched, instance.Outcome, "%+v", instance)
					require.NotNil(t, instance.Backup, "it can be put back: %+v", instance)
				}
			}
			scene.Before = before
			scene.RequireInvariants(nil, wavetest.Except{})
		})
	}
}
