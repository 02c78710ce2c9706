package patch_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

const hour = patch.Duration(time.Hour)

// around are surroundings at noon of an instance that takes an hour.
func around(change func(*patch.Interference)) patch.Interference {
	s := patch.Interference{At: noon, Until: noon.Add(time.Hour)}
	change(&s)
	return s
}

func TestMayDisturb(t *testing.T) {
	calendar := func(c patch.Calendar) func(*patch.Interference) {
		return func(s *patch.Interference) {
			c.Name = "freeze"
			s.Calendars = []patch.Calendar{{Name: "other", Open: true}, c}
		}
	}
	patcher := func(acts time.Time) func(*patch.Interference) {
		return func(s *patch.Interference) {
			s.Patchers = []patch.Patcher{{Name: "the window", Instance: "i-01", Acts: acts}}
		}
	}
	for _, c := range []struct {
		name    string
		change  func(*patch.Interference)
		refused patch.RefusalCode
		where   string // of the refusal, beyond the group
	}{
		{name: "nobody is there", change: func(*patch.Interference) {}},
		{name: "calendar open", change: calendar(patch.Calendar{Open: true})},
		{name: "calendar closed", change: calendar(patch.Calendar{}), refused: patch.RefusedCalendar},
		{name: "calendar that gives no answer", change: calendar(patch.Calendar{Open: true, Error: "InvalidDocument"}), refused: patch.RefusedCalendar},
		{name: "calendar that closes before we are done", change: calendar(patch.Calendar{Open: true, Changes: noon.Add(59 * time.Minute)}), refused: patch.RefusedCalendar},
		{name: "calendar that closes as we are done", change: calendar(patch.Calendar{Open: true, Changes: noon.Add(time.Hour)})},
		{name: "calendar that is closed and opens soon", change: calendar(patch.Calendar{Changes: noon.Add(time.Minute)}), refused: patch.RefusedCalendar},
		{name: "stack", change: func(s *patch.Interference) { s.Stacks = []string{"web (UPDATE_IN_PROGRESS)"} }, refused: patch.RefusedStack},
		{name: "deployment", change: func(s *patch.Interference) { s.Deployments = []patch.Deployment{{ID: "d-1", Instance: "i-01"}} }, refused: patch.RefusedDeployment, where: "/i-01"},
		{name: "deployment not begun", change: func(s *patch.Interference) { s.Deployments = []patch.Deployment{{ID: "d-1"}} }, refused: patch.RefusedDeployment},
		{name: "alarm that terminates", change: func(s *patch.Interference) {
			s.StopAlarms = []patch.StopAlarm{{Name: "cpu", Action: "terminate", Instance: "i-01"}}
		}, refused: patch.RefusedStopAlarm, where: "/i-01"},
		{name: "patcher at any moment", change: patcher(time.Time{}), refused: patch.RefusedOtherPatcher, where: "/i-01"},
		{name: "patcher within the hour", change: patcher(noon.Add(59 * time.Minute)), refused: patch.RefusedOtherPatcher, where: "/i-01"},
		{name: "patcher that began", change: patcher(noon.Add(-time.Minute)), refused: patch.RefusedOtherPatcher, where: "/i-01"},
		{name: "patcher after we are done", change: patcher(noon.Add(time.Hour))},
		{name: "a locked root is another question", change: func(s *patch.Interference) { s.LockedRoots = []patch.LockedRoot{{Instance: "i-01", Why: "x"}} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			refusal := patch.MayDisturb(webGroup, around(c.change))
			if c.refused == "" {
				require.Nil(t, refusal)
				return
			}
			requireRefusal(t, refusal, c.refused, webGroup.String()+c.where)
		})
	}
}

func TestMayUnlock(t *testing.T) {
	locked := around(func(s *patch.Interference) {
		s.LockedRoots = []patch.LockedRoot{{Instance: "i-02", Why: "the key is Disabled"}}
	})
	requireRefusal(t, patch.MayUnlock(webGroup, patch.RestoreRootVolume, locked), patch.RefusedNoRestore, "/i-02")
	require.Nil(t, patch.MayUnlock(webGroup, patch.RestoreReplace, locked), "nothing is unlocked to replace it")
	require.Nil(t, patch.MayUnlock(webGroup, patch.RestoreNone, locked))
	require.Nil(t, patch.MayUnlock(webGroup, patch.RestoreRootVolume, patch.Interference{}))
}

func TestMayTrust(t *testing.T) {
	none := []string{}
	for _, c := range []struct {
		name    string
		restore patch.Restore
		facts   patch.MachineFacts
		refused patch.RefusalCode
	}{
		{name: "all on the root", restore: patch.RestoreRootVolume, facts: patch.MachineFacts{Elsewhere: none, Patchers: none}},
		{name: "packages elsewhere", restore: patch.RestoreRootVolume, facts: patch.MachineFacts{Elsewhere: []string{"/var/lib/rpm on nvme1n1"}, Patchers: none}, refused: patch.RefusedNoRestore},
		{name: "packages elsewhere, to be replaced", restore: patch.RestoreReplace, facts: patch.MachineFacts{Elsewhere: []string{"/var/lib/rpm on nvme1n1"}, Patchers: none}},
		{name: "packages elsewhere, nothing to restore", restore: patch.RestoreNone, facts: patch.MachineFacts{Elsewhere: []string{"/var/lib/rpm on nvme1n1"}, Patchers: none}},
		{name: "it does not say where", restore: patch.RestoreRootVolume, facts: patch.MachineFacts{Patchers: none}, refused: patch.RefusedNoRestore},
		{name: "it patches itself", restore: patch.RestoreRootVolume, facts: patch.MachineFacts{Elsewhere: none, Patchers: []string{"unattended-upgrades"}}, refused: patch.RefusedOtherPatcher},
		{name: "it patches itself, nothing to restore", restore: patch.RestoreNone, facts: patch.MachineFacts{Patchers: []string{"dnf-automatic.timer"}}, refused: patch.RefusedOtherPatcher},
		{name: "it does not say whether it patches itself", restore: patch.RestoreNone, refused: patch.RefusedOtherPatcher},
	} {
		t.Run(c.name, func(t *testing.T) {
			refusal := patch.MayTrust(webGroup, c.restore, "i-01", c.facts)
			if c.refused == "" {
				require.Nil(t, refusal)
				return
			}
			requireRefusal(t, refusal, c.refused, "/i-01")
		})
	}
}

