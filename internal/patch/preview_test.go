package patch_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

var (
	readAt   = time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	previewG = patch.Group{
		Account: patch.Account{Name: "production", ID: "111122223333"}, Region: "ap-northeast-1", AutoScalingGroup: "web",
	}
)

// readGroup is a group in which all is well, with so many patches missing on each instance.
func readGroup(group patch.Group, instances, missing int) patch.GroupReading {
	state := &patch.GroupState{Min: 1, Desired: instances, Max: instances + 1, FreeTags: true, At: readAt}
	reading := patch.GroupReading{
		Group: group, State: state, Around: &patch.Interference{At: readAt}, Known: map[string]patch.PatchState{},
		BaselineID: "pb-1", At: readAt,
	}
	for i := range instances {
		member := patch.Member{
			ID: fmt.Sprintf("i-%04d", i), Zone: "a", State: "running", StatusOK: true, Lifecycle: patch.LifecycleInService,
			Health:      "Healthy",
			AgentOnline: true, FreeTags: true, RootVolumeID: "vol-1",
		}
		state.Members = append(state.Members, member)
		known := patch.PatchState{Instance: member.ID, BaselineID: "pb-1", At: readAt.Add(-time.Hour)}
		for n := range missing {
			known.Missing = append(
				known.Missing,
				patch.MissingPatch{ID: fmt.Sprintf("a-package-of-a-usual-length-%04d.x86_64", n), Severity: "Medium"},
			)
		}
		reading.Known[member.ID] = known
	}
	return reading
}

func planOf(stages ...patch.Stage) patch.Plan {
	return patch.Plan{
		Name: "web", Baseline: "amazon-linux-2023", Restore: patch.RestoreRootVolume, Backup: patch.BackupSnapshot,
		Reboot: patch.RebootAlways, Timing: patch.DefaultTiming(), Stages: stages,
	}
}

func preview(plan patch.Plan, readings ...patch.GroupReading) *patch.Preview {
	by := map[string]patch.GroupReading{}
	for _, reading := range readings {
		by[reading.Group.String()] = reading
	}
	return patch.NewPreview(plan, "hash", readAt, by, nil, nil)
}

func TestAPreviewOfAFleetThatIsWell(t *testing.T) {
	p := preview(
		planOf(patch.Stage{Name: "production", Groups: []patch.Group{previewG}, MaxUnavailable: patch.Instances(1)}),
		readGroup(previewG, 3, 2),
	)
	require.True(t, p.CouldRun(), "%+v", p.Blockers)
	require.Equal(t, []int{3, 3, 3, 6, 3}, []int{p.Instances, p.Due, p.InTime, p.Missing, p.Reboots})
	require.Equal(t, patch.CapacityDecrement, p.Stages[0].Groups[0].Strategy.Mode)
	require.Equal(t, "1h0m0s", p.Takes.String())
}

// Nobody is asked to approve nothing, which a preview knows as well as a wave does.
func TestAPreviewOfAnApproval(t *testing.T) {
	of := func(group patch.Group) patch.Plan {
		return planOf(patch.Stage{
			Name: "production", Groups: []patch.Group{group}, MaxUnavailable: patch.Instances(1),
			Approval: &patch.Approval{Timeout: patch.Duration(time.Hour)},
		})
	}
	some := previewG
	some.Only = &patch.Only{Instances: []string{"i-of-another-group"}}
	nobody := readGroup(some, 1, 1)
	nobody.State.Members[0].LeftOut = "this wave takes only another"
	unread := readGroup(previewG, 2, 0)
	unread.State = nil
	for _, c := range []struct {
		name    string
		plan    patch.Plan
		reading patch.GroupReading
		asks    bool
	}{
		{"patches are missing", of(previewG), readGroup(previewG, 2, 1), true},
		{"none is", of(previewG), readGroup(previewG, 2, 0), false},
		{"no instance is there yet", of(previewG), readGroup(previewG, 0, 0), true},
		{"it could not be read", of(previewG), unread, true},
		{"nobody of it is taken", of(some), nobody, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := preview(c.plan, c.reading)
			if c.asks {
				require.Equal(t, []string{"the approval of production"}, p.NotCounted)
				require.Empty(t, p.Stages[0].Unasked)
				return
			}
			require.Empty(t, p.NotCounted)
			require.Equal(t, "nothing is due on it", p.Stages[0].Unasked)
		})
	}
}

