package patch

import (
	"encoding/json"
	"fmt"
	"time"
)

// Duration is a time.Duration that people can read in the Temporal UI and in evidence: it is written as "30m0s" and
// read from such text or, for documents of other programs, from a whole number of nanoseconds.
type Duration time.Duration

// D returns d as the standard library's type.
func (d Duration) D() time.Duration { return time.Duration(d) }

// String returns the standard library's notation, for example "1h30m0s".
func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText writes the standard library's notation.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads the standard library's notation; its error shows a right example.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is not a duration; write it like \"30m\" or \"1h30m\"", text)
	}
	*d = Duration(parsed)
	return nil
}

// UnmarshalJSON reads text as UnmarshalText does, or a whole number of nanoseconds.
func (d *Duration) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		return d.UnmarshalText([]byte(text))
	}
	var nanoseconds int64
	if err := json.Unmarshal(data, &nanoseconds); err != nil {
		return fmt.Errorf("%s is not a duration; write it like \"30m\" or \"1h30m\"", data)
	}
	*d = Duration(nanoseconds)
	return nil
}
