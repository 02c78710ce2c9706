package patch_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

// around are surroundings at noon of an instance that takes an hour.
func around(change func(*patch.Interference)) patch.Interference {
	s := patch.Interference{At: noon, Until: noon.Add(time.Hour)}
	change(&s)
	return s
}

func TestCheckInterference(t *testing.T) {
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
		{
			name: "calendar that gives no answer", change: calendar(patch.Calendar{Open: true, Error: "InvalidDocument"}),
			refused: patch.RefusedCalendar,
		},
		{
			name:   "calendar that closes before we are done",
			change: calendar(patch.Calendar{Open: true, Changes: noon.Add(59 * time.Minute)}), refused: patch.RefusedCalendar,
		},
		{
			name:   "calendar that closes as we are done",
			change: calendar(patch.Calendar{Open: true, Changes: noon.Add(time.Hour)}),
		},
		{
			name: "calendar that is closed and opens soon", change: calendar(patch.Calendar{Changes: noon.Add(time.Minute)}),
			refused: patch.RefusedCalendar,
		},
		{
			name: "stack", change: func(s *patch.Interference) { s.Stacks = []string{"web (UPDATE_IN_PROGRESS)"} },
			refused: patch.RefusedStack,
		},
		{
			name:    "deployment",
			change:  func(s *patch.Interference) { s.Deployments = []patch.Deployment{{ID: "d-1", Instance: "i-01"}} },
			refused: patch.RefusedDeployment, where: "/i-01",
		},
		{
			name:    "deployment not begun",
			change:  func(s *patch.Interference) { s.Deployments = []patch.Deployment{{ID: "d-1"}} },
			refused: patch.RefusedDeployment,
		},
		{name: "alarm that terminates", change: func(s *patch.Interference) {
			s.StopAlarms = []patch.StopAlarm{{Name: "cpu", Action: "terminate", Instance: "i-01"}}
		}, refused: patch.RefusedStopAlarm, where: "/i-01"},
		{name: "patcher at any moment", change: patcher(time.Time{}), refused: patch.RefusedOtherPatcher, where: "/i-01"},
		{
			name: "patcher within the hour", change: patcher(noon.Add(59 * time.Minute)), refused: patch.RefusedOtherPatcher,
			where: "/i-01",
		},
		{
			name: "patcher that began", change: patcher(noon.Add(-time.Minute)), refused: patch.RefusedOtherPatcher,
			where: "/i-01",
		},
		{name: "patcher after we are done", change: patcher(noon.Add(time.Hour))},
		{
			name:   "a locked root is another question",
			change: func(s *patch.Interference) { s.LockedRoots = []patch.LockedRoot{{Instance: "i-01", Why: "x"}} },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			others := around(c.change)
			refusal := patch.First(patch.LevelWave, patch.View{Group: webGroup, Around: &others})
			if c.refused == "" {
				require.Nil(t, refusal)
				return
			}
			requireRefusal(t, refusal, c.refused, webGroup.String()+c.where)
		})
	}
}

func TestCheckVolumeKey(t *testing.T) {
	locked := around(func(s *patch.Interference) {
		s.LockedRoots = []patch.LockedRoot{{Instance: "i-02", Why: "the key is Disabled"}}
	})
	first := func(restore patch.Restore, instance string, others patch.Interference) *patch.Refusal {
		return patch.First(patch.LevelPutBack, patch.View{
			Group: webGroup, Policy: patch.Policy{Restore: restore}, Instance: instance, Around: &others,
		})
	}
	requireRefusal(t, first(patch.RestoreRootVolume, "", locked), patch.RefusedNoRestore, "/i-02")
	requireRefusal(t, first(patch.RestoreRootVolume, "i-02", locked), patch.RefusedNoRestore, "/i-02")
	require.Nil(t, first(patch.RestoreRootVolume, "i-01", locked), "another's key")
	require.Nil(t, first(patch.RestoreReplace, "i-02", locked), "nothing is unlocked to replace it")
	require.Nil(t, first(patch.RestoreNone, "i-02", locked))
	require.Nil(t, first(patch.RestoreRootVolume, "i-02", patch.Interference{}))
}

