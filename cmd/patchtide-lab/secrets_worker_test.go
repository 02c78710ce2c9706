package main

import (
	"encoding/base64"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/scenarios"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/lab"
)

// placed are what the product's own worker reads, each from a place of another kind, by that kind.
var placed = map[string]string{
	"AWS secret key, from the environment":        secret("worker-aws-secret-key"),
	"Temporal API key, from the environment":      secret("worker-temporal-api-key"),
	"external id, from a file":                    secret("external-id-in-a-file"),
	"external id, from an SSM parameter":          secret("external-id-in-a-parameter"),
	"journal key, from an SSM parameter":          secret("journal-key-in-a-parameter-of-32-bytes"),
	"Slack webhook, from an SSM parameter":        secret("slack-webhook"),
	"webhook, from a file":                        secret("webhook"),
	"secret key of assumed roles, from AWS's STS": "made-up-and-good-for-nothing",
}

const workerFile = `
evidence: %[1]s/evidence
single_worker: true
log_level: debug
log_format: json
journal_key_from: ssm:/patchtide/journal-key
notify:
  - slack: {webhook_from: ssm:/patchtide/slack}
  - webhook: {url_from: 'file:%[1]s/webhook'}
accounts:
  - name: staging
    id: "222233334444"
    role_arn: arn:aws:iam::222233334444:role/patchtide
    automation_role_arn: arn:aws:iam::222233334444:role/patchtide-automation
    external_id_from: file:%[1]s/external-id
    regions: [ap-northeast-1]
  - name: production
    id: "111122223333"
    role_arn: arn:aws:iam::111122223333:role/patchtide
    external_id_from: ssm:/patchtide/external-id
    regions: [ap-northeast-1]
plans:
  - name: web
    baseline: amazon-linux-2023
    pin: none
    timing: {poll: 1s, health_poll: 1s, read_lag: 1s, install: 60m, in_service: 5m, health_budget: 1m,
             restore_root: 10m, agent: 10m}
    stages:
      - name: staging
        groups: [{account: staging, region: ap-northeast-1, tags: {Role: web}}]
        health: [{target_group: auto}, {http: {path: /healthz, port: 80}}]
        bake: 1s
      - name: production
        # The wave ends here, refused: an error that tells of the account must not tell how it is reached.
        approval: {required: true, timeout: 1h}
        groups: [{account: production, region: ap-northeast-1, auto_scaling_group: web}]
        max_unavailable: 1
        health: [{target_group: auto}]
        bake: 1s
`

// TestSecretsOfTheProductsWorker runs the product's own worker, whose secrets come from every kind of place that a
// configuration may name, logging all that it can, through a wave on a bad day, and looks for them in everything it
// leaves.
func TestSecretsOfTheProductsWorker(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	fleet, err := fs.ReadFile(scenarios.Files, "fleet.yaml")
	require.NoError(t, err)
	text := strings.Replace(
		string(fleet), "made-up-and-good-for-nothing", placed["AWS secret key, from the environment"], 1,
	)
	for _, from := range []string{"from a file", "from an SSM parameter"} { // staging's role, then production's
		require.Contains(t, text, "external_id: patchtide-lab")
		text = strings.Replace(text, "external_id: patchtide-lab", "external_id: "+placed["external id, "+from], 1)
	}
	text += "\nfaults: {api: [{kind: lost_reply, probability: 0.05}, {kind: throttle, probability: 0.05}]}\n"
	write := func(name, content string) string {
		path := filepath.Join(folder, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	b := newCrashScene(t, write("marked.yaml", text))
	write("external-id", placed["external id, from a file"]+"\n")
	write("webhook", "https://127.0.0.1:1/"+placed["webhook, from a file"]+"\n")
	b.aws.Inspect(func(w *world.World) {
		home := w.Account(b.aws.scenario.Home.ID).Region("ap-northeast-1")
		for name, value := range map[string]string{
			"journal-key": base64.StdEncoding.EncodeToString([]byte(placed["journal key, from an SSM parameter"])),
			"external-id": placed["external id, from an SSM parameter"],
			"slack":       "https://127.0.0.1:1/" + placed["Slack webhook, from an SSM parameter"],
		} {
			_, err := home.PutParameter("/patchtide/"+name, "SecureString", value, false, nil)
			require.NoError(t, err)
		}
	})
	binary, err := product()
	require.NoError(t, err)
	worker, err := launchBinary(t, binary, "worker started", []string{
		"AWS_ENDPOINT_URL=" + b.aws.url, "AWS_REGION=ap-northeast-1", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_ACCESS_KEY_ID=" + b.aws.scenario.Home.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY=" + placed["AWS secret key, from the environment"],
		"TEMPORAL_API_KEY=" + placed["Temporal API key, from the environment"], "TEMPORAL_TLS=false",
	}, "worker", "--config", write("patchtide.yaml", fmt.Sprintf(workerFile, folder)), "--temporal-address", b.address, "--temporal-namespace", lab.Namespace)
	require.NoError(t, err)
	code, asked := b.operator("wave", "start", "web", "--id", "wave-secrets", "--reason", "a test", "--watch", "--json")
	require.Equal(t, 3, code, "production awaits approval: %s", asked)
	code, stdout := b.operator("wave", "reject", "wave-secrets", "--reason", "the test ends here")
	require.Equal(t, exitDone, code, stdout)
	code, stdout = b.operator("wave", "watch", "wave-secrets", "--json")
	require.Equal(t, exitFailed, code, "production is not approved: %s", stdout)
	require.Contains(t, stdout, "the test ends here")
	histories := exportHistories(t, b.address, 5)
	require.NoError(t, worker.stop())
	b.temporal.kill()

	found := map[string][]byte{
		"histories": histories, "the worker's stdout": []byte(worker.stdout.String()),
		"the worker's log": []byte(worker.stderr.String()), "the operator's stdout": []byte(asked + stdout),
	}
	for _, left := range []string{filepath.Join(folder, "evidence"), filepath.Join(b.data, "temporal")} {
		require.NoError(t, filepath.WalkDir(left, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			content, err := os.ReadFile(path)
			found[path] = content
			return err
		}))
	}
	require.Greater(t, len(found), 8, "evidence, journal, database")
	require.Empty(t, leaks(found, placed))
	require.NotEmpty(
		t,
		leaks(
			map[string][]byte{"the worker's log": found["the worker's log"]},
			map[string]string{"its queues": "patchtide-222233334444-ap-northeast-1"},
		),
		"what is no secret can be found",
	)
}
