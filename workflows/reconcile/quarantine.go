package reconcile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/instance"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// QuarantineRequest asks for the quarantined instances, or for an end of one's quarantine. The zero value lists.
type QuarantineRequest struct {
	Verb     patch.QuarantineVerb `json:"verb,omitempty"` // list (the default), release or terminate
	Instance string               `json:"instance,omitempty"`
	// GiveWay is the instance that is terminated when its group has no room for the released one; without it the one that
	// was launched in its place.
	GiveWay string `json:"give_way,omitempty"`
	Actor   string `json:"actor,omitempty"`
	Reason  string `json:"reason,omitempty"`

	broken error
}

const quarantineExample = `{"verb": "release", "instance": "i-0123456789abcdef0", "actor": "you", "reason": "the disk was full, it is well"}`

// UnmarshalJSON decodes strictly and keeps the error for Validate.
func (r *QuarantineRequest) UnmarshalJSON(data []byte) error {
	type plain QuarantineRequest
	r.broken = run.Strict(data, (*plain)(r))
	return nil
}

// Validate answers with InvalidInput what is wrong and shows a right example.
func (r QuarantineRequest) Validate() error {
	switch r.Verb {
	case "", patch.QuarantineList:
		if r.broken == nil && (r.Instance != "" || r.GiveWay != "") {
			return run.Invalid("instance: is for release and terminate; list takes none", quarantineExample)
		}
	case patch.QuarantineRelease, patch.QuarantineTerminate:
		switch {
		case r.broken != nil:
		case !strings.HasPrefix(r.Instance, "i-") && !patch.IsNode(r.Instance):
			return run.Invalid(fmt.Sprintf("instance: %q is no instance's id", r.Instance), quarantineExample)
		case r.Verb == patch.QuarantineTerminate && patch.IsNode(r.Instance):
			return run.Invalid(fmt.Sprintf("instance: %s is a managed node, which AWS cannot terminate; mend it and release "+
				"it, or end its registration by `aws ssm deregister-managed-instance`", r.Instance), quarantineExample)
		case patch.Answered(r.Actor, r.Reason) != nil:
			return run.Invalid(patch.Answered(r.Actor, r.Reason).Error(), quarantineExample)
		case r.GiveWay != "" && r.Verb != patch.QuarantineRelease:
			return run.Invalid("give_way: only release has one", quarantineExample)
		}
	default:
		return run.Invalid(fmt.Sprintf("verb: %q is neither list, release nor terminate", r.Verb), quarantineExample)
	}
	if r.broken != nil {
		return run.Invalid(r.broken.Error(), quarantineExample)
	}
	return nil
}

// QuarantineResult is what Quarantine found, and did.
type QuarantineResult struct {
	// those in quarantine, by account, region and id; of release and terminate only that one
	Instances []Quarantined `json:"instances"`
	// places that could not be looked through, tags that cannot be trusted, things left
	Problems []patch.Stranded      `json:"problems"`
	Ended    *patch.InstanceResult `json:"ended,omitempty"` // of release and terminate
}

// Quarantined is one instance in quarantine.
type Quarantined struct {
	Account  string     `json:"account"`
	Region   string     `json:"region"`
	Group    string     `json:"group"`
	Instance string     `json:"instance"`
	WaveID   string     `json:"wave_id"`
	Why      string     `json:"why"`
	Since    time.Time  `json:"since"`
	Until    *time.Time `json:"until"` // null: until a person decides
	Isolated bool       `json:"isolated"`

	record journal.Record
}

// ErrNotQuarantined ends a release or terminate of an instance that is not in quarantine; nothing was changed.
const ErrNotQuarantined = "NotQuarantined"

// quarantineSearch is a run of Quarantine.
type quarantineSearch struct {
	request QuarantineRequest
	result  QuarantineResult
}

