package activities

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// ResolvePlanInput names a plan.
type ResolvePlanInput struct {
	Plan string
	At   time.Time // the present, by Temporal's clock
	// WaveID is the wave that is about to run it; "" where nothing will be changed, or by another workflow.
	WaveID string `json:",omitempty"`
	Run    string `json:",omitempty"` // the wave's first run id
	// AnyTime asks for no window: nothing is to be changed.
	AnyTime bool
	// Following asks for so many windows after the one that is open or comes next, for people to look at.
	Following int `json:",omitempty"`
}

// ResolvedPlan is a plan as the worker's configuration has it now.
type ResolvedPlan struct {
	Plan patch.Plan
	// Hash is the SHA-256 of the plan's JSON as configured, without the window's occurrence and the laboratory's speed:
	// two waves of one hash ran the same plan.
	Hash     string
	Notifies bool `json:",omitempty"` // the configuration has a channel for notices

	Following []patch.Window `json:",omitempty"` // as many as were asked for, or there are
	Over      []string       `json:",omitempty"` // exceptions of its baselines whose day is over, in sentences
}

// ResolvePlan reads the worker's configuration, and tells the times of the plan's current or next window: time zones
// and schedules never reach a workflow. An unknown plan is InvalidInput and lists the known ones.
func (c *Control) ResolvePlan(ctx context.Context, in ResolvePlanInput) (*ResolvedPlan, error) {
	known := c.Plans.PlanNames()
	if !slices.Contains(known, in.Plan) {
		if len(known) == 0 {
			return nil, once.Final(
				ErrInvalidInput, "there is no plan %q: the worker's configuration has no plans; add one under plans:", in.Plan,
			)
		}
		return nil, once.Final(
			ErrInvalidInput,
			"there is no plan %q in the worker's configuration; it knows %s"+names.RightInput+"{\"plan\": %q}", in.Plan,
			strings.Join(known, ", "), known[0],
		)
	}
	if err := c.unused(ctx, in.WaveID, in.Run); err != nil {
		return nil, err
	}
	plan, err := c.Plans.Plan(in.Plan)
	if err != nil {
		return nil, once.Final(ErrInvalidInput, "plan %q cannot be resolved: %v", in.Plan, err)
	}
	hash, err := planHash(plan)
	if err != nil {
		return nil, once.Final(ErrInvalidInput, "plan %q cannot be written as JSON: %v", in.Plan, err)
	}
	resolved := &ResolvedPlan{
		Plan: plan.Scaled(c.Speed), Hash: hash, Notifies: c.notifies(), Over: c.Plans.Over(in.Plan, in.At),
	}
	resolved.Plan.Window, resolved.Plan.Blackouts = nil, plan.Blackouts.After(in.At)
	if in.AnyTime {
		return resolved, nil
	}
	if resolved.Plan.Window, err = c.Plans.Window(in.Plan, in.At); err != nil {
		return nil, once.Final(ErrInvalidInput, "plan %q: %v", in.Plan, err)
	}
	for last := resolved.Plan.Window; last != nil && len(resolved.Following) < in.Following; {
		next, err := c.NextWindow(ctx, NextWindowInput{Plan: in.Plan, Window: last, At: in.At})
		if err != nil {
			return nil, err
		}
		if last = next.Window; last != nil {
			resolved.Following = append(resolved.Following, *last)
		}
	}
	if resolved.Plan.Estimates != nil {
		c.measure(ctx, &resolved.Plan)
	}
	return resolved, nil
}

// unused refuses the id of another wave that has left evidence, or a journal: one under the same id would take its
// place there, and with it all that a roll back needs. Of the very same run it is what an older copy of Temporal's
// database has forgotten.
func (c *Control) unused(ctx context.Context, wave, run string) error {
	if wave == "" {
		return nil
	}
	var document WaveDocument
	err := c.Evidence.GetWave(ctx, wave, &document)
	var none *evidence.NotFoundError
	used := err == nil && document.Run != run
	if errors.As(err, &none) {
		var records []json.RawMessage
		var unproven []string
		records, unproven, err = c.Evidence.ListJournal(ctx, wave)
		used = len(unproven) > 0 || slices.ContainsFunc(records, func(record json.RawMessage) bool {
			return !journal.IsOfRun(record, run)
		})
	}
	switch {
	case err != nil:
		return evidenceError("look whether a wave "+wave+" has been before", err)
	case used:
		return once.Final(ErrInvalidInput, "a wave %s has been before, and its evidence is kept by that id: start it under "+
			"another, such as none given to `patchtide wave start`", wave)
	}
	return nil
}

func planHash(plan patch.Plan) (string, error) {
	plan.Window = nil
	// Struct fields keep their order and map keys are sorted, so equal plans are equal bytes.
	document, err := json.Marshal(plan)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(document)
	return hex.EncodeToString(sum[:]), nil
}

const (
	// measuredWaves of a plan, the newest, say how long an instance takes: enough to know, and few enough to follow a
	// change.
	measuredWaves = 10
	// measuring bounds reading them, well within the activity's time: a slow store must not keep a wave from starting.
	measuring = 10 * time.Second
)

// measure puts the durations of the plan's earlier waves over its estimates. A wave is found by the id that Patchtide
// gives it, which begins with the plan's name and sorts by time. What cannot be read is left out: the estimates remain.
func (c *Control) measure(ctx context.Context, plan *patch.Plan) {
	short, cancel := context.WithTimeout(ctx, measuring)
	defer cancel()
	ids, err := c.Evidence.ListWaves(short)
	if err != nil {
		c.warn(ctx, "earlier waves not listed; the plan's estimates count", err)
		return
	}
	var measured patch.Measured
	read := 0
	for _, id := range slices.Backward(ids) {
		if read == measuredWaves {
			break
		}
		if !strings.HasPrefix(id, names.WaveOf(plan.Name)) {
			continue
		}
		var document WaveDocument
		if err := c.Evidence.GetWave(short, id, &document); err != nil {
			if short.Err() != nil {
				c.warn(ctx, "earlier waves not read in time; what was read counts", err)
				break
			}
			continue // a journal without a document: it was terminated, or runs
		}
		if document.Plan.Name != plan.Name {
			continue // web-blue begins like web
		}
		read++
		measured.Measure(document.Result)
	}
	estimates := plan.Estimates.With(measured)
	plan.Estimates = &estimates
}

// warn logs, also where no activity runs around it.
func (c *Control) warn(ctx context.Context, what string, err error) {
	if activity.IsActivity(ctx) {
		activity.GetLogger(ctx).Warn(what, "error", err)
	}
}
