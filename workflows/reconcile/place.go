package reconcile

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/group"
	"github.com/patchtide/patchtide/workflows/instance"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// placeSearch looks through one account and region.
type placeSearch struct {
	*reconciliation
	place patch.Place
	heal  []*groupWork      // in the order of their finding
	kept  map[string]string // Auto Scaling groups with a marked instance that is not touched: which, and why
}

// groupWork is what is to be put back of one group.
type groupWork struct {
	group  patch.Group
	policy patch.Policy
	waveID string
	heal   group.Heal
}

func (p *placeSearch) run(ctx workflow.Context) {
	p.kept = map[string]string{}
	var found activities.Marked
	if err := workflow.ExecuteActivity(p.reading(ctx), aws.FindMarked, activities.FindMarkedInput{
		Place: p.place, Watch: p.scope.Watch[p.place.String()],
	}).Get(ctx, &found); err != nil {
		p.failed("all of it", "not looked through: "+run.Reason(err), "mend what it says, then run `patchtide reconcile` "+
			"again")
		return
	}
	// Instances first: what is left of them decides on their group.
	for _, marked := range found.Resources {
		if marked.Instance != "" {
			p.examine(ctx, marked, found)
		}
	}
	for _, marked := range found.Resources {
		if marked.Instance == "" {
			p.examine(ctx, marked, found)
		}
	}
	p.odd(ctx, found)
	p.raised(ctx, found)
	for _, work := range p.heal {
		if ctx.Err() != nil {
			return
		}
		p.carryOut(ctx, work)
	}
	for _, one := range found.Shared {
		p.unshare(ctx, one)
	}
	p.quarantines(ctx, found)
	p.expire(ctx)
}

// examine decides on one marked resource: not ours, not yet, not abandoned, or to be healed.
func (p *placeSearch) examine(ctx workflow.Context, marked activities.MarkedResource, found activities.Marked) {
	resource := resourceOf(marked)
	keep := func(list *[]Finding, state string) {
		*list = append(*list, p.finding(resource, marked.Journal.WaveID, state))
		if marked.Member != "" {
			p.kept[marked.Member] = resource + ": " + state
		}
	}
	if marked.Problem != "" {
		keep(&p.result.Untrusted, fmt.Sprintf("%s (tag %q)", marked.Problem, marked.Tag))
		return
	}
	read, err := run.ReadRecord(ctx, activities.ReadRecordInput{Pointer: marked.Journal, About: journal.About{
		WaveID: marked.Journal.WaveID, Place: p.place, Instance: marked.Instance, AutoScalingGroup: marked.Group,
	}})
	if err != nil {
		p.failed(resource, "its record could not be read: "+run.Reason(err), "see that the evidence store can be reached")
		p.kept[marked.Member] = resource + ": its record could not be read"
		return
	}
	distrust := func(state, whatToDo string) {
		keep(&p.result.Untrusted, state)
		p.result.Untrusted[len(p.result.Untrusted)-1].WhatToDo = whatToDo
	}
	switch {
	case read.Elsewhere:
		distrust(read.Untrusted, "run `patchtide reconcile` there; leave its tag alone")
		return
	case read.Record == nil:
		distrust(read.Untrusted, compareByHand)
		return
	}
	record := *read.Record
	owner, lately, wrote, err := p.owner(ctx, record)
	switch {
	case err != nil:
		p.failed(resource, "not touched, since nobody knows whether its workflow runs: "+run.Reason(err), "see that "+
			"Temporal answers, then run `patchtide reconcile` again")
		p.kept[marked.Member] = resource + ": nobody knows whether its workflow runs"
	case owner != "":
		keep(&p.result.InUse, owner+" runs")
	case lately != "":
		keep(&p.result.TooRecent, lately)
	case !record.Ended && journal.Distrust(record, wrote, workflow.Now(ctx)) != "":
		distrust(journal.Distrust(record, wrote, workflow.Now(ctx)), compareByHand)
	case marked.Instance != "":
		work := p.work(record)
		work.heal.Instances = append(work.heal.Instances, instance.Heal{Record: record, Marked: true})
	case p.kept[marked.Group] != "":
		p.failed(
			resource,
			"it keeps its mark and its room while an instance of it does: "+p.kept[marked.Group],
			"see that instance first",
		)
	default:
		work := p.work(record)
		work.heal.Record = read.Record
		if !record.Ended {
			p.addLast(ctx, work, found)
		}
	}
}

// compareByHand is what to do about a mark that leads to nothing to be acted upon.
const compareByHand = "compare it by hand with its record in the evidence store, then remove its tag " +
	names.TagJournal

