package world

import (
	"fmt"
	"time"
)

// Duration is a span of AWS time that a scenario writes as "90s" or "4m".
type Duration time.Duration

// D returns the standard library's type.
func (d Duration) D() time.Duration { return time.Duration(d) }

// UnmarshalText reads the standard library's notation.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil || parsed < 0 {
		return fmt.Errorf("%q is not a duration; write it like \"90s\" or \"4m\"", text)
	}
	*d = Duration(parsed)
	return nil
}

func (d Duration) or(fallback time.Duration) time.Duration {
	if d == 0 {
		return fallback
	}
	return time.Duration(d)
}
