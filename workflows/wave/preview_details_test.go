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
