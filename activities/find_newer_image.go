package activities

import (
	"context"

	"github.com/patchtide/patchtide/internal/patch"
)

// FindNewerImageInput names a group of a wave that is rolled back.
type FindNewerImageInput struct {
	Plan, WaveID string // the wave's, not its roll back's
	Group        patch.Group
}

// NewerImage is an image that a later wave of the plan had a group launch from; zero: none is known.
type NewerImage struct{ Wave, Image string }

// FindNewerImage reads from the evidence whether a wave that began after this one renewed the group's image, and was
// not put back since: it holds what this one installed.
func (c *Control) FindNewerImage(ctx context.Context, in FindNewerImageInput) (*NewerImage, error) {
	found, mine := &NewerImage{}, began.FindString(in.WaveID)
	if mine == "" { // a person has named it, and nobody knows by that which waves are newer
		return found, nil
	}
	err := c.eachWaveOf(ctx, in.Plan, in.WaveID, func(wave string, document WaveDocument) (bool, error) {
		if began.FindString(wave) <= mine {
			return true, nil // and so did all that follow
		}
		image := document.imageOf(in.Group)
		if image == nil || !image.Reaches || !image.Undoes() {
			return false, nil
		}
		back, err := c.rollBackOf(ctx, wave)
		if put := back.imageOf(in.Group); err != nil || put != nil && put.PutBack != "" {
			return false, err // it launches from what it did before that wave
		}
		*found = NewerImage{Wave: wave, Image: image.Image}
		return true, nil
	})
	return found, err
}
