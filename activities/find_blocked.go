package activities

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/plain"
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
	// PutBack are groups of which what that wave left patched is about to be put back: it is counted, and not named.
	PutBack []string `json:",omitempty"`
}

// FindBlocked finds, in the evidence of the last waves, who has got a patch and kept it. It judges nothing and puts
// nothing back: it is told.
func (c *Control) FindBlocked(ctx context.Context, in FindBlockedInput) (*WhoRuns, error) {
	blocks, found, more := patch.Blocks(in.Patches), &WhoRuns{}, 0
	back := 0
	backOf := map[string]string{}
	newer := map[[2]string]bool{} // instance and package of which a newer wave has said what it holds
	err := c.eachOfLastWaves(ctx, in.WaveID, func(wave string, machine patch.InstanceDetails) {
		if !machine.Outcome.LeftPatched() {
			return
		}
		got := slices.IndexFunc(machine.Changes, func(change patch.PackageChange) bool {
			return !newer[[2]string{machine.Instance, change.Name}] &&
				slices.ContainsFunc(change.Arrived(), func(version string) bool {
					return blocks.Of(change.Name, version) != nil
				})
		})
		for _, change := range machine.Changes {
			newer[[2]string{machine.Instance, change.Name}] = true
		}
		switch {
		case got < 0:
		case wave == in.WaveID && slices.Contains(in.PutBack, machine.Group):
			back++
		case len(found.Instances) == mostWhoRunNamed:
			more++
		default:
			if _, asked := backOf[wave]; !asked {
				backOf[wave] = c.backOf(ctx, wave)
			}
			found.Instances = append(found.Instances, fmt.Sprintf("%s of %s got %s by %s, and was left with it when it was "+
				"blocked: it is not put back for that; %s", machine.Instance, machine.Group, machine.Changes[got].Name, wave,
				backOf[wave]))
		}
	})
	if err != nil {
		return nil, err
	}
	if more > 0 {
		found.Instances = append(found.Instances, fmt.Sprintf("%d more have got it", more))
	}
	if back > 0 {
		found.Instances = append(found.Instances, "this roll back puts back "+plain.Plural(back, "instance")+" of "+in.WaveID+
			" that got it")
	}
	return found, nil
}

// backOf says what puts back whom a wave has patched, as far as its evidence knows its plan.
func (c *Control) backOf(ctx context.Context, wave string) string {
	var document WaveDocument
	if err := c.Evidence.GetWave(ctx, wave, &document); err == nil && document.Plan.Name != "" {
		if why := document.Plan.NoPutBack(); why != "" {
			return "a roll back of that wave would not, either: " + why
		}
	}
	return fmt.Sprintf("once that wave has closed, `patchtide wave roll-back %s --reason \"...\"` does", wave)
}

// eachOfLastWaves looks at the instances of the last waves, and of one that is named, the newest wave first. Each has
// the outcome that it stands at by now, put back since or not, as far as the evidence knows.
func (c *Control) eachOfLastWaves(
	ctx context.Context, named string, look func(wave string, machine patch.InstanceDetails),
) error {
	all, err := c.Evidence.ListWaves(ctx)
	if err != nil {
		return evidenceError("list the waves", err)
	}
	waves := slices.DeleteFunc(slices.Clone(all), func(wave string) bool {
		_, putsBack := names.RolledBackBy(wave)
		return wave == named || putsBack || strings.Contains(wave, "/") // what a roll back did is its wave's
	})
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
		if len(machines) == 0 {
			continue
		}
		standing, err := HowEnded(ctx, c.Evidence.GetWave, wave, all)
		if err != nil {
			return evidenceError("read how wave "+wave+" ended", err)
		}
		for _, machine := range machines {
			machine.Outcome = cmp.Or(standing.Ended[machine.Instance], machine.Outcome)
			look(wave, machine)
		}
	}
	return nil
}
