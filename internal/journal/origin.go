package journal

import (
	"fmt"
	"time"
)

// Origin is the run of the workflow that wrote a version of a record, and the Temporal it ran in.
type Origin struct {
	Namespace   string
	NamespaceID string // of Temporal's own making: no two clusters have namespaces of one id
	WorkflowID  string
	RunID       string
}

// Ending is what Temporal says of a run.
type Ending string

// Endings.
const (
	RunUnknown   Ending = ""          // Temporal knows no such run, or does not any more
	RunOpen      Ending = "open"      // it runs
	RunCompleted Ending = "completed" // it ended by itself
	RunBroken    Ending = "broken"    // it was terminated, or failed: nobody is left to put back what it had under way
)

// MaxAge is how old a version may be for Reconcile to put back what it says. Who has it so for longer means it so, and
// what a restore would lose grows by the day.
const MaxAge = 14 * 24 * time.Hour

// Distrust is why nothing may be put back by a record that has not ended; "" when it may be. ending is how the run that
// wrote it ended. Only a run that broke off leaves what nobody else puts back, or one that says it left it.
func Distrust(r Record, ending Ending, now time.Time) string {
	age := now.Sub(r.At)
	switch {
	case age > MaxAge:
		return fmt.Sprintf("its record of %s is too old to be acted upon: %d days",
			r.At.UTC().Format("2006-01-02 15:04 MST"), int(age.Hours()/24))
	case ending == RunUnknown:
		return fmt.Sprintf("the run that wrote its record, %s of %s, is not known to Temporal (any more), so nobody can "+
			"tell whether anything of it was left", r.Origin.RunID, r.Origin.WorkflowID)
	case ending == RunCompleted && !r.Left:
		return fmt.Sprintf("%s, which wrote its record, closed normally and did not say that it left anything",
			r.Origin.WorkflowID)
	}
	return ""
}
