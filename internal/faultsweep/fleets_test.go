package faultsweep

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// fleet is a way in which a group is patched, of which each call is tried.
type fleet struct {
	name    string
	surges  bool   // room is made by one more, else by one less
	weighs  bool   // its numbers count weights
	full    bool   // its max is its desired
	stopped bool   // one of staging is stopped, is started for its patches, and stopped again
	several bool   // two are out at once: what each of them calls is certain, and who calls first is chance
	whole   bool   // it is left out of the slice that everybody runs, which has no time for it, or is to leave no chance
	plan    string // what the plan says beside
	tried   string // only calls of activities whose name matches it: the others are tried without
	asks    string // only calls of an operation whose name matches it
	bound   bool   // production to what staging proves, while repositories publish newer versions; the most exposed first
	dropped bool   // and serve what staging proved no more: production is refused what it cannot get
	nodes   bool   // what is patched are managed nodes
	metric  bool   // judges production's, which has as many errors as ever
	served  bool   // by a load balancer, which sends them requests
	image   bool   // production's root volumes are replaced by the image that a group of its account proves
	number  bool   // production names the version of its launch template by its number
	copied  bool   // they are by the one that staging proves, in its own account
}

var fleets = []fleet{
	{name: "decrement"},
	{name: "surge", surges: true},
	{name: "two", several: true, whole: true},
	{name: "two more", surges: true, several: true, whole: true},
	{name: "weights", weighs: true, whole: true, tried: "Standby"},
	{name: "full weights", weighs: true, full: true, whole: true, tried: "Standby"},
	{name: "stopped", stopped: true, whole: true, tried: "Started$|Stopped"},
	{name: "hooked", whole: true, tried: "Hook", plan: hooks},
	{name: "asked", whole: true, tried: "Reboot", plan: "    reboot: if_required\n"}, // machines are asked, and rebooted by us
	{name: "bound", whole: true, tried: "Pinned|Manifest|Carried|Install$|Exposure", bound: true},
	{name: "bound, dropped", whole: true, tried: "Pinned|Manifest|Exposure", bound: true, dropped: true},
	{name: "nodes", nodes: true, served: true, whole: true},
	{name: "loose nodes", nodes: true, whole: true},
	{name: "webhooks", whole: true, asks: "Webhook", plan: webhooksPlan},
	{
		name: "image", whole: true, plan: "    image: patched_instance\n",
		tried: "Image|Launch|Trial|MakeVersion|SetDefault",
	},
	{
		name: "image by number", number: true, whole: true, plan: "    image: patched_instance\n",
		tried: "MakeVersion|NameVersion",
	},
	{name: "image method", image: true, whole: true, tried: "Restore|Replaced|Image|Donors"},
	{name: "image copied", copied: true, whole: true, tried: "Copy|Share|Unshare|AwaitImage|KeepRootImage"},
	{name: "measured", metric: true, whole: true, asks: "GetMetricData"},
}

// unproven is a version that repositories serve once staging is done.
const unproven = "0:99.0-1"

// hooks are commands, documents and a function, with undos.
const hooks = `    hooks:
      before_out: [{name: drain, run: echo drain, in_roll_back: true, undo: {run: echo undrain}}]
      before_snapshot: [{name: stop, run: echo stop, undo: {run: echo start}}]
      before_install: [{name: note, document: AWS-RunShellScript, parameters: {commands: "echo note"}}]
      after_install: [{name: warm-up, lambda: {function: warm-up}, undo: {lambda: {function: warm-up}}}]
      after_in: [{name: smoke, run: echo smoke, on_failure: hold}]
`

func fleetNamed(name string) fleet {
	return fleets[slices.IndexFunc(fleets, func(fleet fleet) bool { return fleet.name == name })]
}

