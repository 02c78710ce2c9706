package worker

import (
	"context"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/patch"
)

// OpenEvidence opens the evidence store of a configuration with the journal's keys, present and earlier.
func OpenEvidence(ctx context.Context, loaded *config.Config, sdk aws.Config) (*evidence.Store, error) {
	places := evidence.PlacesOf(sdk)
	key, err := evidence.LoadKey(ctx, string(loaded.Settings.JournalKeyFrom), places)
	if err != nil {
		return nil, err
	}
	var from []string
	for _, older := range loaded.JournalOlderKeysFrom {
		from = append(from, string(older))
	}
	older, err := evidence.LoadOlderKeys(ctx, from, places)
	if err != nil {
		return nil, err
	}
	return evidence.Open(ctx, loaded.Settings.Evidence, evidence.Options{Signer: key, Older: older, AWS: &sdk})
}

// Blocks reads which patches are blocked in the evidence of a configuration, for whoever has no worker: it is opened
// for the first who asks.
func Blocks(loaded *config.Config, sdk aws.Config) activities.Blocks {
	return &lateBlocks{open: func(ctx context.Context) (activities.Blocks, error) {
		store, err := OpenEvidence(ctx, loaded, sdk)
		if err != nil {
			return nil, err
		}
		return activities.NewBlocks(Journal(store)), nil
	}}
}

// lateBlocks are those of a store that is not open yet.
type lateBlocks struct {
	open func(context.Context) (activities.Blocks, error)

	mu   sync.Mutex
	kept activities.Blocks
}

// Blocked opens the store where it is not yet.
func (l *lateBlocks) Blocked(ctx context.Context) (patch.Blocks, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.kept == nil {
		kept, err := l.open(ctx)
		if err != nil {
			return nil, err
		}
		l.kept = kept
	}
	return l.kept.Blocked(ctx)
}
