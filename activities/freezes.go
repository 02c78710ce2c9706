package activities

import (
	"context"
	"errors"
	"fmt"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/converter"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// Freezes answers what is frozen now. An error means that nobody knows, which counts as frozen.
type Freezes interface {
	Freezes(ctx context.Context) (patch.Freezes, error)
}

// Querier is what freezes use of Temporal's client.
type Querier interface {
	QueryWorkflow(ctx context.Context, workflowID, runID, queryType string, args ...any) (converter.EncodedValue, error)
}

// NewFreezes asks the workflow that keeps the freezes.
func NewFreezes(client Querier) Freezes { return temporalFreezes{client} }

type temporalFreezes struct{ client Querier }

func (f temporalFreezes) Freezes(ctx context.Context) (patch.Freezes, error) {
	value, err := f.client.QueryWorkflow(ctx, names.FreezeID, "", names.QueryStatus)
	var missing *serviceerror.NotFound
	switch {
	case errors.As(err, &missing):
		return nil, fmt.Errorf(
			"there is no workflow %s, which keeps the freezes; the first worker of a namespace starts it (patchtide worker); "+
				"where one has run: patchtide unfreeze --reason WHY starts it anew, with what the evidence keeps, and lifts "+
				"your own freeze of everything", names.FreezeID,
		)
	case err != nil:
		return nil, fmt.Errorf("%s does not answer: %w", names.FreezeID, err)
	}
	var status patch.FreezeStatus
	if err := value.Get(&status); err != nil {
		return nil, fmt.Errorf("read the answer of %s: %w", names.FreezeID, err)
	}
	if status.Closed {
		return nil, fmt.Errorf(
			"%s has ended, and nobody keeps what is frozen; patchtide unfreeze --reason WHY starts it anew, with what the "+
				"evidence keeps, and lifts your own freeze of everything",
			names.FreezeID,
		)
	}
	return status.Freezes, nil
}
