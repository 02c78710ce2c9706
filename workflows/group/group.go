// Package group holds a group's lock and takes its instances in order: PatchGroup, and under the same lock HealGroup
// and ReleaseGroup.
package group

import (
	"cmp"
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/instance"
	"github.com/patchtide/patchtide/workflows/internal/room"
	"github.com/patchtide/patchtide/workflows/internal/run"
	"github.com/patchtide/patchtide/workflows/internal/undo"
)

// Input starts PatchGroup. Its workflow id is the group's lock, from preflight until the wave releases it.
type Input struct {
	WaveID  string
	Group   patch.Group
	Policy  patch.Policy
	Members []string    // in order, as preflight found them: a group that is never reached tells what it left alone
	LeftOut []patch.Gap // as preflight found them, likewise
	Run     string      // of a RollBackWave: its run, so that a second roll back of one wave makes attempts of its own

	ContinueAfter int      // instances after which the history begins anew; 0: the default
	Carried       *Carried // what an earlier run of this group leaves to this one

	Tells bool // the wave listens to what each instance is doing
	Every int  // instances after which the wave is told the counts; 0: each
}

// group is one group's run.
type group struct {
	in         Input // of HealGroup and ReleaseGroup: what the three have in common
	waited     bool  // its parent waits for the result and is told nothing meanwhile
	status     patch.GroupStatus
	unasked    bool // see instance.Common
	runbook    activities.Runbook
	base       string         // the patch baseline's id
	closed     *Closing       // nil while instances may begin
	rolledBack bool           // what was patched has been put back
	wantedBack bool           // it was to be, however that went
	serves     string         // see serving; of the last hold
	earlier    time.Time      // see GroupOrder.Earlier
	room       *room.Room     // nil: none was made
	suspended  []string       // processes that the group keeps suspended while several are out
	notes      []string       // what a reader should know beside its members
	record     journal.Record // what the journal holds of it, where no room is made
	targets    []string       // ARNs of the target groups that hold members; nil: they have not been looked through yet
	renewing   bool           // RenewImage is under way
	imageTries int            // how often its image was begun to be renewed
	imageBack  bool           // its launch template has been put back
	watch      *undo.Watch    // beside what the group itself puts back; nil: nothing yet
	tries
	mailbox
	progress
	stops
	batch batch
	way   way
	turns turns
}

// tries is what earlier sagas of a group's instances came to.
type tries struct {
	try  map[string]int  // the saga's try of each instance
	left map[string]bool // instances of which an earlier saga stranded something
}

// mailbox is what the wave told the group.
type mailbox struct {
	channel   workflow.ReceiveChannel
	telling   bool // the listener is handing something on
	orders    []OrderKind
	orphaned  bool // the wave's run has closed: no order will come
	paused    bool
	whyPaused string
	stopped   bool
}

// progress is how far this run of the workflow has come.
type progress struct {
	paceSoFar      // of those patched
	ended     int  // instances that have ended in this run
	resumed   bool // this run goes on with what an earlier one began
	rounds    int  // how often somebody had joined once all others were tried
	goOn      bool // the rest is for the next run
}

// stops end what is under way; nil: nothing of the kind is.
type stops struct {
	thawed     workflow.CancelFunc // the watch for the end of a freeze, or of a soak
	halt       workflow.CancelFunc // the instances under way
	stopTrying func()              // the giving back of room
}

// PatchGroup holds a group's lock and patches its instances in order when told to. It closes only on release, or when
// it is cancelled and has put its part back.
func PatchGroup(ctx workflow.Context, in Input) (*End, error) {
	if err := run.ChildOf(ctx, "its wave,", in.WaveID); err != nil {
		return nil, err
	}
	g := newGroup(in)
	order := g.takeOver(in.Carried)
	if err := g.begin(ctx); err != nil {
		return nil, err
	}
	g.watchOwner(ctx)
	for ; ; order = "" {
		if order == "" {
			// A cancelled group goes on until nothing is under way, and then needs no release.
			if err := workflow.Await(ctx, func() bool { return len(g.orders) > 0 }); err != nil {
				return g.leave(ctx), nil //nolint:nilerr // cancelled: what was under way has been put back, the result tells
			}
			order, g.orders = g.orders[0], g.orders[1:]
			g.in.Policy.Began = workflow.Now(ctx)
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
			switch {
			case g.status.Phase != patch.GroupPaused:
			case g.paused: // what had held it beside that is over
				g.enter(ctx, patch.GroupPaused, g.pausedWhy())
			default:
				g.patch(ctx)
			}
		case OrderStop:
			if g.status.Phase == patch.GroupPaused || g.status.Phase == patch.GroupStepDone {
				g.enter(ctx, patch.GroupDone, g.stoppedWhy())
			}
		case OrderRollBack:
			g.rollBack(ctx)
		case OrderRelease:
			g.nameLatecomers(ctx)
			return g.leave(ctx), nil
		case OrderPark:
			return g.park(), nil
		}
		if g.goOn {
			return nil, g.continueAsNew(ctx, order)
		}
	}
}

