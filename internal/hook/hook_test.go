package hook_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/hook"
	"github.com/patchtide/patchtide/internal/patch"
)

func TestOutput(t *testing.T) {
	for _, c := range []struct{ name, said, kept string }{
		{"as it is", "drained 12 pods\nin 3 s\n", "drained 12 pods\nin 3 s"},
		{"a known secret", "sent hunter22-of-ours", "sent [secret]"},
		{"a password", "password=abc def", "password=[secret] def"},
		{"in quotes", `DB_PASSWORD: "abc def" x`, "DB_PASSWORD: [secret] x"},
		{"JSON", `{"api_key": "abc", "n": 1}`, `{"api_key": [secret], "n": 1}`},
		{"a token", "export GITHUB_TOKEN=ghp_abc; ls", "export GITHUB_TOKEN=[secret]; ls"},
		{"a header", "Authorization: Bearer abcdefghijkl", "Authorization: [secret]"},
		{"a bearer", "curl -H 'X: bearer abcdefghijkl'", "curl -H 'X: bearer [secret]'"},
		{"a URL", "postgres://web:pw@db/web", "postgres://web:[secret]@db/web"},
		{"a key of AWS", "AKIAABCDEFGHIJKLMNOP", "[secret]"},
		{"a private key", "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\nx", "[secret]\nx"},
		{"one that is cut", "-----BEGIN PRIVATE KEY-----\nabc", "[secret]"},
		{"colours", "\x1b[31mred\x1b[0m", "[31mred[0m"},
		{"no secret", "the secret is out: nobody knows", "the secret is out: nobody knows"},
		{"no token", "tokens: none", "tokens: [secret]"},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.kept, hook.Output(c.said, "hunter22-of-ours")) })
	}
	long := hook.Output(strings.Repeat("日", patch.MostHookOutput) + " the end")
	require.LessOrEqual(t, len(long), patch.MostHookOutput)
	require.True(t, strings.HasSuffix(long, "日 the end"))
	require.True(t, strings.HasPrefix(long, "... "))
}

func FuzzOutput(f *testing.F) {
	f.Add("password=x", "secret")
	f.Fuzz(func(t *testing.T, said, secret string) {
		kept := hook.Output(said, secret)
		require.LessOrEqual(t, len(kept), patch.MostHookOutput)
	})
}

func TestAWebhookIsSignedAndNeverRedirected(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		at, err := strconv.ParseInt(r.Header.Get(hook.HeaderTime), 10, 64)
		if err != nil || r.Header.Get(hook.HeaderSignature) != hook.Sign("key", at, body) {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		if r.URL.Path == "/elsewhere" {
			http.Redirect(w, r, "/", http.StatusFound)
		}
	}))
	defer server.Close()
	ask := func(address, secret string) (*patch.HookEnd, error) {
		return hook.Webhook{URL: address, Secret: secret, Client: server.Client()}.Ask(t.Context(), patch.HookAbout{
			Token: "t",
		})
	}
	end, err := ask(server.URL, "key")
	require.NoError(t, err)
	require.Empty(t, end.Failed)
	end, err = ask(server.URL, "another")
	require.NoError(t, err)
	require.Contains(t, end.Failed, "it answered 403")
	end, err = ask(server.URL+"/elsewhere", "key")
	require.NoError(t, err)
	require.Contains(t, end.Failed, "it answered 302")
	require.Equal(t, 3, asked)
	for _, address := range []string{"http://example.com/", "nowhere", "", "ftp://example.com"} {
		end, err = ask(address, "key")
		require.NoError(t, err)
		require.Contains(t, end.Failed, "no https:// address", address)
	}
	end, err = ask(server.URL, "")
	require.NoError(t, err)
	require.Contains(t, end.Failed, "secret is empty")
}
