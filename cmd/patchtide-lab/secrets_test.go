package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"google.golang.org/protobuf/proto"

	"github.com/patchtide/patchtide/internal/awssim/scenarios"
	"github.com/patchtide/patchtide/internal/lab"
	"github.com/patchtide/patchtide/internal/lab/drive"
)

// secret makes a value that is found wherever it got to.
func secret(name string) string { return "marked-secret-" + name + "-3f9c2b7d41e84a6f" }

// secrets are what each place holds that a secret may come from.
var secrets = map[string]string{
	"AWS secret key":              secret("aws-secret-key"),
	"external id":                 secret("external-id"),
	"journal key":                 secret("journal-key-of-more-than-32-bytes"),
	"inherited AWS secret key":    secret("inherited-aws-secret-key"),
	"inherited AWS session token": secret("inherited-aws-session-token"),
	"inherited Temporal API key":  secret("inherited-temporal-api-key"),
	"inherited external id":       secret("inherited-external-id"),
	"secret key of assumed roles": "made-up-and-good-for-nothing", // the simulated STS gives it to all
}

// TestSecretsStayWhereTheyAre runs a wave on a bad day, when errors are plenty, with a marked secret in every place
// that the worker reads one from, and looks for them in everything that people or programs may read afterwards.
func TestSecretsStayWhereTheyAre(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	fleet, err := fs.ReadFile(scenarios.Files, "fleet.yaml")
	require.NoError(t, err)
	text := string(fleet)
	for was, is := range map[string]string{"made-up-and-good-for-nothing": secrets["AWS secret key"], "external_id: " +
		"patchtide-lab": "external_id: " + secrets["external id"]} {
		require.Contains(t, text, was)
		text = strings.ReplaceAll(text, was, is)
	}
	text += "\nfaults: {api: [{kind: lost_reply, probability: 0.05}, {kind: throttle, probability: 0.05}]}\nexpect: " +
		"{outcome: succeeded}\n"
	scenario, data := filepath.Join(folder, "marked.yaml"), filepath.Join(folder, "data")
	require.NoError(t, os.WriteFile(scenario, []byte(text), 0o600))
	require.NoError(t, os.Mkdir(data, 0o700))
	key := base64.StdEncoding.EncodeToString([]byte(secrets["journal key"]))
	keyFile := filepath.Join(data, "journal.key")
	require.NoError(t, os.WriteFile(keyFile, []byte(key+"\n"), 0o600))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())

	demo, err := launch(t, "Everything stays up", []string{
		"AWS_SECRET_ACCESS_KEY=" + secrets["inherited AWS secret key"],
		"AWS_SESSION_TOKEN=" + secrets["inherited AWS session token"],
		"TEMPORAL_API_KEY=" + secrets["inherited Temporal API key"],
		"PATCHTIDE_EXTERNAL_ID=" + secrets["inherited external id"],
	}, "demo", "--keep", "--scenario", scenario, "--data", data, "--temporal-listen", address, "--temporal-log")
	require.NoError(t, err)
	histories := exportHistories(t, address, 9)
	require.NoError(t, demo.stop())

	// Whoever keeps it is told what to type: the simulated AWS's own credentials, and nothing beside those lines.
	exports := regexp.MustCompile(`(?m)^ *export .*$`)
	require.Contains(t, strings.Join(exports.FindAllString(demo.stdout.String(), -1), "\n"), secrets["AWS secret key"])
	found := map[string][]byte{
		"stdout": exports.ReplaceAll([]byte(demo.stdout.String()), nil), "stderr": []byte(demo.stderr.String()), "histories": histories,
	}
	require.NoError(t, filepath.WalkDir(data, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path == keyFile {
			return err
		}
		content, err := os.ReadFile(path)
		found[path] = content
		return err
	}))
	require.Greater(t, len(found), 8, "evidence, journal, database")
	require.Empty(t, leaks(found, secrets))

	// The same search sees what is there: who started the wave stands in its history, the database and its evidence, and
	// the pages' addresses are told on stdout.
	var kinds []string
	for _, leak := range leaks(found, map[string]string{"actor": drive.Actor, "fleet page": "The simulated AWS lives"}) {
		for kind, part := range map[string]string{"history": "in histories", "database": ".db", "evidence": string(filepath.Separator) +
			"waves" + string(filepath.Separator), "stdout": "in stdout"} {
			if strings.Contains(leak, part) && !slices.Contains(kinds, kind) {
				kinds = append(kinds, kind)
			}
		}
	}
	require.ElementsMatch(
		t, []string{"history", "database", "evidence", "stdout"}, kinds, "what is no secret can be found in each of them",
	)
}