func newGroup(in Input) *group {
	g := &group{in: in, tries: tries{try: map[string]int{}, left: map[string]bool{}}}
	g.status = patch.GroupStatus{
		Group: in.Group.String(), Phase: patch.GroupIdle, Instances: []patch.InstanceResult{}, LeftOut: in.LeftOut,
	}
	for _, id := range in.Members {
		g.status.Instances = append(g.status.Instances, patch.Untouched(id))
	}
	return g
}

// begin answers the query, and listens to the wave and to the instances.
func (g *group) begin(ctx workflow.Context) error {
	if err := workflow.SetQueryHandlerWithOptions(ctx, names.QueryStatus,
		func() (patch.GroupStatus, error) {
			answer := g.status
			answer.Instances = patch.FitResults(answer.Instances)
			return answer, nil
		},
		workflow.QueryHandlerOptions{
			Description: "The group's phase, the instances under way and the results so far",
		}); err != nil {
		return err
	}
	g.listen(ctx)
	g.follow(ctx)
	g.keepTurns(ctx)
	return nil
}

// alone does what needs no orders, and closes.
func (g *group) alone(ctx workflow.Context, do func(workflow.Context)) (*End, error) {
	g.waited = true
	if err := g.begin(ctx); err != nil {
		return nil, err
	}
	do(ctx)
	return g.end(), nil
}

// enter changes the phase and tells the wave.
func (g *group) enter(ctx workflow.Context, phase patch.GroupPhase, why string) {
	if phase == patch.GroupDone && g.stopped {
		g.recallUntried()
	}
	g.status.Phase, g.status.Reason = phase, why
	g.log(ctx)
	g.report(ctx)
}

// done counts the instances that have ended.
func (g *group) done() (done int) {
	for _, instance := range g.status.Instances {
		if instance.Outcome != patch.NotStarted {
			done++
		}
	}
	return done
}

