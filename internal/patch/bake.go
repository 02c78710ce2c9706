package patch

import (
	"fmt"
	"strings"
	"time"
)

// Bake is what the probe on an instance saw in the time for which it watched.
type Bake struct {
	Looks    int           `json:"looks"`
	Bad      int           `json:"bad"`                // looks at which some check did not pass
	Failures []BakeFailure `json:"failures,omitempty"` // the first of them
}

// BakeFailure is one check that did not pass.
type BakeFailure struct {
	At   time.Time `json:"at"` // by the machine's clock
	What string    `json:"what"`
}

// failuresNamed bounds those that a line names; the evidence of the instance has the others.
const failuresNamed = 3

// String says how many looks were bad, and names the last failures.
func (b Bake) String() string {
	said := fmt.Sprintf("%d of %d looks on the instance were bad", b.Bad, b.Looks)
	from := max(len(b.Failures)-failuresNamed, 0)
	var words []string
	for _, failure := range b.Failures[from:] {
		words = append(words, failure.At.UTC().Format(time.RFC3339)+" "+failure.What)
	}
	if len(words) == 0 {
		return said
	}
	return said + ": " + strings.Join(words, "; ")
}
