package aws

import (
	"strings"
	"time"

	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/patchtide/patchtide/internal/names"
)

// Journal is the pointer that marks a resource as ours while we hold it: names.TagJournal on the resource.
type Journal struct {
	WaveID string
	Record string // key of the signed record in the evidence store
}

// longestTag is how many characters a tag's value may have.
const longestTag = 256

// Value is the journal's tag: the wave, a space, and the key of the record in the evidence store.
func (j Journal) Value() string { return j.WaveID + " " + j.Record }

// Validate is InvalidInput for a journal that the tag cannot hold.
func (j Journal) Validate(where string) error {
	switch {
	case j.WaveID == "" || strings.Contains(j.WaveID, " "):
		return Final(
			InvalidInput, "%s: %q is no wave id for the journal's tag; it must not be empty nor hold a space", where, j.WaveID,
		)
	case len([]rune(j.Value())) > longestTag:
		return Final(
			InvalidInput, "%s: the journal's tag %q is longer than the %d characters AWS takes; use a shorter wave id", where,
			j.Value(), longestTag,
		)
	}
	return nil
}

// Ours reports whether a tag's value is of this wave; another record of the same wave is.
func (j Journal) Ours(value string) bool {
	wave, _, _ := strings.Cut(value, " ")
	return wave == j.WaveID
}

// JournalOf is the value of the journal's tag on a group; "" when it carries none.
func JournalOf(group *astypes.AutoScalingGroup) string {
	for _, tag := range group.Tags {
		if Deref(tag.Key) == names.TagJournal {
			return Deref(tag.Value)
		}
	}
	return ""
}

// ParseJournal reads the value of a journal's tag: the wave, a space, and the key of the one record that is about the
// resource which carries it. A tag copied from elsewhere must not lead to another's record.
func ParseJournal(value, record string) (Journal, string) {
	wave, pointer, found := strings.Cut(value, " ")
	switch {
	case !found || wave == "" || strings.Contains(pointer, " "):
		return Journal{}, "the tag is not a wave id, a space and the name of a record"
	case pointer != record:
		return Journal{}, "the tag points to the record " + pointer + ", and that of this resource is " + record
	}
	return Journal{WaveID: wave, Record: record}, ""
}

// forever stands in the tag for a quarantine that nothing ends by itself.
const forever = "-"

// QuarantineTag is the quarantine's tag: a journal's, a space, and when it may be cleared; zero is never by itself.
func QuarantineTag(journal Journal, at time.Time) string {
	until := forever
	if !at.IsZero() {
		until = at.UTC().Format(time.RFC3339)
	}
	return journal.Value() + " " + until
}

// ParseQuarantine reads the tag's value: a journal's, and until when. When it is cleared the signed record says, not
// the tag.
func ParseQuarantine(value, record string) (Journal, string) {
	cut := strings.LastIndex(value, " ")
	if cut < 0 {
		return Journal{}, "the tag is not a wave id, the name of a record and a time"
	}
	until := value[cut+1:]
	if _, err := time.Parse(time.RFC3339, until); err != nil && until != forever {
		return Journal{}, "the tag ends with " + until + ", which is no time"
	}
	return ParseJournal(value[:cut], record)
}
