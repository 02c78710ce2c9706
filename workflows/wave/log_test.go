package wave_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

// logLine is one line of a worker's log.
type logLine struct {
	Level                                         slog.Level
	Message, Instance, Outcome, Reason, Took, Why string
	Times                                         int
}

// logOf reads a log as log_format: json writes it.
func logOf(t *testing.T, written *bytes.Buffer) (lines []logLine) {
	t.Helper()
	for decoder := json.NewDecoder(written); ; {
		var line struct {
			logLine
			Msg string
		}
		err := decoder.Decode(&line)
		if err == io.EOF {
			return lines
		}
		require.NoError(t, err)
		if line.Msg == "ExecuteChildWorkflow" { // of the test environment only
			continue
		}
		line.Message = line.Msg
		lines = append(lines, line.logLine)
	}
}

// A wave is followed in the worker's log at INFO; AWS throttles every fifteenth call, and nothing of that is an error.
func TestAWaveIsFollowedInTheLog(t *testing.T) {
	var written bytes.Buffer
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Log: slog.New(slog.NewJSONHandler(&written, nil))})
	calls := 0
	scene.Sim.SetInterceptor(func(awssim.CallInfo) (fault awssim.Fault) {
		if calls++; calls%15 == 0 {
			fault.Kind = awssim.FaultThrottle
		}
		return fault
	})
	result, err := scene.Run(workflows.WaveRequest{Plan: "web"})
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	lines := logOf(t, &written)
	about := map[string]int{}
	for _, line := range lines {
		require.Equal(t, slog.LevelInfo, line.Level, "%+v", line)
		about[line.Instance]++
	}
	for _, stage := range result.Stages {
		for _, group := range stage.Groups {
			for _, instance := range group.Instances {
				require.InDelta(t, 14, about[instance.ID], 2, instance.ID)
				require.True(t, slices.ContainsFunc(lines, func(line logLine) bool {
					return line.Instance == instance.ID && line.Outcome == string(patch.Patched) && line.Took != ""
				}), instance.ID)
			}
		}
	}
	require.True(t, slices.ContainsFunc(lines, func(line logLine) bool { return line.Times > 0 }), "throttles are told")
	require.Less(t, len(lines), 20*6+20)
}

// What a wave fails by is a warning that names whom and why.
func TestWhatAWaveFailsByIsAWarning(t *testing.T) {
	var written bytes.Buffer
	scene := wavetest.New(t, wavetest.Options{Scenario: "bad-patch", Log: slog.New(slog.NewJSONHandler(&written, nil))})
	scene.Decide = []patch.Verb{patch.RollBack}
	result, err := scene.Run(workflows.WaveRequest{Plan: "web"})
	require.NoError(t, err)
	require.Equal(t, patch.RolledBack, result.Outcome, "%+v", result)
	failed := result.Stages[1].Groups[0].Instances[0]
	var warned []string
	for _, line := range logOf(t, &written) {
		if line.Level > slog.LevelInfo {
			warned = append(warned, line.Message)
			require.Equal(t, slog.LevelWarn, line.Level, "%+v", line)
		}
		if line.Message == "instance has ended" && line.Outcome == string(patch.RolledBack) {
			require.Equal(t, failed.ID, line.Instance)
			require.Equal(t, failed.Reason, line.Reason)
		}
	}
	require.Equal(t, []string{
		"instance has ended", "group: held", "wave: on hold", "wave: closed",
	}, warned)
}
