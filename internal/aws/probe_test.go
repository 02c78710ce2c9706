package aws

import (
	"encoding/base64"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/shelltest"
)

func onPort(port int, path string) patch.HealthCheck {
	return patch.HealthCheck{HTTP: &patch.HTTPCheck{Path: path, Port: port}}
}

func command(run string) patch.HealthCheck {
	return patch.HealthCheck{Command: &patch.CommandCheck{Run: run, Timeout: patch.Duration(2 * time.Second)}}
}

// runProbe runs a probe's script for real, on a machine with the tools of a folder, "" with this one's; others are
// parts of the script and what stands in their places.
func runProbe(t *testing.T, shell shelltest.Shell, probe Probe, folder string, others ...string) ProbeReport {
	t.Helper()
	document, lines := probe.Script(patch.Linux)
	require.Equal(t, "AWS-RunShellScript", document)
	script := strings.Join(lines, "\n")
	if folder != "" {
		script = shelltest.Replace(t, script, "/usr/sbin:/usr/bin:/sbin:/bin${PATH:+:$PATH}", folder)
	}
	for i := 0; i < len(others); i += 2 {
		script = shelltest.Replace(t, script, others[i], others[i+1])
	}
	ran := shell.Run(t, script, "http_proxy=http://localhost:1", "https_proxy=http://localhost:1", "LANG=de_DE.UTF-8")
	require.Zero(t, ran.Code, ran.Stderr)
	report, err := probe.ReadReport(ran.Stdout, ran.Stderr)
	require.NoError(t, err, "%s%s", ran.Stdout, ran.Stderr)
	return report
}

func TestProbeScripts(t *testing.T) {
	probe := Probe{Checks: []patch.HealthCheck{onPort(8080, "/healthz?deep=1&x=a"), command("docker ps --format '{{.ID}}'")}}
	for platform, c := range map[patch.Platform]struct{ web, own string }{
		patch.Linux: {
			"web 1 'http' 8080 '/healthz?deep=1&x=a' '[23]??' '' '' ''",
			"own 2 2 '" + base64.StdEncoding.EncodeToString([]byte("docker ps --format '{{.ID}}'")) + "'",
		},
		patch.Windows: {"Web 1 'http' 8080 '/healthz?deep=1&x=a' '[23]??' '' '' ''", "Own 2 2 'ZABvAGMAawBlAHIA"},
	} {
		_, script := probe.Script(platform)
		require.Equal(t, `# patchtide:probe {"checks":[{"port":8080,"path":"/healthz?deep=1\u0026x=a"},`+
			`{"run":"docker ps --format '\u007b\u007b.ID}}'","timeout":2}]}`, script[0])
		text := strings.Join(script, "\n")
		require.Contains(t, text, "\n"+c.web+"\n")
		require.Contains(t, text, "\n"+c.own)
		require.NotContains(t, text, "{{", "Systems Manager would take it for a parameter")
		require.NotContains(t, text, "'/healthz' ", "the sample")
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
	server := httptest.NewServer(answers)
	t.Cleanup(server.Close)
	port := server.Listener.Addr().(*net.TCPAddr).Port
	silent, err := net.Listen("tcp", "127.0.0.1:0") // a port at which nobody listens any more
	require.NoError(t, err)
	require.NoError(t, silent.Close())

	small := strings.Fields("timeout sed head tail tr date sleep base64 mktemp rm cat")
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
			ask := func(check patch.HealthCheck) patch.Answer {
				report := runProbe(t, shell, Probe{Checks: []patch.HealthCheck{check}}, folder)
				require.Equal(t, 1, report.Looks)
				require.Len(t, report.Answers, 1, "one look tells every check")
				require.WithinDuration(t, time.Now(), report.Answers[0].At, time.Minute)
				require.Equal(t, report.Answers[0].Good(), report.Bad == 0, "the script judges as we do")
				return report.Answers[0].Answer
			}
			t.Run(c.name+"/"+shell.Name, func(t *testing.T) {
				withBody := onPort(port, "/well")
				withBody.HTTP.Body = "well"
				if c.tool != "curl" {
					require.Contains(t, ask(withBody).Said, "no curl to ask with")
				}
				if c.tool == "" {
					require.Equal(t, "this machine has neither curl nor wget nor bash to ask with: install curl, or let the worker "+
						"ask (from: worker)", ask(onPort(port, "/well")).Said)
					return
				}
				for path, want := range map[string]int{"/well?a=1&b=2": 200, "/ill": 503, "/login": 302, "/none": 404} {
					seen := ask(onPort(port, path))
					require.Equal(t, want, seen.Status, "%s: %s", path, seen.Said)
				}
				seen := ask(onPort(silent.Addr().(*net.TCPAddr).Port, "/well"))
				require.Zero(t, seen.Status)
				require.NotEmpty(t, seen.Said)
			})
		}
	}
}

