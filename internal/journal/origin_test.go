package journal_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/journal"
)

func TestDistrust(t *testing.T) {
	now := whole().At.Add(time.Hour)
	for _, c := range []struct {
		name   string
		left   bool
		ending journal.Ending
		later  time.Duration
		says   string // "" is trusted
	}{
		{"its run broke off", false, journal.RunBroken, 0, ""},
		{"its run ended and says that it left something", true, journal.RunCompleted, 0, ""},
		{"its run ended and says nothing", false, journal.RunCompleted, 0, "closed normally"},
		{"nobody knows its run", false, journal.RunUnknown, 0, "is not known"},
		{"nobody knows the run that left something", true, journal.RunUnknown, 0, "is not known"},
		{"a fortnight old", false, journal.RunBroken, journal.MaxAge - time.Hour, ""},
		{"older", false, journal.RunBroken, journal.MaxAge, "too old"},
		{"older, and left by its own word", true, journal.RunCompleted, journal.MaxAge, "too old"},
	} {
		t.Run(c.name, func(t *testing.T) {
			record := whole()
			record.Left = c.left
			says := journal.Distrust(record, c.ending, now.Add(c.later))
			if c.says == "" {
				require.Empty(t, says)
				return
			}
			require.Contains(t, says, c.says)
		})
	}
}
