package activities

import (
	"context"
	"errors"

	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/names"
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
	found := &NewerImage{}
	err := c.eachWaveOf(ctx, in.Plan, in.WaveID, func(wave string, document WaveDocument) (bool, error) {
		if began.FindString(wave) <= began.FindString(in.WaveID) {
			return true, nil // and so did all that follow
		}
		image := document.imageOf(in.Group)
		if image == nil || !image.Reaches || !image.Undoes() {
			return false, nil
		}
		var back WaveDocument
		err := c.Evidence.GetWave(ctx, names.RollBack(wave), &back)
		switch {
		case errors.As(err, new(*evidence.NotFoundError)):
		case err != nil:
			return false, err
		default:
			if put := back.imageOf(in.Group); put != nil && put.PutBack != "" {
				return true, nil
			}
		}
		*found = NewerImage{Wave: wave, Image: image.Image}
		return true, nil
	})
	return found, err
}