// sweepScene is a scene with short bakes and rare looks: what a sweep looks for does not hide in how often a wait asks.
func sweepScene(t *testing.T, name string) *wavetest.Scene {
	of := fleetNamed(name)
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy",
		Config: func(file []byte) []byte {
			if of.nodes {
				file = wavetest.TillPlan(file)
			}
			if of.image {
				file = wavetest.ByImage(file)
			}
			if of.copied {
				file = wavetest.FromElsewhere("staging", wavetest.Tokyo)(file)
			}
			// Production's must leave its alarm the time to ring.
			// What is skipped in staging lets production begin all the same: its calls are to be made.
			file = bytes.Replace(file, []byte("bake: 10m"), []byte("bake: 30s\n        promote: with_skips"), 1)
			file = bytes.Replace(file, []byte("bake: 5m"), []byte("bake: 3m"), 1)
			if of.metric {
				file = bytes.Replace(wavetest.Measured(file), []byte("bake: 3m"), []byte("bake: 6m"), 1)
			}
			if of.several {
				file = bytes.ReplaceAll(file, []byte("max_unavailable: 1"), []byte("max_unavailable: 2"))
			}
			if of.stopped {
				file = bytes.Replace(file, []byte("bake: 30s\n"), []byte("bake: 30s\n        stopped: start_and_stop\n"), 1)
			}
			if of.bound {
				file = bytes.ReplaceAll(file, []byte("max_unavailable: 1\n"), []byte("max_unavailable: 1\n        order: exposure\n"))
				file = wavetest.Bound(file)
			}
			return bytes.Replace(file, []byte("    stages:"),
				[]byte(of.plan+"    timing: {poll: 60s, health_poll: 30s}\n    stages:"), 1)
		},
		Fleet: func(s *world.Scenario) {
			switch {
			case of.surges:
				wavetest.Sized(4, 4, 4)(s)
			case of.weighs && of.full:
				wavetest.Weighted(8, 16, 16, 4)(s)
			case of.weighs:
				wavetest.Weighted(8, 16, 24, 4)(s)
			case of.dropped: // a group of one: what is decided at its hold ends the wave
				wavetest.Sized(0, 1, 2)(s)
			case of.stopped:
				wavetest.Untargeted(2)(s)
			case of.image:
				wavetest.WithAPI(nil)(s)
			case of.copied:
				wavetest.StagingIn("staging", wavetest.Tokyo)(s)
			case of.nodes && of.served:
				wavetest.Tills("web-2.3", "tills")(s)
			case of.nodes:
				wavetest.Tills("web-2.3")(s)
			}
			for account := range s.Accounts {
				for region := range s.Accounts[account].Regions {
					s.Accounts[account].Regions[region].Functions = []world.FunctionSpec{{Name: "warm-up"}}
				}
			}
		},
	})
	if of.stopped {
		scene.Sim.Inspect(func(w *world.World) {
			require.NoError(t, w.Account(wavetest.Staging).Region(wavetest.Tokyo).Instances()[0].Stop())
		})
		scene.Env.SetStartTime(scene.Env.Now().Add(10 * time.Minute)) // somebody has stopped it a while ago
	}
	if of.number {
		scene.Production(func(group *world.ScalingGroup) { group.TemplateVersion = "1" })
	}
	if of.plan == webhooksPlan {
		listen(scene)
	}
	if of.metric {
		scene.Serving(0, func(bool, int) wavetest.Minute { return wavetest.Saw(100, 1) })
	}
	if of.bound {
		scene.MakeLists()
		scene.When(wavetest.InState(patch.StateAwaitingApproval), func(patch.WaveStatus) {
			scene.Sim.Inspect(func(w *world.World) {
				if of.dropped {
					wavetest.Supersede(w, "curl-minimal.x86_64", unproven)
				} else {
					wavetest.Publish(w, "curl-minimal.x86_64", unproven)
				}
			})
		})
	}
	if of.dropped {
		scene.Decide = []patch.Verb{patch.Skip}
	}
	scene.OwnersStay()
	scene.Intercept(&attempts{})
	return scene
}
