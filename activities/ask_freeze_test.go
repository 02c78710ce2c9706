package activities_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
)

// frozenNow is what is frozen, or why nobody can say.
type frozenNow struct {
	freezes patch.Freezes
	unknown error
}

func (f frozenNow) Freezes(context.Context) (patch.Freezes, error) { return f.freezes, f.unknown }

// Whoever waits for the end of a freeze is woken as well where another holds it from then on: the one that was lifted
// is not to be told any longer.
func TestAThawIsAlsoThatAnotherFreezeHolds(t *testing.T) {
	since := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	everything := patch.Freeze{Actor: "ann", Reason: "incident 4711", Since: since}
	account := patch.Freeze{Account: "production", Actor: "bob", Reason: "sale", Since: since}
	for _, c := range []struct {
		name  string
		now   frozenNow
		waits bool
	}{
		{"both hold", frozenNow{freezes: patch.Freezes{everything, account}}, true},
		{"the one that was told is lifted", frozenNow{freezes: patch.Freezes{account}}, false},
		{"all are lifted", frozenNow{}, false},
		{"nobody can say", frozenNow{unknown: errors.New("no worker answers")}, true},
		{"another account is frozen", frozenNow{freezes: patch.Freezes{{Account: "staging", Actor: "bob"}}}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			control := &activities.Control{Freezes: c.now}
			err := control.AwaitThaw(t.Context(), activities.AwaitThawInput{
				Accounts: []string{"production"}, Poll: patch.Duration(time.Second), Told: everything.String(),
			})
			require.Equal(t, c.waits, err != nil, "%v", err)
		})
	}
}
