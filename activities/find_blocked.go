package activities

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/patch"
)

// WhoRuns names instances that have got a blocked patch from a wave, and keep it: for people.
type WhoRuns struct {
	Instances []string
}

// How far it is looked back, and how many instances are named.
const (
	mostWavesBack   = 30
	mostWhoRunNamed = 20
)

// began is when a wave began, by its id; of one that a person has named nobody knows so, and it counts as old.
var began = regexp.MustCompile(`[0-9]{8}-[0-9]{6}`)

// FindBlockedInput asks who has got patches.
type FindBlockedInput struct {
	Patches []patch.BlockedPatch
	WaveID  string `json:",omitempty"` // a wave that is looked at as well, however old; "": none
}

// FindBlocked finds, in the evidence of the last waves, who has got a patch and kept it. It judges nothing and puts
// nothing back: it is told.
func (c *Control) FindBlocked(ctx context.Context, in FindBlockedInput) (*WhoRuns, error) {
	blocks, found, more := patch.Blocks(in.Patches), &WhoRuns{}, 0
	err := c.eachOfLastWaves(ctx, in.WaveID, func(wave string, machine patch.InstanceDetails) {
		if !machine.Outcome.LeftPatched() {
			return
		}
		got := slices.IndexFunc(machine.Changes, func(change patch.PackageChange) bool {
			return slices.ContainsFunc(change.Arrived(), func(version string) bool {
				return blocks.Of(change.Name, version) != nil
			})
		})
		switch {
		case got < 0:
		case len(found.Instances) == mostWhoRunNamed:
			more++
		default:
			found.Instances = append(found.Instances, fmt.Sprintf("%s of %s got %s by %s, and was left with it: it is not "+
				"put back for that; `patchtide wave roll-back %s` would", machine.Instance, machine.Group,
				machine.Changes[got].Name, wave, wave))
		}
	})
	if err != nil {
		return nil, err
	}
	if more > 0 {
		found.Instances = append(found.Instances, fmt.Sprintf("%d more have got it", more))
	}
	return found, nil
}

// eachOfLastWaves looks at the instances of the last waves, and of one that is named, the newest wave first.
func (c *Control) eachOfLastWaves(
	ctx context.Context, named string, look func(wave string, machine patch.InstanceDetails),
) error {
	waves, err := c.Evidence.ListWaves(ctx)
	if err != nil {
		return evidenceError("list the waves", err)
	}
	waves = slices.DeleteFunc(waves, func(wave string) bool { return wave == named })
	slices.SortStableFunc(waves, func(a, b string) int {
		return strings.Compare(began.FindString(b), began.FindString(a))
	})
	waves = waves[:min(len(waves), mostWavesBack)]
	if named != "" {
		waves = slices.Insert(waves, 0, named)
	}
	for _, wave := range waves {
		ids, err := c.Evidence.ListInstances(ctx, wave)
		if err != nil {
			return evidenceError("list what was done by wave "+wave, err)
		}
		machines, err := evidence.ReadInstances[patch.InstanceDetails](ctx, c.Evidence.GetInstance, wave, ids)
		if err != nil {
			return evidenceError("read what was done by wave "+wave, err)
		}
		for _, machine := range machines {
			look(wave, machine)
		}
	}
	return nil
}
