package hook_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

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

// What a 202 names is looked at, signed, and nobody else is.
func TestALookAfterA202(t *testing.T) {
	var location, after string
	said := http.StatusAccepted
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		at, _ := strconv.ParseInt(r.Header.Get(hook.HeaderTime), 10, 64)
		signed := r.Header.Get(hook.HeaderSignature) == hook.Sign("key", at, body) && r.Header.Get("Idempotency-Key") == "t"
		switch {
		case !signed, r.Method == http.MethodGet != strings.HasPrefix(r.URL.Path, "/runs/"), r.Method == http.MethodGet &&
			len(body) > 0:
			w.WriteHeader(http.StatusForbidden)
		case r.URL.Path == "/runs/moved":
			http.Redirect(w, r, "https://elsewhere.example.com/", http.StatusFound)
		default:
			w.Header().Set("Location", location)
			w.Header().Set("Retry-After", after)
			w.WriteHeader(said)
			_, _ = io.WriteString(w, "drained, see /runs/secret-of-this-run")
		}
	}))
	defer server.Close()
	webhook := hook.Webhook{URL: server.URL + "/drain", Secret: "key", Client: server.Client()}
	about := patch.HookAbout{Token: "t"}
	for _, c := range []struct {
		name, location, status string
	}{
		{"none", "", ""},
		{"a path", "/runs/secret-of-this-run?page=1#top", server.URL + "/runs/secret-of-this-run?page=1#top"},
		{"beside the webhook", "runs/7", server.URL + "/runs/7"},
		{"whole", server.URL + "/runs/7", server.URL + "/runs/7"},
	} {
		t.Run(c.name, func(t *testing.T) {
			location, after, said = c.location, "7", http.StatusAccepted
			_, err := webhook.Ask(t.Context(), about)
			var passing *hook.PassingError
			require.ErrorAs(t, err, &passing)
			require.Equal(t, c.status, passing.Status)
			require.Equal(t, 7*time.Second, passing.After)
			if c.status == "" {
				return
			}
			require.NotContains(t, passing.Error(), "runs")
			sealed := webhook.Seal("t", passing.Status)
			require.NotContains(t, sealed, "runs")
			opened, ok := webhook.Unseal("t", sealed)
			require.True(t, ok)
			require.Equal(t, c.status, opened)
			for _, other := range []hook.Webhook{{Secret: "key2"}, {Secret: ""}} {
				_, ok = other.Unseal("t", sealed)
				require.False(t, ok)
			}
			_, ok = webhook.Unseal("another token", sealed)
			require.False(t, ok)
			location = ""
			_, err = webhook.Look(t.Context(), about, opened)
			require.ErrorAs(t, err, &passing)
			require.Equal(t, c.status, passing.Status, "it is looked there again")
			said = http.StatusOK
			end, err := webhook.Look(t.Context(), about, opened)
			require.NoError(t, err)
			require.Empty(t, end.Failed)
			require.Contains(t, end.Output, "drained, see ")
			if strings.Contains(opened, "secret-of") {
				require.NotContains(t, end.Output, "secret-of-this-run")
			}
			said = http.StatusGone
			end, err = webhook.Look(t.Context(), about, opened)
			require.NoError(t, err)
			require.Contains(t, end.Failed, "it answered 410: drained")
		})
	}
	for _, address := range []string{
		"https://elsewhere.example.com/runs/7", "//elsewhere.example.com/runs/7", "http://" + server.Listener.Addr().String(),
		"https://127.0.0.1:1/runs/7", "http://169.254.169.254/latest/meta-data", "https://a:b@" +
			server.Listener.Addr().String() + "/runs/7", "/%zz", "/" + strings.Repeat("x", 3000),
	} {
		location, said = address, http.StatusAccepted
		end, err := webhook.Ask(t.Context(), about)
		require.NoError(t, err, address)
		require.Contains(t, end.Failed, "names an address of another host", address)
		end, err = webhook.Look(t.Context(), about, "https://elsewhere.example.com/runs/7")
		require.NoError(t, err)
		require.Contains(t, end.Failed, "names an address of another host")
	}
	end, err := webhook.Look(t.Context(), about, server.URL+"/runs/moved")
	require.NoError(t, err)
	require.Contains(t, end.Failed, "it answered 302")
}

func TestRetryAfter(t *testing.T) {
	for said, want := range map[string]time.Duration{
		"": 0, "120": 2 * time.Minute, "-1": 0, "soon": 0, "99999999999999999999": 0,
		time.Now().Add(time.Hour).UTC().Format(http.TimeFormat): time.Hour, "Mon, 01 Jan 2001 00:00:00 GMT": 0,
	} {
		for _, code := range []int{202, 429, 503} {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", said)
				w.WriteHeader(code)
			}))
			_, err := hook.Webhook{URL: server.URL, Secret: "key", Client: server.Client()}.Ask(t.Context(), patch.HookAbout{})
			server.Close()
			var passing *hook.PassingError
			require.ErrorAs(t, err, &passing)
			require.InDelta(t, want, passing.After, float64(2*time.Second), "%d %q", code, said)
		}
	}
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
