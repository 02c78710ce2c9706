package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNotifyTestTellsHowEachTargetTookIt(t *testing.T) {
	var paths, bodies []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		paths, bodies = append(paths, r.URL.Path), append(bodies, string(body))
		if r.URL.Path == "/SECRETGONE" {
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, "no_service")
		}
	}))
	defer server.Close()
	folder := t.TempDir()
	keep := func(name, path string) string {
		file := filepath.Join(folder, name)
		require.NoError(t, os.WriteFile(file, []byte(server.URL+path+"\n"), 0o600))
		return file
	}
	chat, hook := keep("chat", "/SECRETCHAT"), keep("hook", "/SECRETGONE")
	path := file(
		t, "evidence: ./evidence",
		"evidence: ./evidence\nnotify:\n  - {slack: {webhook_from: 'file:"+chat+
			"'}}\n  - {webhook: {url_from: 'file:"+hook+"'}}",
	)

	code, stdout, stderr := call(t, "notify", "test", "--config", path, "--actor", "alice")
	require.Equal(t, exitFailed, code, stderr)
	require.Equal(t, "✓ 1 slack file:"+chat+": sent\n✗ 2 webhook file:"+hook+": it answered 404: no_service\n", stdout)
	require.Equal(t, []string{"/SECRETCHAT", "/SECRETGONE"}, paths)
	require.Contains(t, bodies[0], "This is a test")
	require.Contains(t, bodies[0], "By: alice")
	require.NotContains(t, stdout+stderr, "SECRET")

	code, stdout, _ = call(t, "notify", "test", "--config", path, "--target", "1", "--json")
	require.Equal(t, exitDone, code)
	require.JSONEq(t, `{"targets": [{"target": 1, "name": "slack file:`+chat+`", "ok": true}]}`, stdout)

	code, _, stderr = call(t, "notify", "test", "--config", path, "--target", "3")
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "--target 3: "+path+" has 2 targets under notify:")
}

func TestNotifyTestOfAConfigurationThatTellsNobody(t *testing.T) {
	code, _, stderr := call(t, "notify", "test", "--config", file(t))
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "has no notify:")
}
