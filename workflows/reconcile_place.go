package workflows

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
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
	policy Policy
	waveID string
	heal   GroupHeal
}

func (p *placeSearch) run(ctx workflow.Context) {
	p.kept = map[string]string{}
	var found activities.Marked
	if err := workflow.ExecuteActivity(p.reading(ctx), aws.FindMarked, activities.FindMarkedInput{
		Place: p.place, Watch: p.scope.Watch[p.place.String()],
	}).Get(ctx, &found); err != nil {
		p.left("all of it", "not looked through: "+reason(err), "mend what it says, then run `patchtide reconcile` again")
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
	var read activities.RecordRead
	if err := workflow.ExecuteActivity(controlling(ctx, "what the journal's record says"), control.ReadRecord, marked.Journal).Get(ctx, &read); err != nil {
		p.left(resource, "its record could not be read: "+reason(err), "see that the evidence store can be reached")
		p.kept[marked.Member] = resource + ": its record could not be read"
		return
	}
	record, untrusted := p.decode(read, marked)
	if untrusted != "" {
		keep(&p.result.Untrusted, untrusted)
		return
	}
	owner, lately, err := p.owner(ctx, record)
	switch {
	case err != nil:
		p.left(resource, "not touched, since nobody knows whether its workflow runs: "+reason(err), "see that Temporal answers, then run `patchtide reconcile` again")
		p.kept[marked.Member] = resource + ": nobody knows whether its workflow runs"
	case owner != "":
		keep(&p.result.Owned, owner+" runs")
	case lately != "":
		keep(&p.result.Young, lately)
	case marked.Instance != "":
		work := p.work(record)
		work.heal.Instances = append(work.heal.Instances, Heal{Record: record, Marked: true})
	case p.kept[marked.Group] != "":
		p.left(resource, "it keeps its mark and its room while an instance of it does: "+p.kept[marked.Group], "see that instance first")
	default:
		work := p.work(record)
		work.heal.Record = &record
		p.addLast(ctx, work, found)
	}
}

// decode reads a record as what it must be: about the very resource that carries the mark, and whole.
func (p *placeSearch) decode(read activities.RecordRead, marked activities.MarkedResource) (Record, string) {
	var record Record
	switch {
	case read.Untrusted != "":
		return record, read.Untrusted
	case json.Unmarshal(read.Record, &record) != nil:
		return record, "its record cannot be decoded; it was written by another version of Patchtide"
	case !record.complete():
		return record, "its record lacks what putting back needs; it was written by an older version of Patchtide"
	case record.WaveID != marked.Journal.WaveID, record.Group.Account.ID != p.place.Account.ID, record.Group.Region != p.place.Region,
		record.Instance != marked.Instance, marked.Group != "" && record.Group.AutoScalingGroup != marked.Group:
		return record, "its record is about something else"
	}
	// The account may have got another name in the configuration since.
	record.Group.Account = p.place.Account
	return record, ""
}

// owner asks who of those that may own the resource runs, and whether the record or the end of the last of them is too young.
func (p *placeSearch) owner(ctx workflow.Context, record Record) (running, lately string, err error) {
	ids := []string{record.WaveID, names.GroupLock(record.Group)}
	if record.Instance != "" {
		ids = append(ids, names.InstanceLock(record.Group, record.Instance))
	}
	var owners activities.Owners
	if err := workflow.ExecuteActivity(controlling(ctx, "which of them run"), control.FindOwners, activities.FindOwnersInput{WorkflowIDs: ids}).Get(ctx, &owners); err != nil {
		return "", "", err
	}
	now := workflow.Now(ctx)
	switch {
	case len(owners.Running) > 0:
		return strings.Join(owners.Running, ", "), "", nil
	case now.Sub(record.At) < p.scope.TooRecent.D():
		lately = "its record was written at " + record.At.UTC().Format("15:04:05 MST")
	case now.Sub(owners.Closed) < p.scope.TooRecent.D():
		lately = "its workflow ended at " + owners.Closed.UTC().Format("15:04:05 MST")
	}
	return "", lately, nil
}

// addLast adds the instance that may have been out of service when the wave ended and has been terminated since: its mark
// went with it, but its group still lists it, is one short, and has processes suspended for its sake.
func (p *placeSearch) addLast(ctx workflow.Context, work *groupWork, found activities.Marked) {
	var read activities.RecordRead
	if err := workflow.ExecuteActivity(controlling(ctx, "the wave's newest record"), control.LastRecord, activities.LastRecordInput{
		WaveID: work.waveID, Group: work.group,
	}).Get(ctx, &read); err != nil {
		work.heal.Record = nil
		p.left("auto scaling group "+work.group.Name(), "its wave's journal could not be read: "+reason(err), "see that the evidence store can be reached")
		return
	}
	work.heal.MaxBefore = read.MaxBefore
	var last Record
	if len(read.Record) == 0 || json.Unmarshal(read.Record, &last) != nil || !last.complete() || last.WaveID != work.waveID {
		return
	}
	if slices.ContainsFunc(found.Resources, func(m activities.MarkedResource) bool { return m.Instance == last.Instance }) {
		return
	}
	last.Group.Account = p.place.Account
	work.heal.Instances = append(work.heal.Instances, Heal{Record: last})
}

// work is the entry of the record's group.
func (p *placeSearch) work(record Record) *groupWork {
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
				p.healed("instance "+heal.Record.Instance, heal.Record.WaveID, "marked at "+heal.Record.At.UTC().Format("2006-01-02 15:04 MST"))
			}
		}
		if work.heal.Record != nil {
			p.healed("auto scaling group "+work.group.Name(), work.waveID, "marked at "+work.heal.Record.At.UTC().Format("2006-01-02 15:04 MST"))
		}
		return
	}
	child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID: names.GroupLock(work.group), TaskQueue: names.TaskQueue, ParentClosePolicy: parentClose, WaitForCancellation: true,
		StaticSummary: "heals what " + work.waveID + " left",
		TypedSearchAttributes: temporal.NewSearchAttributes(
			temporal.NewSearchAttributeKeyKeyword(names.AttributeWave).ValueSet(work.waveID),
		),
	})
	future := workflow.ExecuteChildWorkflow(child, PatchGroup, GroupInput{WaveID: work.waveID, Group: work.group, Policy: work.policy, Heal: &work.heal})
	giveUpInTime(ctx, future, work.policy.Timing)
	var result patch.GroupResult
	err := future.Get(ctx, &result)
	name := "group " + work.group.Name()
	switch {
	case temporal.IsWorkflowExecutionAlreadyStartedError(err):
		p.result.Owned = append(p.result.Owned, p.finding(name, work.waveID, names.GroupLock(work.group)+" has been started meanwhile"))
		return
	case err != nil:
		p.left(name, "its healing ended without a result: "+reason(err), "look at "+names.GroupLock(work.group)+" in the Temporal UI, then run `patchtide reconcile` again")
		return
	}
	p.result.Left = append(p.result.Left, result.Stranded...)
	for i, instance := range result.Instances {
		if len(instance.Stranded) == 0 && (i >= len(work.heal.Instances) || work.heal.Instances[i].Marked || instance.Outcome == patch.Gone) {
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
		err := workflow.ExecuteActivity(controlling(ctx, "which of them run"), control.FindOwners, activities.FindOwnersInput{WorkflowIDs: []string{lock}}).Get(ctx, &owners)
		if err == nil && len(owners.Running) > 0 {
			continue // in the middle of its work
		}
		for _, id := range group.Standby {
			p.result.Unmarked = append(p.result.Unmarked, p.finding("instance "+id, "", "it is in standby in "+group.Group+" and not by us"))
		}
		ours := slices.ContainsFunc(found.Resources, func(m activities.MarkedResource) bool { return m.Group == group.Group || m.Member == group.Group })
		if len(group.Suspended) > 0 && !ours {
			p.result.Unmarked = append(p.result.Unmarked, p.finding("auto scaling group "+group.Group, "",
				"not suspended by us: "+strings.Join(group.Suspended, ", ")))
		}
	}
}

