// Package reconcile is the last net, Reconcile, and the list and the end of quarantines, Quarantine.
package reconcile

import (
	"cmp"
	"slices"
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// Request asks Reconcile to heal what waves that no longer run have left. The zero value heals everywhere: it only
// puts back what a signed record says that we changed.
type Request struct {
	DryRun bool   `json:"dry_run,omitempty"` // change nothing, tell what would be done
	Actor  string `json:"actor,omitempty"`
	Reason string `json:"reason,omitempty"`

	broken error
}

const reconcileExample = `{"dry_run": true}`

// UnmarshalJSON decodes strictly and keeps the error for Validate.
func (r *Request) UnmarshalJSON(data []byte) error {
	type plain Request
	r.broken = run.Strict(data, (*plain)(r))
	return nil
}

// Validate answers with InvalidInput what is wrong and shows a right example.
func (r Request) Validate() error {
	if r.broken != nil {
		return run.Invalid(r.broken.Error(), reconcileExample)
	}
	return nil
}

// Reconciliation is what Reconcile found and did. Lists are sorted by account, region and resource.
type Reconciliation struct {
	DryRun    bool             `json:"dry_run"`
	Done      bool             `json:"done"`
	Places    int              `json:"places"`    // accounts and regions of the configuration
	Inspected int              `json:"inspected"` // of them, looked through so far
	Healed    []Finding        `json:"healed"`    // put back; with dry_run: would be
	Failed    []patch.Stranded `json:"failed"`    // could not be put back, or not be looked at
	Untrusted []Finding        `json:"untrusted"` // marked, but with no record of ours that can be trusted: not touched
	// standby and suspended processes of a plan's groups that are not ours: not touched
	Unmarked  []Finding `json:"unmarked"`
	InUse     []Finding `json:"in_use"`     // marked, and its workflow runs: not touched
	TooRecent []Finding `json:"too_recent"` // marked or left so lately that it is not touched yet
	// snapshots and replaced volumes past their retention: deleted; quarantines past their time: terminated
	Expired []Finding `json:"expired"`
	// Quarantined are instances that a wave took out of their group because they must not serve, within their time.
	Quarantined []Finding `json:"quarantined"`
}

// Clean reports whether nothing of ours is left out there that no workflow owns, or that is too recent to tell; with
// dry_run also nothing to be healed.
func (r Reconciliation) Clean() bool {
	return r.Done && len(r.Failed)+len(r.Untrusted)+len(r.TooRecent) == 0 && (!r.DryRun || len(r.Healed) == 0)
}

// Finding is one resource and what is said of it.
type Finding struct {
	Account  string `json:"account"`
	Region   string `json:"region"`
	Resource string `json:"resource"`
	WaveID   string `json:"wave_id,omitempty"`
	State    string `json:"state"`
	WhatToDo string `json:"what_to_do,omitempty"` // of what is untrusted
}

// placesAtOnce is how many accounts and regions are looked through at the same time; each has its own queue and quotas.
const placesAtOnce = 10

// reconciliation is a run of Reconcile.
type reconciliation struct {
	request Request
	scope   activities.Scope
	result  Reconciliation
}

// Reconcile is the last net: it looks through every account and region of the configuration for what carries the
// journal's tag and belongs to no workflow that runs, and puts it back from its signed record. It acts on a group and
// its instances only under their locks, touches nothing that is too recent, and only reports what carries no tag.
func Reconcile(ctx workflow.Context, request Request) (*Reconciliation, error) {
	if err := request.Validate(); err != nil {
		return nil, err
	}
	r := &reconciliation{request: request, result: Reconciliation{
		DryRun: request.DryRun, Healed: []Finding{}, Failed: []patch.Stranded{}, Untrusted: []Finding{},
		Unmarked: []Finding{},
		InUse:    []Finding{}, TooRecent: []Finding{}, Expired: []Finding{}, Quarantined: []Finding{},
	}}
	if err := workflow.SetQueryHandlerWithOptions(
		ctx,
		names.QueryStatus,
		func() (Reconciliation, error) { return r.result, nil },
		workflow.QueryHandlerOptions{Description: "What has been found, healed and not healed so far"},
	); err != nil {
		return nil, err
	}
	if err := workflow.ExecuteActivity(
		run.Controlling(ctx, "where to look"), control.ReconcileScope,
	).Get(ctx, &r.scope); err != nil {
		return nil, err
	}
	r.result.Places = len(r.scope.Places)
	for _, problem := range r.scope.Problems {
		r.result.Failed = append(
			r.result.Failed, patch.Stranded{Resource: "the configuration", State: problem, WhatToDo: "mend the plan"},
		)
	}
	places := workflow.NewSemaphore(ctx, placesAtOnce)
	under := workflow.NewWaitGroup(ctx)
	for _, place := range r.scope.Places {
		if err := places.Acquire(ctx, 1); err != nil {
			break // cancelled: what is under way is waited for
		}
		under.Add(1)
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer under.Done()
			defer places.Release(1)
			(&placeSearch{reconciliation: r, place: place}).run(ctx)
			r.result.Inspected++
			r.show(ctx)
		})
	}
	clean, _ := workflow.NewDisconnectedContext(ctx)
	under.Wait(clean)
	r.sort()
	r.result.Done = ctx.Err() == nil
	r.show(ctx)
	r.tell(ctx)
	return &r.result, ctx.Err()
}

