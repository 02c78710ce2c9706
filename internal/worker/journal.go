package worker

import (
	"context"
	"fmt"
	"strings"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/evidence"
)

// Journal is the evidence store as activities ask for it.
func Journal(store *evidence.Store) activities.Evidence { return journal{store} }

// journal gives the evidence store the shape that activities ask for.
type journal struct{ *evidence.Store }

// AppendJournal takes a record's name apart: account/region/resource.
func (j journal) AppendJournal(ctx context.Context, wave, name string, record any) error {
	parts := strings.SplitN(name, "/", 3)
	if len(parts) != 3 {
		return fmt.Errorf("journal record %q is not named account/region/resource", name)
	}
	return j.Store.AppendJournal(ctx, evidence.RecordKey{Wave: wave, Account: parts[0], Region: parts[1], Resource: parts[2]}, record)
}
