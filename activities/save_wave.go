package activities

import (
	"context"

	"github.com/patchtide/patchtide/internal/patch"
)

// SaveWaveInput is a wave's evidence.
type SaveWaveInput struct {
	WaveID   string
	Document WaveDocument
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

// SaveWave writes the wave's document.
func (c *Control) SaveWave(ctx context.Context, in SaveWaveInput) error {
	return evidenceError("save the document of wave "+in.WaveID, c.Evidence.PutWave(ctx, in.WaveID, in.Document))
}
