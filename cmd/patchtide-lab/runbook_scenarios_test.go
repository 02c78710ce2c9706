package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/workflows"
)

// Commands that several symptoms share.
const (
	showWave   = "patchtide wave show WAVE"
	untilHold  = "patchtide wave watch WAVE --until-hold"
	waveLogs   = "patchtide wave logs WAVE"
	askDoctor  = "patchtide doctor"
	approve    = `patchtide wave approve WAVE --reason "staging looks well"`
	rollBack   = `patchtide wave roll-back WAVE --reason "the new openssl breaks logins"`
	listWaves  = "patchtide wave list"
	findOrphan = "patchtide reconcile --dry-run"
)

// approved starts a wave and brings it into production.
func (o *onCall) approved(wave string) {
	o.t.Helper()
	o.start(wave)
	require.Contains(o.t, o.do(untilHold, onHold), "awaiting approval")
	o.do(approve, exitDone)
}

func badPatchHolds(t *testing.T, page *runbookPage) {
	o := newOnCall(t, page, "bad-patch", crashSpeed)
	require.NoError(t, o.startWorker())
	o.start("wave-web-hold")
	o.do(untilHold, onHold)
	require.Contains(t, o.do("patchtide wave list --waiting", onHold), "wave-web-hold")
	o.do(showWave, exitDone, onHold)
	require.Contains(t, o.do("patchtide links --wave WAVE", exitDone), "wave-web-hold")
	o.do(approve, exitDone)
	require.Contains(t, o.do(untilHold, onHold), "on hold")
	require.Contains(t, o.do("patchtide wave diff WAVE", exitDone), "openssl")
	o.do(`patchtide wave retry WAVE --reason "the repository was away, it is back"`, exitDone)
	o.do(untilHold, onHold)
	o.do(rollBack, exitDone)
	o.do(untilHold, exitFailed)
	require.Contains(t, o.do(waveLogs, exitDone), "the new openssl breaks logins")
	require.Contains(t, o.do(showWave, exitFailed), "rolled back")
	require.NoError(t, o.stopWorker())
	require.Empty(t, o.violations())
}

func oddMachine(t *testing.T, page *runbookPage) {
	o := newOnCall(t, page, "stuck-reboot", crashSpeed)
	require.NoError(t, o.startWorker())
	o.approved("wave-web-odd")
	o.do(untilHold, onHold)
	o.do(`patchtide wave skip WAVE --reason "that machine is odd, the patch is well"`, exitDone)
	o.do(untilHold, exitDone)
	require.Contains(t, o.do(listWaves, exitDone), "succeeded with skips")
	o.do("patchtide plan web", exitDone, exitFailed)
	o.do("patchtide wave watch WAVE", exitDone)
	o.do(waveLogs, exitDone)
	require.Contains(t, o.do(rollBack+" --watch", exitDone), "rolled back")
	require.NoError(t, o.stopWorker())
	require.Empty(t, o.violations())
}

func awsThrottles(t *testing.T, page *runbookPage) {
	o := newOnCall(t, page, "lost-replies", crashSpeed)
	require.NoError(t, o.startWorker())
	o.approved("wave-web-slow")
	o.do(`patchtide wave set-concurrency WAVE --max-parallel-groups 1 --reason "AWS throttles us"`, exitDone)
	o.do(`patchtide wave pause WAVE --reason "errors since the patch, looking"`, exitDone)
	o.do(showWave, exitDone, onHold)
	o.do(`patchtide wave resume WAVE --reason "it was the deployment"`, exitDone)
	o.do(`patchtide wave pause WAVE --reason "incident 4711"`, exitDone)
	o.do(`patchtide wave roll-back WAVE --reason "it is the patch" --scope wave`, exitDone)
	o.do(untilHold, exitFailed) // it is paused until the instance under way has ended, and asks nobody
	require.Contains(t, o.do(showWave, exitFailed), "rolled back")
	require.NoError(t, o.stopWorker())
	require.Empty(t, o.violations())
}

// withoutWayBack is the bad patch where the root volume cannot be put back either.
func withoutWayBack(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "quarantine.yaml")
	require.NoError(t, os.WriteFile(file, []byte("extends: bad-patch\ndescription: A bad patch, and no way back.\n"+
		"faults: {world: [{kind: root_replace_fails, account: production, times: -1}]}\nexpect: {outcome: aborted}\n"), 0o600))
	return file
}

