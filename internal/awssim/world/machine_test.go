package world

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// A Saturday, so that nothing in a test depends on the day it runs.
var dawn = time.Date(2026, 11, 21, 17, 0, 0, 0, time.UTC)

func newWorld(t *testing.T, scenario string) *World {
	t.Helper()
	s, err := LoadScenario(scenario)
	require.NoError(t, err)
	w, err := New(s, dawn)
	require.NoError(t, err)
	return w
}

func staging(w *World) *Region { return w.Account("222233334444").Region("ap-northeast-1") }

func production(w *World) *Region { return w.Account("111122223333").Region("ap-northeast-1") }

func elapse(t *testing.T, w *World, d time.Duration) {
	t.Helper()
	w.Advance(w.Now().Add(d))
}

func requireCode(t *testing.T, err error, code string) {
	t.Helper()
	var refused *api.Error
	require.ErrorAs(t, err, &refused)
	require.Equal(t, code, refused.Code, refused.Message)
}

type facts struct {
	BootID         string `json:"boot_id"`
	Kernel         string `json:"kernel"`
	PendingReboot  bool   `json:"pending_reboot"`
	PackagesSHA256 string `json:"packages_sha256"`
	DomainJoined   *bool  `json:"domain_joined"`
}

func factsOf(t *testing.T, i *Instance) facts {
	t.Helper()
	done := i.Shell("# patchtide:facts\nset -eu\n")
	require.Zero(t, done.code, done.stderr)
	var f facts
	require.NoError(t, json.Unmarshal([]byte(done.stdout), &f))
	return f
}

func TestFleetBeginsHealthy(t *testing.T) {
	w := newWorld(t, "healthy")
	require.Len(t, staging(w).Instances(), 2)
	for _, i := range staging(w).Instances() {
		require.Equal(t, Running, i.State)
		require.True(t, i.AgentOnline())
		require.True(t, i.AppHealthy())
		require.Equal(t, "ok", i.StatusCheck())
		require.Equal(t, 7, i.BehindBy())
		require.Equal(t, 404, i.HTTPStatus(80, "/other"))
		require.Equal(t, 0, i.HTTPStatus(81, "/healthz"))
	}
	require.Equal(t, "staging-web-2", staging(w).Instances()[1].Name())
}

func TestSameSeedSameIDs(t *testing.T) {
	ids := func() (all []string) {
		for _, i := range staging(newWorld(t, "healthy")).Instances() {
			all = append(all, i.ID, i.RootVolume, i.BootID())
		}
		return all
	}
	require.Equal(t, ids(), ids())
}

func TestLaunchTakesItsTime(t *testing.T) {
	w := newWorld(t, "healthy")
	i, err := production(w).Launch(LaunchSpec{Image: "web-2.4", Zone: "ap-northeast-1c"})
	require.NoError(t, err)
	timeline := []struct {
		after  time.Duration
		state  InstanceState
		agent  bool
		status int
	}{
		{0, Pending, false, 0},
		{15 * time.Second, Running, false, 0}, // running for EC2, still booting
		{60 * time.Second, Running, true, 0},  // the application starts
		{75 * time.Second, Running, true, 200},
	}
	for _, moment := range timeline {
		w.Advance(dawn.Add(moment.after))
		require.Equal(t, moment.state, i.State, moment.after)
		require.Equal(t, moment.agent, i.AgentOnline(), moment.after)
		require.Equal(t, moment.status, i.HTTPStatus(80, "/healthz"), moment.after)
	}
}

func TestStopStartTerminate(t *testing.T) {
	w := newWorld(t, "healthy")
	i := staging(w).Instances()[0]
	boot := i.BootID()
	requireCode(t, func() error { _ = i.Stop(); return i.Reboot() }(), "IncorrectInstanceState")
	elapse(t, w, time.Minute)
	require.Equal(t, Stopped, i.State)
	require.NoError(t, i.Start())
	elapse(t, w, 2*time.Minute)
	require.Equal(t, Running, i.State)
	require.NotEqual(t, boot, i.BootID())

	root := i.RootVolume
	i.Terminate()
	i.Terminate()
	elapse(t, w, time.Minute)
	require.Equal(t, Terminated, i.State)
	require.Nil(t, staging(w).Volume(root), "the root goes with its instance")
	require.NotNil(t, staging(w).Instance(i.ID), "it is listed for a while")
	elapse(t, w, 2*time.Hour)
	require.Nil(t, staging(w).Instance(i.ID))
}

func TestPingStatusLearnsOfSilenceLate(t *testing.T) {
	w := newWorld(t, "healthy")
	i := staging(w).Instances()[0]
	elapse(t, w, 90*time.Second)
	require.NoError(t, i.Stop())
	last := i.LastPing()
	elapse(t, w, 4*time.Minute)
	require.Equal(t, "Online", i.PingStatus(), "it is off, and SSM does not know")
	require.Equal(t, last, i.LastPing())
	elapse(t, w, 2*time.Minute)
	require.Equal(t, "ConnectionLost", i.PingStatus())
}