func TestCheckMachine(t *testing.T) {
	none := []string{}
	for _, c := range []struct {
		name    string
		restore patch.Restore
		facts   patch.MachineFacts
		refused patch.RefusalCode
	}{
		{
			name: "all on the root", restore: patch.RestoreRootVolume,
			facts: patch.MachineFacts{Elsewhere: none, Patchers: none},
		},
		{
			name: "packages elsewhere", restore: patch.RestoreRootVolume,
			facts:   patch.MachineFacts{Elsewhere: []string{"/var/lib/rpm on nvme1n1"}, Patchers: none},
			refused: patch.RefusedNoRestore,
		},
		{
			name: "packages elsewhere, to be replaced", restore: patch.RestoreReplace,
			facts: patch.MachineFacts{Elsewhere: []string{"/var/lib/rpm on nvme1n1"}, Patchers: none},
		},
		{
			name: "packages elsewhere, nothing to restore", restore: patch.RestoreNone,
			facts: patch.MachineFacts{Elsewhere: []string{"/var/lib/rpm on nvme1n1"}, Patchers: none},
		},
		{
			name: "it does not say where", restore: patch.RestoreRootVolume, facts: patch.MachineFacts{Patchers: none},
			refused: patch.RefusedNoRestore,
		},
		{
			name: "it patches itself", restore: patch.RestoreRootVolume,
			facts:   patch.MachineFacts{Elsewhere: none, Patchers: []string{"unattended-upgrades"}},
			refused: patch.RefusedOtherPatcher,
		},
		{
			name: "it patches itself, nothing to restore", restore: patch.RestoreNone,
			facts: patch.MachineFacts{Patchers: []string{"dnf-automatic.timer"}}, refused: patch.RefusedOtherPatcher,
		},
		{name: "it does not say whether it patches itself", restore: patch.RestoreNone, refused: patch.RefusedOtherPatcher},
	} {
		t.Run(c.name, func(t *testing.T) {
			refusal := patch.First(patch.LevelInstance, patch.View{
				Group: webGroup, Policy: patch.Policy{Restore: c.restore}, Instance: "i-01",
				Machine: &patch.MachineAnswer{Facts: &c.facts},
			})
			if c.refused == "" {
				require.Nil(t, refusal)
				return
			}
			requireRefusal(t, refusal, c.refused, "/i-01")
		})
	}
}

func TestCheckBake(t *testing.T) {
	alarm := func(period patch.Duration, evaluations int) []patch.AlarmObservation {
		return []patch.AlarmObservation{{Name: "web-5xx", State: "OK", Needs: patch.AlarmTime(period, evaluations)}}
	}
	first := func(bake patch.Duration, gates []patch.AlarmObservation) *patch.Refusal {
		return patch.First(patch.LevelGroup, patch.View{
			Group: webGroup, Policy: patch.Policy{Bake: bake}, Around: &patch.Interference{GateAlarms: gates},
		})
	}
	require.Nil(t, first(0, nil), "no alarm needs no bake")
	require.Nil(t, first(3*minute, alarm(minute, 2)), "just enough")
	requireRefusal(t, first(3*minute-1, alarm(minute, 2)), patch.RefusedBake, webGroup.String())
	requireRefusal(t, first(5*minute, alarm(5*minute, 3)), patch.RefusedBake, webGroup.String())
	require.Nil(
		t, first(0, []patch.AlarmObservation{{Name: "composite", State: "OK"}}), "nobody can tell how long it takes",
	)
}

func TestCheckGateAlarms(t *testing.T) {
	for state, refused := range map[string]bool{"OK": false, "ALARM": true, "INSUFFICIENT_DATA": true} {
		others := patch.Interference{GateAlarms: []patch.AlarmObservation{{Name: "web-5xx", State: state}}}
		view := patch.View{Group: webGroup, Around: &others}
		require.Nil(t, patch.First(patch.LevelWave, view), "a stage may begin hours later")
		if !refused {
			require.Nil(t, patch.First(patch.LevelGroup, view), state)
			continue
		}
		requireRefusal(t, patch.First(patch.LevelGroup, view), patch.RefusedAlarm, webGroup.String())
	}
}

