package patch_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/manifest"
	"github.com/patchtide/patchtide/internal/patch"
)

// decided is all that is decided about a group, and told of it, by what was read of it.
func decided(state patch.GroupState) string {
	var text strings.Builder
	for _, level := range patch.Levels() {
		for _, instance := range []string{"", "i-01"} {
			view := patch.View{Group: webGroup, State: &state, Instance: instance, Policy: patch.Policy{
				MaxUnavailable: patch.Instances(1), Capacity: patch.CapacityAuto, Restore: patch.RestoreRootVolume,
				Timing: patch.DefaultTiming(),
			}}
			for _, refusal := range patch.Refusals(level, view) {
				fmt.Fprintln(&text, level, refusal)
			}
		}
	}
	strategy, _ := patch.PlanCapacity(webGroup, state, patch.Stage{MaxUnavailable: patch.Instances(1)})
	fmt.Fprintln(&text, strategy, state.Untouched())
	return text.String()
}

// requireAll demands a case for each field.
func requireAll[Case any](t *testing.T, of any, cases map[string]Case) {
	t.Helper()
	fields := reflect.VisibleFields(reflect.TypeOf(of))
	require.Len(t, cases, len(fields))
	for _, field := range fields {
		require.Contains(t, cases, field.Name, "nobody judges it, and nobody is told of it")
	}
}

// What is read of a group is judged, or told: a fact that nobody looks at is a belief that it does not matter.
func TestEveryFieldOfAGroupIsJudgedOrTold(t *testing.T) {
	mortal := func(s *patch.GroupState) {
		s.MaxInstanceLifetime = patch.Duration(24 * time.Hour)
		for i := range s.Members {
			s.Members[i].LaunchTime = noon
		}
	}
	later := func(s *patch.GroupState) { s.At = noon.Add(23 * time.Hour) }
	as := func(*patch.GroupState) {}
	cases := map[string]struct{ first, then func(*patch.GroupState) }{
		"Min":            {as, sizes(4, 4, 6)},
		"Max":            {sizes(4, 4, 6), sizes(4, 4, 4)},
		"Desired":        {sizes(3, 4, 6), sizes(3, 3, 6)},
		"Suspended":      {as, suspended("Launch")},
		"Members":        {as, func(s *patch.GroupState) { s.Members = nil }},
		"RefreshRunning": {as, func(s *patch.GroupState) { s.RefreshRunning = true }},
		"WarmPoolState":  {as, func(s *patch.GroupState) { s.WarmPoolState = "Stopped" }},
		"WarmPoolSize": {
			func(s *patch.GroupState) { s.WarmPoolState = "Stopped" }, func(s *patch.GroupState) { s.WarmPoolSize = 1 },
		},
		"Deleting":       {as, func(s *patch.GroupState) { s.Deleting = true }},
		"Counts":         {as, func(s *patch.GroupState) { s.Counts = patch.CountsWeights }},
		"Operator":       {as, func(s *patch.GroupState) { s.Operator = "Amazon EKS" }},
		"FreeTags":       {as, func(s *patch.GroupState) { s.FreeTags = false }},
		"Hidden":         {as, func(s *patch.GroupState) { s.Hidden = []string{"i-09 is in quarantine"} }},
		"OtherBalancers": {as, func(s *patch.GroupState) { s.OtherBalancers = []string{"Classic Load Balancer web"} }},
		"ElsewhereTargets": {as, func(s *patch.GroupState) {
			s.ElsewhereTargets = []string{"10.0.0.1 in " + targetGroup}
		}},
		"SharedAddresses": {as, func(s *patch.GroupState) {
			s.SharedAddresses = []string{"mi-1 as 10.0.0.1, an address that mi-2 has as well, in " + targetGroup}
		}},
		"TargetGroups": {as, func(s *patch.GroupState) {
			s.TargetGroups[0].CrossZone = false
			s.Members[2].Zone = "c"
		}},
		"MaxInstanceLifetime": {later, mortal},
		"At":                  {mortal, later},
	}
	requireAll(t, patch.GroupState{}, cases)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			require.NotEqual(t, decided(four(c.first)), decided(four(c.first, c.then)))
		})
	}
}

