package aws

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/shelltest"
)

func TestProbeScripts(t *testing.T) {
	check := patch.HTTPCheck{Path: "/healthz?deep=1&x=a", Port: 8080}
	for where, script := range map[string][]string{
		"port=8080 path='/healthz?deep=1&x=a'":       linuxProbe(check),
		"'http://localhost:8080/healthz?deep=1&x=a'": windowsProbe(check),
	} {
		require.Equal(t, "# patchtide:http 8080 /healthz?deep=1&x=a", script[0])
		text := strings.Join(script, "\n")
		require.Contains(t, text, where)
		require.NotContains(t, text, "/healthz'\n", "the sample's path")
		for _, line := range script {
			require.NotContains(t, line, "\n", "one command a line")
			require.NotEmpty(t, line)
		}
	}
}

// TestProbeWithWhatAMachineHas: the same answers by curl, wget, busybox's wget and bash, and plain words where a
// machine has none of them.
func TestProbeWithWhatAMachineHas(t *testing.T) {
	shells := shelltest.Shells(t)
	answers := http.NewServeMux()
	answers.HandleFunc("GET /well", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("well\n")) })
	answers.HandleFunc("GET /ill", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	answers.Handle("GET /login", http.RedirectHandler("/ill", http.StatusFound))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: answers}}
	server.Start()
	t.Cleanup(server.Close)
	port := listener.Addr().(*net.TCPAddr).Port
	silent, err := net.Listen("tcp", "127.0.0.1:0") // a port at which nobody listens any more
	require.NoError(t, err)
	require.NoError(t, silent.Close())

	small := strings.Fields("timeout sed head")
	for _, c := range []struct{ name, tool, debianPackage string }{
		{"curl", "curl", "curl"},
		{"wget", "wget", "wget"},
		{"busybox's wget", "busybox", "busybox"},
		{"bash", "bash", "bash"},
		{name: "nothing"},
	} {
		folder := shelltest.Tools(t, small...)
		if c.tool != "" {
			path, name := shelltest.Need(t, c.tool, c.debianPackage), strings.Replace(c.tool, "busybox", "wget", 1)
			require.NoError(t, os.Symlink(path, filepath.Join(folder, name)))
		}
		for _, shell := range shells {
			ask := func(port int, path string) patch.HTTPObservation {
				script := shelltest.Replace(t, strings.Join(linuxProbe(patch.HTTPCheck{Path: path, Port: port}), "\n"),
					"/usr/sbin:/usr/bin:/sbin:/bin${PATH:+:$PATH}", folder)
				ran := shell.Run(t, script, "http_proxy=http://localhost:1", "LANG=de_DE.UTF-8")
				require.Zero(t, ran.Code, ran.Stderr)
				var seen patch.HTTPObservation
				readProbe(&seen, ran.Stdout, ran.Stderr)
				return seen
			}
			t.Run(c.name+"/"+shell.Name, func(t *testing.T) {
				if c.tool == "" {
					require.Equal(t, "the check printed no status code: this machine has neither curl nor wget nor bash to ask with: "+
						"install curl, or let the worker ask (from: worker)", ask(port, "/well").Error)
					return
				}
				for path, want := range map[string]int{"/well?a=1&b=2": 200, "/ill": 503, "/login": 302, "/none": 404} {
					seen := ask(port, path)
					require.Equal(t, want, seen.Status, "%s: %s", path, seen.Error)
				}
				require.Equal(t, "no answer", ask(silent.Addr().(*net.TCPAddr).Port, "/well").Error)
			})
		}
	}
}