// owner asks who of those that may own the resource runs, whether the record or the end of the last of them is too
// recent, and how the run ended that wrote the record.
func (p *placeSearch) owner(
	ctx workflow.Context, record journal.Record,
) (running, lately string, wrote journal.Ending, err error) {
	ids := []string{record.WaveID, names.GroupLock(record.Group)}
	if record.Instance != "" {
		ids = append(ids, names.InstanceLock(record.Group, record.Instance))
	}
	var owners activities.Owners
	if err := workflow.ExecuteActivity(
		run.Controlling(ctx, "which of them run"),
		control.FindOwners,
		activities.FindOwnersInput{WorkflowIDs: ids, Wrote: record.Origin},
	).Get(ctx, &owners); err != nil {
		return "", "", "", err
	}
	now := workflow.Now(ctx)
	switch {
	case len(owners.Running) > 0:
		return strings.Join(owners.Running, ", "), "", owners.Wrote, nil
	case owners.Wrote == journal.RunOpen:
		return record.Origin.WorkflowID, "", owners.Wrote, nil
	case now.Sub(record.At) < p.scope.TooRecent.D():
		lately = p.tooRecent("its record was written", record.At)
	case now.Sub(owners.Closed) < p.scope.TooRecent.D():
		lately = p.tooRecent("its workflow ended", owners.Closed)
	}
	return "", lately, owners.Wrote, nil
}

// tooRecent says since when something is too recent to be touched, and from when on it no longer is.
func (p *placeSearch) tooRecent(what string, since time.Time) string {
	return fmt.Sprintf("%s at %s; reconcile again from %s on", what, brief.UTC(since),
		brief.UTC(since.Add(p.scope.TooRecent.D())))
}

// addLast adds the instances that may have been out of service when the wave ended and have been terminated since:
// their marks went with them, but their group still lists them, is as many short, and has processes suspended for their
// sake.
func (p *placeSearch) addLast(ctx workflow.Context, work *groupWork, found activities.Marked) {
	var read activities.LastRecords
	if err := workflow.ExecuteActivity(
		run.Controlling(ctx, "the wave's newest record"),
		control.LastRecord,
		activities.LastRecordInput{
			WaveID: work.waveID, Group: work.group,
		},
	).Get(ctx, &read); err != nil {
		work.heal.Record = nil
		p.failed(
			"auto scaling group "+work.group.Name(),
			"its wave's journal could not be read: "+run.Reason(err),
			"see that the evidence store can be reached",
		)
		return
	}
	work.heal.Raises = read.Raises
	for _, last := range read.Records {
		if !slices.ContainsFunc(found.Resources, func(m activities.MarkedResource) bool {
			return m.Instance == last.Instance
		}) {
			work.heal.Instances = append(work.heal.Instances, instance.Heal{Record: *last})
		}
	}
}

// work is the entry of the record's group.
func (p *placeSearch) work(record journal.Record) *groupWork {
	at := slices.IndexFunc(p.heal, func(w *groupWork) bool { return w.group.String() == record.Group.String() })
	if at < 0 {
		at = len(p.heal)
		p.heal = append(p.heal, &groupWork{group: record.Group, policy: record.Policy, waveID: record.WaveID})
	}
	if record.Instance == "" {
		p.heal[at].policy, p.heal[at].waveID = record.Policy, record.WaveID
	}
	return p.heal[at]
}

