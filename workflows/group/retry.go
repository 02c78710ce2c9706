package group

import (
	"fmt"
	"strings"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

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

// pausedWhy says why the group is paused, and which retries are kept meanwhile: what failed is told nowhere else then.
func (g *group) pausedWhy() string {
	var kept []string
	for _, instance := range g.status.Instances {
		if last := instance.LastTry; instance.Outcome == patch.NotStarted && last != nil {
			kept = append(kept, strings.TrimSuffix(fmt.Sprintf("%s, %s: %s", instance.Called(), last.Outcome.Words(),
				last.Reason), ": "))
		}
	}
	if len(kept) == 0 {
		return g.whyPaused
	}
	if more := len(kept) - run.MostListed; more > 0 {
		kept = append(kept[:run.MostListed], fmt.Sprintf("and %d more", more))
	}
	return g.whyPaused + "; kept until it goes on: the retry of " + strings.Join(kept, "; ")
}