// report tells the wave the group's counts: at each phase, each failure and every few instances.
func (g *group) report(ctx workflow.Context) {
	workflow.SetCurrentDetails(ctx, g.details(ctx))
	parent := workflow.GetInfo(ctx).ParentWorkflowExecution
	if parent == nil || g.waited {
		return
	}
	counts := patch.GroupCounts{
		Group: g.status.Group, WorkflowID: workflow.GetInfo(ctx).WorkflowExecution.ID, Phase: g.status.Phase,
		Strategy: g.status.Strategy, Total: len(g.status.Instances), Done: g.done(), Reason: g.status.Reason,
		Tally:   patch.TallyOf(g.status.Instances),
		Outcome: g.result().Outcome, Each: g.each(), Gaps: g.status.Gaps, Stranded: g.status.Stranded,
		Baseline: g.in.Group.ToldBaseline(),
		LeftOut:  patch.ToldLeftOut(g.status.LeftOut), Waiting: patch.ToldWaiting(g.status.Instances),
		Failing: g.status.Failing, Stops: g.batch.failed != "" && g.status.Phase == patch.GroupPatching,
	}
	if g.closed != nil {
		counts.Closed = g.closed.Code
	}
	if g.status.Phase == patch.GroupHeld {
		counts.Serving = g.serves
	}
	counts.Patched, counts.StillPatched = patch.CountPatched(g.status.Instances), g.stillPatched()
	if counts.Patched > 0 && g.status.Phase == patch.GroupDone && !g.rolledBack {
		counts.StaleImage = g.status.StaleImage
	}
	if g.status.Image != nil {
		counts.Image = patch.Clip(g.status.Image.Told(), longestWhy*2)
	}
	counts.LastPatched = patch.LastPatched(g.status.Instances)
	if len(g.status.Instances) > 0 || g.in.Group.Only.Empty() { // of whom a person names, nobody need be here
		counts.Unproven = patch.Unproven(
			g.status.Group, g.status.Instances, cmp.Or(g.status.Reason, "it had nobody to be patched"),
		)
	}
	for _, instance := range g.status.Instances {
		waits := lacksRoom(instance) && g.status.Phase == patch.GroupRollingBack // it may be asked again
		// What one failed at stays told while the others are put back, and once they are.
		failed := g.isFailure(instance) || instance.Outcome == patch.RolledBack && instance.Reason != "" && !instance.AsBefore
		if failed && !waits {
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
		Baseline: g.in.Group.ToldBaseline(),
		Outcome: patch.GroupOutcome(g.status.Instances).Judged(g.status.Gaps).JudgedWithout(
			g.in.Group.Only, g.status.LeftOut,
		), Reason: g.status.Reason, LeftOut: g.status.LeftOut,
		Instances: g.status.Instances, Gaps: g.status.Gaps, Notes: g.status.Notes,
		Stranded: g.status.Stranded, Image: g.status.Image,
	}
	result.Outcome = result.Outcome.JudgedImage(g.status.Image)
	switch {
	case len(g.status.Instances) == 0 && len(g.status.Gaps) == 0 && !g.imageBack:
		result.Outcome = patch.NotStarted
	case result.Outcome == patch.Failed && (!g.rolledBack || slices.ContainsFunc(
		g.status.Instances, patch.InstanceResult.NotAsBefore)):
	case g.rolledBack && g.imageBack:
		result.Outcome = patch.RolledBack
	case g.rolledBack:
		result.Outcome = patch.RolledBack.JudgePutBack(outcomesOf(g.status.Instances))
	case g.stopped || g.closed != nil:
		result.Outcome = patch.Aborted
	}
	return result
}

// outcomesOf are those of instances to which anything was done.
func outcomesOf(instances []patch.InstanceResult) (outcomes []patch.Outcome) {
	for _, instance := range instances {
		if !instance.AsBefore {
			outcomes = append(outcomes, instance.Outcome)
		}
	}
	return outcomes
}

// skipFailures leaves the failed instances as they are and goes on. One that was never changed is skipped, one that was
// put back stays rolled back. A group that was refused as a whole is skipped as a whole.
func (g *group) skipFailures(ctx workflow.Context) {
	refused := true
	for i, instance := range g.status.Instances {
		if !g.isFailure(instance) || instance.PassedOver {
			continue
		}
		refused = false
		g.status.Instances[i].PassedOver = true
		if instance.Outcome == patch.Failed && !instance.NotAsBefore() {
			g.status.Instances[i].Outcome = patch.Skipped
		}
	}
	if !refused {
		g.patch(ctx)
		return
	}
	for i, instance := range g.status.Instances {
		switch {
		case instance.Outcome != patch.NotStarted:
		case instance.LastTry != nil: // it was changed, and what came of that is what is skipped
			g.status.Instances[i] = *instance.LastTry
			g.status.Instances[i].PassedOver = true
		default:
			g.status.Instances[i].Outcome, g.status.Instances[i].Reason = patch.Skipped, g.status.Reason
		}
	}
	g.enter(ctx, patch.GroupDone, "skipped: "+g.status.Reason)
}

// patchInstance runs the saga of one instance as a child, whose id is the instance's lock, and returns its result.
func (g *group) patchInstance(ctx workflow.Context, id string) patch.InstanceResult {
	of, canary := g.common(ctx, id), g.isCanary()
	of.Policy = g.policy()
	of.Turns = g.status.Strategy.AtOnce > 1
	of.Peers = g.peers(id)
	result := g.child(ctx, "patches "+id, of, instance.PatchInstance, instance.Input{
		Common: of, Runbook: g.runbook, BaselineID: g.base, Left: g.left[id],
	})
	result.Canary = canary && !result.Started.IsZero()
	g.keepRoom(result)
	return result
}

// putBackInstance puts one back that was patched; no cancel of the group reaches it.
func (g *group) putBackInstance(ctx workflow.Context, id string, putBack journal.PutBack) patch.InstanceResult {
	clean, _ := workflow.NewDisconnectedContext(ctx)
	of := g.common(ctx, id)
	result := g.child(clean, "puts back "+id, of, instance.RestoreInstance, instance.RestoreInput{
		Common: of, PutBack: putBack, Left: g.left[id],
	})
	g.keepRoom(result)
	return result
}

// common is what every workflow of an instance of this group is given.
func (g *group) common(ctx workflow.Context, id string) instance.Common {
	return instance.Common{
		WaveID: g.in.WaveID, Group: g.in.Group, Instance: id, Policy: g.in.Policy, Try: g.try[id], Tells: true,
		Targets: g.targets, Unasked: g.unasked,
		Ours: g.holdings(ctx, id), Suspends: g.suspended,
	}
}

// keepRoom keeps one of those launched for room in the place of one that left for good, where the group would be one
// short.
func (g *group) keepRoom(result patch.InstanceResult) {
	if result.NoRoomForAnother && g.room != nil {
		g.room.Kept++
	}
}

// leftOut are the instances that this wave took out of service and did not return: those it quarantined, and those it
// reports as stranded. The decision whether another may go out looks at what each of them is now.
func (g *group) leftOut() []string {
	var out []string
	for _, instance := range g.status.Instances {
		if instance.Outcome == patch.Quarantined || len(instance.Stranded) > 0 {
			out = append(out, instance.ID)
		}
	}
	return out
}

func indexOf(instances []patch.InstanceResult, id string) int {
	return slices.IndexFunc(instances, func(r patch.InstanceResult) bool { return r.ID == id })
}
