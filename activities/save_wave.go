package activities

import (
	"context"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/payload"
)

// SaveWaveInput is a wave's evidence, or the pages in which it was saved before, by SavePage.
type SaveWaveInput struct {
	WaveID   string
	Document *WaveDocument `json:",omitempty"` // nil: it is in pages
	Pages    []string      `json:",omitempty"` // their hashes, in order
	Of       RunOf         // the run that its history began with
}

// WaveDocument is the one JSON document a wave leaves in the evidence store.
type WaveDocument struct {
	Version  int                `json:"version"` // of this document's shape: 1
	Run      string             `json:"run_id"`  // the wave's first, by Temporal's word
	Status   patch.WaveStatus   `json:"status"`
	Result   patch.WaveResult   `json:"result"`
	Plan     patch.Plan         `json:"plan"`
	Hash     string             `json:"plan_hash"`
	Runbooks map[string]Runbook `json:"runbooks"` // by account/region
}

// SaveWave writes the wave's document. A run that somebody has reset believes what was before, and writes over nothing.
// A page that is not the one that was saved is an error: somebody else wrote it.
func (c *Control) SaveWave(ctx context.Context, in SaveWaveInput) error {
	if wasReset(ctx, in.Of) {
		activity.GetLogger(ctx).Warn("a wave that was reset writes no evidence", "wave", in.WaveID)
		return nil
	}
	document := in.Document
	if document == nil {
		var err error
		if document, err = c.joinPages(ctx, in); err != nil {
			return err
		}
	}
	return evidenceError("save the document of wave "+in.WaveID, c.Evidence.PutWave(ctx, in.WaveID, *document))
}

// wasReset reports whether the activity's run is another than the one that its history began with.
func wasReset(ctx context.Context, of RunOf) bool {
	return activity.IsActivity(ctx) && of.RunID != "" && of.RunID != activity.GetInfo(ctx).WorkflowExecution.RunID
}

// joinPages reads a document that was saved in pages.
func (c *Control) joinPages(ctx context.Context, in SaveWaveInput) (*WaveDocument, error) {
	pages := make([][]byte, len(in.Pages))
	for i, sum := range in.Pages {
		page, err := c.Evidence.GetDraft(ctx, in.WaveID, i)
		if err != nil {
			return nil, evidenceError("read the document of wave "+in.WaveID, err)
		}
		if payload.Sum(page) != sum {
			return nil, temporal.NewNonRetryableApplicationError("save the document of wave "+in.WaveID+
				": one of its pages in the evidence is not as it was written; see who else writes there", ErrEvidence, nil)
		}
		pages[i] = page
	}
	var document WaveDocument
	if err := payload.Unpack(pages, &document); err != nil {
		return nil, evidenceError("read the document of wave "+in.WaveID, err)
	}
	return &document, nil
}

// SavePageInput is a page of a document that is too large for one activity.
type SavePageInput struct {
	WaveID  string
	Page    int // from 0
	Content []byte
	Of      RunOf // see SaveWaveInput
}

// SavePage keeps a page until SaveWave has them all.
func (c *Control) SavePage(ctx context.Context, in SavePageInput) error {
	if wasReset(ctx, in.Of) {
		return nil
	}
	return evidenceError("save a page of wave "+in.WaveID, c.Evidence.PutDraft(ctx, in.WaveID, in.Page, in.Content))
}
