package wavelog

import (
	"slices"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/plain"
)

// FromEvidence tells what a wave's document still knows once Temporal has forgotten the wave: decisions, and when each
// instance began and ended. The steps between are gone with the histories.
func FromEvidence(status patch.WaveStatus, result patch.WaveResult) []Event {
	var events []Event
	teller := newWaveTeller()
	for _, decision := range status.Decisions {
		teller.stage = decision.Stage
		for _, event := range teller.decided(string(decision.Verb), decision) {
			event.At = decision.At
			events = append(events, event)
		}
	}
	for _, stage := range result.Stages {
		for _, group := range stage.Groups {
			name := group.Account + "/" + group.Region + "/" + group.Name
			for _, instance := range group.Instances {
				if instance.Started.IsZero() {
					continue // nothing was changed, and no time kept
				}
				of := Event{Kind: OfInstance, Group: name, Instance: instance.ID, At: instance.Started, What: "begins"}
				events = append(events, of)
				of.At, of.What, of.Outcome, of.Reason = instance.Ended, instance.Outcome.Words(), instance.Outcome, instance.Reason
				events = append(events, of)
			}
		}
	}
	slices.SortStableFunc(events, func(a, b Event) int { return a.At.Compare(b.At) })
	if status.State == patch.StateClosed {
		events = append(
			events,
			Event{
				At: status.Since, Kind: OfWave, What: result.Outcome.Words(), Outcome: result.Outcome,
				Reason: result.Outcome.Because(result.Reason),
			},
		)
	}
	plain.Lines(&events)
	return events
}