func TestProbeByTLSAndBody(t *testing.T) {
	shelltest.Need(t, "curl", "curl")
	port, ca := secureServer(t)
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Only", "header")
		w.WriteHeader(http.StatusAccepted)
		_, _ = w.Write([]byte(strings.Repeat("x", 10_000) + "it's \"ok\" $(touch /tmp/no)"))
	}))
	t.Cleanup(plain.Close)
	plainPort := plain.Listener.Addr().(*net.TCPAddr).Port
	secure := func(check patch.HTTPSCheck) patch.HealthCheck {
		check.Port = port
		if check.Path == "" {
			check.Path = "/healthz"
		}
		return patch.HealthCheck{HTTPS: &check}
	}
	wants := func(check patch.HTTPCheck) patch.HealthCheck {
		check.Path, check.Port = "/", plainPort
		return patch.HealthCheck{HTTP: &check}
	}
	for _, c := range []struct {
		name  string
		check patch.HealthCheck
		ca    string
		good  bool
		says  string
	}{
		{name: "the name, and its CA", check: secure(patch.HTTPSCheck{ServerName: "example.com"}), ca: ca, good: true},
		{
			name: "its body", good: true, ca: ca,
			check: secure(patch.HTTPSCheck{ServerName: "example.com", HTTPCheck: patch.HTTPCheck{Body: `"it's ok"`}}),
		},
		{name: "a CA that nobody knows", check: secure(patch.HTTPSCheck{ServerName: "example.com"}), says: "curl: (60)"},
		{name: "another name", check: secure(patch.HTTPSCheck{ServerName: "other.test"}), ca: ca, says: "curl: (60)"},
		{name: "anything is taken", check: secure(patch.HTTPSCheck{Insecure: true}), says: "answers 421"},
		{name: "plain HTTP where TLS is spoken", check: onPort(port, "/healthz"), says: "answers 400"},
		{
			name: "TLS where plain HTTP is spoken", check: patch.HealthCheck{HTTPS: &patch.HTTPSCheck{
				HTTPCheck: patch.HTTPCheck{Path: "/", Port: plainPort}, Insecure: true,
			}}, says: "curl: (35)",
		},
		{name: "the status that is wanted", check: wants(patch.HTTPCheck{Status: []int{200, 202}}), good: true},
		{name: "another status", check: wants(patch.HTTPCheck{Status: []int{200, 204}}), says: "answers 202"},
		{name: "the body that is wanted", check: wants(patch.HTTPCheck{Body: `it's "ok" $(touch`}), good: true},
		{name: "another body", check: wants(patch.HTTPCheck{Body: "ill"}), says: `answers 202 without "ill" in its body`},
		{name: "a header is no body", check: wants(patch.HTTPCheck{Body: "X-Only"}), says: "without"},
	} {
		for _, shell := range shelltest.Shells(t) {
			t.Run(c.name+"/"+shell.Name, func(t *testing.T) {
				report := runProbe(t, shell, Probe{Checks: []patch.HealthCheck{c.check}, CA: map[int]string{0: c.ca}}, "")
				answer := report.Answers[0]
				require.Equal(t, c.good, answer.Good(), "%s", answer)
				require.Equal(t, c.good, report.Bad == 0, "the script judges as we do")
				if !c.good {
					require.Contains(t, answer.String(), c.says)
				}
			})
		}
	}
}

func TestProbeByCommand(t *testing.T) {
	for _, c := range []struct {
		name, run string
		status    int
		says      string
	}{
		{"it succeeds", "true", 0, ""},
		{"it says much", "echo one; echo two >&2; printf three", 0, "three"},
		{"it fails", "echo 'inactive \u00e4'; exit 3", 3, "inactive"},
		{"a tool that nobody knows", "no-such-tool", 127, "not found"},
		{"quotes, braces and more lines", "x='{{a}}'\n[ \"$x\" = '{{a}}' ] && exit 7", 7, ""},
		{"it reads what is typed", "cat; exit 4", 4, ""},
		{"it takes too long", "sleep 30", 124, "it took longer than 2s"},
		{"it says without end", "yes no", 124, "it took longer than 2s"},
	} {
		for _, shell := range shelltest.Shells(t) {
			t.Run(c.name+"/"+shell.Name, func(t *testing.T) {
				report := runProbe(t, shell, Probe{Checks: []patch.HealthCheck{command(c.run)}}, "")
				answer := report.Answers[0]
				require.Equal(t, c.status, answer.Status)
				require.Contains(t, answer.Said, c.says)
				require.LessOrEqual(t, len(answer.Said), 200)
				require.Equal(t, c.status == 0, report.Bad == 0)
			})
		}
	}
}

