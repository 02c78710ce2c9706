package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/payload"
	"github.com/patchtide/patchtide/workflows"
)

// What the large wave is made of. Its instances may be told to be fewer, for a first look.
const (
	largeEnv          = "PATCHTIDE_LARGE"
	largeInstancesEnv = "PATCHTIDE_LARGE_INSTANCES"
	largeInstances    = 500
	largeGroups       = 20
	largeChanges      = 150
	largePlan         = "large"
	largeWave         = "wave-large-1"
	// largeSpeed is less than the demo's: twenty groups at once are limited by the worker's and the server's own work.
	largeSpeed = 60
	// largeBudget is far more than it takes, and less than `make large` gives to all of its tests.
	largeBudget = 50 * time.Minute
)

// TestLargeWave patches five hundred machines that are 150 packages behind, by whole sagas on a real server: the wave
// ends with its evidence written, no payload comes near to what Temporal takes, and whoever asks meanwhile is told how
// many are done.
func TestLargeWave(t *testing.T) {
	if os.Getenv(largeEnv) == "" {
		t.Skipf("%s is not set: it takes a quarter of an hour", largeEnv)
	}
	many := largeInstances
	if text := os.Getenv(largeInstancesEnv); text != "" {
		var err error
		many, err = strconv.Atoi(text)
		require.NoError(t, err)
		require.Zero(t, many%largeGroups, "%s is a multiple of %d", largeInstancesEnv, largeGroups)
	}
	ctx, cancel := context.WithTimeout(t.Context(), largeBudget)
	defer cancel()
	folder := ""
	l, err := open(ctx, laboratoryOptions{
		aws:      awsOptions{listen: "127.0.0.1:0", speed: largeSpeed, scenario: largeScenario(t, many/largeGroups)},
		temporal: temporalOptions{listen: "127.0.0.1:0"},
	}, func(ctx context.Context, in workerInput) (func(), error) {
		folder = in.Folder
		return startWorkerOf(ctx, in, []byte(largeConfiguration()))
	}, os.Stderr)
	require.NoError(t, err)
	defer func() { require.NoError(t, l.close()) }()

	began := time.Now()
	run, err := l.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: largeWave, TaskQueue: names.TaskQueue},
		names.PatchWave, workflows.WaveRequest{Plan: largePlan, Actor: "tester", Reason: "a large wave"})
	require.NoError(t, err)
	closed := make(chan error, 1)
	var result patch.WaveResult
	go func() { closed <- run.Get(ctx, &result) }()
	counts := &countsWatch{t: t, client: l.client, began: began}
	for open := true; open; {
		select {
		case err = <-closed:
			open = false
		case <-time.After(time.Second):
			counts.look(ctx)
		}
	}
	took := time.Since(began)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, result.Reason)
	counts.look(ctx)
	require.Equal(t, many, counts.done)
	require.Greater(t, counts.moves, many/largeGroups, "whoever looks every second sees it move")
	t.Logf("%d instances of %d groups in %s, %.1f s each; %d looks at the counts saw them move %d times, by %d at most; "+
		"a group was ahead of what its wave told by %d at most", many, largeGroups, took.Round(time.Second),
		took.Seconds()/float64(many), counts.looks, counts.moves, counts.leap, counts.behind)
	tellCalls(t, l.aws.Calls(), many)
	requirePatched(t, l.aws, many)
	requireWritten(t, folder, many)

	measured := &historySizes{client: l.client, largest: map[string]int{}}
	require.NoError(t, measured.read(ctx, largeWave, run.GetRunID()))
	measured.tell(t)
	require.Len(t, measured.kinds[names.PatchInstance], many)
	most, where := measured.most()
	require.LessOrEqual(t, most, payload.Most, where)
}