// Quarantine lists the quarantined instances of every account and region, or ends one's quarantine: released, it
// returns to its group and target groups with its old security groups, and its health is checked; terminated, it ends.
// It acts from the signed record only, under the group's and the instance's lock.
func Quarantine(ctx workflow.Context, request QuarantineRequest) (*QuarantineResult, error) {
	if err := request.Validate(); err != nil {
		return nil, err
	}
	is, id := workflow.GetInfo(ctx).WorkflowExecution.ID, names.QuarantineID(request.Instance)
	if request.Instance != "" && is != id {
		return nil, run.Invalid("start it under the workflow id "+id+", so that nobody ends the quarantine a second time "+
			"meanwhile", quarantineExample)
	}
	q := &quarantineSearch{
		request: request, result: QuarantineResult{Instances: []Quarantined{}, Problems: []patch.Stranded{}},
	}
	if err := workflow.SetQueryHandlerWithOptions(
		ctx,
		names.QueryStatus,
		func() (QuarantineResult, error) { return q.result, nil },
		workflow.QueryHandlerOptions{Description: "What is in quarantine, and what became of it"},
	); err != nil {
		return nil, err
	}
	if err := q.search(ctx); err != nil {
		return nil, err
	}
	workflow.SetCurrentDetails(ctx, q.result.details())
	if request.Verb == "" || request.Verb == patch.QuarantineList {
		return &q.result, nil
	}
	if len(q.result.Instances) != 1 {
		return nil, q.notFound()
	}
	ended, stranded, err := endUnderLocks(ctx, names.QuarantineID(request.Instance), instance.QuarantineEnd{
		Verb: request.Verb, Record: q.result.Instances[0].record, Actor: request.Actor, Reason: request.Reason,
		GiveWay: request.GiveWay,
	})
	if err != nil {
		return nil, err
	}
	q.result.Ended = ended
	q.result.Problems = append(q.result.Problems, stranded...)
	workflow.SetCurrentDetails(ctx, q.result.details())
	return &q.result, ctx.Err()
}

// search looks through every account and region of the configuration.
func (q *quarantineSearch) search(ctx workflow.Context) error {
	var scope activities.Scope
	if err := workflow.ExecuteActivity(
		run.Controlling(ctx, "where to look"), control.ReconcileScope,
	).Get(ctx, &scope); err != nil {
		return err
	}
	places := workflow.NewSemaphore(ctx, placesAtOnce)
	under := workflow.NewWaitGroup(ctx)
	for _, place := range scope.Places {
		if err := places.Acquire(ctx, 1); err != nil {
			break // cancelled: what is under way is waited for
		}
		under.Add(1)
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer under.Done()
			defer places.Release(1)
			q.look(ctx, place, scope.Timing)
		})
	}
	clean, _ := workflow.NewDisconnectedContext(ctx)
	under.Wait(clean)
	slices.SortFunc(q.result.Instances, func(a, b Quarantined) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region), cmp.Compare(a.Instance, b.Instance))
	})
	return ctx.Err()
}

func (q *quarantineSearch) look(ctx workflow.Context, place patch.Place, timing patch.Timing) {
	problem := func(resource, state, whatToDo string) {
		q.result.Problems = append(q.result.Problems, patch.Stranded{
			Account: place.Account.Name, Region: place.Region, Resource: resource, State: state, WhatToDo: whatToDo,
		})
	}
	var found activities.FoundQuarantined
	if err := workflow.ExecuteActivity(
		run.Reading(ctx, place.Nowhere(), timing), aws.FindQuarantined, activities.FindQuarantinedInput{
			Place: place, Instance: q.request.Instance,
		}).Get(ctx, &found); err != nil {
		problem("all of it", "not looked through: "+run.Reason(err), "mend what it says, then ask again")
		return
	}
	for _, one := range found.Resources {
		record, untrusted, err := readQuarantine(ctx, place, one)
		switch {
		case err != nil:
			problem(
				resourceOf(one), "its record could not be read: "+run.Reason(err), "see that the evidence store can be reached",
			)
			continue
		case untrusted != "":
			problem(resourceOf(one), untrusted, "compare by hand, then remove its tag "+names.TagQuarantine)
			continue
		}
		quarantined := Quarantined{
			Account: place.Account.Name, Region: place.Region, Group: record.Group.Name(), Instance: one.Instance,
			WaveID: record.WaveID,
			Why:    record.Quarantine.Told, Since: record.Quarantine.At, Isolated: record.Quarantine.Isolation != nil,
			record: record,
		}
		if until := record.Quarantine.Until; !until.IsZero() {
			quarantined.Until = &until
		}
		q.result.Instances = append(q.result.Instances, quarantined)
	}
}

