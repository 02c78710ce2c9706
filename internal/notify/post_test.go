package notify

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

// secretPath is what a webhook's address keeps secret.
const secretPath = "/services/T0000SECRET/B0000SECRET?sig=SECRETSIGNATURE"

// receiver is a webhook's server: it keeps what it was sent and answers as it is told.
type receiver struct {
	*httptest.Server
	status int
	answer string
	header http.Header
	bodies [][]byte
	heads  []http.Header
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{status: http.StatusOK, answer: "ok", header: http.Header{}}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil || request.Method != http.MethodPost || request.URL.RequestURI() != secretPath {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		r.bodies, r.heads = append(r.bodies, body), append(r.heads, request.Header)
		for name, values := range r.header {
			w.Header()[name] = values
		}
		w.WriteHeader(r.status)
		_, _ = io.WriteString(w, r.answer)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) address(context.Context) (string, error) { return r.URL + secretPath + "\n", nil }

func TestChannelsPostTheirDocuments(t *testing.T) {
	for name, make := range map[string]func(
		string, Address, *http.Client,
	) Channel{"slack": Slack, "teams": Teams, "webhook": Webhook} {
		t.Run(name, func(t *testing.T) {
			r := newReceiver(t)
			notifier := New([]Channel{make(name, r.address, r.Client())}, where)
			require.Equal(t, []string{name}, notifier.Channels())
			for kind, notice := range samples() {
				require.NoError(t, notifier.Send(t.Context(), name, notice), kind)
				golden(t, name+"/"+kind+".json", pretty(t, r.bodies[len(r.bodies)-1]))
				require.Equal(t, "application/json; charset=utf-8", r.heads[len(r.heads)-1].Get("Content-Type"))
				if name == "webhook" {
					require.Equal(t, notice.Key, r.heads[len(r.heads)-1].Get("Idempotency-Key"))
				}
			}
		})
	}
}

func TestARepetitionCarriesTheSameID(t *testing.T) {
	r := newReceiver(t)
	notifier := New([]Channel{Webhook("webhook", r.address, r.Client())}, where)
	r.status = http.StatusBadGateway
	var away *AwayError
	require.ErrorAs(t, notifier.Send(t.Context(), "webhook", samples()["on_hold"]), &away)
	r.status = http.StatusAccepted
	require.NoError(t, notifier.Send(t.Context(), "webhook", samples()["on_hold"]))
	require.Equal(t, r.bodies[0], r.bodies[1])
	require.Equal(t, r.heads[0]["Idempotency-Key"], r.heads[1]["Idempotency-Key"])
	var document map[string]any
	require.NoError(t, json.Unmarshal(r.bodies[1], &document))
	require.Equal(t, samples()["on_hold"].Key, document["id"])
}

func TestAnswersThatPassAndAnswersThatDoNot(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		retry  string
		answer string
		away   bool
		wait   time.Duration
		says   string
	}{
		{name: "Slack's webhook is gone", status: 404, answer: "no_service", says: "it answered 404: no_service"},
		{name: "a document it does not take", status: 400, answer: "invalid_blocks", says: "it answered 400: invalid_blocks"},
		{
			name: "too many, with seconds", status: 429, retry: "30", away: true, wait: 30 * time.Second,
			says: "it answered 429; it asks to wait 30s",
		},
		{name: "too many, without", status: 429, away: true, says: "it answered 429"},
		{name: "too many, absurd", status: 429, retry: "999999999", away: true, wait: time.Hour},
		{name: "time-out", status: 408, away: true},
		{name: "server in trouble", status: 503, retry: "nonsense", away: true, says: "it answered 503"},
		{
			name: "an answer that repeats the address", status: 410, answer: "no such path " + secretPath + " SECRETSIGNATURE",
			says: "it answered 410: no such path [secret]",
		},
		{name: "a redirect", status: 307, says: "it answered 307"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newReceiver(t)
			r.status, r.answer = c.status, c.answer
			if c.retry != "" {
				r.header.Set("Retry-After", c.retry)
			}
			if c.status == 307 {
				r.header.Set("Location", r.URL+"/elsewhere")
			}
			err := New([]Channel{Slack("slack", r.address, r.Client())}, where).Send(t.Context(), "slack", samples()["test"])
			require.Len(t, r.bodies, 1, "one attempt, and nothing followed")
			require.NotContains(t, err.Error(), "SECRET")
			require.Contains(t, err.Error(), c.says)
			var away *AwayError
			var refused *RefusedError
			if !c.away {
				require.True(t, errors.As(err, &refused), "%v", err)
				return
			}
			require.True(t, errors.As(err, &away), "%v", err)
			require.Equal(t, c.wait, away.RetryAfter)
		})
	}
}

func TestRetryAfterMayBeADate(t *testing.T) {
	require.Equal(t, 90*time.Second, retryAfter(at.Add(90*time.Second).Format(http.TimeFormat), at))
	require.Zero(t, retryAfter(at.Add(-time.Hour).Format(http.TimeFormat), at))
	require.Zero(t, retryAfter("-5", at))
}

func TestNoErrorHoldsTheAddress(t *testing.T) {
	gone := newReceiver(t)
	gone.Close()
	for _, c := range []struct {
		name, address string
		err           error
		says          string
		away          bool
	}{
		{name: "nobody listens", address: gone.URL + secretPath, says: "no answer: ", away: true},
		{name: "not encrypted", address: "http://example.com" + secretPath, says: "no https:// address"},
		{name: "no address at all", address: "SECRET", says: "no https:// address"},
		{name: "broken", address: "https://exa mple/%zzSECRET", says: "no https:// address"},
		{name: "another protocol", address: "ftp://example.com/SECRET", says: "no https:// address"},
		{
			name: "a host that is none, with a password", address: "https://user:SECRETPASS@[::1]:1" + secretPath,
			says: "no answer: ", away: true,
		},
		{
			name: "cannot be read", err: errors.New("read the parameter /patchtide/slack: AccessDenied"),
			says: "could not be read: read the parameter /patchtide/slack", away: true,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			address := func(context.Context) (string, error) { return c.address, c.err }
			err := New([]Channel{Slack("slack", address, http.DefaultClient)}, where).Send(
				t.Context(), "slack", samples()["test"],
			)
			require.ErrorContains(t, err, c.says)
			require.NotContains(t, err.Error(), "SECRET")
			var away *AwayError
			require.Equal(t, c.away, errors.As(err, &away))
		})
	}
}

func TestAServerThatNeverAnswersIsGivenUp(t *testing.T) {
	ctx, giveUp := context.WithCancel(t.Context())
	defer giveUp()
	ended := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		_, _ = io.ReadAll(request.Body) // so that the server notices when the client goes
		giveUp()                        // not by the clock: on a busy machine it would not have got this far
		<-request.Context().Done()
		close(ended)
	}))
	defer server.Close()
	address := func(context.Context) (string, error) { return server.URL + secretPath, nil }
	err := New([]Channel{Slack("slack", address, server.Client())}, where).Send(ctx, "slack", samples()["test"])
	var away *AwayError
	require.ErrorAs(t, err, &away)
	require.NotContains(t, err.Error(), "SECRET")
	<-ended
}

func TestAChannelThatTheConfigurationLostIsToldByName(t *testing.T) {
	err := New(nil, where).Send(t.Context(), "slack ssm:/a", patch.Notice{Kind: patch.NoticeTest})
	var refused *RefusedError
	require.ErrorAs(t, err, &refused)
	require.True(t, strings.Contains(err.Error(), "slack ssm:/a"))
}