// sort makes the result the same whatever place answered first.
func (r *reconciliation) sort() {
	for _, list := range []*[]Finding{
		&r.result.Healed, &r.result.Untrusted, &r.result.Unmarked, &r.result.InUse, &r.result.TooRecent, &r.result.Expired,
		&r.result.Quarantined,
	} {
		slices.SortStableFunc(*list, func(a, b Finding) int {
			return cmp.Or(
				cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region), cmp.Compare(a.Resource, b.Resource),
			)
		})
	}
	slices.SortStableFunc(r.result.Failed, func(a, b patch.Stranded) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region), cmp.Compare(a.Resource, b.Resource))
	})
}

func (r *reconciliation) show(ctx workflow.Context) {
	workflow.SetCurrentDetails(ctx, r.result.details())
}

// details is what the Temporal UI shows of it.
func (r Reconciliation) details() string {
	var text strings.Builder
	mode := ""
	if r.DryRun {
		mode = " Dry run: nothing is changed."
	}
	run.Write(&text, "%d of %d accounts and regions looked through.%s\n\n"+
		"| | account | region | resource | |\n|---|---|---|---|---|\n",
		r.Inspected, r.Places, mode,
	)
	rows := 0
	row := func(what run.Marked, account, region, resource, state string) {
		if rows++; rows <= run.LongestTable {
			run.Write(&text, "| %s | %s | %s | %s | %s |\n", what, account, region, run.Cell(resource), run.Cell(state))
		}
	}
	for _, failed := range r.Failed {
		row("**failed**", failed.Account, failed.Region, failed.Resource, failed.State+" -> "+failed.WhatToDo)
	}
	for _, list := range r.lists() {
		for _, found := range list.findings {
			row(run.Marked(list.name), found.Account, found.Region, found.Resource, found.State)
		}
	}
	if rows > run.LongestTable {
		run.Write(&text, "| and %d more | | | | |\n", rows-run.LongestTable)
	}
	return text.String()
}

type namedFindings struct {
	name     string
	findings []Finding
}

// lists are the findings in the order in which a person wants to see them.
func (r Reconciliation) lists() []namedFindings {
	healed := "healed"
	if r.DryRun {
		healed = "would be healed"
	}
	return []namedFindings{
		{"**untrusted**", r.Untrusted},
		{healed, r.Healed},
		{"unmarked", r.Unmarked},
		{"in use", r.InUse},
		{"too recent", r.TooRecent},
		{"quarantined", r.Quarantined},
		{"expired", r.Expired},
	}
}
