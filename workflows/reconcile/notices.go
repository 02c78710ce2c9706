package reconcile

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
	"github.com/patchtide/patchtide/workflows/notice"
)

// tell tells people what was found that needs one: what is left stranded or cannot be trusted, and what somebody else
// changed. A dry run tells whoever asked for it, and nobody else.
func (r *reconciliation) tell(ctx workflow.Context) {
	if !r.scope.Notifies || r.request.DryRun {
		return
	}
	if len(r.result.Failed)+len(r.result.Untrusted) > 0 {
		told := r.notice(ctx, patch.NoticeStranded)
		told.Stranded = append(told.Stranded, r.result.Failed...)
		for _, found := range r.result.Untrusted {
			told.Stranded = append(told.Stranded, patch.Stranded{
				Account: found.Account, Region: found.Region, Resource: found.Resource, State: found.State,
				WhatToDo: cmp.Or(found.WhatToDo, "compare it by hand, then remove the tag that leads to its record"),
			})
		}
		told.Stranded = told.Stranded[:min(len(told.Stranded), run.MostListed)]
		told.Key += "/" + workflow.GetInfo(ctx).WorkflowExecution.RunID
		notice.Tell(ctx, told)
	}
	if len(r.result.Unmarked) > 0 {
		told := r.notice(ctx, patch.NoticeDrift)
		told.Subject = "groups that somebody else changed"
		told.WhatToDo = "Ask who did, and put it back: such a group is refused by the next wave, or cannot scale."
		for _, found := range r.result.Unmarked[:min(len(r.result.Unmarked), run.MostListed)] {
			told.Findings = append(
				told.Findings, fmt.Sprintf("%s/%s %s: %s", found.Account, found.Region, found.Resource, found.State),
			)
		}
		// The same findings are told once a day, however often Reconcile runs.
		same := uuid.NewSHA1(run.Space, []byte(strings.Join(told.Findings, "\x00")))
		told.Key += "/" + workflow.Now(ctx).UTC().Format(time.DateOnly) + "/" + same.String()
		notice.Tell(ctx, told)
	}
}

func (r *reconciliation) notice(ctx workflow.Context, kind patch.NoticeKind) patch.Notice {
	id := workflow.GetInfo(ctx).WorkflowExecution.ID
	return patch.Notice{
		Kind: kind, Key: id + "/" + string(kind), At: workflow.Now(ctx), Subject: "reconcile", WorkflowID: id,
		Actor: r.request.Actor, Why: r.request.Reason,
	}
}
