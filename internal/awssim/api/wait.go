package api

import "time"

// NotYet is what a handler returns, as its error, for a call that AWS holds open until there is something to answer:
// ask me again, and once Patience has passed since the call answer Empty. Whoever owns the clock decides whether it can
// be held.
type NotYet struct {
	Patience time.Duration // AWS time
	Empty    any           // a pointer to the operation's output
	Settled  bool          // Empty is the answer whatever comes: time has to pass, and I am not to be asked again
}

// Error says what it is; no client sees it.
func (n *NotYet) Error() string { return "there is nothing to answer yet" }
