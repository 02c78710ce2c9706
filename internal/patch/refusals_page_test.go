package patch_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

var update = flag.Bool("update", false, "write docs/refusals.md anew from the table of checks")

const refusalsPage = "../../docs/refusals.md"

// TestTheRefusalsPageIsOfTheseChecks: what the page says of each check, and of where it is left out, is what the table
// says. With -update the page is made so; the prose around the two tables stays.
func TestTheRefusalsPageIsOfTheseChecks(t *testing.T) {
	page, err := os.ReadFile(refusalsPage)
	require.NoError(t, err)
	fresh := string(page)
	for name, table := range map[string]string{"checks": tableOfChecks(), "left out": tableOfLeftOut()} {
		begin, end := "<!-- begin: "+name+" -->\n", "<!-- end: "+name+" -->"
		before, rest, found := strings.Cut(fresh, begin)
		require.True(t, found, "the page has no mark %q", begin)
		_, after, found := strings.Cut(rest, end)
		require.True(t, found, "the page has no mark %q", end)
		fresh = before + begin + table + end + after
	}
	if *update {
		require.NoError(t, os.WriteFile(refusalsPage, []byte(fresh), 0o644)) //nolint:gosec // a page of the repository
		return
	}
	require.Equal(t, fresh, string(page), "docs/refusals.md is stale: go generate ./internal/patch")
}

// tableOfChecks has a row a code; what several checks say of one code stands in it together.
func tableOfChecks() string {
	var text strings.Builder
	text.WriteString("| code | when | what to do | asked before |\n|---|---|---|---|\n")
	var told []patch.RefusalCode
	for _, check := range patch.Checks() {
		if slices.Contains(told, check.Code) {
			continue
		}
		told = append(told, check.Code)
		var when, todo []string
		asked := map[patch.Level]bool{}
		for _, same := range patch.Checks() {
			if same.Code != check.Code {
				continue
			}
			when = append(when, same.When)
			if !slices.Contains(todo, same.WhatToDo) {
				todo = append(todo, same.WhatToDo)
			}
			for _, level := range same.Levels() {
				asked[level] = true
			}
		}
		if check.Code.Ends() {
			when[len(when)-1] += ". Ends"
		}
		fmt.Fprintf(&text, "| `%s` | %s | %s | %s |\n",
			check.Code, strings.Join(when, "; "), strings.Join(todo, "; "), named(asked))
	}
	return text.String()
}

func named(asked map[patch.Level]bool) string {
	var levels []string
	for _, level := range patch.Levels() {
		if asked[level] {
			levels = append(levels, string(level))
		}
	}
	if len(levels) == len(patch.Levels()) {
		return "all"
	}
	return strings.Join(levels, ", ")
}

// tableOfLeftOut has a row a level and reason.
func tableOfLeftOut() string {
	var text strings.Builder
	text.WriteString("| before | not asked | why |\n|---|---|---|\n")
	for _, level := range patch.Levels() {
		var reasons []string
		codes := map[string][]string{}
		for _, check := range patch.Checks() {
			reason := check.LeftOut[level]
			if reason == "" {
				continue
			}
			if codes[reason] == nil {
				reasons = append(reasons, reason)
			}
			if code := "`" + string(check.Code) + "`"; !slices.Contains(codes[reason], code) {
				codes[reason] = append(codes[reason], code)
			}
		}
		for _, reason := range reasons {
			fmt.Fprintf(&text, "| %s | %s | %s |\n", level, strings.Join(codes[reason], ", "), reason)
		}
	}
	return text.String()
}