// expire deletes the backups whose time has passed.
func (p *placeSearch) expire(ctx workflow.Context) {
	expired, err := expireBackups(p.reading(ctx), activities.ExpireInput{Group: p.place.Nowhere(), DryRun: p.request.DryRun})
	if err != nil {
		p.left("expired backups", "not deleted: "+reason(err), "mend what it says; the next run deletes them")
		return
	}
	for _, id := range slices.Concat(expired.Snapshots, expired.Volumes) {
		p.result.Expired = append(p.result.Expired, p.finding(id, "", "past its retention"))
	}
}

func (p *placeSearch) reading(ctx workflow.Context) workflow.Context {
	return reading(ctx, p.place.Nowhere(), p.scope.Timing)
}

func (p *placeSearch) finding(resource, wave, state string) Finding {
	return Finding{Account: p.place.Account.Name, Region: p.place.Region, Resource: resource, WaveID: wave, State: state}
}

func (p *placeSearch) healed(resource, wave, state string) {
	p.result.Healed = append(p.result.Healed, p.finding(resource, wave, state))
}

func (p *placeSearch) left(resource, state, whatToDo string) {
	p.result.Left = append(p.result.Left, patch.Stranded{
		Account: p.place.Account.Name, Region: p.place.Region, Resource: resource, State: state, WhatToDo: whatToDo,
	})
}