func TestAStartIsALaunch(t *testing.T) {
	w := newWorld(t, "healthy")
	i := staging(w).Instances()[0]
	first := i.LaunchTime
	require.NoError(t, i.Reboot())
	elapse(t, w, 10*time.Minute)
	require.Equal(t, first, i.LaunchTime)
	require.NoError(t, i.Stop())
	elapse(t, w, 10*time.Minute)
	require.Equal(t, first, i.LaunchTime)
	require.NoError(t, i.Start())
	require.Equal(t, w.Now(), i.LaunchTime)
}

func TestUnknownScriptFailsLoudly(t *testing.T) {
	i := staging(newWorld(t, "healthy")).Instances()[0]
	cases := []struct {
		name, script, stdout string
		code                 int
	}{
		{"a probe of nothing", `# patchtide:probe {"checks":[]}` + "\ncurl ...", "end 1 0 0\n", 0},
		{"a probe that is none", "# patchtide:probe eighty\n", "", 2},
		{"a program that is not there", "#!/bin/sh\nrm -rf /\n", "", 127},
		{"another script of ours", "# patchtide:other\n", "", 127},
		{"a pipe", "echo a | tee /etc/motd\n", "", 127},
		{"what went before", "echo a\nuptime\n", "a\n", 127},
		{"an exit of its own", "echo a; exit 3", "a\n", 3},
		{"a loop, a test and a variable", "for i in 1 2; do if [ $i -gt 1 ]; then echo \"$i.\"; fi; done", "2.\n", 0},
		{"a function and arithmetic", "twice() { echo $(( $1 * 2 )); }\ntwice 21", "42\n", 0},
		{"set -e", "set -e\nfalse\necho no", "", 1},
		{"a pipe of what there is", "echo a | cat", "a\n", 0},
		{"a file of its own", "echo a > /tmp/f; echo b >> /tmp/f; [ -f /tmp/f ] && cat /tmp/f", "a\nb\n", 0},
		{"a file of this computer", "cat /etc/passwd", "", 1},
		{"a redirect from one", "read -r x < /etc/passwd", "", 1},
		{"what the machine is", ". /etc/os-release; echo $ID; uname -s", "amzn\nLinux\n", 0},
		{"what it asks of nobody", "command -v curl || echo none", "none\n", 0},
		{"no script", "if then", "", 2},
		{"plain commands", "#!/bin/sh\n# says it\necho \"hi there\"\ntrue\n", "hi there\n", 0},
		{"an exit", "echo a\nexit 0\nrm -rf /\n", "a\n", 0},
		{"nothing", "", "", 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			done := i.Shell(c.script)
			require.Equal(t, c.code, done.code, done.stderr)
			require.Equal(t, c.stdout, done.stdout)
			if c.code == 127 || c.code == 2 {
				require.NotEmpty(t, done.stderr)
			}
		})
	}
}

func TestVersionsCompareAsRPMDoes(t *testing.T) {
	cases := []struct{ newer, older string }{
		{"0:1.10-1", "0:1.9-1"},
		{"1:1.0-1", "0:9.0-1"},
		{"0:2.34-196.amzn2023.0.2", "0:2.34-117.amzn2023.0.1"},
		{"0:6.1.141-155.222.amzn2023", "0:6.1.127-135.201.amzn2023"},
		{"0:1.0a-1", "0:1.0-1"},
		{"0:1.01-2", "0:1.1-1"}, // 01 and 1 are the same number
		{"0:2.4-1", "0:2.rc-1"}, // digits beat letters
		{"1.2-3", "1.2-2"},      // no epoch is epoch 0
	}
	for _, c := range cases {
		require.True(t, newer(c.newer, c.older), "%s > %s", c.newer, c.older)
		require.False(t, newer(c.older, c.newer), "%s < %s", c.older, c.newer)
		require.False(t, newer(c.newer, c.newer))
	}
}

func TestAdvanceKeepsOrder(t *testing.T) {
	w := newWorld(t, "healthy")
	var order []string
	note := func(name string) func() { return func() { order = append(order, name) } }
	w.After(2*time.Second, note("late"))
	w.After(time.Second, func() {
		order = append(order, "first")
		w.After(0, note("at once, but after those due now"))
		require.Equal(t, dawn.Add(time.Second), w.Now())
	})
	w.After(time.Second, note("second"))
	w.After(time.Second, note("never")).Stop()
	w.Advance(dawn.Add(-time.Hour))
	require.Equal(t, dawn, w.Now(), "time never goes back")
	w.Advance(dawn.Add(time.Minute))
	require.Equal(t, []string{"first", "second", "at once, but after those due now", "late"}, order)
}
