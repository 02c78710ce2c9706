package workflows_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/patchtide/patchtide/internal/patch"
)

// usualSeed is what `go test` draws from: a change is judged by the same waves as the one before it. `make property` draws new
// ones each time.
const usualSeed = "20261124"

// seeded gives rapid the usual seed where nobody gave it another.
func seeded(t *testing.T) {
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.seed" })
	if !given {
		require.NoError(t, flag.Set("rapid.seed", usualSeed))
	}
}

// TestPropertyWave plays waves that are drawn at random and judges each from the simulator. The flag -rapid.checks says how
// many of each kind; `make property` plays thousands.
func TestPropertyWave(t *testing.T) {
	seeded(t)
	var waves, violated, real atomic.Int64
	t.Run("kinds", func(t *testing.T) {
		for _, kind := range []struct {
			name   string
			passes bool
		}{
			{"trouble that passes", true},
			{"anything", false},
		} {
			t.Run(kind.name, func(t *testing.T) {
				t.Parallel()
				rapid.Check(t, func(t *rapid.T) {
					s := drawScene(t, kind.passes)
					waves.Add(1)
					found, took := s.judge(t)
					if took {
						real.Add(1)
					}
					if len(found) > 0 {
						violated.Add(1)
						t.Fatalf("%s", s.failure(found))
					}
				})
			})
		}
	})
	fmt.Printf("property: %d waves, %d violations; %d took instances out of service\n", waves.Load(), violated.Load(), real.Load())
	if violated.Load() > 0 {
		return // the small ones that it shrinks to would count
	}
	require.Greater(t, real.Load(), waves.Load()/2, "too many waves were refused before they began: they show nothing")
}

// judge plays the scene and lists what is wrong afterwards. It also tells whether the wave took any instance out.
func (s scene) judge(t tester) (wrong []string, took bool) {
	p := s.run(t)
	took = len(p.effects("EnterStandby"))+len(p.effects("DeregisterTargets")) > 0
	found := p.violations()
	if p.gaveUp || len(s.Others)+len(s.Faults) > 0 || s.Patch == patchBreaksSome || s.Patch == patchBreaksAll {
		return found, took
	}
	for _, trouble := range s.Calls {
		if trouble.Times == forGood {
			return found, took
		}
	}
	// Trouble that passes leaves nothing behind.
	for _, left := range p.stranded {
		found = append(found, fmt.Sprintf("trouble that passes left %s: %s", left.Resource, left.State))
	}
	for id, outcome := range p.outcomes {
		// A plan that keeps nothing to put back quarantines what fails once it is patched, whatever the trouble was.
		if outcome == patch.Quarantined && s.Plan.Restore == "" || outcome == patch.Gone {
			found = append(found, fmt.Sprintf("trouble that passes left %s %s", id, outcome))
		}
	}
	return found, took
}

func (s scene) failure(found []string) string {
	return fmt.Sprintf("%s\nreproduce: PATCHTIDE_SCENE='%s' go test ./workflows -run TestPropertyKept -v", strings.Join(found, "\n"), s)
}

// TestPropertyKept plays the scenes that once found a defect, and the one that PATCHTIDE_SCENE holds.
func TestPropertyKept(t *testing.T) {
	scenes := append([]keptScene{}, keptScenes...)
	if given := os.Getenv("PATCHTIDE_SCENE"); given != "" {
		scenes = []keptScene{{"given", given}}
	}
	for _, kept := range scenes {
		t.Run(kept.name, func(t *testing.T) {
			var s scene
			decoder := json.NewDecoder(strings.NewReader(kept.scene))
			decoder.DisallowUnknownFields()
			require.NoError(t, decoder.Decode(&s))
			found, took := s.judge(t)
			require.True(t, took, "the wave was refused before it began: it shows nothing")
			if len(found) > 0 {
				t.Error(s.failure(found))
			}
		})
	}
}

type keptScene struct{ name, scene string }

// keptScenes are counterexamples, each as small as it would shrink, named for what was wrong.
var keptScenes = []keptScene{
	{
		"somebody scaled the group to its max while an instance was out that then left for good: the end of the surge left it one short",
		`{"Groups":[{"Members":1,"Headroom":1,"Zones":1}],"Patch":"breaks everything","Plan":{"MaxFailures":1,"Backup":"none","Restore":"replace","Bake":240},` +
			`"Faults":[{"Kind":"reboot_hangs","Times":-1}],"Others":[{"At":{"On":"StartAutomationExecution","Nth":1,"Delay":1},"Do":"scale out","By":1}]}`,
	},
	{
		"an instance that somebody registered in one more place was measured as out of service, although it served as before",
		`{"Groups":[{"Members":5,"Headroom":2}],"Plan":{"Bake":240},"Others":[{"At":{"On":"EnterStandby","Nth":3},"Do":"register elsewhere"}]}`,
	},
	{
		"a quarantined instance of a tag group was not counted as out when the next one went",
		`{"Staging":2,"Groups":[{"Members":1}],"Plan":{"Restore":"none"},"Faults":[{"Kind":"install_fails"}],"Decide":["retry"]}`,
	},
	{
		"room was made for an instance that had not left standby, and max stayed raised",
		`{"Groups":[{"Members":1}],"Plan":{},"Calls":[{"On":"ExitStandby","Kind":"denied"}]}`,
	},
	{
		"somebody scaled out by one while a surge waited for its raise of max to show, and was taken for the surge",
		`{"Groups":[{"Members":4,"Slack":2,"Zones":2}],"Plan":{"Capacity":"surge"},"ScalingLag":5,"Others":[{"At":{"On":"UpdateAutoScalingGroup","Delay":1},"Do":"scale out"}]}`,
	},
	{
		"a raise of max that reads did not show yet was taken for somebody else's, and stayed",
		`{"Groups":[{"Members":1}],"Plan":{},"ScalingLag":2}`,
	},
	{
		"an instance that came meanwhile and is stranded excused nothing of its group",
		`{"Groups":[{"Members":1,"Headroom":1,"Zones":1}],"Patch":"breaks everything","Plan":{"MaxFailures":1,"MaxParallel":1,"Service":true,"Backup":"none","Restore":"replace","Bake":240},"ScalingLag":5,"ReadLag":5,"Faults":[{"Kind":"reboot_hangs","Times":-1},{"Kind":"root_replace_fails","Nth":1}],"Others":[{"At":{"On":"StartAutomationExecution","Nth":1,"Delay":1},"Do":"scale out","Group":2,"By":1}]}`,
	},
	{
		"a stage that may carry a failure went on for ever, since its group had nobody left to take",
		`{"Staging":1,"Groups":[{"Members":1}],"Patch":"breaks everything","Plan":{"Restore":"none","MaxFailures":1}}`,
	},
}
