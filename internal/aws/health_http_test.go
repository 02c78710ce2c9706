package aws

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

func TestReadProbe(t *testing.T) {
	for _, c := range []struct {
		stdout, stderr string
		status         int
		says           string
	}{
		{"200\n", "", 200, ""},
		{" 503 ", "", 503, ""},
		{"000", "curl: (7) refused", 0, "no answer"},
		{"", "curl: command not found\nmore", 0, "the check printed no status code: curl: command not found"},
	} {
		var seen patch.HTTPObservation
		readProbe(&seen, c.stdout, c.stderr)
		require.Equal(t, c.status, seen.Status)
		require.Equal(t, c.says, seen.Error)
	}
}

type answering func(*http.Request) (*http.Response, error)

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) { return a(r) }

func TestDialFromTheWorker(t *testing.T) {
	check := patch.HTTPCheck{Path: "/healthz", Port: 80, From: "worker"}
	a := Observer{HTTP: &http.Client{Transport: answering(func(r *http.Request) (*http.Response, error) {
		if r.URL.String() != "http://10.0.0.1:80/healthz" {
			return nil, io.ErrUnexpectedEOF
		}
		return &http.Response{
			StatusCode: http.StatusFound, Header: http.Header{"Location": {"/login"}}, Body: http.NoBody, Request: r,
		}, nil
	})}}
	seen, err := a.dial(t.Context(), "10.0.0.1", check)
	require.NoError(t, err)
	require.Equal(t, 302, seen.Status, "redirects are answers")
	seen, err = a.dial(t.Context(), "10.0.0.2", check)
	require.NoError(t, err)
	require.Contains(t, seen.Error, "EOF")
	_, err = Observer{}.dial(t.Context(), "10.0.0.1", check)
	require.Error(t, err)
}