// leaks looks for each secret in each place, in every form in which a program may have written it.
func leaks(found map[string][]byte, secrets map[string]string) (all []string) {
	for where, content := range found {
		for name, value := range secrets {
			for form, text := range formsOf(value) {
				if bytes.Contains(content, []byte(text)) {
					all = append(all, name+" is, "+form+", in "+where)
				}
			}
		}
	}
	slices.Sort(all)
	return all
}

// formsOf are the ways to write a value: as it is, for URLs, in hexadecimal, and in base64 wherever it begins in what
// was encoded.
func formsOf(value string) map[string]string {
	forms := map[string]string{
		"plain": value, "for a URL": url.QueryEscape(value), "hexadecimal": hex.EncodeToString([]byte(value)),
	}
	for shift := range 3 {
		// Of what stands around it only the characters that hold nothing else are the same everywhere.
		whole := base64.StdEncoding.EncodeToString(append(bytes.Repeat([]byte{0}, shift), value...))
		end := (shift + len(value)) * 8 / 6
		forms["base64 "+strconv.Itoa(shift)] = whole[(shift*8+5)/6 : end]
	}
	return forms
}

// A search that finds nothing proves nothing: every secret, planted in every form, in every place, is found.
func TestAPlantedSecretIsFound(t *testing.T) {
	for name, value := range secrets {
		for form, text := range map[string]string{
			"plain": value, "in JSON": `{"error":"no role for ` + value + `"}`,
			"in a URL":              "https://example.com/?id=" + url.QueryEscape(value),
			"in base64":             base64.StdEncoding.EncodeToString([]byte("a" + value + "b")),
			"in base64, further on": base64.StdEncoding.EncodeToString([]byte("ab" + value + "bc")),
			"base64 alone":          base64.StdEncoding.EncodeToString([]byte(value)),
			"in hexadecimal":        "0x" + hex.EncodeToString([]byte(value)),
		} {
			require.NotEmpty(
				t, leaks(map[string][]byte{"stderr": []byte("before " + text + " after")}, map[string]string{name: value}), "%s %s",
				name, form,
			)
		}
		require.Empty(
			t,
			leaks(
				map[string][]byte{"stderr": []byte("before " + value[:len(value)-1] + " after")}, map[string]string{name: value},
			),
		)
	}
}

// exportHistories reads every workflow's history, payloads and all, as plain bytes.
func exportHistories(t *testing.T, address string, least int) (all []byte) {
	t.Helper()
	c, err := client.DialContext(
		t.Context(),
		client.Options{HostPort: address, Namespace: lab.Namespace, Logger: log.NewStructuredLogger(logger(&bytes.Buffer{}))},
	)
	require.NoError(t, err)
	defer c.Close()
	listed, err := c.ListWorkflow(
		t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Namespace: lab.Namespace, PageSize: 1000},
	)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(listed.GetExecutions()), least, "a wave, its groups and instances")
	for _, execution := range listed.GetExecutions() {
		events := c.GetWorkflowHistory(
			t.Context(), execution.GetExecution().GetWorkflowId(), execution.GetExecution().GetRunId(), false,
			enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT,
		)
		for events.HasNext() {
			event, err := events.Next()
			require.NoError(t, err)
			encoded, err := proto.Marshal(event)
			require.NoError(t, err)
			all = append(all, encoded...)
		}
	}
	return all
}
