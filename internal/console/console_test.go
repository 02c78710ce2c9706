package console

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

// wave is a wave of two stages whose first production instance is in the given state.
func wave(state string, instance Instance) Progress {
	return Progress{
		WaveID: "wave-web-1", State: state,
		Stages: []Stage{
			{Name: "staging", State: "done", Outcome: patch.Succeeded, Groups: []Group{{
				Account: "staging", Region: "ap-northeast-1", Name: "Role=web",
				Instances: []Instance{{ID: "i-0a", Outcome: patch.Patched}, {ID: "i-0b", Outcome: patch.AlreadyCompliant}},
			}}},
			{Name: "production", State: "patching", Groups: []Group{{
				Account: "production", Region: "ap-northeast-1", Name: "web",
				Instances: []Instance{instance, {ID: "i-0d"}},
			}}},
		},
	}
}

func TestPlainLinesTellEachChangeOnce(t *testing.T) {
	var out bytes.Buffer
	clock := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	c := New(&out, nil, func() time.Time { return clock })
	c.Say("The laboratory approves %s by itself.", "production")
	c.Update(wave("patching production", Instance{ID: "i-0c", Step: "entering standby"}))
	clock = clock.Add(65 * time.Second)
	c.Update(wave("patching production", Instance{ID: "i-0c", Step: "entering standby"}))
	c.Update(wave("patching production", Instance{ID: "i-0c", Step: "installing"}))
	failed := wave("on hold", Instance{ID: "i-0c", Outcome: patch.RolledBack, Reason: "target unhealthy"})
	failed.Asks = "i-0c was put back"
	c.Update(failed)
	c.Update(failed)

	want := strings.Join([]string{
		"00:00  The laboratory approves production by itself.",
		"00:00    wave  patching production",
		"00:00  ✓ staging/ap-northeast-1/Role=web i-0a  patched",
		"00:00  ✓ staging/ap-northeast-1/Role=web i-0b  already compliant",
		"00:00  ✓ stage staging  succeeded",
		"00:00    stage production  patching",
		"00:00    production/ap-northeast-1/web i-0c  entering standby",
		"01:05    production/ap-northeast-1/web i-0c  installing",
		"01:05    wave  on hold",
		"01:05  ↩ production/ap-northeast-1/web i-0c  rolled back: target unhealthy",
		"01:05  ! wave  on hold: i-0c was put back",
		"",
	}, "\n")
	require.Equal(t, want, out.String())
}

// Whoever begins to watch is told what had ended before, and not that it ended now.
func TestWhatHadEndedBeforeIsNotOfNow(t *testing.T) {
	var out bytes.Buffer
	clock := time.Date(2026, 1, 1, 3, 0, 0, 0, time.UTC)
	c := New(&out, nil, func() time.Time { return clock }).ByClock()
	c.Update(wave("patching production", Instance{ID: "i-0c", Step: "entering standby"}))
	c.Update(wave("patching production", Instance{ID: "i-0c", Outcome: patch.Patched}))
	require.Equal(t, strings.Join([]string{
		"before        ✓ staging/ap-northeast-1/Role=web i-0a  patched",
		"before        ✓ staging/ap-northeast-1/Role=web i-0b  already compliant",
		"before        ✓ stage staging  succeeded",
		"03:00:00 UTC    wave  patching production",
		"03:00:00 UTC    stage production  patching",
		"03:00:00 UTC    production/ap-northeast-1/web i-0c  entering standby",
		"03:00:00 UTC  ✓ production/ap-northeast-1/web i-0c  patched",
		"",
	}, "\n"), out.String())
}

func TestChangesOfAnInstanceThatIsRolledBackAfterItWasPatched(t *testing.T) {
	before := wave("", Instance{ID: "i-0c", Outcome: patch.Patched})
	after := wave("", Instance{ID: "i-0c", Outcome: patch.RolledBack})
	require.Equal(t, []change{{
		subject: "production/ap-northeast-1/web i-0c", what: "rolled back", outcome: patch.RolledBack,
	}}, changes(before, after))
}

// live is a console that draws on a buffer as on a colour terminal of the given size.
func live(out *bytes.Buffer, width, height int) *Console {
	c := New(out, nil, func() time.Time { return time.Time{} })
	c.out = &colorprofile.Writer{Forward: out, Profile: colorprofile.ANSI}
	c.live, c.terminal = true, true
	c.size = func() (int, int) { return width, height }
	return c
}

