package temporalui

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAddresses(t *testing.T) {
	ui := UI{Address: "https://temporal.example.com/ui/", Namespace: "team a"}
	const base = "https://temporal.example.com/ui/namespaces/team%20a"
	for name, c := range map[string]struct{ got, want string }{
		"a lock is one path element": {
			ui.Workflow("patch-group/1/r/Role=web", ""), base + "/workflows/patch-group%2F1%2Fr%2FRole=web",
		},
		"a run": {ui.Workflow("w", "0f1e"), base + "/workflows/w/0f1e/user-metadata"},
		"a query": {
			ui.List(`PatchtideState = "on_hold"`), base + "/workflows?query=PatchtideState+%3D+%22on_hold%22",
		},
		"a view to keep": {ui.Save(View{"on hold", "x"}), base + "/workflows?query=x&savedQuery=on+hold"},
		"a form": {
			ui.Start(StartWave("web", time.Date(2026, 11, 22, 2, 0, 0, 0, time.FixedZone("JST", 9*3600)))),
			base + "/workflows/start-workflow?taskQueue=patchtide&workflowId=wave-web-20261121-170000&workflowType=PatchWave",
		},
		"a schedule": {ui.Schedule("patchtide-window-web"), base + "/schedules/patchtide-window-web"},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, c.got) })
	}
}
