package patch_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

func TestAnswers(t *testing.T) {
	web := func(check patch.HTTPCheck) patch.HealthCheck {
		check.Path, check.Port = "/healthz", 443
		return patch.HealthCheck{HTTPS: &patch.HTTPSCheck{HTTPCheck: check}}
	}
	run := patch.HealthCheck{Command: &patch.CommandCheck{Run: "systemctl is-active web\necho done"}}
	for _, c := range []struct {
		name   string
		answer patch.Answer
		good   bool
		says   string
	}{
		{"any status of 200 to 399", patch.Answer{Check: web(patch.HTTPCheck{}), Status: 302}, true, ""},
		{
			"nobody answers",
			patch.Answer{Check: web(patch.HTTPCheck{}), Said: "connection refused"},
			false,
			"https /healthz on port 443 answers 0: connection refused",
		},
		{"the status that is wanted", patch.Answer{Check: web(patch.HTTPCheck{Status: []int{401}}), Status: 401}, true, ""},
		{
			"200 where another is wanted",
			patch.Answer{Check: web(patch.HTTPCheck{Status: []int{204}}), Status: 200},
			false,
			"https /healthz on port 443 answers 200",
		},
		{
			"another body",
			patch.Answer{Check: web(patch.HTTPCheck{Body: `"ok"`}), Status: 200, Lacks: true},
			false,
			`https /healthz on port 443 answers 200 without "\"ok\"" in its body`,
		},
		{"a command that succeeds", patch.Answer{Check: run}, true, ""},
		{
			"one that fails",
			patch.Answer{Check: run, Status: 3, Said: "inactive"},
			false,
			`the command "systemctl is-active web …" exits with 3: inactive`,
		},
		{
			"one that was cut",
			patch.Answer{Check: run, Status: -1, Said: "Cancelled"},
			false,
			`the command "systemctl is-active web …" did not end: Cancelled`,
		},
		{
			"a document", patch.Answer{
				Check: patch.HealthCheck{Command: &patch.CommandCheck{Document: "smoke"}}, Status: 1,
			}, false, "the document smoke exits with 1",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.good, c.answer.Good())
			if !c.good {
				require.Equal(t, c.says, c.answer.String())
			}
		})
	}
}

// Who asks decides whether the probe on the instance does.
func TestWhatTheProbeAsks(t *testing.T) {
	worker := patch.HTTPCheck{From: patch.FromWorker}
	for _, c := range []struct {
		name         string
		check        patch.HealthCheck
		asks, probed bool
	}{
		{"http", patch.HealthCheck{HTTP: &patch.HTTPCheck{}}, true, true},
		{"https", patch.HealthCheck{HTTPS: &patch.HTTPSCheck{}}, true, true},
		{"http from the worker", patch.HealthCheck{HTTP: &worker}, true, false},
		{"https from the worker", patch.HealthCheck{HTTPS: &patch.HTTPSCheck{HTTPCheck: worker}}, true, false},
		{"a command", patch.HealthCheck{Command: &patch.CommandCheck{Run: "true"}}, true, true},
		{"a document", patch.HealthCheck{Command: &patch.CommandCheck{Document: "smoke"}}, true, false},
		{"an alarm", patch.HealthCheck{Alarm: "web-5xx"}, false, false},
		{"a target group", patch.HealthCheck{TargetGroup: "auto"}, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.asks, c.check.Asks())
			require.Equal(t, c.probed, c.check.Probed())
		})
	}
}

func TestABakeNamesItsLastFailures(t *testing.T) {
	failed := func(minute int) patch.BakeFailure {
		return patch.BakeFailure{At: noon.Add(time.Duration(minute) * time.Minute), What: "http / on port 80 answers 503"}
	}
	require.Equal(t, "0 of 30 looks on the instance were bad", patch.Bake{Looks: 30}.String())
	require.Equal(t, "4 of 30 looks on the instance were bad: 2026-11-22T12:01:00Z http / on port 80 answers 503; "+
		"2026-11-22T12:02:00Z http / on port 80 answers 503; 2026-11-22T12:03:00Z http / on port 80 answers 503",
		patch.Bake{Looks: 30, Bad: 4, Failures: []patch.BakeFailure{failed(0), failed(1), failed(2), failed(3)}}.String())
}
