package activities

import (
	"context"
	"errors"

	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/patch"
)

// FindStaleImageInput names a group that a wave had nothing to patch in.
type FindStaleImageInput struct {
	Plan, WaveID string
	Group        patch.Group
}

// StaleImage is an image that an earlier wave of the plan left as it was; zero: none is known.
type StaleImage struct {
	Wave string
	Why  string // the renewal that failed, or what the group's next instance was said to lack
}

// FindStaleImage reads from the evidence whether the group launches still from what lacks its patches: what the newest
// wave before tells that patched it, or renewed its image. A
// wave that left no document tells nothing; one whose document cannot be believed is an error.
func (c *Control) FindStaleImage(ctx context.Context, in FindStaleImageInput) (*StaleImage, error) {
	waves, err := c.wavesOf(ctx, in.Plan, in.WaveID)
	if err != nil {
		return nil, err
	}
	for _, wave := range waves[:min(len(waves), mostWavesBack)] {
		var document WaveDocument
		err := c.Evidence.ProvenWave(ctx, wave, &document)
		switch {
		case errors.As(err, new(*evidence.NotFoundError)):
			continue
		case err != nil:
			return nil, evidenceError("read the document of wave "+wave, err)
		}
		if why, told := document.staleImage(in.Group); told {
			return &StaleImage{Wave: wave, Why: why}, nil
		}
	}
	return &StaleImage{}, nil
}

// staleImage is why what the group launches next lacks what the wave installed; "": it does not. told: the wave patched
// it, or was to renew its image.
func (d WaveDocument) staleImage(group patch.Group) (why string, told bool) {
	for _, stage := range d.Result.Stages {
		for _, result := range stage.Groups {
			if result.Account == group.Account.Name && result.Region == group.Region && result.Name == group.Name() &&
				result.Image != nil {
				return result.Image.Failed, result.Image.PutBack == ""
			}
		}
	}
	for _, stage := range d.Status.Stages {
		for _, counts := range stage.Groups {
			if counts.Group == group.String() && counts.Patched > 0 {
				return counts.StaleImage, true
			}
		}
	}
	return "", false
}
