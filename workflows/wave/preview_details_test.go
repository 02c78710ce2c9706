package wave

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// The Temporal UI shows 20 KB.
func TestAPreviewsDetailsStaySmall(t *testing.T) {
	p := patch.Preview{Plan: "web"}
	for i := range 100 {
		p.Blockers = append(p.Blockers, patch.Blocker{
			Code: "AgentOffline", Where: "production/ap-northeast-1/a-group-of-a-usual-name",
			Instances: []string{"i-0123456789abcdef0", "i-0123456789abcdef1"},
			What:      strings.Repeat("x", 300), WhatToDo: strings.Repeat("y", 300),
		})
		p.Stages = append(p.Stages, patch.PreviewStage{Name: "production", Groups: []patch.PreviewGroup{{
			Group: "production/ap-northeast-1/a-group-of-a-usual-name",
			Instances: []patch.PreviewInstance{{
				ID: fmt.Sprintf("i-0123456789abcde%02d", i), Does: patch.WouldPatch, MissingCount: 3,
				Missing: []patch.MissingPatch{
					{ID: "a", Severity: "Critical"}, {ID: "b", Severity: "Important"}, {ID: "c", Severity: "Important"},
				},
			}},
		}}})
	}
	text := previewDetails(p)
	require.Less(t, len(text), 20_000)
	require.Contains(t, text, "| patch | 3: 1 Critical, 2 Important | no |")
	require.Contains(t, text, fmt.Sprintf("and %d more\n", 100-run.LongestTable/4))
	require.Contains(t, text, "more rows: see the result")
}

// What would bind a stage stands in the Temporal UI as in `patchtide plan`.
func TestAPreviewsDetailsTellWhatBinds(t *testing.T) {
	bound := &patch.PreviewBound{
		Manifest: &patch.ManifestRef{WaveID: "web-20361101-020000", SHA256: "0123456789abcdef"},
		Systems: []patch.BoundSystem{{Name: "Amazon Linux 2023", Packages: []patch.BoundPackage{
			{Name: "curl.x86_64", From: []string{"8.1-1", ""}, To: "8.2-1", Due: 4},
			{Name: "zlib.x86_64", From: []string{"1.2-1"}, To: "1.3-1"},
		}}},
		NotYet: []string{"openssl.x86_64 1:3.2-1"}, Unproven: []string{"web-20361108-020000 was altered"},
	}
	text := previewDetails(patch.Preview{Stages: []patch.PreviewStage{{Name: "production", Bound: bound}}})
	for _, told := range []string{
		"- manifest of production: 0123456789ab of web-20361101-020000: 2 packages of Amazon Linux 2023, as far as staging",
		"    - curl.x86_64 8.1-1 or nothing → 8.2-1\n",
		"- manifest of production: not believed: web-20361108-020000 was altered",
		"comes only once this wave has proved it before: openssl.x86_64 1:3.2-1",
	} {
		require.Contains(t, text, told)
	}
	require.NotContains(t, text, "zlib", "nobody misses it")
	require.NotContains(t, previewDetails(patch.Preview{Stages: []patch.PreviewStage{{Name: "production"}}}), "manifest")
}