// A bake's probe looks again and again, tells each bad look with its time, confirms a bad one, and ends at once after
// two in a row.
func TestAProbeOfABake(t *testing.T) {
	looks := filepath.Join(t.TempDir(), "looks")
	clock := filepath.Join(t.TempDir(), "uptime") // which only sleeping puts forward
	folder := shelltest.Tools(t, strings.Fields("timeout sed head tail tr date base64 wc sh")...)
	shelltest.Fake(t, folder, "sleep", "read -r n _ <"+clock+"; n=${n%%.*}; echo $((n + $1)).5 1 >"+clock)
	// fails at the looks whose numbers are given.
	failing := func(numbers string) patch.HealthCheck {
		return command("echo >>" + looks + "\nn=$(wc -l <" + looks + ")\ncase ' " + numbers + " ' in *\" $((n)) \"*) echo look $n; exit 1 ;; esac")
	}
	for _, c := range []struct {
		name          string
		numbers       string
		bad, row, ran int // ran: so many looks
	}{
		{"well", "", 0, 0, 3},
		{"one bad look that passes", "2", 1, 0, 3},
		{"two in a row", "2 3", 2, 2, 3},
		{"two apart", "1 3", 2, 0, 4},
		{"the last one is confirmed", "3 4", 2, 2, 4},
	} {
		for _, shell := range shelltest.Shells(t) {
			t.Run(c.name+"/"+shell.Name, func(t *testing.T) {
				require.NoError(t, os.RemoveAll(looks))
				require.NoError(t, os.WriteFile(clock, []byte("0.00 1.00\n"), 0o600))
				probe := Probe{Checks: []patch.HealthCheck{failing(c.numbers), command("true")}, Seconds: 20, Every: 10}
				report := runProbe(t, shell, probe, folder, "/proc/uptime", clock)
				require.Equal(t, c.bad, report.Bad)
				require.Equal(t, c.row, report.Row)
				require.Equal(t, c.ran, report.Looks)
				require.Len(t, report.Answers, c.bad, "what is well is not told")
				for _, answer := range report.Answers {
					require.Contains(t, answer.Said, "look ")
					require.WithinDuration(t, time.Now(), answer.At, time.Minute)
				}
			})
		}
	}
}

// What a probe prints fits into what Systems Manager keeps, however much goes wrong.
func TestAProbeIsBounded(t *testing.T) {
	ill := command("yes 0123456789 | head -c 100000; exit 1")
	var checks []patch.HealthCheck
	for range 100 {
		checks = append(checks, ill)
	}
	probe := Probe{Checks: checks}
	_, lines := probe.Script(patch.Linux)
	ran := shelltest.Shells(t)[0].Run(t, strings.Join(lines, "\n"))
	require.Less(t, len(ran.Stdout), 24_000)
	report, err := probe.ReadReport(ran.Stdout, ran.Stderr)
	require.NoError(t, err)
	require.Len(t, report.Answers, 60)
}

func TestAProbeThatWasCutProvesNothing(t *testing.T) {
	probe := Probe{Checks: []patch.HealthCheck{onPort(80, "/healthz")}}
	const line = "1 200 + 2026-11-22T12:00:00Z \n"
	for _, c := range []struct{ name, stdout, stderr, says string }{
		{"nothing came", "", "", "the probe was cut"},
		{"no last line", line, "sh: 1: sleep: not found\nmore", "the probe was cut: its last line is missing: sh: 1: sleep: not found"},
		{"half a last line", line + "end 1", "", "the probe's last line is"},
		{"a check that was not asked", "2 200 + 2026-11-22T12:00:00Z \nend 1 0 0\n", "", "is no answer"},
		{"no time", "1 200 + noon \nend 1 0 0\n", "", "is no answer"},
		{"another script's words", "hello\nend 1 0 0\n", "", "is no answer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := probe.ReadReport(c.stdout, c.stderr)
			require.ErrorContains(t, err, c.says)
		})
	}
	report, err := probe.ReadReport(line+"end 30 2 1\r\n", "")
	require.NoError(t, err)
	require.Equal(t, []int{30, 2, 1}, []int{report.Looks, report.Bad, report.Row})
}

func TestHowLongAProbeMayTake(t *testing.T) {
	probe := Probe{Checks: []patch.HealthCheck{onPort(80, "/"), command("true")}}
	require.Equal(t, 38, probe.Within())
	probe.Seconds, probe.Every = 300, 10
	require.Equal(t, 386, probe.Within(), strconv.Itoa(probe.Seconds))
}
