package workflows

import (
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// GroupInput starts PatchGroup. Its workflow id is the group's lock, from preflight until the wave releases it.
type GroupInput struct {
	WaveID  string
	Group   patch.Group
	Policy  Policy
	Members []string // in order, as preflight found them: a group that is never reached tells what it left alone
	Run     string   // of a RollBackWave: its run, so that a second roll back of one wave makes attempts of its own

	ContinueAfter int      // instances after which the history begins anew; 0: the default
	Carried       *Carried // what an earlier run of this group leaves to this one

	Tells bool // the wave listens to what each instance is doing

	// Heal puts back what a dead wave left, and closes; no orders are needed.
	Heal *GroupHeal
	// Settle releases or terminates a quarantined instance of the group, and closes; no orders are needed.
	Settle *Settle
}

// GroupOrder is what a wave tells a group.
type GroupOrder struct {
	Kind       OrderKind
	Runbook    activities.Runbook // with go
	BaselineID string             // with go
	// Results come with a roll_back of a wave that has closed: what it did to this group. Those Patched are put back, the others
	// stand as they are.
	Results []patch.InstanceResult
	// Earlier comes with a roll_back of a wave that was parked: what was patched before then, an earlier window patched.
	Earlier time.Time
	Window  *patch.Window // as extended; nil: the policy's
	Why     string        // with pause, and with Paused
	Paused  bool          // with retry and skip: a person's pause lasts, and nothing is begun until it is lifted
}

// OrderKind names an order.
type OrderKind string

// The orders a group takes.
const (
	OrderGo       OrderKind = "go"        // patch
	OrderRetry    OrderKind = "retry"     // try the failed instances again, then go on
	OrderSkip     OrderKind = "skip"      // leave the failed instances as they are, and go on
	OrderRollBack OrderKind = "roll_back" // put back every instance that was patched
	OrderStop     OrderKind = "stop"      // start no further instance; a running one is cancelled
	OrderPause    OrderKind = "pause"     // start no further instance until resume; room is given back meanwhile
	OrderResume   OrderKind = "resume"
	OrderWindow   OrderKind = "window"  // the window was extended
	OrderGiveUp   OrderKind = "give_up" // stop trying to put back what cannot be, and report it
	OrderRelease  OrderKind = "release" // close, and free the lock
	OrderPark     OrderKind = "park"    // the same, with what a later workflow of the group goes on with
)

// group is one group's run.
type group struct {
	in      GroupInput
	status  patch.GroupStatus
	runbook activities.Runbook
	base    string
	try     map[string]int  // the saga's try of each instance
	left    map[string]bool // instances of which an earlier saga stranded something

	channel    workflow.ReceiveChannel
	telling    bool // the listener is handing something on
	orders     []OrderKind
	ended      int  // instances that have ended in this run of the workflow
	paceSoFar       // of those patched
	goOn       bool // the rest is for the next run of the workflow
	resumed    bool // this run goes on with what an earlier one began
	paused     bool
	whyPaused  string
	thawed     workflow.CancelFunc // ends the watch for the end of a freeze
	stopped    bool
	closed     string            // why the window or a calendar let no instance begin; "" while it does
	refused    patch.RefusalCode // its code
	rolledBack bool
	earlier    time.Time           // see GroupOrder.Earlier
	halt       workflow.CancelFunc // cancels the instance under way
	stopTrying workflow.CancelFunc // ends the giving back of room
	room       *room
}

// PatchGroup holds a group's lock and patches its instances in order when told to. It closes only on release, or when it is
// cancelled and has put its part back.
func PatchGroup(ctx workflow.Context, in GroupInput) (*GroupEnd, error) {
	g := &group{in: in, try: map[string]int{}, left: map[string]bool{}}
	g.status = patch.GroupStatus{Group: in.Group.String(), Phase: patch.GroupIdle, Instances: []patch.InstanceResult{}}
	for _, id := range in.Members {
		g.status.Instances = append(g.status.Instances, notStarted(id))
	}
	order := g.takeOver(in.Carried)
	if err := workflow.SetQueryHandlerWithOptions(ctx, names.QueryStatus, func() (patch.GroupStatus, error) { return g.status, nil },
		workflow.QueryHandlerOptions{Description: "The group's phase, the instances under way and the results so far"}); err != nil {
		return nil, err
	}
	g.listen(ctx)
	g.follow(ctx)
	if in.Heal != nil {
		g.heal(ctx)
		return g.end(), nil
	}
	if in.Settle != nil {
		g.settle(ctx)
		return g.end(), nil
	}
	for ; ; order = "" {
		if order == "" {
			// A cancelled group goes on until nothing is under way, and then needs no release.
			if err := workflow.Await(ctx, func() bool { return len(g.orders) > 0 }); err != nil {
				return g.end(), nil //nolint:nilerr // cancelled: what was under way has been put back, the result tells
			}
			order, g.orders = g.orders[0], g.orders[1:]
		}
		switch order {
		case OrderGo:
			g.patch(ctx)
		case OrderRetry:
			g.forgetFailures()
			g.patch(ctx)
		case OrderSkip:
			g.skipFailures(ctx)
		case OrderResume:
			if g.status.Phase == patch.GroupPaused && !g.paused {
				g.patch(ctx)
			}
		case OrderStop:
			if g.status.Phase == patch.GroupPaused {
				g.enter(ctx, patch.GroupDone, stoppedEarly)
			}
		case OrderRollBack:
			g.rollBack(ctx)
		case OrderRelease:
			return g.end(), nil
		case OrderPark:
			return g.park(), nil
		}
		if g.goOn {
			return nil, g.continueAsNew(ctx, order)
		}
	}
}

// listen takes the wave's orders as they come: stop, pause and resume act at once, the others wait their turn.
func (g *group) listen(ctx workflow.Context) {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	g.channel = workflow.GetSignalChannel(clean, names.SignalGroupOrder)
	workflow.Go(clean, func(c workflow.Context) {
		for {
			var order GroupOrder
			g.channel.Receive(c, &order)
			if order.Window != nil {
				g.in.Policy.Window = order.Window
			}
			switch order.Kind {
			case OrderStop:
				g.stopped = true
				if g.halt != nil {
					g.halt()
				}
				g.orders = append(g.orders, order.Kind)
			case OrderGiveUp:
				g.telling = true
				g.passOn(c)
				g.telling = false
			case OrderWindow:
			case OrderPause:
				g.paused, g.whyPaused = true, order.Why
			case OrderGo, OrderRetry, OrderSkip, OrderResume:
				g.paused, g.whyPaused = order.Paused, order.Why
				if order.Kind == OrderGo {
					g.runbook, g.base = order.Runbook, order.BaselineID
				}
				g.orders = append(g.orders, order.Kind)
			case OrderRollBack:
				if order.Results != nil {
					g.status.Instances = order.Results
				}
				g.earlier = order.Earlier
				g.orders = append(g.orders, order.Kind)
			default:
				g.orders = append(g.orders, order.Kind)
			}
		}
	})
}

// passOn tells whoever is putting something back to give up: the instance under way, or else this group itself.
func (g *group) passOn(ctx workflow.Context) {
	for _, id := range g.status.Current {
		// An instance that has just ended needs to be told nothing.
		_ = workflow.SignalExternalWorkflow(ctx, id, "", names.SignalGiveUp, nil).Get(ctx, nil)
	}
	if len(g.status.Current) == 0 && g.stopTrying != nil {
		g.stopTrying()
	}
}

// enter changes the phase and tells the wave.
func (g *group) enter(ctx workflow.Context, phase patch.GroupPhase, why string) {
	g.status.Phase, g.status.Reason = phase, why
	g.report(ctx)
}

// report tells the wave the group's counts: at each phase, each failure and every tenth instance.
func (g *group) report(ctx workflow.Context) {
	workflow.SetCurrentDetails(ctx, g.details())
	parent := workflow.GetInfo(ctx).ParentWorkflowExecution
	if parent == nil || g.in.Heal != nil || g.in.Settle != nil {
		return // the parent waits for the result
	}
	counts := patch.GroupCounts{
		Group: g.status.Group, WorkflowID: workflow.GetInfo(ctx).WorkflowExecution.ID, Phase: g.status.Phase,
		Strategy: g.status.Strategy, Total: len(g.status.Instances), Reason: g.status.Reason,
		Outcome: g.result().Outcome, Each: g.each(), Closed: g.refused, Stranded: g.status.Stranded,
	}
	for _, instance := range g.status.Instances {
		if instance.Outcome != patch.NotStarted {
			counts.Done++
		}
		if g.isFailure(instance) {
			counts.Failed = append(counts.Failed, instance)
		}
	}
	clean, _ := workflow.NewDisconnectedContext(ctx)
	// A wave that is gone has nobody to tell; its cancel is on its way.
	_ = workflow.SignalExternalWorkflow(clean, parent.ID, parent.RunID, names.SignalGroupReport, counts).Get(clean, nil)
}

func (g *group) isFailure(instance patch.InstanceResult) bool {
	switch instance.Outcome {
	case patch.Failed, patch.Quarantined:
		return true
	case patch.RolledBack:
		return g.status.Phase != patch.GroupRollingBack && !g.rolledBack
	}
	return false
}

// result judges the group by its instances.
func (g *group) result() *patch.GroupResult {
	result := &patch.GroupResult{
		Account: g.in.Group.Account.Name, Region: g.in.Group.Region, Name: g.in.Group.Name(),
		Outcome: patch.GroupOutcome(g.status.Instances), Reason: g.status.Reason,
		Instances: g.status.Instances, Stranded: g.status.Stranded,
	}
	switch {
	case len(g.status.Instances) == 0:
		result.Outcome = patch.NotStarted
	case result.Outcome == patch.Failed:
	case g.rolledBack:
		result.Outcome = patch.RolledBack
	case g.stopped || g.closed != "":
		result.Outcome = patch.Aborted
	}
	return result
}

// skipFailures leaves the failed instances as they are and goes on. One that was never changed is skipped, one that was put
// back stays rolled back. A group that was refused as a whole is skipped as a whole.
func (g *group) skipFailures(ctx workflow.Context) {
	refused := true
	for i, instance := range g.status.Instances {
		if !g.isFailure(instance) {
			continue
		}
		refused = false
		if instance.Outcome == patch.Failed && instance.AutomationExecutionID == "" && len(instance.Stranded) == 0 {
			g.status.Instances[i].Outcome = patch.Skipped
		}
	}
	if !refused {
		g.patch(ctx)
		return
	}
	for i, instance := range g.status.Instances {
		if instance.Outcome == patch.NotStarted {
			g.status.Instances[i].Outcome, g.status.Instances[i].Reason = patch.Skipped, g.status.Reason
		}
	}
	g.enter(ctx, patch.GroupDone, "skipped: "+g.status.Reason)
}

// forgetFailures makes the failed instances candidates again, under a new try. One that was quarantined or replaced is no member any
// more: tried again, what we terminated ourselves would be told to be gone, which fails nothing.
func (g *group) forgetFailures() {
	for i, instance := range g.status.Instances {
		if !instance.Replaced && (instance.Outcome == patch.Failed || instance.Outcome == patch.RolledBack) {
			g.try[instance.ID]++
			g.status.Instances[i] = notStarted(instance.ID)
		}
	}
}

func notStarted(id string) patch.InstanceResult {
	return patch.InstanceResult{ID: id, Outcome: patch.NotStarted, MissingBefore: []string{}, MissingAfter: []string{}}
}

// runInstance runs the saga of one instance as a child, whose id is the instance's lock, and returns its result.
func (g *group) runInstance(ctx workflow.Context, id string, putBack *PutBack) patch.InstanceResult {
	if putBack != nil {
		ctx, _ = workflow.NewDisconnectedContext(ctx)
	} else {
		ctx, g.halt = workflow.WithCancel(ctx)
		defer func() { g.halt = nil }()
	}
	summary := "patches " + id
	if putBack != nil {
		summary = "puts back " + id
	}
	result := g.child(ctx, summary, InstanceInput{
		WaveID: g.in.WaveID, Group: g.in.Group, Instance: id, Policy: g.in.Policy, Runbook: g.runbook, BaselineID: g.base,
		Try: g.try[id], Ours: patch.Holdings{Out: g.leftOut(), Surge: g.room != nil && g.room.raised && !g.room.dropped}, PutBack: putBack, Left: g.left[id],
		Tells: true,
	})
	if result.NoRoomForAnother && g.room != nil {
		g.room.dropped = true // the instance launched for room stays in its place, or the group would be one short
	}
	return result
}

// leftOut are the instances that this wave took out of service and did not return: those it quarantined, and those it reports
// as stranded. The decision whether another may go out looks at what each of them is now.
func (g *group) leftOut() []string {
	var out []string
	for _, instance := range g.status.Instances {
		if instance.Outcome == patch.Quarantined || len(instance.Stranded) > 0 {
			out = append(out, instance.ID)
		}
	}
	return out
}

// child runs one instance's workflow and makes a result of whatever comes of it.
func (g *group) child(ctx workflow.Context, summary string, in InstanceInput) patch.InstanceResult {
	id, lock := in.Instance, names.InstanceLock(in.Group, in.Instance)
	child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID: lock, TaskQueue: names.TaskQueue,
		ParentClosePolicy: parentClose, WaitForCancellation: true,
		StaticSummary: summary,
		TypedSearchAttributes: temporal.NewSearchAttributes(
			temporal.NewSearchAttributeKeyKeyword(names.AttributeWave).ValueSet(in.WaveID),
		),
	})
	g.status.Current = []string{lock}
	defer func() { g.status.Current, g.status.Now = nil, nil; g.ended++ }()
	var result patch.InstanceResult
	err := workflow.ExecuteChildWorkflow(child, PatchInstance, in).Get(child, &result)
	switch {
	case err == nil:
	case temporal.IsWorkflowExecutionAlreadyStartedError(err):
		result = notStarted(id)
		result.Outcome, result.Reason = patch.Failed, "locked: "+lock+" already runs; see who started it in the Temporal UI"
	case temporal.IsCanceledError(err):
		result = notStarted(id)
		result.Reason = "cancelled before it began"
	default:
		// The child runs no code any more: it was terminated or has a defect. Say so; Reconcile heals what is left.
		result = notStarted(id)
		result.Outcome, result.Reason = patch.Failed, "its workflow ended without a result: "+err.Error()
		result.Stranded = []patch.Stranded{{
			Account: g.in.Group.Account.Name, Region: g.in.Group.Region, Resource: "instance " + id,
			State: "unknown: its workflow ended without a result", WhatToDo: "look at " + lock + " in the Temporal UI and at the instance; the journal has the values before",
		}}
	}
	g.left[id] = g.left[id] || len(result.Stranded) > 0
	return result
}

func indexOf(instances []patch.InstanceResult, id string) int {
	return slices.IndexFunc(instances, func(r patch.InstanceResult) bool { return r.ID == id })
}
