package run

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/plain"
)

// Strict decodes one JSON object with known fields only.
func Strict(data []byte, into any) error {
	if trimmed := bytes.TrimSpace(data); len(trimmed) == 0 || trimmed[0] != '{' {
		if bytes.Equal(trimmed, []byte("null")) {
			return nil // the zero value, which Validate refuses
		}
		return fmt.Errorf("the input must be one JSON object, not %s", Shorten(string(trimmed)))
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
	plain.Lines(into) // names and reasons go to other people's terminals, on one line
	return nil
}

// Shorten keeps a wrong input readable, and storable: Temporal takes valid UTF-8 only.
func Shorten(text string) string {
	if len(text) > 40 {
		text = text[:40] + "..."
	}
	return strings.ToValidUTF8(text, "?")
}

// Invalid is the error InvalidInput: what is wrong, with a right example.
func Invalid(what, example string) error {
	return temporal.NewNonRetryableApplicationError(
		what+names.RightInput+example, activities.ErrInvalidInput, nil,
	)
}

// PlanRequest asks for something of a plan, and has no other choice.
type PlanRequest struct {
	Plan string `json:"plan"`

	broken error
}

const planExample = `{"plan": "web"}`

// UnmarshalJSON decodes strictly and keeps the error for Validate.
func (r *PlanRequest) UnmarshalJSON(data []byte) error {
	type plain PlanRequest
	r.broken = Strict(data, (*plain)(r))
	return nil
}

// Validate answers with InvalidInput what is wrong and shows a right example.
func (r PlanRequest) Validate() error {
	switch {
	case r.broken != nil:
		return Invalid(r.broken.Error(), planExample)
	case strings.TrimSpace(r.Plan) == "":
		return Invalid("plan: is missing", planExample)
	}
	return nil
}
