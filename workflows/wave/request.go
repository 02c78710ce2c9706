package wave

import (
	"fmt"
	"strings"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// Request starts a wave.
type Request struct {
	Plan   string `json:"plan"`
	Actor  string `json:"actor,omitempty"`  // who starts it
	Reason string `json:"reason,omitempty"` // why
	// Only is whom it takes of all that the plan names; without it everybody. The others count for room and health.
	Only *patch.Only `json:"only,omitempty"`
	// ContinueAfter is the number of instances after which a group's history begins anew, and of looks after which that of
	// the watch of a stage that soaks does; 0, the default, is 100 instances, and as many looks as it may have.
	// Nothing else changes by it.
	ContinueAfter int `json:"continue_after,omitempty"`

	broken error
}

const waveExample = `{"plan": "web", "actor": "you", "reason": "monthly patches"}`

const onlyExample = `{"plan": "web", "only": {"zones": ["ap-northeast-1a"], "instances": ["i-0123456789abcdef0"]}}`

// UnmarshalJSON decodes strictly and keeps the error for Validate.
func (r *Request) UnmarshalJSON(data []byte) error {
	type plain Request
	r.broken = run.Strict(data, (*plain)(r))
	return nil
}

// Validate answers with InvalidInput what is wrong and shows a right example.
func (r Request) Validate() error {
	switch {
	case r.broken != nil:
		return run.Invalid(r.broken.Error(), waveExample)
	case strings.TrimSpace(r.Plan) == "":
		return run.Invalid("plan: is missing", waveExample)
	case r.ContinueAfter < 0:
		return run.Invalid(fmt.Sprintf("continue_after: %d is negative; leave it out for 100", r.ContinueAfter),
			waveExample)
	}
	if err := r.Only.Check(); err != nil {
		return run.Invalid(err.Error(), onlyExample)
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
	// Until is extend_window's: when the window is to close, in RFC 3339. Absolute, so that sending it twice extends it
	// once.
	Until string `json:"until,omitempty"`
	// Blame is of roll_back, skip and abort: packages that are to blame, with commas between, or all of what failed
	// instances got. They are blocked for every plan and account.
	Blame string `json:"blame,omitempty"`
	// What it is for: it is refused where the wave stands elsewhere by then. Blank is taken where it can mean one thing.
	patch.Point

	broken error
}

// UnmarshalJSON decodes strictly and keeps the error for Validate.
func (r *VerbRequest) UnmarshalJSON(data []byte) error {
	type plain VerbRequest
	r.broken = run.Strict(data, (*plain)(r))
	return nil
}

// Validate answers with InvalidInput what is wrong and shows a right example.
func (r VerbRequest) Validate(verb patch.Verb) error {
	err := r.broken
	if err == nil {
		err = r.decision(verb).Check()
	}
	if err != nil {
		return run.Invalid(err.Error(), verb.Example())
	}
	return nil
}

// decision is what the request decides, at the point that it names.
func (r VerbRequest) decision(verb patch.Verb) patch.Decision {
	return patch.Decision{
		Verb: verb, Scope: r.Scope, MaxParallelGroups: r.MaxParallelGroups, Until: r.Until, Blame: r.Blame,
		Actor: r.Actor, Reason: r.Reason, Point: r.Point,
	}
}
