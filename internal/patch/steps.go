package patch

import (
	"fmt"
	"time"
)

// StageStep is how far a stage goes before it waits: for all of its groups to have come as far, and for what it asks.
type StageStep struct {
	To       Share     `json:"to"`                 // of each group's instances; see Policy.LeftOfStep
	Soak     *After    `json:"soak,omitempty"`     // once all groups have come as far; nil: none
	Approval *Approval `json:"approval,omitempty"` // then, before the next step; nil: nobody is asked
}

// Gates are the steps of a stage after which it waits: its canary's, or all of its steps but the last.
func (s Stage) Gates() []StageStep { return gates(s.Canary, s.Steps) }

// Gates are those of the policy's stage.
func (p Policy) Gates() []StageStep { return gates(p.Canary, p.Steps) }

func gates(canary *Canary, steps []StageStep) []StageStep {
	switch {
	case canary != nil:
		return []StageStep{{To: Instances(canary.Instances)}}
	case len(steps) == 0:
		return nil
	}
	return steps[:len(steps)-1]
}

// LeftOfStep is how many of a group's instances are still to be patched until the step, counted from 0, is done. Who
// was put back, was skipped or had nothing to do proved nothing: the next one is taken in its place. A percentage is of
// all that the wave takes of the group. bounded is false of the last step, which takes all.
func (p Policy) LeftOfStep(step int, instances []InstanceResult) (left int, bounded bool) {
	before := p.Gates()
	if step >= len(before) {
		return 0, false
	}
	return max(before[step].To.AtLeastOne(len(instances))-CountPatched(instances), 0), true
}

// AddedTurns is about how many more times than once the plan's groups are told to go, or are locked: for their
// canaries, their steps, and the soaks after these.
func (p Plan) AddedTurns() (count int) {
	for _, stage := range p.Stages {
		count += len(stage.Groups) * stage.AddedTurns(0)
	}
	return count
}

// AddedTurns is the same for one group of the stage, from a step, counted from 0, on.
func (s Stage) AddedTurns(from int) (count int) {
	for step := from; step < len(s.Gates()); step++ {
		count++
		if s.Gates()[step].Soak != nil {
			count += 2 // its lock is taken again, and it is read and scanned
		}
	}
	return count
}

// StepStatus is a step of a stage as its wave knows it.
type StepStatus struct {
	To   Share     `json:"to"`
	Done time.Time `json:"done,omitzero"`  // when all groups had come as far
	Soak *Soak     `json:"soak,omitempty"` // once it soaks
	Next bool      `json:"next,omitempty"` // it is the one under way
}

// StepsOf are a stage's steps before any of them is done; nil of a stage that has none.
func StepsOf(stage Stage) []StepStatus {
	var steps []StepStatus
	for i, step := range stage.Steps {
		steps = append(steps, StepStatus{To: step.To, Next: i == 0})
	}
	return steps
}

// Step is where a stage with steps stands: "step 2 of 4"; "" of one that has none, or is done.
func (s StageStatus) Step() string {
	for i, step := range s.Steps {
		if step.Next && s.Outcome == "" {
			return fmt.Sprintf("step %d of %d", i+1, len(s.Steps))
		}
	}
	return ""
}

// StepWords is the same with how far it goes: "step 2 of 4, to 10% of each group".
func (s StageStatus) StepWords() string {
	for _, step := range s.Steps {
		if said := s.Step(); said != "" && step.Next {
			return said + ", to " + step.To.String() + " of each group"
		}
	}
	return ""
}

// Current is the stage under way, or the last that was; the zero value before any is.
func (s WaveStatus) Current() StageStatus {
	for _, stage := range s.Stages {
		if stage.Name == s.Stage {
			return stage
		}
	}
	return StageStatus{}
}

// Called is a step, counted from 0, in a person's words: "step 2 (10%) of production".
func (s Stage) Called(step int) string {
	return fmt.Sprintf("step %d (%s) of %s", step+1, s.Steps[step].To, s.Name)
}

// Asks is what no estimate can tell the length of, between a step of the stage, counted from 0, and the next; nil:
// nothing.
func (s Stage) asks(step int) (waits []string) {
	if s.Gates()[step].Approval != nil {
		waits = append(waits, "the approval after "+s.Called(step))
	}
	return waits
}

// StepApprovals are the approvals that a stage still asks for from a step, counted from 0, on.
func (s Stage) StepApprovals(from int) (waits []string) {
	for step := from; step < len(s.Gates()); step++ {
		waits = append(waits, s.asks(step)...)
	}
	return waits
}

// StepSoaks is how long the stage soaks in all from a step, counted from 0, on.
func (s Stage) StepSoaks(from int) (soaks Duration) {
	for step := from; step < len(s.Gates()); step++ {
		soaks += s.Gates()[step].soaks()
	}
	return soaks
}

func (s StageStep) soaks() Duration {
	if s.Soak == nil {
		return 0
	}
	return s.Soak.Duration
}
