package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/worker"
)

// openEvidence opens the evidence store with the journal's keys, present and earlier.
func openEvidence(ctx context.Context, loaded *config.Config, aws aws.Config) (*evidence.Store, error) {
	store, err := worker.OpenEvidence(ctx, loaded, aws)
	if err != nil {
		return nil, &exitError{code: exitUsage, cause: err}
	}
	return store, nil
}