// carryOut heals a group through a child that holds its lock, so that no wave begins on it meanwhile.
func (p *placeSearch) carryOut(ctx workflow.Context, work *groupWork) {
	if p.request.DryRun {
		for _, heal := range work.heal.Instances {
			if heal.Marked {
				p.healed(
					"instance "+heal.Record.Instance,
					heal.Record.WaveID,
					"marked at "+heal.Record.At.UTC().Format("2006-01-02 15:04 MST"),
				)
			}
		}
		if work.heal.Record != nil {
			p.healed(
				"auto scaling group "+work.group.Name(),
				work.waveID,
				"marked at "+work.heal.Record.At.UTC().Format("2006-01-02 15:04 MST"),
			)
		}
		return
	}
	child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:          names.GroupLock(work.group),
		TaskQueue:           names.TaskQueue,
		ParentClosePolicy:   run.ParentClose,
		WaitForCancellation: true,
		StaticSummary:       "heals what " + work.waveID + " left",
		TypedSearchAttributes: temporal.NewSearchAttributes(
			temporal.NewSearchAttributeKeyKeyword(names.AttributeWave).ValueSet(work.waveID),
		),
	})
	future := workflow.ExecuteChildWorkflow(child, group.HealGroup, group.HealInput{
		WaveID: work.waveID, Group: work.group, Policy: work.policy, Heal: work.heal,
	})
	giveUpInTime(ctx, future, work.policy.Timing)
	var result patch.GroupResult
	err := future.Get(ctx, &result)
	name := "group " + work.group.Name()
	switch {
	case temporal.IsWorkflowExecutionAlreadyStartedError(err):
		p.result.InUse = append(p.result.InUse, p.finding(name, work.waveID, names.GroupLock(work.group)+" has been "+
			"started meanwhile"))
		return
	case err != nil:
		p.failed(name, "its healing ended without a result: "+run.Reason(err), "look at "+names.GroupLock(work.group)+
			" in the Temporal UI, then run `patchtide reconcile` again")
		return
	}
	p.result.Failed = append(p.result.Failed, result.Stranded...)
	for i, instance := range result.Instances {
		if len(instance.Stranded) == 0 &&
			(i >= len(work.heal.Instances) || work.heal.Instances[i].Marked || instance.Outcome == patch.Gone) {
			p.healed("instance "+instance.ID, work.waveID, outcomeOf(instance))
		}
	}
	if work.heal.Record != nil && len(result.Stranded) == 0 {
		p.healed("auto scaling group "+work.group.Name(), work.waveID, "its room is given back and its mark is off")
	}
}

// odd tells what is out of order in a plan's groups and not ours.
func (p *placeSearch) odd(ctx workflow.Context, found activities.Marked) {
	for _, group := range found.Odd {
		lock := names.GroupLock(patch.Group{Account: p.place.Account, Region: p.place.Region, AutoScalingGroup: group.Group})
		var owners activities.Owners
		err := workflow.ExecuteActivity(
			run.Controlling(ctx, "which of them run"),
			control.FindOwners,
			activities.FindOwnersInput{WorkflowIDs: []string{lock}},
		).Get(ctx, &owners)
		if err == nil && len(owners.Running) > 0 {
			continue // in the middle of its work
		}
		for _, id := range group.Standby {
			p.result.Unmarked = append(p.result.Unmarked, p.finding("instance "+id, "", "it is in standby in "+group.Group+
				", without our mark"))
		}
		ours := slices.ContainsFunc(
			found.Resources,
			func(m activities.MarkedResource) bool { return m.Group == group.Group || m.Member == group.Group },
		)
		if len(group.Suspended) > 0 && !ours {
			p.result.Unmarked = append(p.result.Unmarked, p.finding("auto scaling group "+group.Group, "",
				"suspended without our mark: "+strings.Join(group.Suspended, ", ")))
		}
	}
}

// expire deletes the backups whose time has passed.
func (p *placeSearch) expire(ctx workflow.Context) {
	expired, err := run.ExpireBackups(
		p.reading(ctx),
		activities.ExpireInput{Group: p.place.Nowhere(), DryRun: p.request.DryRun},
	)
	if err != nil {
		p.failed("expired backups", "not deleted: "+run.Reason(err), "mend what it says; the next run deletes them")
		return
	}
	for _, id := range slices.Concat(expired.Images, expired.Snapshots, expired.Volumes) {
		p.result.Expired = append(p.result.Expired, p.finding(id, "", "past its retention"))
	}
	for _, backup := range expired.Unnamed {
		finding := p.finding(backup.ID, backup.WaveID, "past its retention by its tags, but no signed record of its wave "+
			"names it: it is not deleted")
		finding.WhatToDo = "if nobody keeps it for another purpose, delete it by hand; else take its tag " +
			names.TagExpires + " off"
		p.result.Untrusted = append(p.result.Untrusted, finding)
	}
}

func (p *placeSearch) reading(ctx workflow.Context) workflow.Context {
	return run.Reading(ctx, p.place.Nowhere(), p.scope.Timing)
}

func (p *placeSearch) finding(resource, wave, state string) Finding {
	return Finding{Account: p.place.Account.Name, Region: p.place.Region, Resource: resource, WaveID: wave, State: state}
}

func (p *placeSearch) healed(resource, wave, state string) {
	p.result.Healed = append(p.result.Healed, p.finding(resource, wave, state))
}

func (p *placeSearch) failed(resource, state, whatToDo string) {
	p.result.Failed = append(p.result.Failed, patch.Stranded{
		Account: p.place.Account.Name, Region: p.place.Region, Resource: resource, State: state, WhatToDo: whatToDo,
	})
}
