package aws

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/patchtide/patchtide/internal/patch"
)

// maxAbsenceGap is how long two looks may lie apart for the absence that both saw to count as one. Retries are a minute
// apart at most.
const maxAbsenceGap = 3 * time.Minute

// Absences remembers since when AWS has not listed what was asked for. Its lists are eventually consistent: an answer
// may know nothing of something that is there, and whoever took it for gone would leave it as it is for ever. So an
// absence is believed once every look of the default read lag has met it; until then a look fails with what passes. A
// worker keeps one for all of its clients.
type Absences struct {
	mu     sync.Mutex
	absent map[string]absence
}

type absence struct{ since, last time.Time }

// doubt takes one answer in, of AWS's time at, and names what it lacks, but not for long enough to be believed. asked
// is by what people know it; list sets one list apart from another.
func (a *Absences) doubt(list string, at time.Time, asked []string, listed func(string) bool) []string {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	var doubted []string
	for _, name := range asked {
		key := list + " " + name
		if listed(name) {
			delete(a.absent, key)
			continue
		}
		was, known := a.absent[key]
		if !known || at.Sub(was.last) > maxAbsenceGap {
			was.since = at
		}
		was.last = at
		if a.absent == nil {
			a.absent = map[string]absence{}
		}
		a.absent[key] = was
		if at.Sub(was.since) < patch.DefaultTiming().ReadLag.D() {
			doubted = append(doubted, name)
		}
	}
	return doubted
}

func doubtful(where, list string, names []string) error {
	return MayPass("%s: %s does not list %s; that is believed once it stays so for %s", where, list,
		strings.Join(names, ", "), patch.DefaultTiming().ReadLag)
}

// ExpectMembers fails with what passes while a group's list lacks instances that are known to be its members, unless
// EC2 says that they are terminated. After it a lacking one has left the group, or is gone.
func ExpectMembers(
	ctx context.Context, s *Services, group patch.Group, at time.Time, expected []string, listed func(string) bool,
) error {
	var lacking []string
	for _, id := range expected {
		if !listed(id) {
			lacking = append(lacking, id)
		}
	}
	terminated := map[string]bool{}
	if len(lacking) > 0 {
		machines, _, err := ReadInstances(ctx, s, group.String(), lacking)
		if err != nil {
			return err
		}
		for _, id := range lacking {
			state := StateOf(machines[id])
			terminated[id] = state == "terminated" || state == "shutting-down"
		}
	}
	doubted := s.Absences.doubt(group.String(), at, expected, func(id string) bool { return listed(id) || terminated[id] })
	if len(doubted) > 0 {
		return doubtful(group.String(), "the group", doubted)
	}
	return nil
}

// ExpectDesired fails with what passes while a group's list lacks some of the instances that its desired capacity
// stands for, whatever their ids are. After it there are none.
func ExpectDesired(s *Services, group patch.Group, at time.Time, desired, listed int) error {
	all := fmt.Sprintf("each of the %d instances that it is to have", desired)
	if len(s.Absences.doubt(group.String(), at, []string{all}, func(string) bool { return listed >= desired })) > 0 {
		return doubtful(group.String(), "the group", []string{all})
	}
	return nil
}
