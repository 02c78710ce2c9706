package world

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// faulty is the shared fleet with world faults.
func faulty(t *testing.T, faults string) *World {
	t.Helper()
	s, err := ParseScenario("faulty.yaml", []byte("extends: fleet\nfaults:\n  world:\n"+faults))
	require.NoError(t, err)
	w, err := New(s, dawn)
	require.NoError(t, err)
	return w
}

func TestSnapshotIsOfTheMomentItWasAsked(t *testing.T) {
	w := newWorld(t, "healthy")
	r := staging(w)
	i := r.Instances()[0]
	critical7(t, r)
	before := factsOf(t, i)
	snapshot, err := r.CreateSnapshot(i.RootVolume, "backup", Tags{"wave": "w"})
	require.NoError(t, err)
	patchNow(t, i, map[string]string{"Operation": "Install"}) // while the snapshot is pending
	elapse(t, w, 3*time.Minute)
	require.Equal(t, "pending", snapshot.State)
	_, err = r.ReplaceRoot(i.ID, snapshot.ID, "t", false, nil)
	requireCode(t, err, "IncorrectState")
	elapse(t, w, 2*time.Minute)
	require.Equal(t, "completed", snapshot.State)

	patched, oldRoot := factsOf(t, i), i.RootVolume
	require.NotEqual(t, before.PackagesSHA256, patched.PackagesSHA256)
	task, err := r.ReplaceRoot(i.ID, snapshot.ID, "t", false, nil)
	require.NoError(t, err)
	again, err := r.ReplaceRoot(i.ID, snapshot.ID, "t", false, nil)
	require.NoError(t, err)
	require.Same(t, task, again, "the same token, the same task")
	_, err = r.ReplaceRoot(i.ID, "", "t", false, nil)
	requireCode(t, err, "IdempotentParameterMismatch")
	elapse(t, w, 30*time.Second)
	require.Equal(t, "in-progress", task.State)
	require.Equal(t, Running, i.State, "for EC2 it runs all the time")
	require.False(t, i.AgentOnline())
	_, err = r.ReplaceRoot(i.ID, snapshot.ID, "other", false, nil)
	requireCode(t, err, "IncorrectState")
	elapse(t, w, 3*time.Minute)
	require.Equal(t, "succeeded", task.State)
	restored := factsOf(t, i)
	require.Equal(t, before.PackagesSHA256, restored.PackagesSHA256)
	require.NotEqual(t, before.BootID, restored.BootID)
	require.NotEqual(t, patched.BootID, restored.BootID)
	require.NotEqual(t, oldRoot, i.RootVolume)
	require.True(t, i.AppHealthy())
	require.NotNil(t, r.Volume(oldRoot), "the replaced root stays")
	require.Empty(t, r.Volume(oldRoot).Attached)

	_, err = r.ReplaceRoot(i.ID, snapshot.ID, "once more", true, nil)
	require.NoError(t, err, "a snapshot of a former root will do")
	second := i.RootVolume
	elapse(t, w, 4*time.Minute)
	require.Nil(t, r.Volume(second), "deleted where that was asked for")
}

func TestReplaceRootRefusals(t *testing.T) {
	w := newWorld(t, "healthy")
	r := staging(w)
	one, two := r.Instances()[0], r.Instances()[1]
	foreign, err := r.CreateSnapshot(two.RootVolume, "", nil)
	require.NoError(t, err)
	elapse(t, w, 5*time.Minute)
	_, err = r.ReplaceRoot(one.ID, foreign.ID, "a", false, nil)
	requireCode(t, err, "InvalidParameterValue")
	_, err = r.ReplaceRoot(one.ID, "snap-gone", "b", false, nil)
	requireCode(t, err, "InvalidSnapshot.NotFound")
	_, err = r.ReplaceRoot("i-gone", foreign.ID, "c", false, nil)
	requireCode(t, err, "InvalidInstanceID.NotFound")
	require.NoError(t, two.Stop())
	_, err = r.ReplaceRoot(two.ID, foreign.ID, "d", false, nil)
	requireCode(t, err, "IncorrectInstanceState")

	one.Disk().install(w.Scenario.Patches[3])
	_, err = r.ReplaceRoot(one.ID, "", "e", false, nil)
	require.NoError(t, err)
	elapse(t, w, 5*time.Minute)
	require.Equal(t, 7, one.BehindBy(), "AWS's trap: without a snapshot the root is as at launch")
}

func TestRestoreThatFails(t *testing.T) {
	cases := []struct {
		kind, state string
		attached    bool
	}{
		{FaultRootReplaceFails, "failed", true},
		{FaultRootReplaceDetaches, "failed-detached", false},
	}
	for _, c := range cases {
		t.Run(c.kind, func(t *testing.T) {
			w := faulty(t, "    - {kind: "+c.kind+", account: staging, instance: staging-web-1}\n")
			r := staging(w)
			i := r.Instances()[0]
			root := i.RootVolume
			snapshot, err := r.CreateSnapshot(root, "", nil)
			require.NoError(t, err)
			elapse(t, w, 5*time.Minute)
			task, err := r.ReplaceRoot(i.ID, snapshot.ID, "t", false, nil)
			require.NoError(t, err)
			elapse(t, w, 5*time.Minute)
			require.Equal(t, c.state, task.State)
			require.Equal(t, c.attached, i.RootVolume == root)
			require.Equal(t, c.attached, i.AppHealthy())
			if !c.attached {
				require.Equal(t, "impaired", i.StatusCheck())
				require.NoError(t, i.Stop())
				elapse(t, w, time.Minute)
				requireCode(t, i.Start(), "IncorrectInstanceState")
			}
		})
	}
}

