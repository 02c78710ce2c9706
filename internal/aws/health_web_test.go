package aws

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

type answering func(*http.Request) (*http.Response, error)

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) { return a(r) }

func TestDialFromTheWorker(t *testing.T) {
	check := patch.HealthCheck{HTTP: &patch.HTTPCheck{Path: "/healthz", Port: 80, From: "worker"}}
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
	require.True(t, seen.Good())
	seen, err = a.dial(t.Context(), "10.0.0.2", check)
	require.NoError(t, err)
	require.Contains(t, seen.Said, "EOF")
	_, err = Observer{}.dial(t.Context(), "10.0.0.1", check)
	require.Error(t, err)
}

// secureServer is a server by TLS whose certificate is for example.com and proven by the CA that is given in PEM.
func secureServer(t *testing.T) (port int, ca string) {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if host, _, _ := net.SplitHostPort(r.Host); host != "example.com" {
			w.WriteHeader(http.StatusMisdirectedRequest)
			return
		}
		if r.URL.Path == "/secret" && r.Header.Get("Authorization") != "Bearer marked" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, `{"status":"it's ok"}`)
	}))
	t.Cleanup(server.Close)
	address, err := url.Parse(server.URL)
	require.NoError(t, err)
	port, err = strconv.Atoi(address.Port())
	require.NoError(t, err)
	return port, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
}

func TestDialByTLS(t *testing.T) {
	port, ca := secureServer(t)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	secrets := map[string]string{
		"file:ca.pem": ca, "ssm:/token": "Bearer marked", "file:no.pem": "no certificate",
		"env:BROKEN": "Bearer marked\nX: y",
	}
	worker := Observer{HTTP: &http.Client{}, Secrets: func(_ context.Context, source string) (string, error) {
		if value, known := secrets[source]; known {
			return value, nil
		}
		return "", errors.New("there is none")
	}}
	for _, c := range []struct {
		name  string
		check patch.HTTPSCheck
		good  bool
		says  string // of the answer
		fails string // of the error
	}{
		{name: "the name, and its CA", check: patch.HTTPSCheck{ServerName: "example.com", CAFrom: "file:ca.pem"}, good: true},
		{name: "anything is taken, and asked by address", check: patch.HTTPSCheck{Insecure: true}, says: "answers 421"},
		{
			name: "another name", check: patch.HTTPSCheck{ServerName: "other.test", CAFrom: "file:ca.pem"},
			says: "certificate is valid for example.com",
		},
		{
			name: "a CA that the worker does not know", check: patch.HTTPSCheck{ServerName: "example.com"},
			says: "unknown authority",
		},
		{
			name: "a header that is a secret", good: true, check: patch.HTTPSCheck{
				HTTPCheck: patch.HTTPCheck{Path: "/secret", Body: "it's ok"}, ServerName: "example.com", CAFrom: "file:ca.pem",
				HeadersFrom: map[string]string{"Authorization": "ssm:/token"},
			},
		},
		{
			name: "without it", check: patch.HTTPSCheck{
				HTTPCheck: patch.HTTPCheck{Path: "/secret"}, ServerName: "example.com", CAFrom: "file:ca.pem",
			}, says: "answers 401",
		},
		{
			name: "another body", check: patch.HTTPSCheck{
				HTTPCheck: patch.HTTPCheck{Body: "ill"}, ServerName: "example.com", CAFrom: "file:ca.pem",
			}, says: `answers 200 without "ill" in its body`,
		},
		{
			name: "a header that is not one line", check: patch.HTTPSCheck{
				ServerName: "example.com", CAFrom: "file:ca.pem", HeadersFrom: map[string]string{"Authorization": "env:BROKEN"},
			}, says: "invalid header",
		},
		{
			name: "a CA that is none", check: patch.HTTPSCheck{ServerName: "example.com", CAFrom: "file:no.pem"},
			fails: "file:no.pem holds no certificate",
		},
		{
			name: "a CA that cannot be read", check: patch.HTTPSCheck{ServerName: "example.com", CAFrom: "file:away"},
			fails: "file:away: there is none",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.check.Port, c.check.From = port, patch.FromWorker
			if c.check.Path == "" {
				c.check.Path = "/healthz"
			}
			check := patch.HealthCheck{HTTPS: &c.check}
			require.NoError(t, checkHTTPS("here", check))
			seen, err := worker.dial(t.Context(), "127.0.0.1", check)
			if c.fails != "" {
				require.ErrorContains(t, err, c.fails)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.good, seen.Good(), "%s", seen)
			require.NotContains(t, seen.String(), "marked", "a secret is told to nobody")
			if !c.good {
				require.Contains(t, seen.String(), c.says)
			}
		})
	}
}
