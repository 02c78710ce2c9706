package wavetest

import (
	"fmt"

	"github.com/patchtide/patchtide/internal/awssim/world"
)

// EachGroup changes every Auto Scaling group of the scenario; it has one, web in production.
func EachGroup(change func(*world.GroupSpec)) func(*world.Scenario) {
	return func(s *world.Scenario) {
		for a := range s.Accounts {
			for r := range s.Accounts[a].Regions {
				for g := range s.Accounts[a].Regions[r].Groups {
					change(&s.Accounts[a].Regions[r].Groups[g])
				}
			}
		}
	}
}

// Sized gives the production group its numbers.
func Sized(lowest, desired, most int) func(*world.Scenario) {
	return EachGroup(func(g *world.GroupSpec) { g.Min, g.Desired, g.Max = lowest, desired, most })
}

// Weighted gives the production group numbers that count weights, and types of these weights that it launches in turn.
func Weighted(lowest, desired, most int, weights ...int) func(*world.Scenario) {
	return EachGroup(func(g *world.GroupSpec) {
		g.Min, g.Desired, g.Max = lowest, desired, most
		for _, weight := range weights {
			g.Mixed = append(g.Mixed, world.Override{Type: fmt.Sprintf("m7i.weighs-%d", weight), Weight: weight})
		}
	})
}

// WithFaults adds what goes wrong in the world.
func WithFaults(fleet func(*world.Scenario), faults ...world.WorldFault) func(*world.Scenario) {
	return func(s *world.Scenario) {
		if fleet != nil {
			fleet(s)
		}
		s.Faults.World = append(s.Faults.World, faults...)
	}
}

// FailsOnce makes the first production install fail half-way, and later ones succeed.
func FailsOnce(fleet func(*world.Scenario)) func(*world.Scenario) {
	return WithFaults(fleet, world.WorldFault{Kind: world.FaultInstallFails, Account: "production"})
}

// Unrestorable fails the first install of an account and every restore there.
func Unrestorable(account string, fleet func(*world.Scenario)) func(*world.Scenario) {
	return WithFaults(fleet, world.WorldFault{Kind: world.FaultInstallFails, Account: account}, world.WorldFault{
		Kind: world.FaultRootReplaceFails, Account: account,
	})
}

// WithIsolation has the isolating security group in every region.
func WithIsolation(fleet func(*world.Scenario)) func(*world.Scenario) {
	return func(s *world.Scenario) {
		if fleet != nil {
			fleet(s)
		}
		for a := range s.Accounts {
			for r := range s.Accounts[a].Regions {
				s.Accounts[a].Regions[r].SecurityGroups = []string{"quarantined"}
			}
		}
	}
}

// TwoGroups gives production a second group, api, behind a target group of its own.
func TwoGroups(s *world.Scenario) {
	region := &s.Accounts[1].Regions[0]
	target := region.TargetGroups[0]
	target.Name, target.LoadBalancer = "api", "api"
	region.TargetGroups = append(region.TargetGroups, target)
	group := region.Groups[0]
	group.Name, group.TargetGroups = "api", []string{"api"}
	region.Groups = append(region.Groups, group)
}