// What a machine tells of itself is judged, or told.
func TestEveryFieldOfAMachineIsJudgedOrTold(t *testing.T) {
	refuses := func(t *testing.T, facts patch.MachineFacts) {
		facts.BootID = "1"
		view := patch.View{
			Group: webGroup, Instance: "i-01", Machine: &patch.MachineAnswer{Facts: &facts},
			Policy: patch.Policy{Restore: patch.RestoreRootVolume},
		}
		require.NotEmpty(t, patch.Refusals(patch.LevelInstance, view))
	}
	verdict := func(before, after patch.MachineFacts, changes ...patch.PackageChange) patch.Verdict {
		return patch.Verify(patch.Pass{
			Platform: patch.Linux, Reboot: patch.RebootAlways, Number: 1, Of: 1,
			Report: patch.PatchReport{Before: &before, After: &after, Changes: changes},
		})
	}
	machine := func(boot, packages string) patch.MachineFacts {
		return patch.MachineFacts{BootID: boot, PackagesSHA256: packages, Elsewhere: []string{}, Patchers: []string{}}
	}
	cases := map[string]func(*testing.T){
		"BootID": func(t *testing.T) {
			require.NotEmpty(t, verdict(machine("1", "a"), machine("1", "b")).Reason)
		},
		"PackagesSHA256": func(t *testing.T) {
			point := patch.RestorePoint{VolumeID: "vol-1", Facts: machine("1", "a")}
			require.NotEmpty(t, patch.ProveRestored(point, "2", "vol-2", machine("3", "b")))
		},
		"Kernel": func(t *testing.T) {
			after := machine("1", "a")
			after.Kernel = "6"
			require.NotEmpty(t, verdict(machine("1", "a"), after).Reason)
		},
		"PendingReboot": func(t *testing.T) {
			after := machine("2", "b")
			after.PendingReboot = true
			require.Equal(t, []string{patch.TheMachine}, verdict(machine("1", "a"), after).Waits)
		},
		"RebootFor": func(t *testing.T) {
			facts := patch.MachineFacts{PendingReboot: true, RebootFor: []string{"glibc"}}
			require.Equal(t, []string{"glibc"}, patch.Scan{}.Waits(&facts))
		},
		"RebootBy": func(t *testing.T) {
			require.False(t, patch.MachineFacts{RebootBy: "needs-restarting"}.NeedsReboot(true))
		},
		"LivePatches": func(t *testing.T) {
			facts := patch.MachineFacts{PendingReboot: true, RebootFor: []string{"kernel"}, LivePatches: []string{"kpatch_1"}}
			require.NotEmpty(t, facts.ToldLive())
		},
		"OS": func(t *testing.T) {
			ubuntu := manifest.NameOf(patch.MachineFacts{OS: "ubuntu", Release: "22.04"})
			require.NotEqual(t, ubuntu, manifest.NameOf(patch.MachineFacts{OS: "debian", Release: "22.04"}))
		},
		"Release": func(t *testing.T) {
			after := machine("2", "b")
			after.Release = "2023.7"
			require.NotEmpty(t, patch.PatchReport{Before: &patch.MachineFacts{Release: "2023.6"}, After: &after}.NewRelease())
		},
		"Releasever": func(t *testing.T) {
			facts := patch.MachineFacts{OS: "amzn", Release: "2023.6.20250211"}
			require.Equal(t, facts.Release, facts.LockedTo())
			facts.Releasever = "2023.7.20250331"
			require.Equal(t, facts.Releasever, facts.LockedTo())
			facts.Releasever = "latest"
			require.Empty(t, facts.LockedTo())
			require.Empty(t, patch.MachineFacts{OS: "amzn", Release: "2"}.LockedTo(), "Amazon Linux 2")
			require.Empty(t, patch.MachineFacts{OS: "ubuntu", Release: "22.04"}.LockedTo())
		},
		"ApplicationSHA256": func(t *testing.T) {
			view := patch.RollBackView{
				Was: patch.InstanceResult{
					ApplicationAfter: "a", PackagesAfter: "b",
					Backup: &patch.RestorePoint{SnapshotID: "snap-1", VolumeID: "vol-1"},
				},
				Member:   patch.Member{ID: "i-01", State: "running", RootVolumeID: "vol-1"},
				Snapshot: "completed", Facts: &patch.MachineFacts{PackagesSHA256: "b", ApplicationSHA256: "a"},
			}
			same := patch.JudgeRollBack(view, patch.Duration(1<<62)).Losses
			view.Facts = &patch.MachineFacts{PackagesSHA256: "b", ApplicationSHA256: "c"}
			require.Greater(t, len(patch.JudgeRollBack(view, patch.Duration(1<<62)).Losses), len(same))
		},
		"DomainJoined": func(t *testing.T) {
			joined := true
			require.Equal(t, &joined, patch.RollBackView{Facts: &patch.MachineFacts{DomainJoined: &joined}}.DomainJoined())
		},
		"Elsewhere": func(t *testing.T) {
			refuses(t, patch.MachineFacts{Elsewhere: []string{"/var on nvme1n1"}, Patchers: []string{}})
		},
		"Patchers": func(t *testing.T) {
			refuses(t, patch.MachineFacts{Elsewhere: []string{}, Patchers: []string{"unattended-upgrades"}})
		},
		"Broken": func(t *testing.T) {
			refuses(t, patch.MachineFacts{
				Elsewhere: []string{}, Patchers: []string{}, Broken: []string{"libc6.amd64 unpacked"},
			})
		},
	}
	requireAll(t, patch.MachineFacts{}, cases)
	for name, try := range cases {
		t.Run(name, try)
	}
}

// One tag may choose instances that a service operates and others that it does not: those are named.
func TestTagsThatChooseWhatAServiceOperates(t *testing.T) {
	state := four(func(s *patch.GroupState) { s.Members[2].Operator = "Karpenter (tag karpenter.sh/nodepool)" })
	for instance, want := range map[string]int{"": 1, "i-03": 1, "i-01": 0} {
		view := viewOf(state, instance)
		view.Group = tagsGroup
		level := patch.LevelInstance
		if instance == "" {
			level = patch.LevelWave
		}
		found := patch.Refusals(level, view)
		operated := 0
		for _, refusal := range found {
			if refusal.Code == patch.RefusedOperated {
				operated++
				require.Equal(t, tagsGroup.String()+"/i-03", refusal.Where)
				require.Contains(t, refusal.What, "Karpenter")
			}
		}
		require.Equal(t, want, operated, "%q: %v", instance, found)
	}
}
