package console

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

// terminals are the widths that people have: half a screen, the one of old, a wide one.
var terminals = []int{60, 80, 120}

func heldStatus() patch.WaveStatus {
	until := time.Date(2026, 11, 24, 3, 30, 0, 0, time.UTC)
	return patch.WaveStatus{
		WaveID: "wave-web-20261124-020000", Plan: "web", State: patch.StateOnHold, Stage: "production", Hold: 2,
		Since: until.Add(-time.Hour), Reason: "the monthly patches, as agreed with those who are on call this week",
		Awaiting: "production/ap-northeast-1/web: i-4333dc0704d74e937 is unhealthy in target group web " +
			"(Target.FailedHealthChecks), 60 s after it was back; put back. Send retry, skip, roll back or abort.",
		Verbs: patch.VerbsIn(patch.StateOnHold, true), Otherwise: patch.RollBack, Until: &until,
		Stages: []patch.StageStatus{{Name: "production", Groups: []patch.GroupCounts{
			{Group: "production/ap-northeast-1/web", Phase: patch.GroupHeld, Total: 4, Done: 1, Now: []patch.InstanceNow{{
				ID: "i-4333dc0704d74e937", Step: patch.StepReturn, Undoing: true,
			}}},
			{Group: "production/ap-northeast-1/api", Phase: patch.GroupPaused, Reason: "waits beside another group that is held"},
		}}},
		Decisions: []patch.Decision{{
			Verb: patch.Approve, Actor: "alice", Reason: "staging looks well, and it is quiet", At: until.Add(-2 * time.Hour),
		}},
		Stranded: []patch.Stranded{{
			Account: "production", Region: "ap-northeast-1", Resource: "i-4333dc0704d74e937", State: "left in standby",
			WhatToDo: "bring it into service, once somebody has looked at what it misses",
		}},
	}
}

func blockedPlan() patch.Preview {
	p := couldRun()
	p.Blockers = []patch.Blocker{{
		Code: "OtherPatcher", Where: "production/ap-northeast-1/web",
		Instances: []string{"i-4333dc0704d74e937", "i-8a2325a4f79c270c7", "i-a162bd76cc53f2c61", "i-a39abe6057dc0db4b"},
		What:      "the maintenance window nightly (mw-00000000000000001) may patch it from 2026-11-24T18:22:00Z",
		WhatToDo:  "take the instance out of it, or disable it for the wave, and say so to whoever looks after it",
	}}
	return p
}

// Nothing that is drawn is wider than the terminal, and no word of it is broken or lost.
func TestWhatIsDrawnFitsTheTerminal(t *testing.T) {
	rows := [][]string{
		{"wave-web-20261124-020000", "web", "on hold: production, frozen", "2026-11-24 02:00 UTC"},
		{"wave-background-jobs-20261122-020000", "background-jobs", "closed: succeeded with skips", "2026-11-22 02:00 UTC"},
	}
	findings := []Finding{{
		Problem: true, What: "permissions", Where: "production/ap-northeast-1",
		Says: "the role may not do autoscaling:EnterStandby, which takes an instance out of service",
		Mend: "allow it in the role patchtide of that account, as installing.md lists it",
	}}
	for name, draw := range map[string]func(Page) string{
		"wave show":    func(page Page) string { return Status(heldStatus(), patch.Waits{}, page) },
		"plan":         func(page Page) string { return planText(couldRun(), page) },
		"plan blocked": func(page Page) string { return planText(blockedPlan(), page) },
		"wave list":    func(page Page) string { return page.Table([]string{"Wave", "Plan", "State", "Started"}, rows) },
		"doctor":       func(page Page) string { return findingsText(findings, page) },
	} {
		whole := slices.DeleteFunc(shownWords(draw(Page{})), func(word string) bool {
			return slices.Contains([]string{"Wave", "Stage", "Check"}, word) // a block needs no name for its first line
		})
		for _, width := range terminals {
			t.Run(fmt.Sprintf("%s at %d", name, width), func(t *testing.T) {
				text := draw(Page{Width: width, Terminal: true})
				for line := range strings.Lines(text) {
					require.LessOrEqual(t, lipgloss.Width(line), width, text)
				}
				require.Subset(t, shownWords(text), whole, text)
			})
		}
	}
}

// shownWords are the words of a text without lines, signs and colours.
func shownWords(text string) []string {
	return strings.FieldsFunc(ansi.Strip(text), func(r rune) bool { return strings.ContainsRune(` \|+-─│╭╮╰╯├┤┬┴┼`+"\n", r) })
}

func TestATableWhoseWordsAreTooLongIsBlocksOfLines(t *testing.T) {
	page := Page{Width: 40, Terminal: true}
	require.Equal(t, ""+
		"✗ permissions\n"+
		"  Where  production/ap-northeast-1\n"+
		"  Found  it may not do\n"+
		"         autoscaling:EnterStandby",
		page.Table([]string{"", "Check", "Where", "Found"}, [][]string{
			{"✗", "permissions", "production/ap-northeast-1", "it may not do autoscaling:EnterStandby"},
		}))
}

// What stands in backticks is copied by people, and so is a command that a shell reads over two lines.
func TestCommandsCanBeCopied(t *testing.T) {
	page := Page{Width: 40, Terminal: true}
	require.Equal(t, "look at it first, and then\n`patchtide wave show wave-1` tells how\nit ended",
		page.Wrap("look at it first, and then `patchtide wave show wave-1` tells how it ended", 0))
	require.Equal(t, "  patchtide wave skip wave-web-1 \\\n    --stage production --hold 2 \\\n    --reason \"...\"",
		page.Command(`  patchtide wave skip wave-web-1 --stage production --hold 2 --reason "..."`, 4))
	require.Equal(t, "  patchtide wave show wave-1", page.Command("  patchtide wave show wave-1", 4))
}

// The last line of a plan is what people act on.
func TestTheLastLineOfAPlan(t *testing.T) {
	later := couldRun()
	later.Begins = later.At.Add(time.Hour)
	later.RefusedNow = patch.RefusedOutsideWindow
	nothing := couldRun()
	nothing.Due = 0
	for _, c := range []struct {
		name string
		plan patch.Preview
		want string
	}{
		{"it could run", couldRun(), "✓ It could run:  patchtide wave start web\n"},
		{
			"before its window", later,
			"! It could run once its window opens, at " + moment(later.Begins) +
				". A start now is refused (OutsideWindow). Then: patchtide wave start web\n",
		},
		{"nothing is due", nothing, "✓ There is nothing to do: no instance of the plan misses anything.\n"},
		{"it is blocked", blockedPlan(), "✗ It is blocked by 1 thing.\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			require.NoError(t, PrintPlan(&out, nil, c.plan))
			require.True(t, strings.HasSuffix(out.String(), "\n\n"+c.want), out.String())
		})
	}
}