func TestTheLivePictureReplacesItself(t *testing.T) {
	var out bytes.Buffer
	c := live(&out, 60, 40)
	c.Update(wave("patching", Instance{ID: "i-0c", Step: "installing"}))
	first := ansi.Strip(out.String())
	require.Contains(t, first, "1 of 4 patched, 1 already")
	require.Contains(t, first, "i-0c                 installing")
	require.NotContains(t, first, "wave  patching", "steps are in the picture only")
	require.Contains(t, out.String(), "\x1b[", "colours")

	height := c.drawn
	out.Reset()
	c.Update(wave("patching", Instance{ID: "i-0c", Outcome: patch.Patched}))
	require.True(t, strings.HasPrefix(out.String(), ansi.CursorUp(height)+"\r"+ansi.EraseScreenBelow), "%q", out.String())
	require.Contains(
		t, ansi.Strip(out.String()), "✓ production/ap-northeast-1/web i-0c  patched\n", "what ended stays above",
	)

	out.Reset()
	c.Done()
	c.Done()
	require.Equal(t, ansi.CursorUp(height)+"\r"+ansi.EraseScreenBelow, out.String(), "taken away once")
}

func TestTheLivePictureFitsTheScreen(t *testing.T) {
	var out bytes.Buffer
	c := live(&out, 20, 5)
	c.Update(wave("patching with a very long text that has no room", Instance{ID: "i-0c", Step: "installing a long list"}))
	require.Equal(t, 4, c.drawn)
	require.Contains(t, ansi.Strip(out.String()), "\npatching with", "what it does or asks stays on the screen")
	require.Contains(t, ansi.Strip(out.String()), "i-0d", "and so does what comes last")
	out.Reset()
	c.last.Asks = ""
	c.show("", nil)
	for _, line := range strings.Split(ansi.Strip(out.String()), "\n") {
		require.LessOrEqual(t, ansi.StringWidth(line), 20, line)
	}
}

func TestNoTerminalNoColours(t *testing.T) {
	for name, environ := range map[string][]string{
		"a pipe":          {"TERM=xterm-256color"},
		"NO_COLOR":        {"TERM=xterm-256color", "NO_COLOR=yes", "CLICOLOR_FORCE=1"},
		"a dumb terminal": {"TERM=dumb"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			c := New(&out, environ, time.Now)
			require.False(t, c.live)
			c.Update(wave("patching", Instance{ID: "i-0c", Step: "installing"}))
			c.Summary(sample())
			require.NotContains(t, out.String(), "\x1b", "a colour or a style")
		})
	}
}

func sample() Report {
	result := patch.WaveResult{
		WaveID: "wave-web-1", Plan: "web", Outcome: patch.SucceededWithSkips, Reason: "skipped by alice: it is odd",
		Stages: []patch.StageResult{
			{Name: "staging", Outcome: patch.Succeeded, Groups: []patch.GroupResult{{
				Account: "staging", Region: "ap-northeast-1", Name: "Role=web", Outcome: patch.Succeeded,
				Instances: []patch.InstanceResult{{
					ID: "i-0a", Outcome: patch.Patched, MissingBefore: 2, AutomationExecutionID: "e-1",
				}},
			}}},
			{Name: "production", Outcome: patch.SucceededWithSkips, Groups: []patch.GroupResult{{
				Account: "production", Region: "ap-northeast-1", Name: "web", Outcome: patch.SucceededWithSkips,
				Instances: []patch.InstanceResult{
					{
						ID: "i-0c", Outcome: patch.RolledBack, Reason: "it never came back", MissingBefore: 1, MissingAfter: 1,
					},
					{ID: "i-0d", Outcome: patch.NotStarted},
				},
			}}},
		},
		Stranded: []patch.Stranded{{
			Account: "production", Region: "ap-northeast-1", Resource: "i-0c", State: "in standby", WhatToDo: "exit standby",
		}},
	}
	report := NewReport("stuck-reboot", result, 41_260*time.Millisecond, Measured{
		MaxOutOfService: func(account, _, _ string) int { return len(account) - len("staging") },
		Calls: map[string]int{
			"ssm:StartAutomationExecution": 2, "ssm:GetAutomationExecution": 5, "ec2:CreateSnapshot": 2,
		},
		Missing:   func(_, _, instance string) int { return len(instance) },
		Throttled: 3,
	})
	report.Pages = &Pages{
		TemporalUI: "http://127.0.0.1:8233", Wave: "http://127.0.0.1:8233/namespaces/default/workflows/wave-web-1",
		Fleet: "http://127.0.0.1:4566",
	}
	return report
}

