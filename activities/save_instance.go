package activities

import (
	"context"

	"github.com/patchtide/patchtide/internal/patch"
)

// SaveInstanceInput is the evidence of one instance.
type SaveInstanceInput struct {
	Details patch.InstanceDetails
}

// InstanceSaved is what leads to the evidence of one instance, and proves it.
type InstanceSaved struct {
	SHA256 string
}

// SaveInstance writes what was done to an instance, in the place of what an earlier saga of it wrote.
func (c *Control) SaveInstance(ctx context.Context, in SaveInstanceInput) (*InstanceSaved, error) {
	sum, err := c.Evidence.PutInstance(ctx, in.Details.WaveID, in.Details.Instance, in.Details)
	if err != nil {
		return nil, evidenceError("save what was done to "+in.Details.Instance+" by wave "+in.Details.WaveID, err)
	}
	return &InstanceSaved{SHA256: sum}, nil
}
