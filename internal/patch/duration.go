package patch

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
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

// UnmarshalText reads the standard library's notation, and days of 24 hours before it, as in "3d" and "1d12h"; its
// error shows a right example.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := parseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is not a duration; write it like \"30m\" or \"1h30m\"", text)
	}
	*d = Duration(parsed)
	return nil
}

// parseDuration reads days before what the standard library reads. Up to 65,535 of them are no overflow.
func parseDuration(text string) (time.Duration, error) {
	days, rest, has := strings.Cut(text, "d")
	if !has {
		return time.ParseDuration(text)
	}
	count, err := strconv.ParseUint(days, 10, 16)
	if err != nil {
		return 0, err
	}
	whole := time.Duration(count) * 24 * time.Hour
	if rest == "" {
		return whole, nil
	}
	more, err := time.ParseDuration(rest)
	if err != nil || more < 0 || more >= 24*time.Hour || strings.HasPrefix(rest, "+") {
		return 0, errors.New("what follows the days is no part of a day")
	}
	return whole + more, nil
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
