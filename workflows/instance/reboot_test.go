package instance_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

const staysUp = "Systems Manager lists as InstalledPendingReboot"

// rebootsBy is production's plan with a word on reboots in its stage, whatever the plan says.
func rebootsBy(ofStage string, pairs ...string) func([]byte) []byte {
	return wavetest.ProductionOnly(wavetest.PlanWith(append([]string{
		"approval: {required: true, timeout: 24h}", "approval: {required: false}\n        reboot: " + ofStage,
	}, pairs...)...))
}

// TestWhoIsRebooted: by what the stage says, what was installed, and what the machine says of it.
func TestWhoIsRebooted(t *testing.T) {
	needsNone := func(s *world.Scenario) {
		for i := range s.Patches {
			s.Patches[i].Reboot = false
		}
	}
	for _, c := range []struct {
		name, reboot string
		fleet        func(*world.Scenario)
		machine      func(*world.Instance)
		boots        bool
		outcome      patch.Outcome
		waits        []string
		notes        []string // parts of them
	}{
		{name: "always", reboot: "always", boots: true, outcome: patch.Patched},
		{name: "always, and nothing asks for it", reboot: "always", fleet: needsNone, boots: true, outcome: patch.Patched},
		{
			name: "if required, and it is", reboot: "if_required", boots: true, outcome: patch.Patched,
			notes: []string{"rebooted, since the machine needs a reboot for kernel, by needs-restarting"},
		},
		{
			name: "if required, and it is not", reboot: "if_required", fleet: needsNone, outcome: patch.Patched,
			notes: []string{staysUp},
		},
		{
			name: "if required, and nothing there can tell", reboot: "if_required", fleet: needsNone, boots: true,
			machine: func(i *world.Instance) { i.MuteReboot = true }, outcome: patch.Patched,
			notes: []string{"rebooted, since packages changed, and nothing on the machine tells whether it needs a reboot"},
		},
		{
			name: "if required, and its kernel is patched in memory", reboot: "if_required", outcome: patch.Patched,
			machine: func(i *world.Instance) { i.LivePatches = []string{"kpatch_6_1_1"} },
			notes:   []string{staysUp, "live-patched: its kernel ", "runs with kpatch_6_1_1; for its next reboot waits kernel"},
		},
		{
			name: "always, though its kernel is patched in memory", reboot: "always", boots: true, outcome: patch.Patched,
			machine: func(i *world.Instance) { i.LivePatches = []string{"kpatch_6_1_1"} },
		},
		{
			name: "never, and it needs one", reboot: "never", outcome: patch.PatchedRebootPending,
			waits: []string{"kernel.x86_64"}, notes: []string{"waits for a reboot, which this wave leaves to others: kernel"},
		},
		{
			name: "never, and it needs none", reboot: "never", fleet: needsNone, outcome: patch.Patched,
			notes: []string{staysUp},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: rebootsBy(c.reboot), Fleet: c.fleet})
			boots := map[string]string{}
			scene.Production(func(g *world.ScalingGroup) {
				for _, member := range g.Members() {
					boots[member.Instance.ID] = member.Instance.BootID()
					if c.machine != nil {
						c.machine(member.Instance)
					}
				}
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
			require.NotEmpty(t, result.Stages[0].Groups[0].Instances)
			scene.Production(func(g *world.ScalingGroup) {
				for _, member := range g.Members() {
					require.Equal(t, c.boots, member.Instance.BootID() != boots[member.Instance.ID])
				}
			})
			for _, instance := range result.Stages[0].Groups[0].Instances {
				require.Equal(t, c.outcome, instance.Outcome, instance.Reason)
				require.Equal(t, c.waits, instance.RebootPending)
				for _, want := range c.notes {
					require.True(t, slices.ContainsFunc(instance.Notes, func(note string) bool {
						return strings.Contains(note, want)
					}), "%q in %q", want, instance.Notes)
				}
				if !slices.Contains(c.notes, staysUp) && c.reboot != "never" {
					require.NotContains(t, strings.Join(instance.Notes, " "), staysUp)
				}
			}
			require.Empty(t, scene.Untrue(result))
			scene.RequireInvariants(result, wavetest.Except{})
		})
	}
}

