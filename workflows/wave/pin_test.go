package wave_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// pinned is the example's fleet and plan, whose production is bound to what staging proves.
func pinned(scenario string, fleet func(*world.Scenario)) wavetest.Options {
	return wavetest.Options{Scenario: scenario, Fleet: fleet, Config: wavetest.Bound}
}

// published is a patch that the repositories serve from now on; dropped is one that they serve no more.
func published(scene *wavetest.Scene, version string) {
	scene.Sim.Inspect(func(w *world.World) { wavetest.Publish(w, "curl-minimal.x86_64", version) })
}

func dropped(scene *wavetest.Scene, id string) {
	scene.Sim.Inspect(func(w *world.World) { wavetest.Drop(w, id) })
}

// inProduction does something to each of production's machines.
func inProduction(scene *wavetest.Scene, do func(*world.Instance)) {
	scene.Sim.Inspect(func(w *world.World) {
		for _, instance := range scene.WebIn(w).Region.Instances() {
			do(instance)
		}
	})
}

// bringing has curl's update bring a package that no machine has.
func bringing(s *world.Scenario) {
	s.Patches = slices.Clone(s.Patches)
	at := slices.IndexFunc(s.Patches, func(p world.Patch) bool { return p.ID == "curl-minimal.x86_64" })
	s.Patches[at].Requires = []string{brought}
	dependency := s.Patches[at]
	dependency.ID, dependency.Version, dependency.Requires = brought, "0:1-1", nil
	s.Patches = append(s.Patches, dependency)
}

const brought = "libnew.x86_64"

