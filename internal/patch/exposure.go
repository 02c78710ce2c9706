package patch

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// severities are the vendors' words for how dangerous it is to be without a patch, the worst first, in ranks of those
// that mean the same: Red Hat's and Microsoft's, SUSE's, and those of the lists of vulnerabilities. A patch without one
// of them is of the last rank. Which words Systems Manager passes on for each system is unverified.
var severities = [][]string{{"critical"}, {"important", "high"}, {"moderate", "medium"}, {"low"}, {}}

// severity is the rank of a vendor's word.
func severity(word string) int {
	rank := slices.IndexFunc(severities, func(words []string) bool {
		return slices.Contains(words, strings.ToLower(word))
	})
	if rank < 0 {
		return len(severities) - 1
	}
	return rank
}

// Exposure is how dangerous it is that an instance is not patched yet, by what the last scan of it has found.
type Exposure struct {
	Missing []int     `json:"missing"` // patches by rank of severity, the worst first
	At      time.Time `json:"at"`      // when Systems Manager learnt so
}

// ExposureOf counts what is missing. at is when that was learnt.
func ExposureOf(missing []MissingPatch, at time.Time) *Exposure {
	e := &Exposure{Missing: make([]int, len(severities)), At: at}
	for _, one := range missing {
		e.Missing[severity(one.Severity)]++
	}
	return e
}

// compareExposure orders the most exposed first, by the worst patches that they miss and how many of them. One of which
// nobody knows what it misses comes last: nothing says that it is exposed, and whoever cannot be scanned cannot be
// patched either, and would keep those waiting that are.
func compareExposure(a, b *Exposure) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return slices.Compare(b.Missing, a.Missing)
}

// String says for people what is missing: "2 critical, 11 important missing".
func (e *Exposure) String() string {
	if e == nil {
		return "what it misses is not known"
	}
	var said []string
	for rank, count := range e.Missing {
		if count == 0 {
			continue
		}
		word := "of no known severity"
		if len(severities[rank]) > 0 {
			word = severities[rank][0]
		}
		said = append(said, fmt.Sprintf("%d %s", count, word))
	}
	if len(said) == 0 {
		return "nothing missing"
	}
	return strings.Join(said, ", ") + " missing"
}

// Exposed is the group with what is known of its members' exposure, by id. What was learnt of another boot, or of a
// root volume that was put back since, is not believed.
func (s GroupState) Exposed(known map[string]*Exposure) GroupState {
	s.Members = slices.Clone(s.Members)
	for i, member := range s.Members {
		if of := known[member.ID]; of != nil && !of.At.Before(member.unchangedSince()) {
			s.Members[i].Exposure = of
		}
	}
	return s
}
