package activities

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/manifest"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// FindCarriedInput asks for the manifest before that of a wave.
type FindCarriedInput struct {
	Plan   string
	WaveID string    // whose own does not count; "": nobody's
	At     time.Time `json:",omitzero"` // by which what it has is blocked; zero where nothing is shown
}

// FoundCarried is what of earlier waves may be carried on.
type FoundCarried struct {
	Manifest *patch.ManifestRef // nil: the evidence has none
	Packages int                // that it has, of all systems
	// Unproven is why newer ones do not count: "wave-web-1: its document is not signed".
	Unproven []string
}

// How far it is looked back for a plan's last manifest: so many of its waves that made one, and so many documents in
// all, of each of which every version is read. Waves that were refused, or had nothing to prove, made none.
const (
	mostManifestsBack = 10
	mostWavesRead     = 60
)

// FindCarried finds the newest manifest of the plan in the evidence, of a wave whose document is signed. One of stages
// that were put back since proves nothing: the one before it counts.
func (c *Control) FindCarried(ctx context.Context, in FindCarriedInput) (*FoundCarried, error) {
	ids, err := c.Evidence.ListWaves(ctx)
	if err != nil {
		return nil, evidenceError("list the waves of the plan "+in.Plan, err)
	}
	waves := newestOf(ids, in.Plan, in.WaveID)
	found := &FoundCarried{}
	for _, id := range waves[:min(len(waves), mostWavesRead)] {
		if len(found.Unproven) == mostManifestsBack {
			break
		}
		ref, why, err := c.manifestOf(ctx, in.Plan, id, slices.Contains(ids, names.RollBack(id)))
		switch {
		case err != nil:
			return nil, err
		case why != "":
			found.Unproven = append(found.Unproven, id+": "+why)
			continue
		case ref == nil:
			continue
		}
		content, err := c.Manifests.GetManifest(ctx, ref.WaveID, ref.SHA256)
		var missing *evidence.NotFoundError
		var invalid *evidence.InvalidRecordError
		switch {
		case errors.As(err, &missing):
			found.Unproven = append(found.Unproven, id+": its manifest is not in the evidence any more")
			continue
		case errors.As(err, &invalid):
			found.Unproven = append(found.Unproven, id+": its manifest "+invalid.Reason)
			continue
		case err != nil:
			return nil, evidenceError("read the manifest of wave "+id, err)
		}
		var read manifest.Manifest
		if json.Unmarshal(content, &read) != nil || read.Plan != in.Plan {
			found.Unproven = append(found.Unproven, id+": its manifest cannot be read as one of this plan")
			continue
		}
		found.Manifest = ref
		for _, system := range read.Systems {
			found.Packages += len(system.Packages)
		}
		break
	}
	return found, nil
}

// manifestOf is the last manifest that a wave made, by its signed document; nil: it made none, or is another plan's.
// why: it made one that proves nothing any more.
func (c *Control) manifestOf(
	ctx context.Context, plan, id string, putBack bool,
) (ref *patch.ManifestRef, why string, err error) {
	var document WaveDocument
	err = c.Evidence.ProvenWave(ctx, id, &document)
	var missing *evidence.NotFoundError
	var invalid *evidence.InvalidWaveError
	switch {
	case errors.As(err, &missing): // a journal without a document: it was terminated, or runs
		return nil, "", nil
	case errors.As(err, &invalid):
		return nil, "its document " + invalid.Reason, nil
	case err != nil:
		return nil, "", evidenceError("read the document of wave "+id, err)
	case document.Plan.Name != plan: // web-blue begins like web
		return nil, "", nil
	}
	bound := -1
	for i, stage := range document.Status.Stages {
		if stage.Pinned != nil {
			bound, ref = i, &patch.ManifestRef{WaveID: stage.Pinned.WaveID, SHA256: stage.Pinned.SHA256}
		}
	}
	switch {
	case ref == nil:
		return nil, "", nil
	case ref.WaveID != id:
		return nil, "its document names the manifest of another wave", nil
	case putBack:
		return nil, "it was rolled back, as a whole or in part", nil
	}
	for _, stage := range document.Status.Stages[:bound] {
		if stage.Outcome == patch.RolledBack {
			return nil, "its stage " + stage.Name + " was rolled back", nil
		}
	}
	return ref, "", nil
}