// failing has dry installs on production's machines fail so often each; -1: always.
func failing(times int) func(*world.Scenario) {
	return func(s *world.Scenario) {
		s.Faults.World = append(s.Faults.World, world.WorldFault{
			Kind: world.FaultDryInstallFails, Account: "production", Times: times,
		})
	}
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
	const curl, old, proved, newer = "curl-minimal.x86_64", "0:8.11.1-4.amzn2023.0.1", "0:8.11.1-4.amzn2023.0.3", "0:99.0-1"
	for _, c := range []struct {
		name    string
		fleet   func(*world.Scenario)
		unbound bool
		moves   func(*wavetest.Scene) // between staging and production
		decide  patch.Verb
		outcome patch.Outcome // of each of production's instances
		said    string        // of each
		refused patch.RefusalCode
		curl    string // the version each holds
		brings  string // the version of what comes with it
		more    int    // packages that staging got beside the usual six
		out     bool   // they have been taken out
	}{
		{
			name: "nothing has moved", outcome: patch.Patched, curl: proved, out: true,
		},
		{
			name: "an update brings a package that no machine had", fleet: bringing,
			outcome: patch.Patched, curl: proved, brings: "0:1-1", more: 1, out: true,
		},
		{
			name: "a newer version of that package was published", fleet: bringing,
			moves:  func(s *wavetest.Scene) { s.Sim.Inspect(func(w *world.World) { wavetest.Publish(w, brought, "0:2-1") }) },
			decide: patch.Abort, outcome: patch.Failed, refused: patch.ProvenNotInstallable, curl: old, more: 1,
			said: "with it would come, or go, what staging has not proved: " + brought + " 0:2-1; start another wave",
		},
		{
			name: "a dry install fails at first", fleet: failing(1), outcome: patch.Patched, curl: proved, out: true,
		},
		{
			name: "a dry install fails", fleet: failing(-1), decide: patch.Abort, outcome: patch.Failed, curl: old,
			said: "a dry install of what is due; the last command ended: Failed, exit code 1: patchtide: the dry install by dnf",
		},
		{
			name: "one is locked there", decide: patch.Abort, outcome: patch.Failed, refused: patch.ProvenNotInstallable,
			moves: func(s *wavetest.Scene) { inProduction(s, func(i *world.Instance) { i.Lock(curl) }) },
			said:  "it holds " + curl + " " + proved + ": a version lock (" + curl + " " + old + "); take that off", curl: old,
		},
		{
			name: "its repositories are those of an older release", fleet: func(s *world.Scenario) {
				s.Patches = slices.Clone(s.Patches)
				s.Patches[slices.IndexFunc(s.Patches, func(p world.Patch) bool { return p.ID == curl })].Since = "2023.6.20250211"
			},
			moves:  func(s *wavetest.Scene) { inProduction(s, func(i *world.Instance) { i.LockRelease("2023.5.20240708") }) },
			decide: patch.Abort, outcome: patch.Failed, refused: patch.ProvenNotInstallable, curl: old,
			said: "do not serve " + curl + " " + proved + "; its repositories are those of release 2023.5.20240708, and staging " +
				"runs 2023.6.20250211: `dnf upgrade --releasever=2023.6.20250211` brings it there",
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
			decide: patch.Abort, outcome: patch.Failed, refused: patch.ProvenNotInstallable, curl: old,
			said: "what staging proved cannot be installed on it, by a dry install: its repositories do not serve " + curl + " " +
				proved + "; have them serve that, or start another wave",
		},
		{
			name: "the repositories have dropped all, so that a scan finds nothing", moves: func(s *wavetest.Scene) {
				s.Sim.Inspect(func(w *world.World) { w.Scenario.Patches = nil })
			},
			decide: patch.Abort, outcome: patch.Failed, refused: patch.ProvenNotInstallable, curl: old,
			said: "its repositories do not serve " + curl + " " + proved,
		},
		{
			name: "production's own baseline approves nothing of it", decide: patch.Abort, outcome: patch.AlreadyCompliant, curl: old,
			moves: func(s *wavetest.Scene) {
				s.Sim.Inspect(func(w *world.World) {
					for _, baseline := range s.WebIn(w).Region.Baselines() {
						baseline.Rejected = []string{"*"}
					}
				})
			},
			said: "staging has proved newer versions of 6 packages that it has, and its baseline approves none",
		},
		{
			name: "machines may not read the list",
			fleet: func(s *world.Scenario) {
				s.Faults.World = append(s.Faults.World, world.WorldFault{
					Kind: world.FaultOverrideUnreadable, Account: "production",
				})
			},
			decide: patch.Abort, outcome: patch.Failed, refused: patch.ListNotReadable, curl: old,
			said: "with its own role: S3 answers 403 AccessDenied; let the role of its instance profile do s3:GetObject",
		},
		{
			name: "production runs another system", fleet: func(s *world.Scenario) {
				other := s.OperatingSystems[0]
				other.Name, other.Release = "another", "2024.1.20270101"
				other.Packages = maps.Clone(other.Packages)
				other.Packages["system-release.noarch"] = "0:2024.1.20270101-0.amzn2024"
				s.OperatingSystems = append(slices.Clone(s.OperatingSystems), other)
				s.Images = slices.Clone(s.Images)
				s.Images[1].OS = other.Name
				for _, p := range s.Patches {
					p.OS = other.Name
					s.Patches = append(slices.Clip(s.Patches), p)
				}
			},
			decide: patch.Abort, outcome: patch.Failed, refused: patch.SystemNotProven, curl: old,
			said: "it runs amzn 2024, on which staging has proved nothing; it has on: amzn 2023",
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
				if c.refused != "" {
					require.Contains(t, one.Reason, "refused: "+string(c.refused)+": "+one.ID+": ")
				}
				scene.Sim.Inspect(func(w *world.World) {
					at := scene.WebIn(w).Region.Instance(one.ID)
					require.Equal(t, c.curl, at.Disk().Version(curl), one.ID)
					require.Equal(t, c.brings, at.Disk().Version(brought), one.ID)
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
			require.Equal(t, 6+c.more, bound.Systems[0].Packages)
		})
	}
}

// What repositories drop once a machine is out is missing there after its install, which exits well all the same: it is
// named, and the machine put back.
func TestWhatIsDroppedWhileAMachineIsOutIsNamed(t *testing.T) {
	const curl, old, proved = "curl-minimal.x86_64", "0:8.11.1-4.amzn2023.0.1", "0:8.11.1-4.amzn2023.0.3"
	scene := wavetest.New(t, pinned("healthy", nil))
	scene.MakeLists()
	scene.Decide = []patch.Verb{patch.Abort}
	gone := false
	scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		if call.Operation == "EnterStandby" && !gone {
			gone = true
			scene.Later(func() { dropped(scene, curl) })
		}
		return awssim.Fault{}
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Empty(t, result.Stranded)
	failed := result.Stages[1].Groups[0].Instances
	failed = failed[slices.IndexFunc(failed, func(i patch.InstanceResult) bool { return i.Outcome != patch.NotStarted }):]
	require.Equal(t, patch.RolledBack, failed[0].Outcome, "%+v", failed[0])
	require.Contains(t, failed[0].Reason, "staging proved what it has not got: "+curl+" "+proved)
	scene.Sim.Inspect(func(w *world.World) {
		require.Equal(t, old, scene.WebIn(w).Region.Instance(failed[0].ID).Disk().Version(curl))
	})
}

// The release of Amazon Linux 2023 is set as what it is, a package: production's machines run staging's afterwards, and
// their repositories are those of that release.
func TestTheReleaseComesWithTheList(t *testing.T) {
	const release, before, after = "system-release.noarch", "0:2023.6.20250211-0.amzn2023", "0:2023.7.20250331-0.amzn2023"
	scene := wavetest.New(t, pinned("healthy", func(s *world.Scenario) {
		s.OperatingSystems = slices.Clone(s.OperatingSystems)
		s.OperatingSystems[0].Packages = maps.Clone(s.OperatingSystems[0].Packages)
		s.OperatingSystems[0].Packages[release] = before
		newer := s.Patches[0]
		newer.ID, newer.Version, newer.Requires = release, after, nil
		s.Patches = append(slices.Clone(s.Patches), newer)
	}))
	scene.MakeLists()
	onceStagingIsDone(scene, func() {
		scene.Sim.Inspect(func(w *world.World) { wavetest.Publish(w, release, "0:2023.8.20250601-0.amzn2023") })
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	scene.Production(func(g *world.ScalingGroup) {
		for _, member := range g.Members() {
			require.Equal(t, after, member.Instance.Disk().Version(release))
		}
	})
	for _, stage := range result.Stages {
		for _, one := range stage.Groups[0].Instances {
			var details patch.InstanceDetails
			require.NoError(t, scene.Store.GetInstance(t.Context(), result.WaveID, one.ID, &details))
			require.Equal(t, []string{"2023.6.20250211", "2023.7.20250331"}, []string{details.Before.Release, details.After.Release})
		}
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
