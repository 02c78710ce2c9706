package wavetest

import (
	"fmt"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
)

// Progress judges that a wave goes on: after a person's word, and by itself, whatever may be patched or put back is,
// within a bound, and whoever is not is named with why.
type Progress struct {
	scene   *Scene
	seen    string
	since   time.Time
	stood   bool
	changes int
	words   []word
	found   []string
}

// word is a decision that the wave took at a hold.
type word struct {
	verb   patch.Verb
	scope  patch.Scope
	stage  string
	events int               // how many calls there had been then
	failed map[string]string // instances on hold: id to reason
}

// StandsStill is how long a wave may do nothing, wait for nobody, and tell nothing new. Its longest wait of that kind
// is an instance that drains, an hour and a quarter by default.
const StandsStill = 2 * time.Hour

// Watch begins to judge a scene's wave.
func (s *Scene) Watch() *Progress { return &Progress{scene: s, since: s.Env.Now()} }

// Looked notes where a wave stands. changes counts what it has changed in AWS so far; it is asked seldom.
func (p *Progress) Looked(status patch.WaveStatus, changes func() int) {
	now := p.scene.Env.Now()
	seen, waits := stands(status)
	if waits || seen != p.seen {
		p.seen, p.since, p.stood = seen, now, false
		return
	}
	if p.stood || now.Sub(p.since) <= StandsStill || status.Awaiting != "" {
		return
	}
	if made := changes(); made != p.changes {
		p.changes, p.since = made, now
		return
	}
	p.stood = true
	p.found = append(p.found, fmt.Sprintf("the wave is %s, and nothing has come of it since %s: %s", status.State, p.since,
		seen))
}

// stands tells where a wave stands, and whether it waits for somebody.
func stands(status patch.WaveStatus) (seen string, waits bool) {
	switch status.State {
	case patch.StateOnHold, patch.StateAwaitingApproval, patch.StatePaused, patch.StateParked, patch.StateClosed:
		waits = true
	}
	seen = string(status.State)
	for _, stage := range status.Stages {
		for _, group := range stage.Groups {
			seen += fmt.Sprintf("; %s %s %d of %d, %d failed", group.Group, group.Phase, group.Done, group.Total,
				len(group.Failed))
			for _, now := range group.Now {
				seen += fmt.Sprintf(", %s at %s", now.ID, now.Step)
			}
		}
	}
	return seen, waits
}

// Decided notes a word that the wave took at a hold.
func (p *Progress) Decided(status patch.WaveStatus, verb patch.Verb, scope patch.Scope) {
	decided := word{
		verb: verb, scope: scope, stage: status.Stage, events: len(p.scene.Sim.Events()), failed: map[string]string{},
	}
	for _, stage := range status.Stages {
		for _, group := range stage.Groups {
			for _, instance := range group.Failed {
				if stage.Name == status.Stage && instance.Outcome == patch.Failed && len(instance.Stranded) == 0 {
					decided.failed[instance.ID] = instance.Reason
				}
			}
		}
	}
	p.words = append(p.words, decided)
}

// Missed lists what was not done and is not named. stopped: somebody ended the wave before it was done.
func (p *Progress) Missed(result *patch.WaveResult, stopped bool) []string {
	found := append([]string{}, p.found...)
	if result == nil {
		return found
	}
	// saysSo are those of groups that say for all of them that no window lets them go further, or why they could not be
	// looked at, for which they were skipped.
	told, saysSo := map[string]patch.InstanceResult{}, map[string]bool{}
	for _, stage := range result.Stages {
		for _, group := range stage.Groups {
			for _, instance := range group.Instances {
				told[instance.ID] = instance
				saysSo[instance.ID] = strings.HasPrefix(group.Reason, string(patch.RefusedWindowEnds)+": ") ||
					strings.HasPrefix(group.Reason, "skipped: ")
			}
			found = append(found, p.unnamed(stage, group)...)
		}
	}
	if len(p.words) == 0 || stopped {
		return found
	}
	last := p.words[len(p.words)-1]
	if strings.Contains(result.Reason, last.verb.Words()+" by ") {
		return found // the wave says itself why nothing came of it
	}
	switch last.verb {
	case patch.Retry:
		for id, why := range last.failed {
			if now := told[id]; now.Outcome == patch.Failed && now.Reason == why && !saysSo[id] &&
				!p.tried(id, why, last.events) {
				found = append(found, fmt.Sprintf("%s was to be tried again, was not, and nobody is told why: %s", id, why))
			}
		}
	case patch.RollBack:
		for _, stage := range result.Stages {
			if stage.Name == last.stage || last.scope == patch.ScopeWave {
				found = append(found, p.notPutBack(stage)...)
			}
		}
	}
	return found
}

// unnamed finds members from before of a group at work that nothing is told of, and what ended badly without a why.
func (p *Progress) unnamed(stage patch.StageResult, group patch.GroupResult) []string {
	var found []string
	named := map[string]bool{}
	for _, instance := range group.Instances {
		named[instance.ID] = true
		bad := instance.Outcome == patch.Failed || instance.Outcome == patch.Quarantined
		if instance.Outcome == "" || bad && instance.Reason == "" {
			found = append(found, fmt.Sprintf("%s is told to be %q, and nobody is told why", instance.ID, instance.Outcome))
		}
	}
	if group.Outcome == patch.NotStarted {
		return found
	}
	for _, gap := range group.Gaps {
		named[gap.Instance] = true
	}
	for _, left := range group.LeftOut {
		named[left.Instance] = true
	}
	p.scene.inRegionOf(group, func(region *world.Region) {
		for _, node := range nodesOf(region, group) {
			if _, there := p.scene.Before.Instances[node.ID]; there && !named[node.ID] {
				found = append(found, fmt.Sprintf("%s of %s in %s is named nowhere", node.ID, group.Name, stage.Name))
			}
		}
		scaling, err := region.ScalingGroup(group.Name)
		if err != nil {
			return
		}
		for _, id := range p.scene.Before.Groups[GroupKey(scaling)].Members {
			if member := scaling.Member(id); !named[id] && member != nil && !member.Leaving() {
				found = append(found, fmt.Sprintf("%s of %s in %s is named nowhere", id, group.Name, stage.Name))
			}
		}
	})
	return found
}

// notPutBack finds what is patched after a roll back, and nobody is told why.
func (p *Progress) notPutBack(stage patch.StageResult) []string {
	var found []string
	for _, group := range stage.Groups {
		for _, instance := range group.Instances {
			named := instance.StillPatched || instance.Reason != "" || instance.Refused != "" || len(instance.Stranded) > 0
			if instance.Outcome == patch.Patched && !named && group.Reason == "" {
				found = append(found, fmt.Sprintf("%s was to be put back, is patched, and nobody is told why", instance.ID))
			}
		}
	}
	return found
}

// tried reports whether anything was done to an instance after so many calls; of one that was refused, whether it was
// looked at: it may well be refused again, for the same reason.
func (p *Progress) tried(id, why string, events int) bool {
	refused := strings.HasPrefix(why, "refused: ")
	for _, event := range p.scene.Sim.Events()[events:] {
		if (event.Effect || refused) &&
			strings.Contains(event.Resource+string(event.Arguments), id) {
			return true
		}
	}
	return false
}
