package wavetest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// Outcomes lists every instance's outcome by stage, in order.
func Outcomes(result *patch.WaveResult) map[string][]patch.Outcome {
	all := map[string][]patch.Outcome{}
	for _, stage := range result.Stages {
		for _, group := range stage.Groups {
			for _, instance := range group.Instances {
				all[stage.Name] = append(all[stage.Name], instance.Outcome)
			}
		}
	}
	return all
}

// ProductionOutcomes lists the outcomes of the production instances.
func ProductionOutcomes(result *patch.WaveResult) []patch.Outcome {
	return Outcomes(result)["production"]
}

// CountInProduction is how many of the production instances ended so.
func CountInProduction(result *patch.WaveResult, outcome patch.Outcome) int {
	return Count(ProductionOutcomes(result), outcome)
}

// Count is how many of the outcomes are of a kind.
func Count(list []patch.Outcome, outcome patch.Outcome) int {
	return len(slices.DeleteFunc(slices.Clone(list), func(o patch.Outcome) bool { return o != outcome }))
}

// Effects lists an operation's events that had an effect.
func (s *Scene) Effects(operation string) []awssim.Event {
	return slices.DeleteFunc(s.Sim.Events(), func(e awssim.Event) bool { return e.Operation != operation || !e.Effect })
}

// Mutations lists what changed anything in an account, as "operation resource". Reading roles and scanning are not
// changes.
func (s *Scene) Mutations(account string) []string {
	var found []string
	for _, event := range s.Sim.Events() {
		if event.Account != account || !event.Effect || event.Service == "sts" {
			continue
		}
		found = append(found, strings.TrimSpace(event.Operation+" "+event.Resource))
	}
	return found
}

// Return is an instance that somebody else brought back from standby.
type Return struct {
	Instance string
	At       time.Time // AWS's
}

// DoneTwice finds effects that one attempt had more than once: the token of the attempt tells which belong together. An
// instance goes to standby once before it comes back, and is terminated with decrement once. others are those whom
// somebody else brought back, in order.
func DoneTwice(events []awssim.Event, others ...Return) []string {
	seen := map[string]int{}
	out := map[string]bool{}
	var found []string
	for _, event := range events {
		for len(others) > 0 && !others[0].At.After(event.Time) {
			out[others[0].Instance], others = false, others[1:]
		}
		// Somebody else may have brought it back a moment before: then ours has no effect, and means the same.
		if event.Operation == "ExitStandby" {
			out[event.Resource] = false
		}
		if !event.Effect {
			continue
		}
		token := ""
		switch event.Operation {
		case "StartAutomationExecution", "CreateReplaceRootVolumeTask":
			var in struct{ ClientToken string }
			_ = json.Unmarshal(event.Arguments, &in)
			token = in.ClientToken
		case "SendCommand":
			token = hookToken(event.Arguments)
		case "CreateSnapshot":
			token = attemptTag(event.Arguments)
		case "TerminateInstanceInAutoScalingGroup":
			token = event.Resource
		case "EnterStandby":
			if out[event.Resource] {
				found = append(found, event.Resource+" was put on standby twice")
			}
			out[event.Resource] = true
		}
		if token == "" {
			continue
		}
		key := event.Operation + " " + token
		if seen[key]++; seen[key] == 2 {
			found = append(found, fmt.Sprintf("%s on %s happened twice for one attempt", event.Operation, event.Resource))
		}
	}
	return found
}

// attemptTag finds the attempt's token among a snapshot's tags.
func attemptTag(arguments json.RawMessage) string {
	text := string(arguments)
	_, rest, found := strings.Cut(text, names.TagAttempt)
	if !found {
		return ""
	}
	token, _, _ := strings.Cut(rest, `"`)
	return token
}
