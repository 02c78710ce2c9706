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

func TestAnInstanceThatSomebodyTerminatesIsGone(t *testing.T) {
	for _, step := range []patch.Step{patch.StepStandby, patch.StepInstall, patch.StepReturn, patch.StepBake} {
		t.Run(string(step), func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
			scene.Decide = []patch.Verb{patch.Skip, patch.Skip}
			victim := ""
			scene.WhenAtStep(step, func(instance string) {
				victim = instance
				scene.Sim.Inspect(func(w *world.World) {
					w.Account(wavetest.Production).Region(wavetest.Tokyo).Instance(instance).Terminate()
				})
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.NotEmpty(t, victim)
			group := result.Stages[1].Groups[0]
			at := slices.IndexFunc(group.Instances, func(i patch.InstanceResult) bool { return i.ID == victim })
			require.Equal(t, patch.Gone, group.Instances[at].Outcome, "%+v", group.Instances[at])
			scene.RequireInvariants(result, wavetest.Except{Newcomers: 1, Out: []string{victim}})
		})
	}
}

// An instance that EC2 does not list for as long as that is believed, and lists again right after, is not gone: it is
// out of service, as an undo has found it, and comes back.
func TestAnInstanceThatIsListedAgainComesBack(t *testing.T) {
	for _, c := range []struct {
		name, account, id string
		stage             int
	}{
		{"of an Auto Scaling group", "production", wavetest.Production, 1},
		{"chosen by tags", "staging", wavetest.Staging, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy",
				Fleet:    wavetest.WithFaults(nil, world.WorldFault{Kind: world.FaultInstallFails, Account: c.account}),
			})
			scene.Decide = []patch.Verb{patch.Abort}
			var mu sync.Mutex
			var since time.Time                           // of the first empty answer
			replaced, proven, over := false, false, false // its root volume; what was put back; EC2's silence
			scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
				mu.Lock()
				defer mu.Unlock()
				switch {
				case call.Account != c.id || over:
				case call.Operation == "CreateReplaceRootVolumeTask":
					replaced = true
				case call.Operation == "CreateTags" && call.Service == "ec2":
					proven = replaced
				case proven && call.Operation == "DescribeInstances":
					if since.IsZero() {
						since = call.Time
					}
					over = call.Time.Sub(since) >= patch.DefaultTiming().ReadLag.D() // this answer is believed, and is the last
					return awssim.Fault{Kind: awssim.FaultEmpty}
				}
				return awssim.Fault{}
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.True(t, over, "nobody took it for gone")
			first := result.Stages[c.stage].Groups[0].Instances[0]
			require.Equal(t, patch.RolledBack, first.Outcome, "%+v", first)
			require.Contains(t, strings.Join(first.Notes, "\n"), "EC2 lists it again")
			require.Empty(t, result.Stranded)
			scene.RequireInvariants(result, wavetest.Except{})
		})
	}
}