func (q *quarantineSearch) notFound() error {
	if len(q.result.Problems) > 0 {
		first := q.result.Problems[0]
		return temporal.NewNonRetryableApplicationError(fmt.Sprintf(
			"%s was not found in quarantine, and not everything "+
				"could be looked at: %s/%s %s: %s; %s",
			q.request.Instance,
			first.Account,
			first.Region,
			first.Resource,
			first.State,
			first.WhatToDo,
		), ErrNotQuarantined, nil)
	}
	return temporal.NewNonRetryableApplicationError(q.request.Instance+" is not in quarantine in any account and "+
		"region of the worker's configuration; see `patchtide quarantine list`",
		ErrNotQuarantined, nil)
}

// readQuarantine reads and verifies the record that a quarantine's tag points to, or says why it is not to be trusted.
func readQuarantine(
	ctx workflow.Context, place patch.Place, one activities.MarkedResource,
) (journal.Record, string, error) {
	if one.Problem != "" {
		return journal.Record{}, fmt.Sprintf("%s (tag %q)", one.Problem, one.Tag), nil
	}
	read, err := run.ReadRecord(ctx, activities.ReadRecordInput{Pointer: one.Journal, About: journal.About{
		WaveID: one.Journal.WaveID, Place: place, Instance: one.Instance,
	}})
	switch {
	case err != nil:
		return journal.Record{}, "", err
	case read.Record == nil:
		return journal.Record{}, read.Untrusted, nil
	}
	if doubt := read.Record.DoubtQuarantine(); doubt != "" {
		return journal.Record{}, doubt, nil
	}
	return *read.Record, "", nil
}

// quarantineState says of a quarantined instance why and until when.
func quarantineState(record journal.Record) string {
	q := record.Quarantine
	until := "until a person decides"
	if !q.Until.IsZero() {
		until = "until " + q.Until.UTC().Format("2006-01-02 15:04 MST")
	}
	return fmt.Sprintf(
		"out of %s since %s, %s: %s", record.Group.Name(), q.At.UTC().Format("2006-01-02 15:04 MST"), until, q.Told,
	)
}

// details is what the Temporal UI shows.
func (r QuarantineResult) details() string {
	var text strings.Builder
	text.WriteString("| account | region | group | instance | since | until | why |\n|---|---|---|---|---|---|---|\n")
	for i, one := range r.Instances {
		if i >= run.LongestTable {
			run.Write(&text, "| and %d more | | | | | | |\n", len(r.Instances)-i)
			break
		}
		until := "a person decides"
		if one.Until != nil {
			until = one.Until.UTC().Format("2006-01-02 15:04")
		}
		run.Write(&text, "| %s | %s | %s | %s | %s | %s | %s |\n",
			one.Account,
			one.Region,
			run.Cell(one.Group),
			one.Instance,
			one.Since.UTC().Format("2006-01-02 15:04"),
			until,
			run.Cell(one.Why),
		)
	}
	for _, problem := range r.Problems {
		run.Write(&text, "\n- **problem** %s/%s %s: %s -> %s\n",
			problem.Account, problem.Region, problem.Resource, problem.State,
			problem.WhatToDo,
		)
	}
	if r.Ended != nil {
		run.Write(&text, "\n**%s**: %s %s\n", r.Ended.ID, r.Ended.Outcome.Words(), run.Cell(r.Ended.Reason))
	}
	return text.String()
}