// What a wave that reboots where it is required has left without a reboot, no later wave takes out again for what
// Systems Manager calls pending.
func TestWhatNeedsNoRebootIsNotTakenOutAgain(t *testing.T) {
	for name, machine := range map[string]func(*world.Instance){
		"nothing needs one":          func(*world.Instance) {},
		"its kernel is live-patched": func(i *world.Instance) { i.LivePatches = []string{"kpatch_6_1_1"} },
	} {
		t.Run(name, func(t *testing.T) {
			live := strings.Contains(name, "live")
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Config: rebootsBy("if_required"), Fleet: func(s *world.Scenario) {
					for i := range s.Patches {
						s.Patches[i].Reboot = s.Patches[i].Reboot && live
					}
				},
			})
			scene.Production(func(g *world.ScalingGroup) {
				for _, member := range g.Members() {
					machine(member.Instance)
				}
			})
			var first, second *patch.WaveResult
			out := 0
			scene.Play(func(story wavetest.Story) {
				first = story.Wave("first")
				out = len(scene.Effects("EnterStandby"))
				story.Later(time.Hour)
				second = story.Wave("second")
			})
			require.Equal(t, patch.Succeeded, first.Outcome)
			require.Equal(t, patch.Succeeded, second.Outcome)
			require.Len(t, scene.Effects("EnterStandby"), out, "nobody was taken out again")
			for _, instance := range second.Stages[0].Groups[0].Instances {
				require.Equal(t, patch.AlreadyCompliant, instance.Outcome, instance.Reason)
				require.Contains(t, strings.Join(instance.Notes, " "), staysUp)
				require.Equal(t, live, strings.Contains(strings.Join(instance.Notes, " "), "live-patched"))
			}
			require.Empty(t, scene.Untrue(second))
		})
	}
}

// A machine that never comes back from a reboot of ours is put back from its snapshot, and told.
func TestAMachineThatHangsInAReboot(t *testing.T) {
	for _, reboot := range []string{"always", "if_required"} {
		t.Run(reboot, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy",
				Config:   rebootsBy(reboot, "then: roll_back", "then: skip"),
				Fleet: func(s *world.Scenario) {
					for i := range s.Patches {
						s.Patches[i].Reboot = s.Patches[i].Reboot && reboot == "if_required"
					}
					s.Faults.World = append(s.Faults.World, world.WorldFault{
						Kind: world.FaultRebootHangs, Account: "production", Times: 1,
					})
				},
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			told := result.Stages[0].Groups[0].Instances
			hung := slices.IndexFunc(told, func(r patch.InstanceResult) bool { return r.Outcome == patch.RolledBack })
			require.GreaterOrEqual(t, hung, 0, "%+v", told)
			require.Contains(t, told[hung].Reason, "it has not come back from its reboot")
			require.Empty(t, result.Stranded)
			scene.RequireInvariants(result, wavetest.Except{})
		})
	}
}

// Replies that are lost reboot nobody twice.
func TestLostRepliesRebootNobodyTwice(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: rebootsBy("if_required")})
	boots := map[string]int{}
	scene.Sim.Inspect(func(w *world.World) {
		w.OnChange(func(c world.Change) {
			if c.What == "booted" {
				boots[c.ID]++
			}
		})
	})
	scene.Sim.AddFault(world.APIFault{Service: "ssm", Operation: "SendCommand", Kind: "lost_reply", Probability: 0.5})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	require.NotEmpty(t, boots)
	for id, count := range boots {
		require.Equal(t, 1, count, id)
	}
	scene.RequireInvariants(result, wavetest.Except{})
}

// Whatever becomes of the calls by which a machine is rebooted, it boots once, and is patched or put back.
func TestTroubleWhileAMachineIsRebooted(t *testing.T) {
	for _, operation := range []string{"SendCommand", "ListCommands", "ListCommandInvocations", "GetCommandInvocation"} {
		for kind, fault := range map[string]awssim.Fault{
			"error":                {Kind: awssim.FaultError},
			"lost reply":           {Kind: awssim.FaultLostReply},
			"throttled":            {Kind: awssim.FaultThrottle},
			"too late, and done":   {Kind: awssim.FaultTimeout, Effect: true},
			"too late, not done":   {Kind: awssim.FaultTimeout},
			"the list has nothing": {Kind: awssim.FaultEmpty},
		} {
			if kind == "the list has nothing" && !strings.HasPrefix(operation, "List") {
				continue
			}
			t.Run(operation+"/"+kind, func(t *testing.T) {
				scene := wavetest.New(t, wavetest.Options{
					Scenario: "healthy", Config: rebootsBy("if_required"), Fleet: wavetest.Sized(0, 2, 3),
				})
				boots := map[string]int{}
				scene.Sim.Inspect(func(w *world.World) {
					w.OnChange(func(c world.Change) {
						if c.What == "booted" {
							boots[c.ID]++
						}
					})
				})
				var mu sync.Mutex
				left := 0
				scene.WhenAtStep(patch.StepReboot, func(string) {
					mu.Lock()
					defer mu.Unlock()
					left = 2
				})
				struck := 0
				scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
					mu.Lock()
					defer mu.Unlock()
					if call.Operation != operation || left == 0 {
						return awssim.Fault{}
					}
					left, struck = left-1, struck+1
					return fault
				})
				result, err := scene.Run(wavetest.WebWave)
				require.NoError(t, err)
				require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
				require.Positive(t, struck)
				for id, count := range boots {
					require.Equal(t, 1, count, id)
				}
				require.Empty(t, scene.Untrue(result))
				scene.RequireInvariants(result, wavetest.Except{})
			})
		}
	}
}