func TestSnapshotThatFails(t *testing.T) {
	w := faulty(t, "    - {kind: snapshot_fails, account: staging, nth: 2}\n")
	r := staging(w)
	first, err := r.CreateSnapshot(r.Instances()[0].RootVolume, "", nil)
	require.NoError(t, err)
	second, err := r.CreateSnapshot(r.Instances()[1].RootVolume, "", nil)
	require.NoError(t, err)
	elapse(t, w, 5*time.Minute)
	require.Equal(t, "completed", first.State)
	require.Equal(t, "error", second.State)
}

func TestNoCapacity(t *testing.T) {
	w := faulty(t, "    - {kind: no_capacity, account: production, times: -1}\n")
	before := len(production(w).Instances())
	_, err := production(w).Launch(LaunchSpec{Image: "web-2.4"})
	requireCode(t, err, "InsufficientInstanceCapacity")
	require.Len(t, production(w).Instances(), before)
}

// A machine or an agent that does not come back from the reboot of an install: EC2 says running, SSM says Online for
// five minutes more, the command runs until its time-out, and only a root volume replacement heals it.
func TestNeverBackFromTheReboot(t *testing.T) {
	for _, kind := range []string{FaultRebootHangs, FaultAgentSilent} {
		t.Run(kind, func(t *testing.T) {
			w := faulty(t, "    - {kind: "+kind+", account: staging, instance: staging-web-1}\n")
			r := staging(w)
			i := r.Instances()[0]
			critical7(t, r)
			before := factsOf(t, i)
			snapshot, err := r.CreateSnapshot(i.RootVolume, "", nil)
			require.NoError(t, err)
			v := patchNow(t, i, map[string]string{"Operation": "Install", "StepTimeoutSeconds": "1200"})
			elapse(t, w, 4*time.Minute)
			require.Equal(t, Running, i.State)
			require.Equal(t, "Online", i.PingStatus())
			require.Equal(t, "InProgress", v.Status)
			if kind == FaultRebootHangs {
				require.Equal(t, "impaired", i.StatusCheck())
			} else {
				require.True(t, i.AppHealthy(), "only the agent is gone")
			}
			elapse(t, w, 4*time.Minute)
			require.Equal(t, "ConnectionLost", i.PingStatus())
			silent, err := r.Send(SendSpec{
				Document: "AWS-RunShellScript", Instances: []string{i.ID}, Delivery: time.Minute,
				Parameters: map[string][]string{"commands": {"# patchtide:facts"}, "executionTimeout": {"60"}},
			})
			require.NoError(t, err)
			elapse(t, w, 90*time.Second)
			require.Equal(t, "Pending", silent.Invocations[0].Details, "it has the time for its execution as well")
			elapse(t, w, time.Minute)
			require.Equal(t, "DeliveryTimedOut", silent.Invocations[0].Details)

			task, err := r.ReplaceRoot(i.ID, snapshot.ID, "heal", false, nil)
			require.NoError(t, err)
			elapse(t, w, 4*time.Minute)
			require.Equal(t, "succeeded", task.State)
			require.True(t, i.AgentOnline())
			require.Equal(t, before.PackagesSHA256, factsOf(t, i).PackagesSHA256)
			require.Equal(t, "InProgress", v.Status, "the old run was on the old root and is never heard of again")
			elapse(t, w, 20*time.Minute)
			require.Equal(t, "ExecutionTimedOut", v.Details)
		})
	}
}

func TestRootsThatCannotBeReplaced(t *testing.T) {
	s, err := ParseScenario("x.yaml", []byte(`
extends: healthy
images:
  - {id: ami-0a1b2c3d4e5f60023, name: web-2.3, os: amazon-linux-2023, product_code: abcdef0123456789abcdef012, app: {name: web, version: "2.3", port: 80, path: /healthz}}
  - {id: ami-0a1b2c3d4e5f60024, name: web-2.4, os: amazon-linux-2023, app: {name: web, version: "2.4", port: 80, path: /healthz}}
`))
	require.NoError(t, err)
	w, err := New(s, dawn)
	require.NoError(t, err)
	r := production(w)
	for _, tc := range []struct {
		name, image, kind, code string
		doubts                  []Doubt
	}{
		{"from the Marketplace", "web-2.3", "m7i.large", "", nil},
		{
			"from the Marketplace, should AWS refuse it", "web-2.3", "m7i.large", "UnsupportedOperation",
			[]Doubt{DoubtProductsNotRestored},
		},
		{"bare metal", "web-2.4", "m7i.metal-24xl", "UnsupportedOperation", nil},
		{"a Mac is metal and may", "web-2.4", "mac2.metal", "", nil},
		{"any other", "web-2.4", "m7i.large", "", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w.Scenario.Doubts = tc.doubts
			i, err := r.Place(LaunchSpec{Image: tc.image, Type: tc.kind})
			require.NoError(t, err)
			snapshot, err := r.CreateSnapshot(i.RootVolume, "", nil)
			require.NoError(t, err)
			elapse(t, w, 5*time.Minute)
			_, err = r.ReplaceRoot(i.ID, snapshot.ID, "", false, nil)
			if tc.code == "" {
				require.NoError(t, err)
				return
			}
			requireCode(t, err, tc.code)
		})
	}
}