// largeScenario is a fleet of groups of so many, spread over two accounts so that two task queues share the work, whose
// machines are behind by every package that is approved.
func largeScenario(t *testing.T, size int) string {
	t.Helper()
	var text strings.Builder
	text.WriteString("extends: fleet\ndescription: A large fleet, far behind.\nexpect: {outcome: succeeded}\naccounts:\n")
	for i, account := range largeAccounts() {
		fmt.Fprintf(&text, "  - name: %s\n    id: \"%s\"\n    roles:\n", account.name, account.id)
		text.WriteString("      - {name: patchtide, external_id: patchtide-lab}\n      - {name: patchtide-automation}\n")
		text.WriteString("    regions:\n      - name: ap-northeast-1\n        target_groups:\n")
		for g := i; g < largeGroups; g += len(largeAccounts()) {
			fmt.Fprintf(&text, "          - {name: web-%02d, port: 80, health_path: /healthz, health_interval: 10s, "+
				"healthy_threshold: 2, unhealthy_threshold: 2, deregistration_delay: 30s, load_balancer: web-%02[1]d}\n", g)
		}
		text.WriteString("        auto_scaling_groups:\n")
		for g := i; g < largeGroups; g += len(largeAccounts()) {
			fmt.Fprintf(&text, "          - {name: web-%02d, min: %d, desired: %d, max: %[3]d, zones: [ap-northeast-1a, "+
				"ap-northeast-1c], target_groups: [web-%02[1]d], health_check_type: ELB, grace: 120s, image: web-2.4, "+
				"tags: {Role: web, PatchGroup: amazon-linux-2023}}\n", g, size-1, size)
		}
	}
	var patches, packages strings.Builder
	for p := range largeChanges {
		fmt.Fprintf(&patches, "  - {os: amazon-linux-2023, id: package-of-a-usual-name-%03d.x86_64, "+
			"version: \"1:3.2.2-1.amzn2023.0.7\", severity: Critical, classification: Security, age_days: 10, "+
			"reboot: %t, cves: [CVE-2026-%05d]}\n", p, p == 0, 10_000+p)
		fmt.Fprintf(&packages, "      package-of-a-usual-name-%03d.x86_64: \"1:3.2.2-1.amzn2023.0.2\"\n", p)
	}
	fmt.Fprintf(&text, "patches:\n%s", patches.String())
	text.WriteString("operating_systems:\n  - name: amazon-linux-2023\n    ssm: AMAZON_LINUX_2023\n    platform: Linux\n" +
		"    platform_name: Amazon Linux\n    platform_version: \"2023\"\n    product: AmazonLinux2023\n" +
		"    release: \"2023.6.20250211\"\n    kernel: kernel.x86_64\n    packages:\n" +
		"      kernel.x86_64: \"0:6.1.127-135.201.amzn2023\"\n      nginx.x86_64: \"1:1.26.3-1.amzn2023.0.1\"\n" +
		"      amazon-ssm-agent.x86_64: \"0:3.3.1611.0-1.amzn2023\"\n" + packages.String())
	file := filepath.Join(t.TempDir(), "large.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text.String()), 0o600))
	return file
}

type largeAccount struct{ name, id string }

func largeAccounts() []largeAccount {
	return []largeAccount{{"staging", "222233334444"}, {"production", "111122223333"}}
}

// largeConfiguration is one plan over the whole fleet. Attempts and budgets may last longer than the laboratory's
// otherwise: with twenty sagas at once on two cores, on which others work too, seconds fail what is well.
func largeConfiguration() string {
	var text strings.Builder
	text.WriteString("accounts:\n")
	for _, account := range largeAccounts() {
		fmt.Fprintf(&text, "  - name: %s\n    id: \"%s\"\n    role_arn: arn:aws:iam::%[2]s:role/patchtide\n"+
			"    external_id_from: env:%s\n    automation_role_arn: arn:aws:iam::%[2]s:role/patchtide-automation\n"+
			"    regions: [ap-northeast-1]\n", account.name, account.id, externalIDEnv)
	}
	fmt.Fprintf(&text, "plans:\n  - name: %s\n    baseline: amazon-linux-2023\n    backup: snapshot\n"+
		"    restore: root_volume\n    timing: {act: 10m, look: 10m, act_budget: 5h, scan: 5h, drain: 5h, install: 5h,\n"+
		"      in_service: 5h, health_budget: 5h, agent: 5h}\n    stages:\n      - name: production\n"+
		"        max_parallel_groups: %d\n        bake: 1m\n        groups:\n", largePlan, largeGroups)
	for g := range largeGroups {
		fmt.Fprintf(&text, "          - {account: %s, region: ap-northeast-1, auto_scaling_group: web-%02d}\n",
			largeAccounts()[g%len(largeAccounts())].name, g)
	}
	return text.String() + "evidence: ./evidence\nsingle_worker: true\njournal_key_from: file:journal.key\n"
}

// requirePatched asks the machines themselves.
func requirePatched(t *testing.T, aws *simulator, many int) {
	t.Helper()
	machines := 0
	for g := range largeGroups {
		account := largeAccounts()[g%len(largeAccounts())].id
		require.Equal(t, 1, aws.MaxOutOfService(account, "ap-northeast-1", fmt.Sprintf("web-%02d", g)), "group %d", g)
	}
	eachRegion(aws, func(where string, region *world.Region) {
		for _, machine := range region.Instances() {
			machines++
			require.Zero(t, machine.BehindBy(), where+machine.ID)
			require.False(t, machine.Disk().PendingReboot(), where+machine.ID)
			require.True(t, machine.AppHealthy(), where+machine.ID)
		}
	})
	require.Equal(t, many, machines)
}

// requireWritten reads the evidence: the wave's document with each instance, and each instance's with all its changes.
func requireWritten(t *testing.T, folder string, many int) {
	t.Helper()
	key, err := evidence.LoadKey(t.Context(), "file:"+filepath.Join(folder, "journal.key"), evidence.KeyPlaces{})
	require.NoError(t, err)
	root := filepath.Join(folder, "evidence")
	store, err := evidence.Open(t.Context(), root, evidence.Options{Signer: key})
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	var document activities.WaveDocument
	require.NoError(t, store.GetWave(t.Context(), largeWave, &document))
	instances := 0
	for _, group := range document.Result.Stages[0].Groups {
		for _, instance := range group.Instances {
			instances++
			require.Equal(t, patch.Patched, instance.Outcome, instance.ID)
			require.Equal(t, largeChanges, instance.MissingBefore, instance.ID)
			var details patch.InstanceDetails
			require.NoError(t, store.ProvenInstance(t.Context(), largeWave, instance.ID, &details))
			require.Equal(t, instance.ID, details.Instance)
			require.Len(t, details.Changes, largeChanges, instance.ID)
			require.Len(t, details.MissingBefore, largeChanges, instance.ID)
			require.Empty(t, details.MissingAfter, instance.ID)
		}
	}
	require.Equal(t, many, instances)
	verified, err := store.Verify(t.Context(), largeWave)
	require.NoError(t, err)
	require.Empty(t, verified.Findings)
	require.Equal(t, many, verified.Instances)
	t.Logf("evidence: %d instances in the wave's document, a document each of %d changes; verified: %d documents of the "+
		"wave, %d of instances, %d records, no findings", instances, largeChanges, verified.Documents, verified.Instances,
		verified.Records)
}
