package wavetest

import (
	"bytes"
	"slices"

	"github.com/patchtide/patchtide/internal/awssim/world"
)

// StagingOnly leaves the production stage out.
func StagingOnly(next func([]byte) []byte) func([]byte) []byte {
	return func(file []byte) []byte {
		from := bytes.Index(file, []byte("      - name: production\n        #"))
		to := bytes.Index(file, []byte("# Who is told"))
		return next(slices.Concat(file[:from], file[to:]))
	}
}

// StartsStopped has staging start whoever is stopped.
var StartsStopped = PlanWith("        bake: 10m\n", "        bake: 10m\n        stopped: start_and_stop\n")

// Untargeted leaves so many machines in staging, which are in no target group.
func Untargeted(many int, faults ...world.WorldFault) func(*world.Scenario) {
	return WithFaults(func(s *world.Scenario) {
		instances := &s.Accounts[0].Regions[0].Instances[0]
		instances.Count, instances.TargetGroups = many, nil
	}, faults...)
}
