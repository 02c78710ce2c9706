package property

import (
	"flag"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// usual is what `go test` draws by: a change is judged by the same waves as the one before it. `make property` draws
// new ones each time, and more.
var usual = map[string]string{"rapid.seed": "11", "rapid.checks": "60"}

// usualShort is how many checks are asked for under -short, of which rapid makes a fifth: fewer would show too little.
const usualShort = "100"

// asUsual tells rapid what nobody has told it otherwise.
func asUsual(t *testing.T) {
	given := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
	for name, value := range usual {
		if name == "rapid.checks" && testing.Short() {
			value = usualShort
		}
		if !given[name] {
			require.NoError(t, flag.Set(name, value))
		}
	}
}

// TestPropertyWave plays waves that are drawn at random and judges each from the simulator. The flag -rapid.checks says
// how many of each kind; `make property` plays thousands.
func TestPropertyWave(t *testing.T) {
	asUsual(t)
	var waves, violated, real, parked, wentOn atomic.Int64
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
					s := drawScript(t, kind.passes)
					waves.Add(1)
					found, seen := s.judge(t)
					tally(&real, seen.took)
					tally(&parked, seen.parked)
					tally(&wentOn, seen.wentOn)
					if len(found) > 0 {
						violated.Add(1)
						t.Fatalf("%s", s.failure(found))
					}
				})
			})
		}
	})
	fmt.Printf("property: %d waves, %d violations; %d took instances out of service, "+
		"%d parked and %d of them went on in another window\n",
		waves.Load(), violated.Load(), real.Load(), parked.Load(), wentOn.Load())
	if violated.Load() > 0 {
		return // the small ones that it shrinks to would count
	}
	require.GreaterOrEqual(t, 3*real.Load(), 2*waves.Load(),
		"too many waves were refused before they began: they show nothing")
	require.GreaterOrEqual(t, 10*parked.Load(), waves.Load(), "too few waves waited for a window")
	require.GreaterOrEqual(t, 20*wentOn.Load(), waves.Load(), "too few waves went on in another window")
}

// showed is how much a wave showed.
type showed struct {
	took   bool // an instance out of service
	parked bool
	wentOn bool // after that, in another window
}

func tally(what *atomic.Int64, so bool) {
	if so {
		what.Add(1)
	}
}

// judge plays the script and lists what is wrong afterwards.
func (s script) judge(t wavetest.TB) ([]string, showed) {
	p := s.run(t)
	defer p.Close()
	took := showed{
		took: len(p.Effects("EnterStandby"))+len(p.Effects("DeregisterTargets")) > 0, parked: p.parking.times > 0,
		wentOn: p.parking.wentOn,
	}
	found := p.violations()
	if p.gaveUp || len(s.Nodes.Others)+len(s.Others)+len(s.Faults) > 0 || s.Patch == patchBreaksSome ||
		s.Patch == patchBreaksAll {
		return found, took
	}
	for _, trouble := range s.Calls {
		if trouble.Times == forGood {
			return found, took
		}
	}
	// Trouble that passes leaves nothing behind.
	for _, left := range p.stranded {
		if p.unmendable(left) {
			continue
		}
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

func (s script) failure(found []string) string {
	return fmt.Sprintf("%s\nreproduce: PATCHTIDE_SCENE='%s' go test ./internal/property -run TestPropertyKept -v",
		strings.Join(found, "\n"), s)
}
