package workflows_test

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows"
)

var theWeb = workflows.WaveRequest{Plan: "web", Actor: "tester", Reason: "the test says so"}

// plan changes the example configuration: pairs of what stands there and what shall.
func plan(pairs ...string) func([]byte) []byte {
	return func(file []byte) []byte {
		for i := 0; i < len(pairs); i += 2 {
			if bytes.Count(file, []byte(pairs[i])) != 1 {
				panic("the example holds this not exactly once: " + pairs[i])
			}
			file = bytes.Replace(file, []byte(pairs[i]), []byte(pairs[i+1]), 1)
		}
		return file
	}
}

// productionOnly leaves the staging stage out.
func productionOnly(next func([]byte) []byte) func([]byte) []byte {
	return func(file []byte) []byte {
		from, to := bytes.Index(file, []byte("      - name: staging\n")), bytes.Index(file, []byte("      - name: production\n"))
		return next(slices.Concat(file[:from], file[to:]))
	}
}

// web changes the production group of the scenario.
func web(change func(*world.GroupSpec)) func(*world.Scenario) {
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

// sized gives the production group its numbers.
func sized(lowest, desired, most int) func(*world.Scenario) {
	return web(func(g *world.GroupSpec) { g.Min, g.Desired, g.Max = lowest, desired, most })
}

// also adds what goes wrong in the world.
func also(fleet func(*world.Scenario), faults ...world.WorldFault) func(*world.Scenario) {
	return func(s *world.Scenario) {
		if fleet != nil {
			fleet(s)
		}
		s.Faults.World = append(s.Faults.World, faults...)
	}
}

// production lets do change the production group, or look at it.
func (b *bench) production(do func(*world.ScalingGroup)) {
	b.sim.Inspect(func(w *world.World) { do(webOf(b, w)) })
}

func webOf(b *bench, w *world.World) *world.ScalingGroup {
	group, err := w.Account(accountProduction).Region(tokyoRegion).ScalingGroup("web")
	require.NoError(b.t, err)
	return group
}

// at runs do when the operation is called for the nth time in the account, before the call is answered. It runs under the
// simulator's lock: it may tell the environment, not the simulator.
func (b *bench) at(account, operation string, nth int, do func()) {
	var mu sync.Mutex
	seen := 0
	b.sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		if call.Account != account || call.Operation != operation {
			return awssim.Fault{}
		}
		mu.Lock()
		seen++
		now := seen == nth
		mu.Unlock()
		if now {
			do()
		}
		return awssim.Fault{}
	})
}

// names lists the outcomes of the production instances.
func production(result *patch.WaveResult) []patch.Outcome { return outcomes(result)["production"] }

func count(list []patch.Outcome, outcome patch.Outcome) int {
	return len(slices.DeleteFunc(slices.Clone(list), func(o patch.Outcome) bool { return o != outcome }))
}

// mutations lists what changed anything in an account, as "operation resource". Reading roles and scanning are not changes.
func (b *bench) mutations(account string) []string {
	var found []string
	for _, event := range b.sim.Events() {
		if event.Account != account || !event.Effect || event.Service == "sts" {
			continue
		}
		found = append(found, strings.TrimSpace(event.Operation+" "+event.Resource))
	}
	return found
}

// refuses sends a verb that must be rejected, with those words.
func (b *bench) refuses(verb patch.Verb, request any, words string) {
	b.env.UpdateWorkflow(string(verb), "", &testsuite.TestUpdateCallback{
		OnAccept:   func() { b.t.Errorf("%s was accepted with %+v", verb, request) },
		OnReject:   func(err error) { require.ErrorContains(b.t, err, words) },
		OnComplete: func(any, error) {},
	}, request)
}

// whenBaking runs do when the first production instance has been baking for a while.
func (b *bench) whenBaking(do func()) {
	var look func()
	look = func() {
		if b.env.IsWorkflowCompleted() {
			return
		}
		for _, instance := range b.atStep(patch.StepBake) {
			if instance.now.Sub(instance.status.Since) >= time.Minute {
				do()
				return
			}
		}
		b.env.RegisterDelayedCallback(look, 10*time.Second)
	}
	b.env.RegisterDelayedCallback(look, 10*time.Second)
}

type running struct {
	status patch.InstanceStatus
	now    time.Time
}

// atStep asks the production group which of its instances are at a step.
func (b *bench) atStep(step patch.Step) []running {
	var found []running
	var group patch.GroupStatus
	value, err := b.env.QueryWorkflowByID("patch-group/"+accountProduction+"/"+tokyoRegion+"/web", names.QueryStatus)
	if err != nil || value.Get(&group) != nil {
		return nil
	}
	for _, id := range group.Current {
		var status patch.InstanceStatus
		value, err := b.env.QueryWorkflowByID(id, names.QueryStatus)
		if err == nil && value.Get(&status) == nil && status.Step == step {
			found = append(found, running{status: status, now: b.env.Now()})
		}
	}
	return found
}
