package activities

import (
	"context"
	"errors"
	"strings"

	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// Standing is how a wave's instances stand by its own document and by that of its roll back: what each saga came to
// stands in the instance's document, and what was put back later in these.
type Standing struct {
	Ended  map[string]patch.Outcome // by instance; who is missing is as its own document says
	Known  bool                     // the evidence has a document of the wave, or of its roll back
	Unsure []string                 // what is not known, in sentences
}

// HowEnded reads how a wave's instances stand. get reads a wave's document, and all are the waves that left evidence,
// sorted.
func HowEnded(
	ctx context.Context, get func(ctx context.Context, id string, into any) error, wave string, all []string,
) (*Standing, error) {
	found := &Standing{Ended: map[string]patch.Outcome{}}
	for _, id := range []string{wave, names.RollBack(wave)} {
		document, err := toldOf(ctx, get, id, all)
		if err != nil {
			return nil, err
		}
		if document == nil {
			if id == wave {
				found.Unsure = append(found.Unsure,
					wave+" has no document of its own: it counts what its instances told as they ended")
			}
			continue
		}
		found.Known = true
		results := resultsIn(*document)
		if id == wave && document.Status.State != patch.StateClosed {
			found.Unsure = append(found.Unsure, wave+" has not closed, or ended without closing itself: of what its groups "+
				"have not told yet it does not tell")
		}
		untold := len(results) == 0 && document.Status.Outcome != patch.NothingPutBack
		if id != wave && (document.Status.State != patch.StateClosed || untold) {
			found.Unsure = append(found.Unsure, "What "+id+" put back is not known: `patchtide wave logs "+id+"`")
		}
		for _, instance := range results {
			switch {
			case id == wave && instance.StillPatched: // its roll back failed, or was refused
				found.Ended[instance.ID] = patch.PatchedAs(instance.RebootPending)
			case id == wave, instance.Outcome != patch.NotStarted && !instance.StillPatched:
				found.Ended[instance.ID] = instance.Outcome
			}
		}
	}
	return found, nil
}

// toldOf is a wave's document with what its groups left beside it where they outlived it; nil: there is neither.
func toldOf(
	ctx context.Context, get func(ctx context.Context, id string, into any) error, wave string, all []string,
) (document *WaveDocument, err error) {
	for _, id := range all {
		if id != wave && !strings.HasPrefix(id, names.LeftPrefix(wave)) {
			continue
		}
		var one WaveDocument
		var none *evidence.NotFoundError
		switch err := get(ctx, id, &one); {
		case errors.As(err, &none): // only a journal
			continue
		case err != nil:
			return nil, err
		}
		if document != nil { // the wave's own, whose id is before those of what was left
			one = document.With(one)
		}
		document = &one
	}
	return document, nil
}

func resultsIn(document WaveDocument) (all []patch.InstanceResult) {
	for _, stage := range document.Result.Stages {
		for _, group := range stage.Groups {
			all = append(all, group.Instances...)
		}
	}
	return all
}