func inQuarantine(t *testing.T, page *runbookPage) {
	o := newOnCall(t, page, withoutWayBack(t), crashSpeed)
	require.NoError(t, o.startWorker())
	o.approved("wave-web-quarantine")
	o.do(untilHold, onHold)
	o.do(`patchtide wave abort WAVE --reason "not sure, stop here"`, exitDone)
	o.do(untilHold, exitFailed)
	o.do("patchtide quarantine list", exitDone)
	code, said := o.run("quarantine", "list", "--json")
	require.Equal(t, exitDone, code, said)
	var listed workflows.QuarantineResult
	require.NoError(t, json.Unmarshal([]byte(said), &listed))
	require.Len(t, listed.Instances, 1)
	o.values["INSTANCE"] = listed.Instances[0].Instance
	o.do(findOrphan, exitDone)
	o.do("patchtide reconcile", exitDone)
	o.do(`patchtide reconcile --reason "a wave was terminated"`, exitDone)
	o.do("patchtide reconcile schedule --every 1h", exitDone)
	o.do("patchtide reconcile schedule", exitDone)
	// Nobody has mended it: it is not healthy, and goes back.
	o.do(`patchtide quarantine release INSTANCE --reason "mended by hand, serves well"`, exitFailed)
	o.do(`patchtide quarantine terminate INSTANCE --reason "seen enough"`, exitDone)

	o.start("wave-web-rejected")
	o.do(untilHold, onHold)
	o.do(`patchtide wave reject WAVE --reason "release tonight"`, exitDone)
	o.do(untilHold, exitFailed) // at once: what asked before asks no more
	require.NoError(t, o.stopWorker())
}

// workerAndServerDown is at AWS's own speed: the product's own worker is started as the page says, and the doctor sees
// a clock that is right.
func workerAndServerDown(t *testing.T, page *runbookPage) {
	o := newOnCall(t, page, "healthy", 1)
	o.start("wave-web-waits", "--no-wait") // for a verdict that no worker gives
	require.Contains(t, o.do(askDoctor, exitFailed), "no worker runs")

	o.page.mark(t, "patchtide worker")
	binary, err := product()
	require.NoError(t, err)
	config := filepath.Join(o.folder, "patchtide.yaml")
	text, err := os.ReadFile(config)
	require.NoError(t, err)
	here := strings.NewReplacer(
		"./evidence", filepath.Join(o.folder, "evidence"), "file:journal.key", "file:"+filepath.Join(o.folder, "journal.key"),
	).Replace(string(text))
	require.NoError(t, os.WriteFile(config, []byte(here), 0o600))
	worker, err := launchBinary(
		t, binary, "worker started", o.environ(), append(o.args("patchtide worker"), "--config", config)...,
	)
	require.NoError(t, err)
	o.eventually(func() bool { code, _ := o.run("doctor"); return code == exitDone }, "the doctor finds nothing while "+
		"a worker runs")
	o.do(askDoctor, exitDone)
	o.do(showWave, exitDone, onHold)

	o.do(`patchtide freeze --reason "incident 4711"`, exitDone)
	o.do(`patchtide freeze --account production --reason "incident 4711"`, exitDone)
	o.do("patchtide freeze show", onHold)
	o.do(`patchtide unfreeze --reason "incident 4711 is over"`, exitDone)
	o.do(`patchtide unfreeze --account production --for-all --reason "incident 4711 is over"`, exitDone)

	o.temporal.kill()
	said := o.do(askDoctor, exitFailed)
	require.Contains(t, said, "does not answer")
	code, said := o.run("doctor", "--json")
	require.Equal(t, exitFailed, code)
	var report struct {
		OK      bool
		Results []struct{ Check, Where, State, Says, Mend string }
	}
	require.NoError(t, json.Unmarshal([]byte(said), &report), said)
	for _, result := range report.Results {
		require.Equal(t, result.Check != "temporal", result.State == "ok", "%+v", result)
	}
	require.NoError(t, o.startTemporal())
	require.Contains(t, o.do(listWaves, exitDone), "wave-web-waits")
	o.eventually(func() bool { code, _ := o.run("doctor"); return code == exitDone }, "the worker polls again")
	code, said = o.run("wave", "abort", "wave-web-waits", "--reason", "the test ends here")
	require.Equal(t, exitDone, code, said)

	// A file with a window and with somebody to tell, for what asks only those.
	require.NoError(t, os.WriteFile(filepath.Join(o.folder, "webhook"), []byte("https://127.0.0.1:1/nobody\n"), 0o600))
	const window = `    windows: [{schedule: "cron(0 2 ? * SUN#2 *)", time_zone: Asia/Tokyo, duration: 4h, cutoff: 1h}]`
	require.Contains(t, here, "    # windows: [{schedule")
	withWindow := strings.Replace(here, "plans:\n  - name: web\n", "plans:\n  - name: web\n"+window+"\n", 1)
	require.NotEqual(t, here, withWindow)
	withWindow += fmt.Sprintf("\nnotify: [{webhook: {url_from: 'file:%s'}}]\n", filepath.Join(o.folder, "webhook"))
	require.NoError(t, os.WriteFile(config, []byte(withWindow), 0o600))
	o.do("patchtide schedule preview web", exitDone)
	o.do("patchtide schedule sync --dry-run", exitDone, exitFailed)
	o.do("patchtide schedule sync", exitDone)
	o.do(`patchtide schedule pause web --reason "release week"`, exitDone)
	o.do("patchtide schedule list", exitDone)
	o.do(`patchtide schedule resume web --reason "release week is over"`, exitDone)
	o.do("patchtide notify test", exitFailed) // nobody listens there
	require.NoError(t, worker.stop())
}
