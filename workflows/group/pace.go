package group

import (
	"time"

	"github.com/patchtide/patchtide/internal/patch"
)

// paceSoFar is how long the instances of a group took that were patched, with what comes before their first change.
type paceSoFar struct {
	timed int
	took  patch.Duration // all of them
}

func (p *paceSoFar) learn(result patch.InstanceResult, took time.Duration) {
	if result.Outcome.LeftPatched() && !result.Canary { // which is watched for longer
		p.timed, p.took = p.timed+1, p.took+patch.Duration(took)
	}
}

func (p *paceSoFar) each() patch.Duration {
	if p.timed == 0 {
		return 0
	}
	return p.took / patch.Duration(p.timed)
}
