package patch

import "fmt"

// WhyFailed is why a group that ended lets its wave end failed, for people: what the first of those did that ended
// neither patched nor as before, and how many others are.
func (c GroupCounts) WhyFailed() string {
	bad := c.Tally[Failed] + c.Tally[Quarantined]
	for _, one := range c.Failed {
		if GroupOutcome([]InstanceResult{one}) != Failed {
			continue
		}
		said := fmt.Sprintf("%s: %s %s", c.Group, one.Called(), one.Outcome.Words())
		if one.Reason != "" {
			said += ": " + one.Reason
		}
		if bad > 1 {
			said += fmt.Sprintf("; and %d more failed or quarantined", bad-1)
		}
		return said
	}
	if c.Phase != GroupDone {
		return c.Group + ": its workflow ended without its word"
	}
	return c.Group + ": " + c.Reason
}