// What is said of several instances in the same words is one blocker with all of their names, and everything is named.
func TestAPreviewNamesEveryBlockerOnce(t *testing.T) {
	reading := readGroup(previewG, 3, 1)
	for i := range 2 {
		reading.State.Members[i].AgentOnline, reading.State.Members[i].FreeTags = false, false
	}
	reading.State.Members[2].RootVolumeID = ""
	reading.State.RefreshRunning = true
	reading.State.Suspended = []string{"Launch", "Terminate"}
	reading.Around.GateAlarms = []patch.AlarmObservation{
		{Name: "5xx", State: "ALARM", Needs: 10 * minute}, {Name: "cpu", State: "OK", Needs: 3 * minute},
	}
	p := preview(
		planOf(patch.Stage{Name: "production", Groups: []patch.Group{previewG}, MaxUnavailable: patch.Instances(1), Bake: 5 * minute}),
		reading,
	)
	got := map[string][]string{}
	for _, blocker := range p.Blockers {
		got[blocker.Code+": "+blocker.What] = blocker.Instances
		require.Equal(t, previewG.String(), blocker.Where)
		require.NotEmpty(t, blocker.WhatToDo)
	}
	require.Equal(t, map[string][]string{
		"InstanceRefreshRunning: an instance refresh is running":                                      nil,
		"ProcessSuspended: the process Launch is suspended, so nothing could come back safely":        nil,
		"ProcessSuspended: the process Terminate is suspended, so nothing could come back safely":     nil,
		"AgentOffline: its SSM agent is not online":                                                   {"i-0000", "i-0001"},
		"NoFreeTagSlot: the instance has no free tag slot for our journal's pointer":                  {"i-0000", "i-0001"},
		"RestoreNotPossible: its root is not an EBS volume":                                           {"i-0002"},
		"AlarmNotOK: alarm 5xx is ALARM before we began":                                              nil,
		"BakeTooShort: the bake of 5m0s is too short for the alarm 5xx, which may take 10m0s to ring": nil,
	}, got)
	require.Len(t, p.Stages[0].Groups[0].Instances, 3)
}

func TestAPreviewTellsWhatBecomesOfEachInstance(t *testing.T) {
	for _, c := range []struct {
		name   string
		state  *patch.PatchState
		reboot patch.Reboot
		does   patch.PreviewAction
		boots  bool
	}{
		{"never scanned", nil, patch.RebootAlways, patch.WouldScan, false},
		{"nothing missing", &patch.PatchState{}, patch.RebootAlways, patch.WouldNothing, false},
		{
			"missing", &patch.PatchState{Missing: []patch.MissingPatch{{ID: "a"}}}, patch.RebootAlways, patch.WouldPatch, true,
		},
		{
			"missing, and never rebooted", &patch.PatchState{Missing: []patch.MissingPatch{{ID: "a"}}}, patch.RebootNever,
			patch.WouldPatch, false,
		},
		{
			"only a reboot is pending", &patch.PatchState{PendingReboot: []string{"a"}}, patch.RebootAlways, patch.WouldPatch,
			true,
		},
		{
			"only a reboot is pending, and the plan does not reboot", &patch.PatchState{PendingReboot: []string{"a"}},
			patch.RebootNever, patch.WouldNothing, false,
		},
		{"one failed", &patch.PatchState{Failed: []string{"a"}}, patch.RebootAlways, patch.WouldPatch, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			reading := readGroup(previewG, 1, 0)
			delete(reading.Known, "i-0000")
			if c.state != nil {
				c.state.At = readAt.Add(time.Second) // patch states have whole seconds
				reading.Known["i-0000"] = *c.state
			}
			plan := planOf(patch.Stage{Name: "production", Groups: []patch.Group{previewG}, MaxUnavailable: patch.Instances(1)})
			plan.Reboot = c.reboot
			instance := preview(plan, reading).Stages[0].Groups[0].Instances[0]
			require.Equal(t, c.does, instance.Does)
			require.Equal(t, c.boots, instance.Reboot)
			require.Zero(t, instance.Age, "never negative")
		})
	}
}

// What Systems Manager learnt before a machine's last start, or before its root volume was put back, is believed of
// neither: nobody knows what it misses.
func TestAPreviewBelievesNoStateOfAnotherRoot(t *testing.T) {
	for _, c := range []struct {
		name               string
		launched, attached time.Duration // since the state
		does               patch.PreviewAction
	}{
		{"scanned since", -time.Hour, -time.Hour, patch.WouldNothing},
		{"scanned in the same second", 300 * time.Millisecond, 0, patch.WouldNothing},
		{"started since", time.Minute, -time.Hour, patch.WouldScan},
		{"its root volume was replaced since", -time.Hour, time.Minute, patch.WouldScan},
	} {
		t.Run(c.name, func(t *testing.T) {
			reading := readGroup(previewG, 1, 0)
			state := patch.PatchState{At: readAt.Add(-2 * time.Hour)}
			reading.Known["i-0000"] = state
			reading.State.Members[0].LaunchTime = state.At.Add(c.launched)
			reading.State.Members[0].RootSince = state.At.Add(c.attached)
			plan := planOf(patch.Stage{Name: "production", Groups: []patch.Group{previewG}, MaxUnavailable: patch.Instances(1)})
			instance := preview(plan, reading).Stages[0].Groups[0].Instances[0]
			require.Equal(t, c.does, instance.Does)
			require.Equal(t, c.does == patch.WouldScan, instance.Outdated)
		})
	}
}