func TestMayJudge(t *testing.T) {
	minutes := func(n int) patch.Duration { return patch.Duration(n) * patch.Duration(time.Minute) }
	alarm := func(period, evaluations int) []patch.AlarmObservation {
		return []patch.AlarmObservation{{Name: "web-5xx", Needs: patch.AlarmTime(minutes(period), evaluations)}}
	}
	require.Nil(t, patch.MayJudge(webGroup, 0, nil), "no alarm needs no bake")
	require.Nil(t, patch.MayJudge(webGroup, minutes(3), alarm(1, 2)), "just enough")
	requireRefusal(t, patch.MayJudge(webGroup, minutes(3)-1, alarm(1, 2)), patch.RefusedBake, webGroup.String())
	requireRefusal(t, patch.MayJudge(webGroup, minutes(5), alarm(5, 3)), patch.RefusedBake, webGroup.String())
	require.Nil(t, patch.MayJudge(webGroup, 0, []patch.AlarmObservation{{Name: "composite"}}), "nobody can tell how long it takes")
}

func TestMayOutlive(t *testing.T) {
	const week = patch.Duration(7 * 24 * time.Hour)
	aged := func(left time.Duration) patch.GroupState {
		return four(func(s *patch.GroupState) {
			s.At, s.MaxInstanceLifetime = noon, week
			for i := range s.Members {
				s.Members[i].LaunchTime = noon.Add(-time.Hour)
			}
			s.Members[2].LaunchTime = noon.Add(left - week.D())
		})
	}
	requireRefusal(t, patch.MayOutlive(webGroup, aged(59*time.Minute), hour), patch.RefusedLifetime, "/i-03")
	requireRefusal(t, patch.MayOutlive(webGroup, aged(-time.Minute), hour), patch.RefusedLifetime, "/i-03")
	require.Nil(t, patch.MayOutlive(webGroup, aged(time.Hour), hour))
	leaving := aged(time.Minute)
	leaving.Members[2].Lifecycle = "Terminating:Wait"
	require.Nil(t, patch.MayOutlive(webGroup, leaving, hour), "it is being replaced already")
	require.Nil(t, patch.MayOutlive(webGroup, four(), hour), "no lifetime, and no clock in histories of before")
}

func TestRoomInTargetGroups(t *testing.T) {
	missing := func(i int) func(*patch.GroupState) {
		return func(s *patch.GroupState) { s.Members[i].Targets = nil }
	}
	apart := func(s *patch.GroupState) { s.TargetGroups[0].Attached = false }
	for _, c := range []struct {
		name    string
		state   patch.GroupState
		most    int
		refused bool
	}{
		{name: "all registered", state: four()},
		{name: "another is in service and not registered", state: four(missing(1)), refused: true},
		{name: "the same, two may be out", state: four(missing(1)), most: 2},
		{name: "the same, and min would be broken", state: four(missing(1), sizes(3, 4, 6)), most: 2, refused: true},
		{name: "it is not registered itself", state: four(missing(0), missing(1))},
		{name: "a target group that Auto Scaling does not know: who is registered counts", state: four(apart, missing(1))},
		{name: "the same with one ill", state: four(apart, missing(1), member(2, func(m *patch.Member) { m.Targets[0].Health = patch.TargetUnhealthy })), refused: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			refusal := patch.RoomInTargetGroups(webGroup, c.state, patch.Holdings{}, patch.Stage{MaxUnavailable: max(c.most, 1)}, "i-01")
			if !c.refused {
				require.Nil(t, refusal)
				return
			}
			requireRefusal(t, refusal, patch.RefusedCapacity, "/i-01")
		})
	}
}

func TestUnjudged(t *testing.T) {
	targets := []patch.Target{{TargetGroupARN: targetGroup, Health: patch.TargetUnused}, {TargetGroupARN: targetGroup + "4", Health: patch.TargetHealthy}}
	require.Len(t, patch.Unjudged(targets, []patch.HealthCheck{{TargetGroup: "auto"}}), 1)
	require.Len(t, patch.Unjudged(targets, []patch.HealthCheck{{TargetGroup: "web"}}), 1)
	require.Empty(t, patch.Unjudged(targets, []patch.HealthCheck{{TargetGroup: "other"}, {Alarm: "x"}}))
}

func TestShareTargets(t *testing.T) {
	require.True(t, patch.ShareTargets([]string{"a", "b"}, []string{"c", "b"}))
	require.False(t, patch.ShareTargets([]string{"a"}, []string{"b"}))
	require.False(t, patch.ShareTargets(nil, nil))
}
