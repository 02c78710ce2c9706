package activities

import (
	"context"
	"errors"

	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/names"
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
	Was  string // the image that the group launched from then; "": it is not known
}

// FindStaleImage reads from the evidence whether the group launches still from what lacks its patches: what the newest
// wave before tells that patched it, or renewed its image, and was not rolled back since. A wave that left no document
// tells nothing; one whose document cannot be believed is an error.
func (c *Control) FindStaleImage(ctx context.Context, in FindStaleImageInput) (*StaleImage, error) {
	found := &StaleImage{}
	err := c.eachWaveOf(ctx, in.Plan, in.WaveID, func(wave string, document WaveDocument) (bool, error) {
		stale, told := document.staleImage(in.Group)
		if !told {
			return false, nil
		}
		back, err := c.rollBackOf(ctx, wave)
		if err != nil || back.Result.Outcome == patch.RolledBack {
			return false, err
		}
		if stale.Why != "" {
			found = &StaleImage{Wave: wave, Why: stale.Why, Was: stale.Was}
		}
		return true, nil
	})
	return found, err
}

// rollBackOf is what the roll back of a wave that had closed tells; empty: none does.
func (c *Control) rollBackOf(ctx context.Context, wave string) (back WaveDocument, err error) {
	err = c.Evidence.ProvenWave(ctx, names.RollBack(wave), &back)
	if errors.As(err, new(*evidence.NotFoundError)) {
		return WaveDocument{}, nil
	}
	return back, err
}

// eachWaveOf looks at the documents of a plan's last waves but for one, the newest first, until one is what is looked
// for.
func (c *Control) eachWaveOf(
	ctx context.Context, plan, but string, look func(wave string, document WaveDocument) (bool, error),
) error {
	waves, err := c.wavesOf(ctx, plan, but)
	if err != nil {
		return err
	}
	for _, wave := range waves[:min(len(waves), mostWavesBack)] {
		var document WaveDocument
		err := c.Evidence.ProvenWave(ctx, wave, &document)
		switch {
		case errors.As(err, new(*evidence.NotFoundError)):
			continue
		case err != nil:
			return evidenceError("read the document of wave "+wave, err)
		case document.Status.Plan != plan: // web is none of web-blue
			continue
		}
		switch is, err := look(wave, document); {
		case err != nil:
			return evidenceError("read what was done since to wave "+wave, err)
		case is:
			return nil
		}
	}
	return nil
}

// imageOf is what became of a group's image in the wave; nil: nothing.
func (d WaveDocument) imageOf(group patch.Group) *patch.ImageRenewal {
	for _, stage := range d.Result.Stages {
		for _, result := range stage.Groups {
			if result.Account == group.Account.Name && result.Region == group.Region && result.Name == group.Name() {
				return result.Image
			}
		}
	}
	return nil
}

// staleImage is why what the group launches next lacks what the wave installed; no Why: it does not. told: the wave
// patched it, or was to renew its image.
func (d WaveDocument) staleImage(group patch.Group) (stale StaleImage, told bool) {
	if image := d.imageOf(group); image != nil {
		return StaleImage{Why: image.Failed, Was: image.Was.Image}, image.PutBack == ""
	}
	for _, stage := range d.Status.Stages {
		for _, counts := range stage.Groups {
			if counts.Group != group.String() || counts.Patched == 0 {
				continue
			}
			if counts.StaleImage == "" && !counts.Outcome.EndsWell() {
				return StaleImage{Why: "it patched the group, and ended before its image was looked at"}, true
			}
			return StaleImage{Why: counts.StaleImage}, true
		}
	}
	return StaleImage{}, false
}
