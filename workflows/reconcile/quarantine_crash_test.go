package reconcile_test

import (
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

// A wave that dies in the middle of a quarantine has it finished by Reconcile, from the record that was written first.
func TestReconcileFinishesAQuarantine(t *testing.T) {
	for _, c := range []struct {
		account   string
		operation string
		nth       int // of the wave's calls
	}{
		{"production", "DetachInstances", 1},
		{"production", "SetDesiredCapacity", 1},
		{"production", "ModifyNetworkInterfaceAttribute", 1},
		{"production", "ModifyNetworkInterfaceAttribute", 2},
		{"staging", "ModifyNetworkInterfaceAttribute", 1},
	} {
		t.Run(c.account+" "+c.operation, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Fleet: wavetest.WithIsolation(wavetest.Unrestorable(c.account, nil)),
				Config: wavetest.PlanWith(wavetest.Isolates...),
			})
			scene.EachRegion(func(region *world.Region) {
				for _, instance := range region.Instances() {
					instance.AddInterface(instance.SecurityGroups)
				}
			})
			scene.Decide = []patch.Verb{patch.Abort}
			scene.DieAt(scene.AccountID(c.account), c.operation, c.nth)
			result := scene.Reconcile(workflows.ReconcileRequest{}, time.Hour)
			require.Empty(t, result.Failed, "%+v", result.Failed)
			require.NotEmpty(t, result.Healed)
			require.Empty(t, scene.Marks())
			list, err := scene.EndQuarantine(workflows.QuarantineRequest{})
			require.NoError(t, err)
			require.Len(t, list.Instances, 1)
			id := list.Instances[0].Instance
			require.Equal(t, []string{"quarantined", "quarantined"}, groupsOf(scene, id))
			newcomers := 0
			if c.account == "production" {
				newcomers = 1
			}
			scene.RequireInvariants(nil, wavetest.Except{Newcomers: newcomers, Out: []string{id}})
		})
	}
}

// A release that dies is finished where the instance is back and well; else it is in quarantine again. Its group has
// the capacity it had in either case.
func TestReconcileEndsARelease(t *testing.T) {
	for _, c := range []struct {
		operation string
		nth       int
		ill       bool
		released  bool
	}{
		{"CreateTags", 1, false, false},
		{"ModifyNetworkInterfaceAttribute", 1, false, false},
		{"TerminateInstanceInAutoScalingGroup", 1, false, false},
		{"AttachInstances", 1, false, true},
		{"AttachInstances", 1, true, false},
		{"ResumeProcesses", 1, false, true},
		{"DeleteTags", 1, false, true},
	} {
		t.Run(c.operation, func(t *testing.T) {
			scene, id := quarantineOne(t, "production", wavetest.Sized(2, 4, 4))
			dieEnding(scene, wavetest.ReleaseRequest(id), wavetest.Production, c.operation, c.nth)
			if c.ill {
				findInstance(scene, id, func(instance *world.Instance) { instance.StopApp() })
			}
			result := scene.Reconcile(workflows.ReconcileRequest{}, 8*time.Hour)
			require.Empty(t, result.Failed, "%+v", result.Failed)
			require.NotEmpty(t, result.Healed)
			require.Empty(t, scene.Marks())
			scene.Sim.Inspect(func(w *world.World) { w.Advance(w.Now().Add(wavetest.Settled)) })
			scene.Production(func(g *world.ScalingGroup) {
				require.Equal(t, 4, g.Desired)
				require.Len(t, g.Members(), 4)
				require.Empty(t, g.Suspended)
				require.Equal(t, c.released, g.Member(id) != nil)
			})
			want := []string{"quarantined", "quarantined"}
			if c.released {
				want = []string{"default", "default"}
			}
			require.Equal(t, want, groupsOf(scene, id))
			require.Equal(t, !c.released, quarantineTag(scene, id) != "")
		})
	}
}

// dieEnding cuts the worker off right after a call of a release took effect, and ends its workflows without any code.
func dieEnding(scene *wavetest.Scene, request workflows.QuarantineRequest, account, operation string, nth int) {
	scene.T.Helper()
	var reached, cut atomic.Bool
	scene.AtCall(account, operation, nth, func() { reached.Store(true) })
	scene.Wire.Through(func(request *http.Request, next http.RoundTripper) (*http.Response, error) {
		if cut.Load() {
			return nil, errors.New("no route")
		}
		response, err := next.RoundTrip(request)
		cut.Store(reached.Load())
		return response, err
	})
	scene.QuarantineDies = true
	_, err := scene.EndQuarantine(request)
	scene.QuarantineDies = false
	require.Error(scene.T, err)
	require.True(scene.T, reached.Load(), "the release never called %s #%d", operation, nth)
	scene.Sim.SetInterceptor(nil)
	scene.Wire.Through(nil)
}
