package worker

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/names"
)

// unreached is what a call comes to where nothing answers.
func unreached() error {
	return &smithy.OperationError{
		ServiceID: "STS", OperationName: "GetCallerIdentity",
		Err: &smithyhttp.RequestSendError{Err: &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}},
	}
}

// Without AWS a worker starts all the same, for whoever is out must come back; what is wrong is said until it is not.
func TestWhatMayPassIsToldAndLookedAtAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&log, nil))
		asked := 0
		aws := need{"AWS", func(context.Context) error {
			if asked++; asked < 4 {
				return unreached()
			}
			return nil
		}, MendAWS}
		missing, err := lookAtNeeds(t.Context(), logger, []need{aws})
		require.NoError(t, err)
		require.Len(t, missing, 1)
		require.Contains(t, log.String(), `level=WARN msg="AWS does not serve this worker: what needs it fails until it `+
			`does" error="dial tcp: connection refused" todo="see this machine's network`)
		begun := time.Now()
		missing[0].await(t.Context(), logger)
		require.Equal(t, 10*time.Second+20*time.Second+40*time.Second, time.Since(begun), "ever more seldom")
		require.Equal(t, 3, bytes.Count(log.Bytes(), []byte("does not serve")))
		require.Contains(t, log.String(), `level=INFO msg="AWS serves this worker now"`)
	})
}

func TestAWorkerWaitsForTheKeyOnlyWhileAWSCannotBeReached(t *testing.T) {
	denied := errors.New("AccessDenied")
	for _, c := range []struct {
		name  string
		fails []error
		want  error
		takes time.Duration
	}{
		{"at once", nil, nil, 0},
		{"once AWS answers", []error{unreached(), unreached()}, nil, 30 * time.Second},
		{"it is denied, which no wait mends", []error{denied}, denied, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun, fails := time.Now(), c.fails
				key, err := WhileUnreachable(t.Context(), slog.New(slog.DiscardHandler), "the key", func() (string, error) {
					if len(fails) == 0 {
						return "key", nil
					}
					err := fails[0]
					fails = fails[1:]
					return "", err
				})
				require.ErrorIs(t, err, c.want)
				require.Equal(t, c.want == nil, key == "key")
				require.Equal(t, c.takes, time.Since(begun))
			})
		})
	}
}

// A key that the evidence store does not know ends the worker before it polls.
func TestAWorkerWithAnotherJournalKeyEnds(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "evidence")
	begin := func() error {
		store, err := evidence.Open(t.Context(), folder, evidence.Options{Signer: evidence.GenerateKey()})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, store.Close()) })
		options := Options{Evidence: store, Config: &config.Config{}}
		_, err = lookAtNeeds(t.Context(), slog.New(slog.DiscardHandler), options.needs()[1:])
		return err
	}
	require.NoError(t, begin())
	var other *evidence.OtherKeyError
	require.ErrorAs(t, begin(), &other)
}

// queue has one poller, which polls anew at each of the moments since the test began.
type queue struct {
	identity string
	begun    time.Time
	polls    []time.Duration
}

func (q queue) DescribeTaskQueue(
	context.Context, string, enums.TaskQueueType,
) (*workflowservice.DescribeTaskQueueResponse, error) {
	answer := &workflowservice.DescribeTaskQueueResponse{}
	for i := len(q.polls) - 1; i >= 0; i-- {
		if at := q.begun.Add(q.polls[i]); !at.After(time.Now()) {
			answer.Pollers = []*taskqueue.PollerInfo{{Identity: q.identity, LastAccessTime: timestamppb.New(at)}}
			break
		}
	}
	return answer, nil
}

func TestASecondWorkerWithAnotherJournalIsRefused(t *testing.T) {
	with := func(journal string) string {
		return names.Worker{Process: "7@far", Config: "aa", Journal: journal}.Identity()
	}
	for _, c := range []struct {
		name     string
		identity string
		polls    []time.Duration
		refused  bool
		takes    time.Duration
	}{
		{"the same journal", with("bb"), []time.Duration{-time.Second, time.Minute}, false, 0},
		{"one that is known as an earlier key's", with("cc"), []time.Duration{-time.Second, time.Minute}, false, 0},
		{
			"one that could not read its own", with(names.UnknownJournal), []time.Duration{-time.Second, time.Minute}, false, 0,
		},
		{"no worker of ours", "somebody's", []time.Duration{-time.Second, time.Minute}, false, 0},
		{
			"another, which polls again", with("dd"),
			[]time.Duration{-20 * time.Second, 40 * time.Second},
			true,
			40 * time.Second,
		},
		{"another, which has ended", with("dd"), []time.Duration{-20 * time.Second}, false, 55 * time.Second},
		{"another, which ended long ago", with("dd"), []time.Duration{-2 * time.Minute}, false, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				err := checkBeside(t.Context(), queue{c.identity, begun, c.polls}, []string{"bb", "cc"},
					slog.New(slog.DiscardHandler))
				if c.refused {
					require.ErrorContains(t, err, "the worker 7@far serves this namespace with another evidence store or journal key")
				} else {
					require.NoError(t, err)
				}
				require.Equal(t, c.takes, time.Since(begun))
			})
		})
	}
}

func TestAWorkerHasStartedOnceTemporalListsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		begun := time.Now()
		awaitListed(t.Context(), queue{"me", begun, []time.Duration{2 * time.Second}}, "me",
			slog.New(slog.NewTextHandler(&log, nil)))
		require.Equal(t, 2*time.Second, time.Since(begun))
		require.Empty(t, log.String())
		awaitListed(t.Context(), queue{"another", begun, []time.Duration{0}}, "me", slog.New(slog.NewTextHandler(&log, nil)))
		require.Contains(t, log.String(), "Temporal does not list this worker")
	})
}
