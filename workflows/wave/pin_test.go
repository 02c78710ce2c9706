package wave_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// pinned is the example's fleet and plan, whose production is bound to what staging proves.
func pinned(scenario string, fleet func(*world.Scenario)) wavetest.Options {
	return wavetest.Options{
		Scenario: scenario, Fleet: fleet,
		Config: wavetest.PlanWith(
			"\nplans:\n", "\nmanifests: s3://"+wavetest.ListsBucket+"/lists\nplans:\n",
			"    baseline: amazon-linux-2023\n", "    baseline: amazon-linux-2023\n    pin: manifest\n"),
	}
}

// published is a patch that the repositories serve from now on; dropped is one that they serve no more.
func published(scene *wavetest.Scene, version string) {
	scene.Sim.Inspect(func(w *world.World) { wavetest.Publish(w, "curl-minimal.x86_64", version) })
}

func dropped(scene *wavetest.Scene, id string) {
	scene.Sim.Inspect(func(w *world.World) { wavetest.Drop(w, id) })
}

// onceStagingIsDone does something between staging and production.
func onceStagingIsDone(scene *wavetest.Scene, do func()) {
	done := false
	scene.When(func(status patch.WaveStatus) bool {
		return status.State == patch.StateAwaitingApproval && !done
	}, func(patch.WaveStatus) {
		done = true
		do()
	})
}

// Repositories move on between staging and production: production gets what staging proved, and nothing else.
func TestProductionGetsWhatStagingProved(t *testing.T) {
	const curl, proved, newer = "curl-minimal.x86_64", "0:8.11.1-4.amzn2023.0.3", "0:99.0-1"
	for _, c := range []struct {
		name    string
		fleet   func(*world.Scenario)
		unbound bool
		moves   func(*wavetest.Scene) // between staging and production
		decide  patch.Verb
		outcome patch.Outcome // of each of production's instances
		said    string        // of each
		curl    string        // the version each holds
		out     bool          // they have been taken out
	}{
		{
			name: "nothing has moved", outcome: patch.Patched, curl: proved, out: true,
		},
		{
			name: "a newer version was published", moves: func(s *wavetest.Scene) { published(s, newer) },
			outcome: patch.Patched, said: "not in this wave, for staging has not proved them: " + curl, curl: proved, out: true,
		},
		{
			name: "it was, and nothing binds", moves: func(s *wavetest.Scene) { published(s, newer) },
			unbound: true, outcome: patch.Patched, curl: newer, out: true,
		},
		{
			name: "the repositories have dropped one", moves: func(s *wavetest.Scene) { dropped(s, curl) },
			decide: patch.Abort, outcome: patch.RolledBack, said: "staging proved what it has not got: " + curl + " " + proved,
			curl: "0:8.11.1-4.amzn2023.0.1", out: true,
		},
		{
			name: "machines may not read the list",
			fleet: func(s *world.Scenario) {
				s.Faults.World = append(s.Faults.World, world.WorldFault{
					Kind: world.FaultOverrideUnreadable, Account: "production",
				})
			},
			decide: patch.Abort, outcome: patch.Failed, said: "403 Forbidden", curl: "0:8.11.1-4.amzn2023.0.1", out: true,
		},
		{
			name: "production runs another system", fleet: func(s *world.Scenario) {
				other := s.OperatingSystems[0]
				other.Name, other.Release = "another", "2024.1.20270101"
				s.OperatingSystems = append(slices.Clone(s.OperatingSystems), other)
				s.Images = slices.Clone(s.Images)
				s.Images[1].OS = other.Name
				for _, p := range s.Patches {
					p.OS = other.Name
					s.Patches = append(slices.Clip(s.Patches), p)
				}
			},
			decide: patch.Abort, outcome: patch.Failed,
			said: "it runs amzn 2024, on which staging has proved nothing; it has on: amzn 2023", curl: "0:8.11.1-4.amzn2023.0.1",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			options := pinned("healthy", c.fleet)
			if c.unbound {
				options.Config = nil
			}
			scene := wavetest.New(t, options)
			scene.MakeLists()
			scene.Decide = []patch.Verb{c.decide}
			if c.moves != nil {
				onceStagingIsDone(scene, func() { c.moves(scene) })
			}
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Empty(t, result.Stranded)
			begun := 0
			for _, one := range result.Stages[1].Groups[0].Instances {
				if one.Outcome == patch.NotStarted {
					continue
				}
				begun++
				require.Equal(t, c.outcome, one.Outcome, "%+v", one)
				require.Contains(t, strings.Join(append(one.Notes, one.Reason), "\n"), c.said)
				unproven := strings.HasPrefix(one.Reason, "refused: "+string(patch.SystemNotProven)+": "+one.ID)
				require.Equal(t, c.outcome == patch.Failed && !c.out, unproven, one.Reason)
				scene.Sim.Inspect(func(w *world.World) {
					at := scene.WebIn(w).Region.Instance(one.ID)
					require.Equal(t, c.curl, at.Disk().Version(curl), one.ID)
				})
			}
			require.NotZero(t, begun)
			require.Equal(t, c.out, len(scene.Effects("EnterStandby")) > 0)
			if c.unbound {
				require.Nil(t, result.Stages[1].Pinned)
				return
			}
			require.Nil(t, result.Stages[0].Pinned)
			bound := result.Stages[1].Pinned
			require.Equal(t, 2, bound.Proofs)
			require.Equal(t, "amzn 2023", bound.Systems[0].Name)
			require.Equal(t, 6, bound.Systems[0].Packages)
		})
	}
}

