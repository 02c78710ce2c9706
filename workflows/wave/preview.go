package wave

import (
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// PreviewRequest starts a preview.
type PreviewRequest struct {
	Plan string `json:"plan"`
	// Scan scans first, where a preview otherwise takes what Systems Manager knows already.
	Scan bool `json:"scan,omitempty"`
	// Only is whom the wave would take; without it everybody.
	Only *patch.Only `json:"only,omitempty"`

	broken error
}

const previewExample = `{"plan": "web", "scan": false}`

// UnmarshalJSON decodes strictly and keeps the error for Validate.
func (r *PreviewRequest) UnmarshalJSON(data []byte) error {
	type plain PreviewRequest
	r.broken = run.Strict(data, (*plain)(r))
	return nil
}

// Validate answers with InvalidInput what is wrong and shows a right example.
func (r PreviewRequest) Validate() error {
	switch {
	case r.broken != nil:
		return run.Invalid(r.broken.Error(), previewExample)
	case strings.TrimSpace(r.Plan) == "":
		return run.Invalid("plan: is missing", previewExample)
	}
	if err := r.Only.Check(); err != nil {
		return run.Invalid(err.Error(), onlyExample)
	}
	return nil
}

// PreviewResult is what a preview found.
type PreviewResult struct {
	Outcome patch.Outcome `json:"outcome"` // would_run or blocked
	Preview patch.Preview `json:"preview"`
}

// lookedAtOnce is how many groups a preview reads at once: AWS's quotas are per account, and it runs beside waves.
const lookedAtOnce = 8

// impatient bounds a preview's reads of one group: what does not answer by then is told as being in the way.
const impatient = 2 * time.Minute

// preview is one run of PreviewWave.
type preview struct {
	request PreviewRequest
	plan    patch.Plan
	status  patch.WaveStatus
}

// following is how many windows a preview tells beside its own.
const following = 3

// PreviewWave reads what a wave's preflight reads, of every group, asks the same decisions, and tells what a wave would
// do and all that is in its way. It changes nothing, takes no lock and no verbs, and leaves no evidence. Its only error
// is a plan or request that is wrong.
func PreviewWave(ctx workflow.Context, request PreviewRequest) (*PreviewResult, error) {
	p := &preview{request: request}
	p.status = patch.WaveStatus{
		WaveID: workflow.GetInfo(ctx).WorkflowExecution.ID, Plan: request.Plan, Stages: []patch.StageStatus{},
	}
	if err := request.Validate(); err != nil {
		return nil, err
	}
	if err := answerStatus(ctx, &p.status, "Whether it is still reading; what it found is its result"); err != nil {
		return nil, err
	}
	p.enter(ctx, patch.StatePlanning)
	var resolved activities.ResolvedPlan
	if err := workflow.ExecuteActivity(run.Controlling(ctx, "what the plan says"), control.ResolvePlan,
		activities.ResolvePlanInput{Plan: request.Plan, At: workflow.Now(ctx), Following: following}).Get(
		ctx, &resolved,
	); err != nil {
		return nil, err
	}
	p.plan, p.status.Window, p.status.Stages = resolved.Plan.Taking(request.Only), resolved.Plan.Window,
		stagesOf(resolved.Plan)
	p.status.Only = request.Only
	readings := p.readAll(ctx)
	whole := append(p.inTheWayOfAll(ctx, readings), p.misses(readings)...)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	found := patch.NewPreview(p.plan, resolved.Hash, workflow.Now(ctx), readings, whole, p.newestManifest(ctx))
	found.Following, found.Only = resolved.Following, request.Only
	found.Notes = append(found.Notes, resolved.Over...)
	p.status.Outcome = patch.WouldRun
	if !found.CouldRun() {
		p.status.Outcome = patch.Blocked
	}
	p.enter(ctx, patch.StateClosed)
	workflow.SetCurrentDetails(ctx, previewDetails(*found))
	return &PreviewResult{Outcome: p.status.Outcome, Preview: found.Fit()}, nil
}

// enter changes the state and shows it where people look.
func (p *preview) enter(ctx workflow.Context, state patch.WaveState) {
	p.status.State, p.status.Since = state, workflow.Now(ctx)
	workflow.SetCurrentDetails(ctx, waveDetails(p.status, workflow.GetInfo(ctx).Namespace))
	index(ctx, p.status)
}
