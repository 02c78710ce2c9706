package patch

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Share is a number of instances, or a percentage of those there are. It is written as 2 or "10%".
type Share struct {
	Count   int
	Percent int // 1 to 100; 0: it is Count
}

// Instances is a number of instances.
func Instances(count int) Share { return Share{Count: count} }

// Percent is a percentage of those there are.
func Percent(percent int) Share { return Share{Percent: percent} }

// Of is how many of a total it is. A percentage is rounded down.
func (s Share) Of(total int) int {
	if s.Percent > 0 {
		return total * s.Percent / 100
	}
	return s.Count
}

// MayBeSeveral reports whether it can be more than one, of however many.
func (s Share) MayBeSeveral() bool { return s.Percent > 0 || s.Count > 1 }

// AtLeastOne is Of for what makes no sense with none.
func (s Share) AtLeastOne(total int) int { return max(s.Of(total), 1) }

// String is the share as it is written.
func (s Share) String() string {
	if s.Percent > 0 {
		return strconv.Itoa(s.Percent) + "%"
	}
	return strconv.Itoa(s.Count)
}

// UnmarshalText reads "2" or "10%"; its error shows a right example.
func (s *Share) UnmarshalText(text []byte) error {
	digits, isPercent := strings.CutSuffix(string(text), "%")
	number, err := strconv.Atoi(digits)
	switch {
	case err != nil || number < 0 || isPercent && (number < 1 || number > 100):
		return fmt.Errorf(`%q is neither a number of instances nor a percentage; write it like 2 or "10%%"`, text)
	case isPercent:
		*s = Percent(number)
	default:
		*s = Instances(number)
	}
	return nil
}

// Within refuses a number outside of the bounds, which are whole numbers as text; a percentage is within any.
func (s Share) Within(low, high string) error {
	if s.Percent > 0 {
		return nil
	}
	if least, err := strconv.Atoi(low); err == nil && s.Count < least {
		return fmt.Errorf("%d is less than %d, the smallest allowed", s.Count, least)
	}
	if most, err := strconv.Atoi(high); err == nil && s.Count > most {
		return fmt.Errorf("%d is more than %d, the largest allowed", s.Count, most)
	}
	return nil
}

// MarshalJSON writes a number, or a percentage as text.
func (s Share) MarshalJSON() ([]byte, error) {
	if s.Percent > 0 {
		return json.Marshal(s.String())
	}
	return json.Marshal(s.Count)
}

// UnmarshalJSON reads either.
func (s *Share) UnmarshalJSON(data []byte) error {
	return s.UnmarshalText([]byte(strings.Trim(string(data), `"`)))
}
