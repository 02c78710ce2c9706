package workflows

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
)

// What people send (starts and Updates) is decoded strictly: an unknown field is an error, since a misspelt one that is
// ignored could patch what was not meant. UnmarshalJSON keeps the error instead of returning it, for an error there loses
// its type and is retried for ever; Validate returns it.

// WaveRequest starts a wave.
type WaveRequest struct {
	Plan   string `json:"plan"`
	Actor  string `json:"actor,omitempty"`  // who starts it
	Reason string `json:"reason,omitempty"` // why
	// ContinueAfter is the number of instances after which a group's history begins anew; 0, the default, is 100. Nothing else
	// changes by it.
	ContinueAfter int `json:"continue_after,omitempty"`
	// DryRun only plans: it changes nothing, takes no lock, and its result tells what a wave would do and what is in its way.
	DryRun bool `json:"dry_run,omitempty"`
	// Scan lets a dry run scan first, where it otherwise takes what Systems Manager knows already.
	Scan bool `json:"scan,omitempty"`

	broken error
}

const waveExample = `{"plan": "web", "actor": "you", "reason": "monthly patches"}`

// UnmarshalJSON decodes strictly and keeps the error for Validate.
func (r *WaveRequest) UnmarshalJSON(data []byte) error {
	type plain WaveRequest
	r.broken = strict(data, (*plain)(r))
	return nil
}

// Validate answers with InvalidInput what is wrong and shows a right example.
func (r WaveRequest) Validate() error {
	switch {
	case r.broken != nil:
		return invalid(r.broken.Error(), waveExample)
	case strings.TrimSpace(r.Plan) == "":
		return invalid("plan: is missing", waveExample)
	case r.ContinueAfter < 0:
		return invalid(fmt.Sprintf("continue_after: %d is negative; leave it out for 100", r.ContinueAfter), waveExample)
	case r.Scan && !r.DryRun:
		return invalid("scan: only a dry run has a choice; a wave always scans", `{"plan": "web", "dry_run": true, "scan": true}`)
	}
	return nil
}

// VerbRequest is what an operator sends with a verb.
type VerbRequest struct {
	Actor  string      `json:"actor"`
	Reason string      `json:"reason"`
	Scope  patch.Scope `json:"scope,omitempty"` // of roll_back: stage (the default) or wave
	// MaxParallelGroups is set_concurrency's: how many groups of the current stage are worked on at once.
	MaxParallelGroups int `json:"max_parallel_groups,omitempty"`
	// Until is extend_window's: when the window is to close, in RFC 3339. Absolute, so that sending it twice extends it once.
	Until string `json:"until,omitempty"`

	broken error
}

// UnmarshalJSON decodes strictly and keeps the error for Validate.
func (r *VerbRequest) UnmarshalJSON(data []byte) error {
	type plain VerbRequest
	r.broken = strict(data, (*plain)(r))
	return nil
}

// Validate answers with InvalidInput what is wrong and shows a right example.
func (r VerbRequest) Validate(verb patch.Verb) error {
	err := r.broken
	if err == nil {
		err = r.decision(verb).Check()
	}
	if err != nil {
		return invalid(err.Error(), verb.Example())
	}
	return nil
}

// decision is what the request decides.
func (r VerbRequest) decision(verb patch.Verb) patch.Decision {
	return patch.Decision{
		Verb: verb, Scope: r.Scope, MaxParallelGroups: r.MaxParallelGroups, Until: r.Until, Actor: r.Actor, Reason: r.Reason,
	}
}

// strict decodes one JSON object with known fields only.
func strict(data []byte, into any) error {
	if trimmed := bytes.TrimSpace(data); len(trimmed) == 0 || trimmed[0] != '{' {
		if bytes.Equal(trimmed, []byte("null")) {
			return nil // the zero value, which Validate refuses
		}
		return fmt.Errorf("the input must be one JSON object, not %s", shorten(string(trimmed)))
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return fmt.Errorf("%s: must be a %s, not a %s", wrong.Field, wrong.Type, wrong.Value)
		}
		return errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more than one JSON value")
	}
	return nil
}

// shorten keeps a wrong input readable, and storable: Temporal takes valid UTF-8 only.
func shorten(text string) string {
	if len(text) > 40 {
		text = text[:40] + "..."
	}
	return strings.ToValidUTF8(text, "?")
}

func invalid(what, example string) error {
	return temporal.NewNonRetryableApplicationError(fmt.Sprintf("%s; a right input looks like %s", what, example), activities.ErrInvalidInput, nil)
}
