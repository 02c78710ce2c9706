// Package once holds what makes an activity safe to repeat. An act is described, done only if it is needed, and
// confirmed: its footprint tells the next attempt whether a call may be on its way, its effect is waited for until AWS
// shows it, and where its effect looks like somebody else's, ownership tells whose it is. A wait looks again and again,
// within an attempt and by retries.
package once
