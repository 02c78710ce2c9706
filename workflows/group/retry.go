package group

import "github.com/patchtide/patchtide/internal/patch"

// forgetFailures makes the failed instances candidates again, under a new try; not those that were skipped. One that
// was quarantined or replaced is no member any more: tried again, what we terminated ourselves would be told to be
// gone, which fails nothing.
func (g *group) forgetFailures() {
	for i, instance := range g.status.Instances {
		failed := instance.Outcome == patch.Failed || instance.Outcome == patch.RolledBack
		if failed && !instance.Replaced && !instance.PassedOver {
			g.try[instance.ID]++
			g.status.Instances[i] = patch.Untouched(instance.ID)
			g.status.Instances[i].LastTry = &instance
		}
	}
}

// recallUntried lets count again what the last try of those came to that will not get another: nobody is under way.
func (g *group) recallUntried() { g.status.Instances = patch.Recalled(g.status.Instances) }
