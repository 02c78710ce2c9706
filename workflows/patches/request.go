package patches

import (
	"fmt"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// Request lists what is blocked, blocks patches, or clears them. The zero value lists.
type Request struct {
	Verb     patch.BlockVerb `json:"verb,omitempty"` // list (the default), block or clear
	Patches  []string        `json:"patches,omitempty"`
	Platform patch.Platform  `json:"platform,omitempty"` // linux or windows; "": what the patch looks like
	Until    string          `json:"until,omitempty"`    // of block: RFC 3339; "": until it is cleared
	Actor    string          `json:"actor,omitempty"`
	Reason   string          `json:"reason,omitempty"`

	broken error
}

const example = `{"verb": "block", "patches": ["openssl.x86_64:1:3.2.2-1.amzn2023.0.1"], "actor": "you", ` +
	`"reason": "logins fail since"}`

// UnmarshalJSON decodes strictly and keeps the error for Validate.
func (r *Request) UnmarshalJSON(data []byte) error {
	type plain Request
	r.broken = run.Strict(data, (*plain)(r))
	return nil
}

// Validate answers with InvalidInput what is wrong and shows a right example.
func (r Request) Validate() error {
	err := r.broken
	if err == nil {
		err = r.check()
	}
	if err != nil {
		return run.Invalid(err.Error(), example)
	}
	return nil
}

func (r Request) check() error {
	if r.Platform != "" && r.Platform != patch.Linux && r.Platform != patch.Windows {
		return fmt.Errorf("platform: %q is neither %s nor %s", r.Platform, patch.Linux, patch.Windows)
	}
	switch r.Verb {
	case "", patch.ListBlocked:
		if len(r.Patches) > 0 || r.Until != "" {
			return fmt.Errorf("patches: are for block and clear; list takes none")
		}
		return nil
	case patch.BlockPatch, patch.ClearPatch:
	default:
		return fmt.Errorf("verb: %q is neither list, block nor clear", r.Verb)
	}
	if err := patch.Answered(r.Actor, r.Reason); err != nil {
		return err
	}
	if len(r.Patches) == 0 {
		return fmt.Errorf("patches: name at least one, like openssl.x86_64:1:3.2.2-1.amzn2023.0.1 or KB5031234")
	}
	if _, err := r.parsed(); err != nil {
		return err
	}
	if r.Until == "" {
		return nil
	}
	if r.Verb == patch.ClearPatch {
		return fmt.Errorf("until: only block has one")
	}
	if _, err := time.Parse(time.RFC3339, r.Until); err != nil {
		return fmt.Errorf("until: %q is no moment in RFC 3339; write one like 2026-11-22T06:00:00+09:00", r.Until)
	}
	return nil
}

// parsed are the patches that it names.
func (r Request) parsed() ([]patch.BlockedPatch, error) {
	var all []patch.BlockedPatch
	for _, text := range r.Patches {
		one, err := patch.ParsePatch(r.Platform, strings.TrimSpace(text))
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}
