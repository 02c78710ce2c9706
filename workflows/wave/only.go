package wave

import (
	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// takesOnly says whom a wave takes; "": everybody.
func takesOnly(only *patch.Only) string {
	if only.Empty() {
		return ""
	}
	return ". It takes only " + only.String()
}

// checkOnly refuses a wave that names whom it takes, and of which one is nobody's.
func (w *wave) checkOnly() error {
	groups := make([]patch.Reach, len(w.roster.groups))
	for i, held := range w.roster.groups {
		groups[i] = held.reach
	}
	if misses := w.request.Only.Misses(w.plan.Name, groups); misses != "" {
		return run.Invalid(misses, onlyExample)
	}
	return nil
}

// misses is what of whom a wave is to take is nobody's, as far as its groups could be read.
func (p *preview) misses(readings map[string]patch.GroupReading) []patch.Blocker {
	var groups []patch.Reach
	for _, stage := range p.plan.Stages {
		for _, group := range stage.Groups {
			state := readings[group.String()].State
			if state == nil {
				return nil // it is told, and may have them
			}
			groups = append(groups, patch.ReachOf(*state, stage.Order))
		}
	}
	misses := p.request.Only.Misses(p.plan.Name, groups)
	if misses == "" {
		return nil
	}
	return []patch.Blocker{{
		Code: activities.ErrInvalidInput, Where: p.plan.Name, What: misses, WhatToDo: "correct whom the wave is to take",
	}}
}
