package activities_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

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
		told  string
		waits bool
	}{
		{
			"both hold, and were told",
			frozenNow{freezes: patch.Freezes{everything, account}},
			everything.String() + "; and " + account.String(), true,
		},
		{"another holds beside the one that was told", frozenNow{freezes: patch.Freezes{everything, account}}, everything.String(), false},
		{"the one that was told holds", frozenNow{freezes: patch.Freezes{everything}}, everything.String(), true},
		{"the one that was told is lifted", frozenNow{freezes: patch.Freezes{account}}, everything.String(), false},
		{"all are lifted", frozenNow{}, everything.String(), false},
		{"nobody can say", frozenNow{unknown: errors.New("no worker answers")}, everything.String(), true},
		{
			"another account is frozen",
			frozenNow{freezes: patch.Freezes{{Account: "staging", Actor: "bob"}}},
			everything.String(), false,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			control := &activities.Control{Freezes: c.now}
			err := control.AwaitThaw(t.Context(), activities.AwaitThawInput{
				Accounts: []string{"production"}, Poll: patch.Duration(time.Second), Told: c.told,
			})
			require.Equal(t, c.waits, err != nil, "%v", err)
		})
	}
}

// Whoever lifts one of two freezes is told of the other before, with the commands that lift both.
func TestAllFreezesThatHoldAreTold(t *testing.T) {
	everything, account := patch.Freeze{Actor: "ann", Reason: "incident 4711"}, patch.Freeze{Account: "production", Actor: "bob"}
	control := &activities.Control{Freezes: frozenNow{freezes: patch.Freezes{
		everything, {Account: "elsewhere", Actor: "eve"}, account,
	}}}
	frozen, err := control.AskFreeze(t.Context(), activities.AskFreezeInput{Accounts: []string{"staging", "production"}})
	require.NoError(t, err)
	require.Equal(t, everything.String()+"; and "+account.String(), frozen.Why)
	require.Equal(t, everything.Lift()+" && "+account.Lift(), frozen.Lift)
}

// readSoon is a keeper of freezes that reads the evidence for so many looks yet.
type readSoon struct {
	looks int
	then  patch.Freezes
}

func (r *readSoon) Freezes(context.Context) (patch.Freezes, error) {
	if r.looks--; r.looks >= 0 {
		return patch.Freezes{{Actor: "patchtide", Reason: "it is being read", Reading: true}}, nil
	}
	return r.then, nil
}

// A wave that begins while what is frozen is read for the first time is not refused by that; one that goes on so counts
// as a freeze.
func TestWhatIsFrozenIsReadFirst(t *testing.T) {
	ann := patch.Freeze{Actor: "ann", Reason: "incident 4711"}
	for _, c := range []struct {
		name string
		now  *readSoon
		why  string // part of it; "": nothing is frozen
	}{
		{"nothing is", &readSoon{looks: 3}, ""},
		{"something is", &readSoon{looks: 3, then: patch.Freezes{ann}}, "incident 4711"},
		{"nobody knows for long", &readSoon{looks: 1000}, "it is being read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			suite := testsuite.WorkflowTestSuite{}
			suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
			env := suite.NewTestWorkflowEnvironment()
			control := &activities.Control{Freezes: c.now}
			env.RegisterActivity(control)
			env.ExecuteWorkflow(func(ctx workflow.Context) (frozen activities.Frozen, err error) {
				err = workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, forward(time.Minute)), control.AskFreeze,
					activities.AskFreezeInput{Accounts: []string{"production"}}).Get(ctx, &frozen)
				return frozen, err
			})
			var frozen activities.Frozen
			require.NoError(t, env.GetWorkflowResult(&frozen))
			require.Equal(t, c.why == "", frozen.Why == "", frozen.Why)
			require.Contains(t, frozen.Why, c.why)
		})
	}
}
