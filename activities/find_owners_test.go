package activities_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/journal"
)

func TestReadRecordAnswersWhatCannotBeTrusted(t *testing.T) {
	for _, c := range []struct {
		name      string
		err       error
		untrusted string
		retried   bool
	}{
		{"altered", &evidence.InvalidRecordError{Name: "x", Reason: "was altered"}, "was altered", false},
		{"missing", &evidence.NotFoundError{Name: "x"}, "there is no x", false},
		{"the store is away: nobody knows", errors.New("no route"), "", true},
		{"verified, and no record of ours", nil, "its record cannot be decoded", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			control := &activities.Control{Evidence: &store{err: c.err}}
			read, err := control.ReadRecord(t.Context(), activities.ReadRecordInput{
				Pointer: activities.Journal{WaveID: "w", Record: "1/r/i-1"}, About: journal.About{WaveID: "w", Instance: "i-1"},
			})
			if c.retried {
				var typed *temporal.ApplicationError
				require.ErrorAs(t, err, &typed)
				require.False(t, typed.NonRetryable())
				return
			}
			require.NoError(t, err)
			require.Contains(t, read.Untrusted, c.untrusted)
			require.Equal(t, c.untrusted == "", read.Untrusted == "")
		})
	}
}

func TestOwners(t *testing.T) {
	ended := time.Date(2036, 11, 22, 2, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name   string
		server server
		want   activities.Owners
	}{
		{
			"running",
			server{status: enums.WORKFLOW_EXECUTION_STATUS_RUNNING},
			activities.Owners{Running: []string{"wave"}, Wrote: journal.RunOpen},
		},
		{
			"terminated",
			server{status: enums.WORKFLOW_EXECUTION_STATUS_TERMINATED, closed: ended},
			activities.Owners{Closed: ended, Wrote: journal.RunBroken},
		},
		{
			"closed normally",
			server{status: enums.WORKFLOW_EXECUTION_STATUS_COMPLETED, closed: ended},
			activities.Owners{Closed: ended, Wrote: journal.RunCompleted},
		},
		{
			"continued as new, and another has its id since",
			server{status: enums.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW, closed: ended},
			activities.Owners{Closed: ended},
		},
		{"forgotten", server{err: serviceerror.NewNotFound("no")}, activities.Owners{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			control := &activities.Control{Locks: activities.NewLocks(c.server)}
			owners, err := control.FindOwners(t.Context(), activities.FindOwnersInput{
				WorkflowIDs: []string{"wave"}, Wrote: journal.Origin{WorkflowID: "wave", RunID: "run"},
			})
			require.NoError(t, err)
			require.Equal(t, c.want, *owners)
		})
	}
	control := &activities.Control{Locks: activities.NewLocks(server{err: serviceerror.NewUnavailable("away")})}
	_, err := control.FindOwners(t.Context(), activities.FindOwnersInput{WorkflowIDs: []string{"wave"}})
	require.ErrorContains(t, err, "away", "what may be owned is not taken for free")
}
