package reconcile

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/instance"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// quarantines lists what waves have quarantined here, and terminates what is past its time: its group has its capacity
// back, so nothing is lost but the machine that nobody came to look at. Instances chosen by tags are replaced by nobody
// and stay until a person decides.
func (p *placeSearch) quarantines(ctx workflow.Context, marked activities.Marked) {
	var found activities.FoundQuarantined
	if err := workflow.ExecuteActivity(
		p.reading(ctx), aws.FindQuarantined, activities.FindQuarantinedInput{Place: p.place},
	).Get(ctx, &found); err != nil {
		p.failed(
			"quarantined instances", "not looked for: "+run.Reason(err),
			"mend what it says, then run `patchtide reconcile` again",
		)
		return
	}
	for _, one := range found.Resources {
		if ctx.Err() != nil {
			return
		}
		if slices.ContainsFunc(
			marked.Resources, func(m activities.MarkedResource) bool { return m.Instance == one.Instance },
		) {
			continue // on its way into quarantine or out of it: looked at by its mark
		}
		p.quarantined(ctx, one)
	}
}

// quarantined decides on one instance that carries the quarantine's tag.
func (p *placeSearch) quarantined(ctx workflow.Context, one activities.MarkedResource) {
	resource := resourceOf(one)
	record, untrusted, err := readQuarantine(ctx, p.place, one)
	switch {
	case err != nil:
		p.failed(resource, "its record could not be read: "+run.Reason(err), "see that the evidence store can be reached")
		return
	case untrusted != "":
		p.result.Untrusted = append(
			p.result.Untrusted, p.finding(resource, one.Journal.WaveID, "quarantined, but "+untrusted),
		)
		return
	}
	until := record.Quarantine.Until
	if until.IsZero() || workflow.Now(ctx).Before(until) {
		p.result.Quarantined = append(p.result.Quarantined, p.finding(resource, record.WaveID, quarantineState(record)))
		return
	}
	owner, lately, _, err := p.owner(ctx, record)
	switch {
	case err != nil:
		p.failed(
			resource, "past its time and not terminated, since nobody knows whether its workflow runs: "+run.Reason(err),
			"see that Temporal answers, then run `patchtide reconcile` again",
		)
	case owner != "" || lately != "":
		p.result.InUse = append(p.result.InUse, p.finding(resource, record.WaveID, "past its time; "+owner+lately))
	case p.request.DryRun:
		p.result.Expired = append(p.result.Expired, p.finding(resource, record.WaveID, "quarantined and past its time"))
	default:
		p.endQuarantine(ctx, resource, record)
	}
}

func (p *placeSearch) endQuarantine(ctx workflow.Context, resource string, record journal.Record) {
	result, stranded, err := endUnderLocks(ctx, names.QuarantineID(record.Instance), instance.QuarantineEnd{
		Verb: patch.QuarantineTerminate, Record: record, Actor: patch.ByItself, Reason: "its time in quarantine is over",
	})
	p.result.Failed = append(p.result.Failed, stranded...)
	switch {
	case err != nil:
		p.failed(
			resource, "quarantined, past its time, and not terminated: "+run.Reason(err), "run `patchtide reconcile` again",
		)
	case result.Outcome == patch.Terminated || result.Outcome == patch.Gone:
		p.result.Expired = append(
			p.result.Expired, p.finding(resource, record.WaveID, "quarantined and past its time: terminated"),
		)
	default:
		p.failed(
			resource, "quarantined, past its time: "+result.Reason, "mend what it says, or decide with `patchtide quarantine`",
		)
	}
}
