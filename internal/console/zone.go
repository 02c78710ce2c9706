package console

import (
	"sync/atomic"
	"time"
)

// inUTC is whether many read what is written here, as in a ticket. The process has one reader, and goroutines that ask
// for the time: time.Local itself may not be changed beside them.
var inUTC atomic.Bool

// TellUTC has times told in UTC, or else in the zone of this machine.
func TellUTC(on bool) { inUTC.Store(on) }

// TellsUTC reports which.
func TellsUTC() bool { return inUTC.Load() }

// here is a moment in the zone of whoever reads.
func here(at time.Time) time.Time {
	if inUTC.Load() {
		return at.UTC()
	}
	return at.Local()
}