// Temporal keeps results of two megabytes at most.
func TestAPreviewOfALargeFleetStaysSmall(t *testing.T) {
	var groups []patch.Group
	var readings []patch.GroupReading
	for i := range 20 {
		group := previewG
		group.AutoScalingGroup = fmt.Sprintf("web-%d", i)
		groups, readings = append(groups, group), append(readings, readGroup(group, 100, 150))
	}
	p := preview(
		planOf(patch.Stage{Name: "production", Groups: groups, MaxUnavailable: patch.Instances(1), MaxParallelGroups: 5}), readings...,
	)
	document, err := json.Marshal(p)
	require.NoError(t, err)
	require.Less(t, len(document), 2_000_000)
	require.Equal(t, 300_000, p.Missing)
	last := p.Stages[0].Groups[19].Instances[99]
	require.Equal(t, 150, last.MissingCount)
	require.Empty(t, last.Missing)
	require.Contains(t, p.Notes[len(p.Notes)-2], "of the rest only their number is kept")
	require.Equal(t, (4 * 100 * 20 * time.Minute).String(), p.Takes.String(), "five groups at once")
}

// A preview has canaries first, then the others, and zones apart.
func TestAPreviewOfCanariesAndZones(t *testing.T) {
	minutes := func(d patch.Duration) int { return int(d.D() / time.Minute) }
	for _, c := range []struct {
		name   string
		change func(*patch.Stage)
		begins []int // minutes, of each instance
		takes  int
	}{
		{"as usual", func(*patch.Stage) {}, []int{0, 20, 40, 60}, 80},
		{
			"a canary that bakes for an hour more",
			func(s *patch.Stage) {
				s.Canary = &patch.Canary{Instances: 1, Bake: s.Bake + patch.Duration(time.Hour)}
			},
			[]int{0, 80, 100, 120},
			140,
		},
		{
			"more canaries than there are",
			func(s *patch.Stage) {
				s.Canary = &patch.Canary{Instances: 9, Bake: s.Bake + patch.Duration(time.Hour)}
			},
			[]int{0, 80, 160, 240},
			320,
		},
		{
			"zones half an hour apart",
			func(s *patch.Stage) { s.Order, s.ZoneSoak = patch.OrderZone, patch.Duration(30*time.Minute) },
			[]int{0, 20, 70, 90},
			110,
		},
		{
			"both",
			func(s *patch.Stage) {
				s.Order, s.ZoneSoak = patch.OrderZone, patch.Duration(30*time.Minute)
				s.Canary = &patch.Canary{Instances: 1, Bake: s.Bake + patch.Duration(time.Hour)}
			},
			[]int{0, 80, 130, 150},
			170,
		},
		{
			"in steps, of which the first soaks",
			func(s *patch.Stage) {
				s.Steps = []patch.StageStep{
					{To: patch.Instances(1), Soak: &patch.After{Duration: patch.Duration(time.Hour)}},
					{To: patch.Percent(50)},
					{To: patch.Percent(100)},
				}
			},
			[]int{0, 80, 100, 120},
			140,
		},
		{
			"a step that is done already",
			func(s *patch.Stage) {
				s.Steps = []patch.StageStep{{To: patch.Instances(2)}, {To: patch.Percent(10)}, {To: patch.Percent(100)}}
				s.MaxUnavailable = patch.Instances(4)
			},
			[]int{0, 0, 20, 20},
			40,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan := planOf(patch.Stage{
				Groups: []patch.Group{previewG}, MaxUnavailable: patch.Instances(1), Bake: patch.Duration(5 * time.Minute),
			})
			plan.Estimates = &patch.Estimates{Patch: patch.Duration(20 * time.Minute)}
			c.change(&plan.Stages[0])
			state := four()
			p := preview(plan, patch.GroupReading{Group: previewG, State: &state})
			var begins []int
			for _, instance := range p.Stages[0].Groups[0].Instances {
				begins = append(begins, minutes(instance.Begins))
			}
			require.Equal(t, c.begins, begins)
			require.Equal(t, c.takes, minutes(p.Takes))
		})
	}
}

// A hundred instances of which a tenth may be out take a tenth of the time, and the plan says so.
func TestAPreviewOfAHundredATenthAtOnce(t *testing.T) {
	takes := func(share patch.Share) time.Duration {
		plan := planOf(patch.Stage{
			Groups: []patch.Group{previewG}, MaxUnavailable: share, Bake: patch.Duration(5 * time.Minute),
		})
		plan.Estimates = &patch.Estimates{Patch: patch.Duration(20 * time.Minute)}
		state := four(sizes(50, 100, 120))
		state.Members = nil
		for i := range 100 {
			state.Members = append(state.Members, well(i, "a"))
		}
		return preview(plan, patch.GroupReading{Group: previewG, State: &state}).Takes.D()
	}
	require.Equal(t, 2000*time.Minute, takes(patch.Instances(1)))
	require.Equal(t, 200*time.Minute, takes(patch.Percent(10)))
}
