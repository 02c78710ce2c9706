package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"

	"github.com/spf13/cobra"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	shown "github.com/patchtide/patchtide/internal/plain"
)

// unknownWaveError is a wave that Temporal does not know: it never was, or its retention is over.
type unknownWaveError struct{ wave string }

func (e *unknownWaveError) Error() string {
	return fmt.Sprintf("there is no wave %s in this namespace", e.wave)
}

// withEvidence opens the evidence store that the configuration names, for reading.
func withEvidence(cmd *cobra.Command, do func(where string, store *evidence.Store) error) error {
	loaded, err := loadConfig(cmd)
	if err != nil {
		return err
	}
	store, err := evidence.Open(cmd.Context(), loaded.Settings.Evidence, evidence.Options{})
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }() // it was only read
	return do(loaded.Settings.Evidence, store)
}

// evidenceOf is the evidence of a wave that Temporal does not know any more.
func evidenceOf(cmd *cobra.Command, unknown *unknownWaveError) (*activities.WaveDocument, error) {
	if _, err := loadConfig(cmd); err != nil {
		return nil, fmt.Errorf(
			"%w; see which there are: patchtide wave list; if Temporal has forgotten it, its evidence tells: name the worker's "+
				"configuration with --config", unknown,
		)
	}
	var document activities.WaveDocument
	err := withEvidence(cmd, func(where string, store *evidence.Store) error {
		var none *evidence.NotFoundError
		err := store.GetWave(cmd.Context(), unknown.wave, &document)
		shown.Strings(&document)
		if errors.As(err, &none) {
			return fmt.Errorf("%s has no evidence of it", where)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%w, and %w; see which there are: patchtide wave list", unknown, err)
	}
	return &document, nil
}

// toldByEvidence is a wave's status as its evidence has it.
type toldByEvidence struct {
	standing
	FromEvidence bool `json:"from_evidence"`
}

// showForgotten shows how a wave that Temporal has forgotten stood when it wrote its evidence.
func showForgotten(cmd *cobra.Command, unknown *unknownWaveError) error {
	document, err := evidenceOf(cmd, unknown)
	if err != nil {
		return err
	}
	status := document.Status
	status.Verbs = nil // nobody takes them
	told := toldByEvidence{standingOf(status, nil), true}
	if err := show(cmd, told, printForgotten); err != nil {
		return err
	}
	return exitOf(status)
}

func printForgotten(out io.Writer, told toldByEvidence) error {
	line(out, "Temporal knows this wave no more; its evidence tells how it stood at %s:",
		console.Moment(told.Since))
	if told.State != patch.StateClosed {
		line(out, "It did not end by itself: what it did after that is not in its evidence.")
	}
	return printStanding(out, told.standing)
}

// mostRead bounds the documents that listing reads: each is a request to a bucket.
const mostRead = 100

// listForgotten adds waves which Temporal has forgotten and the evidence knows. Who names no configuration has no
// evidence to ask; one that does not answer is said, and keeps nobody from what Temporal knows.
func listForgotten(cmd *cobra.Command, waves []listed, filter listFilter) []listed {
	closed := filter.state == "" || filter.state == string(patch.StateClosed)
	if _, err := loadConfig(cmd); err != nil || filter.waiting || !closed || len(waves) >= filter.most {
		return waves
	}
	err := withEvidence(cmd, func(_ string, store *evidence.Store) error {
		ids, err := store.ListWaves(cmd.Context())
		if err != nil {
			return err
		}
		ids = slices.DeleteFunc(ids, func(id string) bool {
			return slices.ContainsFunc(waves, func(wave listed) bool { return wave.WaveID == id })
		})
		slices.SortStableFunc(ids, func(a, b string) int { return cmp.Compare(began(b), began(a)) })
		for _, id := range ids[:min(len(ids), mostRead)] {
			var document activities.WaveDocument
			var none *evidence.NotFoundError
			switch err := store.GetWave(cmd.Context(), id, &document); {
			case errors.As(err, &none): // only a journal
				continue
			case err != nil:
				return err
			}
			status := document.Status
			if status.State != patch.StateClosed || filter.plan != "" && status.Plan != filter.plan {
				continue
			}
			waves = append(waves, listedByEvidence(id, status))
			if len(waves) == filter.most {
				break
			}
		}
		return nil
	})
	if err != nil {
		line(cmd.ErrOrStderr(), "patchtide: waves that Temporal has forgotten are not listed: %s", plain(err))
	}
	return waves
}

func listedByEvidence(id string, status patch.WaveStatus) listed {
	wave := listed{
		WaveID: id, Workflow: names.PatchWave, Plan: status.Plan, State: string(status.State), Stage: status.Stage,
		Outcome: string(status.Outcome), Closed: &status.Since, FromEvidence: true,
	}
	if status.PutsBack != "" {
		wave.Workflow = names.RollBackWave
	}
	return wave
}

var moment = regexp.MustCompile(`[0-9]{8}-[0-9]{6}`)

// began is the time in a wave's id, where it has one: wave-web-20261122-020000.
func began(id string) string { return moment.FindString(id) }
