package activities

import (
	"context"

	"go.temporal.io/sdk/activity"

	"github.com/patchtide/patchtide/internal/patch"
)

// SaveWaveInput is a wave's evidence.
type SaveWaveInput struct {
	WaveID   string
	Document WaveDocument
	Of       RunOf // the run that its history began with
}

// WaveDocument is the one JSON document a wave leaves in the evidence store.
type WaveDocument struct {
	Version  int                `json:"version"` // of this document's shape: 1
	Status   patch.WaveStatus   `json:"status"`
	Result   patch.WaveResult   `json:"result"`
	Plan     patch.Plan         `json:"plan"`
	Hash     string             `json:"plan_hash"`
	Runbooks map[string]Runbook `json:"runbooks"` // by account/region
}

// SaveWave writes the wave's document. A run that somebody has reset believes what was before, and writes over nothing.
func (c *Control) SaveWave(ctx context.Context, in SaveWaveInput) error {
	if activity.IsActivity(ctx) {
		if now := activity.GetInfo(ctx).WorkflowExecution.RunID; in.Of.RunID != "" && in.Of.RunID != now {
			activity.GetLogger(ctx).Warn("a wave that was reset writes no evidence", "wave", in.WaveID, "run", now)
			return nil
		}
	}
	return evidenceError("save the document of wave "+in.WaveID, c.Evidence.PutWave(ctx, in.WaveID, in.Document))
}
