package workflows_test

import (
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
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
			b := newBench(t, benchOptions{scenario: "healthy", fleet: withIsolation(unrestorable(c.account, nil)), config: plan(isolates...)})
			b.eachRegion(func(region *world.Region) {
				for _, instance := range region.Instances() {
					instance.AddInterface(instance.SecurityGroups)
				}
			})
			b.decide = []patch.Verb{patch.Abort}
			b.die(b.accountID(c.account), c.operation, c.nth)
			result := b.reconcile(workflows.ReconcileRequest{}, time.Hour)
			require.Empty(t, result.Left, "%+v", result.Left)
			require.NotEmpty(t, result.Healed)
			require.Empty(t, b.marks())
			list, err := b.settle(workflows.QuarantineRequest{})
			require.NoError(t, err)
			require.Len(t, list.Instances, 1)
			id := list.Instances[0].Instance
			require.Equal(t, []string{"quarantined", "quarantined"}, b.groupsOf(id))
			newcomers := 0
			if c.account == "production" {
				newcomers = 1
			}
			b.requireInvariants(nil, after{newcomers: newcomers, out: []string{id}})
		})
	}
}

// A release that dies is finished where the instance is back and well; else it is in quarantine again. Its group has the
// capacity it had in either case.
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
			b, id := quarantineOne(t, "production", sized(2, 4, 4))
			b.dieSettling(release(id), accountProduction, c.operation, c.nth)
			if c.ill {
				b.find(id, func(instance *world.Instance) { instance.StopApp() })
			}
			result := b.reconcile(workflows.ReconcileRequest{}, 8*time.Hour)
			require.Empty(t, result.Left, "%+v", result.Left)
			require.NotEmpty(t, result.Healed)
			require.Empty(t, b.marks())
			b.sim.Inspect(func(w *world.World) { w.Advance(w.Now().Add(settled)) })
			b.production(func(g *world.ScalingGroup) {
				require.Equal(t, 4, g.Desired)
				require.Len(t, g.Members(), 4)
				require.Empty(t, g.Suspended)
				require.Equal(t, c.released, g.Member(id) != nil)
			})
			want := []string{"quarantined", "quarantined"}
			if c.released {
				want = []string{"default", "default"}
			}
			require.Equal(t, want, b.groupsOf(id))
			require.Equal(t, !c.released, b.quarantineTag(id) != "")
		})
	}
}

// dieSettling cuts the worker off right after a call of a release took effect, and ends its workflows without any code.
func (b *bench) dieSettling(request workflows.QuarantineRequest, account, operation string, nth int) {
	b.t.Helper()
	var reached, cut atomic.Bool
	b.at(account, operation, nth, func() { reached.Store(true) })
	b.wire.wrap = func(request *http.Request, next http.RoundTripper) (*http.Response, error) {
		if cut.Load() {
			return nil, errors.New("no route")
		}
		response, err := next.RoundTrip(request)
		cut.Store(reached.Load())
		return response, err
	}
	b.mortal = true
	_, err := b.settle(request)
	b.mortal = false
	require.Error(b.t, err)
	require.True(b.t, reached.Load(), "the release never called %s #%d", operation, nth)
	b.sim.SetInterceptor(nil)
	b.wire.wrap = nil
}
