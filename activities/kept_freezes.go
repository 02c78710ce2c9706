package activities

import (
	"context"
	"errors"

	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// KeptFreezes is what is frozen, as the evidence keeps it: Temporal's database may be lost, and a freeze must not be.
type KeptFreezes struct {
	Freezes   patch.Freezes `json:"freezes"`
	Untrusted string        `json:"untrusted,omitempty"` // why what is kept cannot be believed; "": it can
}

// KeepFreezes writes what is frozen into the evidence.
func (c *Control) KeepFreezes(ctx context.Context, in KeptFreezes) error {
	return evidenceError("keep what is frozen", c.Evidence.PutWave(ctx, names.FreezeID, in))
}

// ReadKeptFreezes reads it; nothing where nothing was ever frozen.
func (c *Control) ReadKeptFreezes(ctx context.Context) (*KeptFreezes, error) {
	var kept KeptFreezes
	err := c.Evidence.ProvenWave(ctx, names.FreezeID, &kept)
	var missing *evidence.NotFoundError
	var invalid *evidence.InvalidWaveError
	switch {
	case err == nil, errors.As(err, &missing):
		return &kept, nil
	case errors.As(err, &invalid):
		return &KeptFreezes{Untrusted: err.Error()}, nil
	}
	return nil, evidenceError("read what is frozen", err)
}
