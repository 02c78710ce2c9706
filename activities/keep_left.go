package activities

import (
	"context"
	"errors"
	"maps"
	"strings"

	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// KeepLeftInput is what a group did for a wave that was gone before it could be told.
type KeepLeftInput struct {
	WaveID  string
	Group   patch.Group
	Policy  patch.Policy
	Runbook Runbook
	Result  patch.GroupResult
}

// KeepLeft writes what a group did into the evidence, beside its wave's document, which nobody writes any more: by it
// the wave can be rolled back.
func (c *Control) KeepLeft(ctx context.Context, in KeepLeftInput) error {
	document := documentOf(in.WaveID, in.Group, in.Policy, in.Result,
		map[string]Runbook{in.Group.Account.ID + "/" + in.Group.Region: in.Runbook})
	id := names.LeftOf(in.WaveID, in.Group)
	return evidenceError("save what "+in.Group.String()+" did for "+in.WaveID, c.Evidence.PutWave(ctx, id, document))
}

// documentOf is a wave's document of one group only, made without the wave.
func documentOf(
	wave string, group patch.Group, policy patch.Policy, result patch.GroupResult, runbooks map[string]Runbook,
) WaveDocument {
	stage := policy.StageView()
	stage.Groups = []patch.Group{group}
	plan := policy.PlanView()
	plan.Stages = []patch.Stage{stage}
	return WaveDocument{
		Version: 1,
		Status:  patch.WaveStatus{WaveID: wave, Plan: plan.Name, Stages: []patch.StageStatus{}},
		Result: patch.WaveResult{
			WaveID: wave, Plan: plan.Name, Outcome: patch.Failed, Stranded: []patch.Stranded{},
			Stages: []patch.StageResult{{Name: stage.Name, Outcome: result.Outcome, Groups: []patch.GroupResult{result}}},
		},
		Plan:     plan,
		Runbooks: runbooks,
	}
}

// readLeft puts what groups left beside a wave's document into it, and reports whether there was any.
func (c *Control) readLeft(ctx context.Context, wave string, document *WaveDocument) (left bool, err error) {
	ids, err := c.Evidence.ListWaves(ctx)
	if err != nil {
		return false, err
	}
	for _, id := range ids {
		if !strings.HasPrefix(id, names.LeftPrefix(wave)) {
			continue
		}
		var one WaveDocument
		var missing *evidence.NotFoundError
		switch err := c.Evidence.ProvenWave(ctx, id, &one); {
		case errors.As(err, &missing):
			continue
		case err != nil:
			return false, err
		}
		*document, left = document.With(one), true
	}
	return left, nil
}

// With is a wave's document and what one of its groups left beside it: newer than what the document tells of the same
// instances, and all there is where it tells nothing.
func (d WaveDocument) With(left WaveDocument) WaveDocument {
	if d.Version == 0 {
		return left
	}
	runbooks := map[string]Runbook{}
	maps.Copy(runbooks, left.Runbooks)
	maps.Copy(runbooks, d.Runbooks)
	d.Runbooks, d.Plan, d.Result = runbooks, d.Plan.With(left.Plan.Stages), d.Result.With(left.Result.Stages)
	return d
}