// Whoever aborts while what binds production is being written down does not wait for the bucket.
func TestAnAbortDoesNotWaitForTheManifest(t *testing.T) {
	scene := wavetest.New(t, pinned("healthy", nil)) // there is no bucket
	var told time.Time
	scene.When(func(status patch.WaveStatus) bool {
		return status.Stage == "production" && status.State == patch.StateRunning && told.IsZero()
	}, func(patch.WaveStatus) {
		told = scene.Env.Now()
		scene.MustTake(patch.Abort, wavetest.Because("not tonight"))
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Aborted, result.Outcome)
	require.Contains(t, result.Reason, "aborted: tester: not tonight")
	require.WithinDuration(t, told, scene.Env.Now(), 10*time.Minute)
	require.Empty(t, scene.Effects("EnterStandby"))
}

// Where staging has proved nothing, or that cannot be written down, production is not begun.
func TestWhatCannotBePinnedIsNotBegun(t *testing.T) {
	for _, c := range []struct {
		name, reason string
		answer       patch.Verb
		mends        bool
		outcome      patch.Outcome
	}{
		{"it is mended and tried again", "", patch.Retry, true, patch.Succeeded},
		{"it is aborted", "aborted: tester: not tonight", patch.Abort, false, patch.Aborted},
		{"nobody answers", "aborted: patchtide: nobody answered within 30m", "", false, patch.Aborted},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, pinned("healthy", nil))
			scene.Silent = true
			held := 0
			scene.When(wavetest.InState(patch.StateOnHold), func(status patch.WaveStatus) { // the bucket is not there
				held++
				require.Equal(t, "production", status.Stage)
				require.Contains(t, status.Awaiting, "what the stages before proved could not be written down")
				require.Contains(t, status.Awaiting, "Send retry once that is mended, or abort;")
				require.Equal(t, []patch.Verb{patch.Retry, patch.Abort}, status.Verbs, "there is nothing to skip or to put back")
				if c.mends {
					scene.MakeLists()
				}
				if c.answer != "" {
					scene.MustTake(c.answer, wavetest.Because("not tonight"))
				}
			})
			scene.When(wavetest.InState(patch.StateAwaitingApproval), func(patch.WaveStatus) {
				require.True(t, c.mends)
				scene.MustTake(patch.Approve, wavetest.Because("go"))
			})
			scene.When(func(status patch.WaveStatus) bool {
				return status.Stage == "production" && status.State == patch.StateRunning && held == 0
			}, func(status patch.WaveStatus) {
				require.Contains(t, status.Verbs, patch.Abort)
				require.NotContains(t, status.Verbs, patch.RollBack, "nobody would act on it")
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, 1, held)
			require.Equal(t, c.outcome, result.Outcome, "%+v", result)
			if c.outcome == patch.Aborted {
				require.Contains(t, result.Reason, "production was not begun: it is bound to what the stages before prove")
				require.Contains(t, result.Reason, c.reason)
				require.Empty(t, scene.Effects("EnterStandby"))
			}
		})
	}
}