func TestCheckLifetime(t *testing.T) {
	// An hour is what four instances take, of a quarter each.
	first := func(level patch.Level, instance string, state patch.GroupState) *patch.Refusal {
		policy := patch.Policy{Estimates: &patch.Estimates{Patch: 15 * minute}, MaxUnavailable: patch.Instances(1)}
		return patch.First(level, patch.View{Group: webGroup, Policy: policy, State: &state, Instance: instance})
	}
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
	requireRefusal(t, first(patch.LevelGroup, "", aged(59*time.Minute)), patch.RefusedLifetime, "/i-03")
	requireRefusal(t, first(patch.LevelGroup, "", aged(-time.Minute)), patch.RefusedLifetime, "/i-03")
	require.Nil(t, first(patch.LevelGroup, "", aged(time.Hour)))
	require.Nil(t, first(patch.LevelInstance, "i-01", aged(15*time.Minute)), "one instance takes a quarter of it")
	requireRefusal(t, first(patch.LevelInstance, "i-01", aged(14*time.Minute)), patch.RefusedLifetime, "/i-03")
	require.Nil(t, first(patch.LevelPutBack, "i-01", aged(time.Minute)))
	leaving := aged(time.Minute)
	leaving.Members[2].Lifecycle = "Terminating:Wait"
	require.Nil(t, first(patch.LevelGroup, "", leaving), "it is being replaced already")
	require.Nil(t, first(patch.LevelGroup, "", four()), "no lifetime")
}

func TestCheckTargetRoom(t *testing.T) {
	missing := func(i int) func(*patch.GroupState) {
		return func(s *patch.GroupState) { s.Members[i].Targets = nil }
	}
	apart := func(s *patch.GroupState) { s.TargetGroups[0].Attached = false }
	for _, c := range []struct {
		name    string
		state   patch.GroupState
		out     []string // what this wave took out
		most    int
		refused bool
	}{
		{name: "all registered", state: four()},
		{name: "another is in service and not registered", state: four(missing(1)), refused: true},
		{name: "the same, two may be out", state: four(missing(1)), most: 2},
		{name: "the same, and min would be broken", state: four(missing(1), sizes(3, 4, 6)), most: 2, refused: true},
		{name: "it is not registered itself", state: four(missing(0), missing(1))},
		{name: "a target group that Auto Scaling does not know: who is registered counts", state: four(apart, missing(1))},
		{
			name:    "the same with one ill",
			state:   four(apart, missing(1), member(2, func(m *patch.Member) { m.Targets[0].Health = patch.TargetUnhealthy })),
			refused: true,
		},
		{
			name: "one was quarantined: it is no member, and another was launched in its place", state: four(),
			out: []string{"i-77"},
		},
		{
			name: "one was quarantined, and another is not registered", state: four(missing(1)), out: []string{"i-77"},
			refused: true,
		},
		{
			name: "one is on standby", state: four(sizes(2, 3, 6), missing(1), lifecycle(1, patch.LifecycleStandby)),
			out: []string{"i-02"}, refused: true,
		},
		{name: "one was out and somebody returned it", state: four(), out: []string{"i-02"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			refusal := patch.First(patch.LevelInstance, patch.View{
				Group: webGroup, Policy: patch.Policy{MaxUnavailable: patch.Instances(max(c.most, 1))}, State: &c.state, Instance: "i-01",
				Holdings: patch.Holdings{Out: c.out},
			})
			if !c.refused {
				require.Nil(t, refusal)
				return
			}
			requireRefusal(t, refusal, patch.RefusedCapacity, "/i-01")
		})
	}
}

func TestUnjudged(t *testing.T) {
	targets := []patch.Target{
		{TargetGroupARN: targetGroup, Health: patch.TargetUnused},
		{TargetGroupARN: targetGroup + "4", Health: patch.TargetHealthy},
	}
	require.Len(t, patch.Unjudged(targets, []patch.HealthCheck{{TargetGroup: "auto"}}), 1)
	require.Len(t, patch.Unjudged(targets, []patch.HealthCheck{{TargetGroup: "web"}}), 1)
	require.Empty(t, patch.Unjudged(targets, []patch.HealthCheck{{TargetGroup: "other"}, {Alarm: "x"}}))
}

func TestShareTargets(t *testing.T) {
	require.True(t, patch.ShareTargets([]string{"a", "b"}, []string{"c", "b"}))
	require.False(t, patch.ShareTargets([]string{"a"}, []string{"b"}))
	require.False(t, patch.ShareTargets(nil, nil))
}
