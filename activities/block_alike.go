package activities

import (
	"context"
	"slices"
	"time"

	"github.com/patchtide/patchtide/internal/patch"
)

// BlockAlikeInput names a wave that has come to its end.
type BlockAlikeInput struct {
	WaveID string
	At     time.Time
}

// BlockAlike blocks what two instances failed their health checks with, at least one of them of the wave, where no
// machine of the last waves is well with it. See patch.KeptBlocks.BlockAlike.
func (c *Control) BlockAlike(ctx context.Context, in BlockAlikeInput) (*patch.AlikeBlocked, error) {
	done := &patch.AlikeBlocked{}
	kept, _, err := readBlocks(ctx, c.Evidence)
	if err != nil || len(kept.AlikeIn(in.WaveID, in.At)) == 0 {
		return done, err
	}
	var well []patch.Well
	if err := c.eachOfLastWaves(ctx, in.WaveID, func(_ string, machine patch.InstanceDetails) {
		one := patch.WellOf(machine)
		if one == nil {
			return
		}
		// What one wave brought it and what another did it holds together.
		before := slices.IndexFunc(well, func(w patch.Well) bool { return w.Instance == one.Instance })
		if before < 0 {
			well = append(well, *one)
			return
		}
		well[before].Got = append(well[before].Got, one.Got...)
	}); err != nil {
		return nil, err
	}
	err = c.changeBlocks(ctx, func(kept *patch.KeptBlocks) (changed bool) {
		*done, changed = kept.BlockAlike(in.WaveID, well, in.At)
		return changed
	})
	return done, err
}
