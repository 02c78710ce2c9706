package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/evidence"
)

// openEvidence opens the evidence store with the journal's keys, present and earlier.
func openEvidence(ctx context.Context, loaded *config.Config, aws aws.Config) (*evidence.Store, error) {
	places := evidence.PlacesOf(aws)
	key, err := evidence.LoadKey(ctx, string(loaded.Settings.JournalKeyFrom), places)
	if err != nil {
		return nil, &exitError{code: exitUsage, cause: err}
	}
	var from []string
	for _, older := range loaded.JournalOlderKeysFrom {
		from = append(from, string(older))
	}
	older, err := evidence.LoadOlderKeys(ctx, from, places)
	if err != nil {
		return nil, &exitError{code: exitUsage, cause: err}
	}
	store, err := evidence.Open(ctx, loaded.Settings.Evidence, evidence.Options{Signer: key, Older: older, AWS: &aws})
	if err != nil {
		return nil, &exitError{code: exitUsage, cause: err}
	}
	return store, nil
}
