package property

import (
	"fmt"
	"maps"
	"slices"

	"pgregory.net/rapid"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// scriptMove is how the repositories move on at a moment of production.
type scriptMove struct {
	At      moment
	Drop    bool `json:",omitempty"` // they serve the package no more; else a newer version of it
	Package int  `json:",omitempty"` // of those that move
}

// moving are packages of which repositories serve another version, or none, from some moment on.
var moving = []string{"curl-minimal.x86_64", "sqlite-libs.x86_64", "glibc.x86_64"}

// drawPin binds production to what staging proves, and has the repositories move on.
func (s *script) drawPin(t *rapid.T) {
	if s.Staging == 0 || rapid.IntRange(0, 2).Draw(t, "pin") > 0 {
		return
	}
	s.Plan.Pin = true
	s.Moves = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) scriptMove {
		move := scriptMove{
			At:   moment{On: "EnterStandby", Nth: rapid.IntRange(0, 3).Draw(t, "nth")},
			Drop: rapid.IntRange(0, 3).Draw(t, "drop") == 3, Package: rapid.IntRange(0, len(moving)-1).Draw(t, "package"),
		}
		if rapid.Bool().Draw(t, "at an install") { // while a machine is out, of staging perhaps
			move.At = moment{On: "StartAutomationExecution", Nth: rapid.IntRange(0, 12).Draw(t, "install")}
		}
		return move
	}), 0, 2).Draw(t, "moves")
}

// pins is what a wave whose production is bound to staging has shown.
type pins struct {
	catalogue []world.Patch              // as it was at first, without what was dropped before staging had proved it
	before    map[string]map[string]bool // by package: versions that production's machines held before the wave
	proved    map[string]versions        // by instance of staging: what it held as production began; nil: it has not
	moves     int
}

// versions are those of a machine's packages, by name.
type versions map[string]string

func versionsOn(instance *world.Instance) versions {
	held := versions{}
	if disk := instance.Disk(); disk != nil {
		for _, installed := range disk.Packages() {
			held[installed.Name] = installed.Version
		}
	}
	return held
}

// pin notes what production holds, and makes the place for lists.
func (p *play) pin() {
	if !p.script.Plan.Pin {
		return
	}
	p.MakeLists()
	p.Sim.Inspect(func(w *world.World) {
		p.pins.catalogue, p.pins.before = slices.Clone(w.Scenario.Patches), map[string]map[string]bool{}
		for _, instance := range w.Account(wavetest.Production).Region(wavetest.Tokyo).Machines() {
			for name, version := range versionsOn(instance) {
				if p.pins.before[name] == nil {
					p.pins.before[name] = map[string]bool{}
				}
				p.pins.before[name][version] = true
			}
		}
	})
}

// move lets the repositories move on at a call, and notes what staging holds as production begins. It runs under the
// simulator's lock.
func (p *play) move(info awssim.CallInfo, now int) {
	if !p.script.Plan.Pin {
		return
	}
	if info.Operation == "EnterStandby" && p.pins.proved == nil {
		p.pins.proved = map[string]versions{}
		for _, instance := range p.world.Account(wavetest.Staging).Region(wavetest.Tokyo).Instances() {
			p.pins.proved[instance.ID] = versionsOn(instance)
		}
	}
	for _, move := range p.script.Moves {
		id := moving[move.Package]
		served := func(one world.Patch) bool { return one.ID == id }
		if !move.At.is(info.Operation, now) || !slices.ContainsFunc(p.world.Scenario.Patches, served) {
			continue
		}
		if move.Drop {
			if p.pins.proved == nil { // nobody gets it any more, and nobody is behind by it
				p.pins.catalogue = slices.DeleteFunc(p.pins.catalogue, served)
			}
			wavetest.Drop(p.world, id)
			continue
		}
		p.pins.moves++
		wavetest.Publish(p.world, id, fmt.Sprintf("0:%d.0-1", 98+p.pins.moves))
	}
}

// unproven is every version on a machine of production that it did not hold before, and no machine of staging that is
// well had proved as production began, whatever went wrong meanwhile. Then the repositories are as at first again: what
// they serve since is none of what was due.
func (p *play) unproven() (found []string) {
	if !p.script.Plan.Pin {
		return nil
	}
	wave, proved := "", map[string]map[string]bool{}
	if p.result != nil {
		wave = p.result.WaveID
	}
	for id, held := range p.pins.proved {
		// How it was put back later, with the wave, tells nothing of what it had proved by then.
		var details patch.InstanceDetails
		if p.Store.GetInstance(p.T.Context(), wave, id, &details) == nil && !details.Outcome.LeftPatched() {
			continue
		}
		for name, version := range held {
			if proved[name] == nil {
				proved[name] = map[string]bool{}
			}
			proved[name][version] = true
		}
	}
	p.Sim.Inspect(func(w *world.World) {
		for _, instance := range w.Account(wavetest.Production).Region(wavetest.Tokyo).Machines() {
			held := versionsOn(instance)
			for _, name := range slices.Sorted(maps.Keys(held)) {
				if version := held[name]; !p.pins.before[name][version] && !proved[name][version] {
					found = append(found, fmt.Sprintf("%s holds %s %s, which staging has not proved", instance.ID, name, version))
				}
			}
		}
		w.Scenario.Patches = p.pins.catalogue
	})
	return found
}
