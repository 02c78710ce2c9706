package property

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// scriptShape is the shape in which production is rolled out.
type scriptShape struct {
	Canary   int          `json:",omitempty"` // minutes for which one of each group bakes first; 0: no canary
	Steps    []scriptStep `json:",omitempty"` // before all; none beside a canary
	Order    string       `json:",omitempty"` // "" is zone_balanced
	ZoneSoak int          `json:",omitempty"` // minutes between two zones
	After    int          `json:",omitempty"` // minutes for which staging soaks
	Blind    bool         `json:",omitempty"` // nobody looks at health in a soak
	Excluded int          `json:",omitempty"` // so many of the first group's members are excluded by a tag
	Only     int          `json:",omitempty"` // the wave takes only the first so many zones; 0: all
}

type scriptStep struct {
	To       int  // instances; above a hundred: so many percent more
	Soak     int  `json:",omitempty"` // minutes
	Approval bool `json:",omitempty"`
}

func (s scriptStep) share() patch.Share {
	if s.To > 100 {
		return patch.Percent(s.To - 100)
	}
	return patch.Instances(s.To)
}

const excludedTag = "Patch"

func drawShape(t *rapid.T) (shape scriptShape) {
	switch rapid.SampledFrom([]string{"", "canary", "steps", "steps", ""}).Draw(t, "shape") {
	case "canary":
		shape.Canary = rapid.SampledFrom([]int{10, 30}).Draw(t, "canary bakes")
	case "steps":
		shape.Steps = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) scriptStep {
			return scriptStep{
				To:       rapid.SampledFrom([]int{1, 2, 110, 150, 133}).Draw(t, "to"),
				Soak:     rapid.SampledFrom([]int{0, 0, 10, 45}).Draw(t, "soak"),
				Approval: rapid.IntRange(0, 3).Draw(t, "step approval") == 3,
			}
		}), 1, 3).Draw(t, "steps")
	}
	shape.Order = rapid.SampledFrom([]string{"", "", "zone", "zone", "oldest_first", "exposure"}).Draw(t, "order")
	if shape.Order == string(patch.OrderZone) {
		shape.ZoneSoak = rapid.SampledFrom([]int{0, 5, 20}).Draw(t, "zone soak")
	}
	shape.After = rapid.SampledFrom([]int{0, 0, 0, 15, 70}).Draw(t, "after")
	shape.Blind = rapid.IntRange(0, 3).Draw(t, "blind") == 3
	shape.Excluded = rapid.SampledFrom([]int{0, 0, 0, 0, 1, 2}).Draw(t, "excluded")
	if seldom(t, "only") {
		shape.Only = 1
	}
	return shape
}

// lasts is how long the shape holds a wave up in all, however often it is tried.
func (s script) lasts() time.Duration {
	minutes := s.Shape.After + (s.Shape.Canary+4*s.Shape.ZoneSoak)*(len(s.Groups)+1)*4
	if s.Metric.Kind != "" { // each bakes for longer
		minutes += 2 * metricBake / 60 * mostScriptMembers * (len(s.Groups) + 1)
	}
	for _, step := range s.Shape.Steps {
		minutes += step.Soak
	}
	return time.Duration(minutes) * time.Minute
}

func minutes(count int) patch.Duration { return patch.Duration(time.Duration(count) * time.Minute) }

// shape gives a stage the script's shape.
func (s script) shape(stage *patch.Stage, first bool) {
	drawn := s.Shape
	stage.Order, stage.ZoneSoak = patch.Order(drawn.Order), minutes(drawn.ZoneSoak)
	if drawn.Canary > 0 {
		stage.Canary = &patch.Canary{Instances: 1, Bake: max(minutes(drawn.Canary), stage.Bake)}
	}
	if drawn.After > 0 && !first {
		stage.After = drawn.soak(drawn.After)
	}
	for _, step := range drawn.Steps {
		one := patch.StageStep{To: step.share()}
		if step.Soak > 0 {
			one.Soak = drawn.soak(step.Soak)
		}
		if step.Approval {
			one.Approval = &patch.Approval{Timeout: patch.Duration(24 * time.Hour)}
			if s.Plan.Patient {
				one.Approval.Timeout = patch.Duration(s.patience())
			}
		}
		stage.Steps = append(stage.Steps, one)
	}
	if len(stage.Steps) > 0 {
		stage.Steps = append(stage.Steps, patch.StageStep{To: patch.Percent(100)})
	}
	for i := range stage.Groups {
		if drawn.Excluded > 0 {
			stage.Groups[i].Exclude = []map[string]string{{excludedTag: "never"}}
		}
	}
}

func (s scriptShape) soak(minute int) *patch.After {
	return &patch.After{Duration: minutes(minute), Healthy: !s.Blind, Every: patch.SoakEvery}
}

// exclude tags the members of the first group that nobody is to touch.
func (s script) exclude(region *world.Region) (ids []string) {
	group, err := region.ScalingGroup(groupNames[0])
	if err != nil {
		return nil
	}
	for _, member := range group.Members()[:min(s.Shape.Excluded, len(group.Members()))] {
		member.Instance.Tags[excludedTag] = "never"
		ids = append(ids, member.Instance.ID)
	}
	return ids
}

// only is whom the wave takes.
func (s script) only() *patch.Only {
	if s.Shape.Only == 0 {
		return nil
	}
	return &patch.Only{Zones: []string{wavetest.Tokyo + "a"}}
}

// watchShape judges that no group goes beyond the step that its stage has reached. A group tells its counts and who is
// under way in two signals: what two looks see is so.
func (p *play) watchShape(status patch.WaveStatus) {
	for _, stage := range status.Stages {
		for i, step := range stage.Steps {
			if !step.Next || i == len(stage.Steps)-1 {
				continue
			}
			for _, group := range stage.Groups {
				most := step.To.AtLeastOne(group.Total)
				taken := group.Patched + len(group.Now)
				beyond := group.Phase == patch.GroupPatching && taken > most
				before := p.beyond[group.Group]
				p.beyond[group.Group] = beyond
				if beyond && before {
					p.onHold = append(p.onHold, fmt.Sprintf("%s: %d are patched or under way in a step to %d", group.Group, taken,
						most))
				}
			}
		}
	}
}

// touchedExcluded finds changes to instances that are excluded, or not taken.
func (p *play) touchedExcluded() (found []string) {
	for _, event := range p.Sim.Events() {
		changes := slices.Contains([]string{
			"EnterStandby", "DeregisterTargets", "StartAutomationExecution", "CreateReplaceRootVolumeTask",
			"TerminateInstances", "DetachInstances",
		}, event.Operation)
		for _, id := range p.excluded {
			if event.Effect && changes && strings.Contains(event.Resource, id) {
				found = append(found, fmt.Sprintf("%s of %s, which is excluded", event.Operation, id))
			}
		}
	}
	return found
}