func TestSummary(t *testing.T) {
	var out bytes.Buffer
	New(&out, nil, time.Now).Summary(sample())
	golden(t, "summary.txt", out.Bytes())
}

// What is gone when it is read is not named: neither in the summary nor in the document.
func TestAReportWithoutPagesHasNoAddress(t *testing.T) {
	report := sample()
	report.Pages = nil
	var out bytes.Buffer
	New(&out, nil, time.Now).Summary(report)
	require.NoError(t, report.WriteJSON(&out))
	require.NotContains(t, out.String(), "http")
}

func TestSummaryFitsTheScreen(t *testing.T) {
	var out bytes.Buffer
	c := live(&out, 60, 40)
	c.Summary(sample())
	for _, line := range strings.Split(ansi.Strip(out.String()), "\n") {
		if strings.ContainsAny(line, "│╭╰") {
			require.Equal(t, 60, ansi.StringWidth(line), line)
		}
	}
}

func TestReportIsTheDocumentScriptsRead(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, sample().WriteJSON(&out))
	golden(t, "report.json", out.Bytes())
}

func TestAnEmptyReportHasEmptyListsNotNulls(t *testing.T) {
	var out bytes.Buffer
	require.NoError(
		t,
		NewReport(
			"healthy", patch.WaveResult{Stages: []patch.StageResult{{Groups: []patch.GroupResult{{}}}}}, 0, Measured{},
		).WriteJSON(&out),
	)
	require.NotContains(t, out.String(), "null")
	var keys map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &keys))
	require.Len(t, keys, 9)
}

// golden compares with a file; PATCHTIDE_UPDATE=1 rewrites it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if os.Getenv("PATCHTIDE_UPDATE") != "" {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, got, 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}

func TestALogGoesAboveTheLivePicture(t *testing.T) {
	var out bytes.Buffer
	c := live(&out, 60, 40)
	c.Update(wave("patching", Instance{ID: "i-0c", Step: "installing"}))
	height := c.drawn
	out.Reset()
	n, err := io.WriteString(above{c}, "one\ntwo\n")
	require.NoError(t, err)
	require.Equal(t, len("one\ntwo\n"), n)
	text := ansi.Strip(out.String())
	require.Equal(
		t, 2, strings.Count(out.String(), ansi.CursorUp(height)+"\r"+ansi.EraseScreenBelow),
		"the picture is drawn anew below each line",
	)
	require.Less(t, strings.Index(text, "one"), strings.Index(text, "two"))
	require.Equal(t, height, c.drawn)

	require.Same(t, &out, c.Log(&out), "what is no terminal gets its lines as they are")
}

func TestTheSummaryDropsTheLongestColumnFirst(t *testing.T) {
	var out bytes.Buffer
	c := live(&out, 70, 40)
	c.Summary(sample())
	text := ansi.Strip(out.String())
	require.NotContains(t, text, "Automation")
	require.Contains(t, text, "│ i-0a     │ patched     │", "nothing is broken")
}

func TestLongLinesGoOnUnderThemselves(t *testing.T) {
	var out bytes.Buffer
	c := live(&out, 40, 40)
	c.Say("This wave    http://127.0.0.1:8233/namespaces/default/workflows/wave-web-1 and words after it")
	require.Equal(t, "00:00  This wave\n"+
		"       http://127.0.0.1:8233/namespaces/default/workflows/wave-web-1\n"+
		"       and words after it\n", ansi.Strip(out.String()))

	out.Reset()
	New(&out, nil, func() time.Time { return time.Time{} }).Say(
		"a line that is longer than %s", strings.Repeat("x ", usualWidth),
	)
	require.Equal(t, 1, strings.Count(out.String(), "\n"), "a log's line is a line")
}
