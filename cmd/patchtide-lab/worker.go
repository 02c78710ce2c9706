package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"

	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/lab"
	"github.com/patchtide/patchtide/internal/worker"
)

// exampleFile is how the configuration is named in errors; it is the one in the repository, built in.
const exampleFile = "config/example.yaml"

// startWorker starts the product's worker with the example configuration. What differs from a product's: durations are
// divided by the simulator's speed, evidence and its key are the laboratory's own, and the HTTP client dials this
// machine only.
func startWorker(ctx context.Context, in workerInput) (stop func(), err error) {
	return startWorkerOf(ctx, in, config.Example())
}

// startWorkerOf is startWorker with another configuration.
func startWorkerOf(ctx context.Context, in workerInput, configuration []byte) (stop func(), err error) {
	loaded, err := config.Parse(exampleFile, configuration, nil)
	if err != nil {
		return nil, err
	}
	logger := logger(in.Log)
	aws, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithHTTPClient(in.HTTP), awsconfig.WithLogger(quietly(logger)))
	if err != nil {
		return nil, fmt.Errorf("AWS configuration: %w", err)
	}
	key, err := journalKey(ctx, filepath.Join(in.Folder, keyFile))
	if err != nil {
		return nil, err
	}
	store, err := evidence.Open(ctx, filepath.Join(in.Folder, evidenceFolder), evidence.Options{Signer: key, AWS: &aws})
	if err != nil {
		return nil, err
	}
	running, err := worker.Start(ctx, worker.Options{
		Client: in.Temporal, Namespace: lab.Namespace, Config: loaded, AWS: aws, HTTP: in.HTTP, Evidence: store,
		Logger: logger, Version: "lab", Speed: in.Speed, Identity: in.Identity,
		Plans: openWindow{loaded},
	})
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return func() {
		running.Stop()
		if err := store.Close(); err != nil {
			logger.Error("close the evidence store", "error", err)
		}
	}, nil
}

// quietly takes what the AWS SDK has to say, which by itself would go to stderr past the live picture. Its warnings
// tell of connections that a lost reply or a spent attempt has cut: here that is the scenario, and the caller gets the
// error anyway.
func quietly(logger *slog.Logger) logging.Logger {
	return logging.LoggerFunc(func(_ logging.Classification, format string, args ...any) {
		logger.Debug(fmt.Sprintf(format, args...), "from", "AWS SDK")
	})
}

// In the laboratory's folder: the journal's key, and evidence.
const (
	keyFile        = "journal.key"
	evidenceFolder = "evidence"
)

// keyLength is the length of a journal key in bytes; HMAC-SHA256 asks for 32.
const keyLength = 48

// journalKey reads the laboratory's own key, made at the first start: records that are kept must still verify at the
// next.
func journalKey(ctx context.Context, file string) (evidence.Signer, error) {
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		if err := makeKey(file); err != nil {
			return nil, fmt.Errorf("keep the laboratory's journal key: %w", err)
		}
	}
	return evidence.LoadKey(ctx, "file:"+file, evidence.KeyPlaces{})
}

// makeKey writes a key beside the file and links it there: a process killed meanwhile leaves no half a key, which no
// later start could use, and of two workers that start together both sign with the key that came first.
func makeKey(file string) (err error) {
	secret := make([]byte, keyLength)
	// never fails: the runtime ends the process instead
	_, _ = rand.Read(secret)
	draft, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*") // readable by its owner only
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(draft.Name())) }()
	_, err = draft.WriteString(base64.StdEncoding.EncodeToString(secret) + "\n")
	if err == nil {
		err = draft.Sync()
	}
	if err := errors.Join(err, draft.Close()); err != nil {
		return err
	}
	if err := os.Link(draft.Name(), file); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
