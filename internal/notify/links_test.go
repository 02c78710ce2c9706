package notify

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

func TestEachNoticeLeadsToWhatItIsAbout(t *testing.T) {
	const wave = "http://localhost:8080/namespaces/default/workflows/wave-web-20261122-020000/0f1e/user-metadata"
	first := map[string]string{
		"schedule_skipped": "http://localhost:8080/namespaces/default/workflows/open-window-web-2026-11-22",
		"drift":            "http://localhost:8080/namespaces/default/workflows/patchtide-schedules",
		"frozen":           "http://localhost:8080/namespaces/default/workflows/patchtide-freeze",
		"stranded":         "http://localhost:8080/namespaces/default/workflows/patchtide-reconcile",
		"test":             "http://localhost:8080/namespaces/default/workflows?query=",
	}
	for name, notice := range samples() {
		want := first[name]
		if notice.WaveID != "" {
			require.Empty(t, want, name)
			want = wave
		}
		require.NotEmpty(t, want, "%s: say where it leads", name)
		links := Compose(notice, where).Links
		require.True(t, strings.HasPrefix(links[0].URL, want), "%s: %s", name, links[0].URL)
		another := notice.Kind == patch.NoticeScheduleSkipped || notice.Kind == patch.NoticeRolledBack ||
			name == "finished_with_something_stranded" || name == "refused"
		form := strings.Contains(
			links[len(links)-1].URL,
			"/start-workflow?taskQueue=patchtide&workflowId=wave-web-20261122-021000&workflowType=PatchWave",
		)
		require.Equal(t, another, form, "%s: after what did not go well people start another wave", name)
	}
}
