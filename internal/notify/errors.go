package notify

import (
	"fmt"
	"time"
)

// RefusedError says that a channel will never take this notice: a wrong address, a document it cannot read. Its text
// holds no address.
type RefusedError struct{ Why string }

// Error tells why.
func (e *RefusedError) Error() string { return e.Why }

// AwayError says that a channel did not take the notice now and may later. Its text holds no address.
type AwayError struct {
	Why string
	// RetryAfter is how long the channel asks to be left alone; 0 when it does not say.
	RetryAfter time.Duration
}

// Error tells why, and how long to wait.
func (e *AwayError) Error() string {
	if e.RetryAfter > 0 {
		return fmt.Sprintf("%s; it asks to wait %s", e.Why, e.RetryAfter)
	}
	return e.Why
}
