package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/patch"
)

// full sets every key that example.yaml leaves out.
const full = `
accounts:
  - {name: a, id: "011122223333", role_arn: 'arn:aws-cn:iam::011122223333:role/x/y', regions: [cn-north-1, us-gov-west-1]}
plans:
  - name: w
    baseline: windows-server-2022
    backup: none
    restore: replace
    reboot: never
    after_plan: {plan: base, max_age: 48h, timeout: 4h}
    passes: 2
    retention: 24h
    timing: {drain: 20m, poll: 5s}
    windows:
      - {schedule: rate(7 days), start: "2026-01-04T02:00:00+09:00", time_zone: Asia/Tokyo, duration: 4h, cutoff: 1h}
      - {schedule: "cron(0 2 ? * TUE#2 *)", offset: 4d, duration: 4h}
    blackout: [{from: 2026-12-24, to: 2026-12-26, time_zone: Asia/Tokyo, reason: Christmas}]
    change_calendars: [business-days]
    exclude: {tags: {Patch: never}}
    hooks:
      before_wave: [{name: announce, document: say, account: a, region: cn-north-1, parameters: {What: begins}, timeout: 1m}]
      before_out: [{name: drain, run: drain, undo: {run: undrain, timeout: 2m}, on_failure: hold, in_roll_back: true}]
      after_wave: [{name: announce, webhook: {url_from: 'env:URL', secret_from: 'file:/run/key'}}]
    stages:
      - name: s
        hooks: {before_out: [{name: step-down, document: step-down, on_failure: continue}]}
        groups: [{account: a, region: cn-north-1, auto_scaling_group: web 1}]
        approval: {required: false}
        max_unavailable: 2
        max_parallel_groups: 3
        max_failures: 4
        promote: with_skips
        capacity: surge
        health: [{http: {path: /, from: worker}}, {target_group: tg-1}]
        bake: 0s
        on_failure: {timeout: 0s, then: skip}
        order: zone
        zone_soak: 30m
        canary: {instances: 2, bake: 1h}
        reboot: if_required
        exclude: {tags: {Role: leader, Patch: By-Hand}}
        warm_pool: leave
        stopped: leave
      - name: s2
        after: 3d
        approval: true
        steps:
          - 1
          - 10%
          - {to: 50%, soak: {duration: 2h, healthy: false}, approval: {required: true, four_eyes: true}}
          - {to: 80%, soak: 1h, approval: true}
          - 100%
        baseline: ubuntu-22.04
        groups:
          - {account: a, region: cn-north-1, auto_scaling_group: web 2}
          - {account: a, region: cn-north-1, auto_scaling_group: web 4, baseline: amazon-linux-2023}
          - {account: a, region: cn-north-1, auto_scaling_group: web 5, baseline: windows-server-2022}
      - name: s3
        after: {duration: 1d12h, healthy: false}
        groups: [{account: a, region: cn-north-1, auto_scaling_group: web 3}]
  - name: shops
    baseline: ubuntu-22.04
    backup: none
    restore: none
    stages: [{name: tills, groups: [{account: a, region: cn-north-1, managed_nodes: {Role: till, Site: north}}]}]
  - name: base
    baseline: ubuntu-22.04
    stages: [{name: s, baseline: windows-server-2022, groups: [{account: a, region: cn-north-1, auto_scaling_group: db}]}]
notify:
  - {slack: {webhook_from: 'ssm:/patchtide/slack'}}
  - {teams: {webhook_from: 'ssm:/patchtide/teams'}}
  - {sns: {topic_arn: 'arn:aws:sns:ap-northeast-1:111122223333:patching'}}
  - {webhook: {url_from: 'file:/run/secrets/webhook'}}
blackout: [{from: 2026-12-31, reason: nobody is here}]
evidence: s3://bucket/prefix
manifests: s3://lists/web
journal_key_from: file:/run/secrets/journal-key
journal_older_keys_from: [ssm:/patchtide/journal-key-2025, 'kms:alias/patchtide-journal']
log_level: debug
log_format: json
temporal_profile: lab
temporal_address: 127.0.0.1:7233
temporal_namespace: ops
temporal_ui: https://temporal.example.com/ui
`

// replaced is the example with one thing changed.
func replaced(t *testing.T, from, to string) string {
	text := string(config.Example())
	require.Contains(t, text, from)
	return strings.Replace(text, from, to, 1)
}

func TestExample(t *testing.T) {
	c, err := config.Load("example.yaml", nil)
	require.NoError(t, err)
	require.NoError(t, c.CheckWorker())
	require.Len(t, c.Accounts, 2)
	require.Equal(t, config.Source("env:PATCHTIDE_EXTERNAL_ID"), c.Accounts[0].ExternalIDFrom)
	require.Equal(t, "PATCHTIDE_EXTERNAL_ID", c.Accounts[0].ExternalIDFrom.Name())
	require.Equal(t, []string{"web"}, c.PlanNames())

	plan, err := c.Plan("web")
	require.NoError(t, err)
	estimates := patch.Estimates{
		Patch: patch.Duration(20 * time.Minute), RollBack: patch.Duration(20 * time.Minute),
		Snapshot: patch.Duration(15 * time.Minute), Volume: patch.Duration(10 * time.Minute),
	}
	require.Equal(t, patch.Plan{
		Name: "web", Baseline: "amazon-linux-2023", Platform: patch.Linux,
		Backup: patch.BackupSnapshot, Restore: patch.RestoreRootVolume, Reboot: patch.RebootAlways, Passes: 1,
		Pin:       patch.PinManifest,
		Retention: patch.Duration(7 * 24 * time.Hour), Timing: patch.DefaultTiming(), Estimates: &estimates,
		Quarantine: patch.Quarantine{TTL: patch.Duration(72 * time.Hour)},
		Stages: []patch.Stage{
			{
				Name: "staging",
				Groups: []patch.Group{{
					Account: patch.Account{Name: "staging", ID: "222233334444"}, Region: "ap-northeast-1",
					Tags: map[string]string{"Role": "web"}, // the key keeps its capital letter
				}},
				MaxUnavailable: patch.Instances(1), MaxParallelGroups: 1, Capacity: patch.CapacityAuto,
				Health: []patch.HealthCheck{
					{TargetGroup: "auto"}, {HTTP: &patch.HTTPCheck{Path: "/healthz", Port: 80, From: "instance"}},
				},
				Bake: patch.Duration(10 * time.Minute), Order: patch.OrderZoneBalanced,
				OnFailure: patch.OnFailure{Timeout: patch.Duration(30 * time.Minute), Then: patch.RollBack},
				Promote:   patch.PromoteClean,
			},
			{
				Name: "production", Service: "web", Approval: &patch.Approval{Timeout: patch.Duration(24 * time.Hour)},
				Groups: []patch.Group{{
					Account: patch.Account{Name: "production", ID: "111122223333"}, Region: "ap-northeast-1", AutoScalingGroup: "web",
				}},
				MaxUnavailable: patch.Instances(1), MaxParallelGroups: 1, Capacity: patch.CapacityAuto,
				Health: []patch.HealthCheck{
					{TargetGroup: "auto"}, {HTTP: &patch.HTTPCheck{Path: "/healthz", Port: 80, From: "instance"}}, {Alarm: "web-5xx"},
				},
				Bake: patch.Duration(5 * time.Minute), Order: patch.OrderZoneBalanced,
				OnFailure: patch.OnFailure{Timeout: patch.Duration(30 * time.Minute), Then: patch.RollBack},
				Promote:   patch.PromoteClean,
			},
		},
	}, plan)

	_, err = c.Plan("wbe")
	require.EqualError(t, err, `there is no plan "wbe" in example.yaml; known: web`)
}

func TestEveryKey(t *testing.T) {
	c, err := config.Parse("full.yaml", []byte(full), nil)
	require.NoError(t, err)
	plan, err := c.Plan("w")
	require.NoError(t, err)
	require.Equal(t, patch.Windows, plan.Platform)
	require.Equal(t, 2, plan.Passes)
	require.Equal(t, 20*time.Minute, plan.Timing.Drain.D())
	require.Equal(t, 5*time.Second, plan.Timing.Poll.D())
	require.Equal(t, patch.DefaultTiming().Install, plan.Timing.Install)
	require.Nil(t, plan.Window)
	shops, err := c.Plan("shops")
	require.NoError(t, err)
	tills := shops.Stages[0].Groups[0]
	require.True(t, tills.IsNodes())
	require.Equal(t, "a/cn-north-1/mi:Role=till,Site=north", tills.String())
	require.Equal(t, "rate(7 days)", c.Plans[0].Windows[0].Schedule)
	require.Equal(t, "4d", c.Plans[0].Windows[1].Offset)
	require.Equal(t, []string{"business-days"}, plan.Calendars)
	require.Equal(t, []string{
		"the blackout from 2026-12-24T00:00:00+09:00 until 2026-12-27T00:00:00+09:00 (Christmas)",
		"the blackout from 2026-12-31T00:00:00Z until 2027-01-01T00:00:00Z (nobody is here)",
	},
		[]string{plan.Blackouts[0].String(), plan.Blackouts[1].String()})
	stage := plan.Stages[0]
	require.Nil(t, stage.Approval, "required: false is no gate")
	require.Equal(t, patch.OnFailure{Timeout: 0, Then: patch.Skip}, stage.OnFailure, "0s: for ever")
	require.Equal(t, patch.PromoteWithSkips, stage.Promote)
	require.Equal(t, patch.OrderZone, stage.Order)
	require.Equal(t, []map[string]string{{"Patch": "never"}, {"Role": "leader", "Patch": "By-Hand"}},
		stage.Groups[0].Exclude, "the plan's, and the stage's")
	require.Equal(t, patch.Duration(30*time.Minute), stage.ZoneSoak)
	require.Equal(t, &patch.Canary{Instances: 2, Bake: patch.Duration(time.Hour)}, stage.Canary)
	require.Equal(t, patch.RebootNever, plan.Reboot)
	require.Equal(t, patch.RebootIfRequired, plan.RebootOf(stage))
	require.Equal(t, patch.RebootNever, plan.RebootOf(plan.Stages[1]))
	require.Equal(t, &patch.AfterPlan{
		Plan: "base", MaxAge: patch.Duration(48 * time.Hour), Timeout: patch.Duration(4 * time.Hour),
		Every: patch.AfterPlanEvery,
	}, plan.AfterPlan)
	require.Nil(t, stage.Groups[0].Tier)
	require.Equal(t, &patch.Tier{Baseline: "ubuntu-22.04", Platform: patch.Linux, Passes: 2}, plan.Stages[1].Groups[0].Tier)
	require.Equal(t, "amazon-linux-2023", plan.Of(plan.Stages[1].Groups[1]).Baseline)
	require.Nil(t, plan.Stages[1].Groups[2].Tier, "it is the plan's")
	base, err := c.Plan("base")
	require.NoError(t, err)
	require.Equal(t, 1, base.Passes)
	require.Equal(t, 3, base.Of(base.Stages[0].Groups[0]).Passes, "its platform's")
	require.Equal(t, []string{"windows-server-2022"}, base.Baselines())
	minutes := func(n int) patch.Duration { return patch.Duration(time.Duration(n) * time.Minute) }
	require.Equal(t, patch.Hooks{
		patch.BeforeWave: {{Name: "announce", OnFailure: patch.HookUndoes, Call: patch.HookCall{
			Document: "say", Parameters: map[string]string{"What": "begins"}, Timeout: minutes(1),
			Place: &patch.Place{Account: patch.Account{Name: "a", ID: "011122223333"}, Region: "cn-north-1"},
		}}},
		patch.AfterWave: {{Name: "announce", OnFailure: patch.HookContinues, Call: patch.HookCall{
			Webhook: &patch.HookWebhook{URLFrom: "env:URL", SecretFrom: "file:/run/key"}, Timeout: minutes(5),
		}}},
	}, plan.Hooks)
	require.Equal(t, patch.Hooks{patch.BeforeOut: {
		{
			Name: "drain", OnFailure: patch.HookHolds, InRollBack: true, Call: patch.HookCall{Run: "drain", Timeout: minutes(5)},
			Undo: &patch.HookCall{Run: "undrain", Timeout: minutes(2)},
		},
		{
			Name: "step-down", OnFailure: patch.HookContinues,
			Call: patch.HookCall{Document: "step-down", Timeout: minutes(5)},
		},
	}}, stage.Hooks, "the plan's, then the stage's")
	require.Len(t, plan.Stages[1].Hooks[patch.BeforeOut], 1)
	require.Equal(t, patch.HTTPCheck{Path: "/", Port: 80, From: "worker"}, *stage.Health[0].HTTP)
	require.Nil(t, stage.After)
	require.Equal(t, patch.After{Duration: days(3), Healthy: true, Every: patch.SoakEvery}, *plan.Stages[1].After)
	require.Equal(t, []patch.StageStep{
		{To: patch.Instances(1)},
		{To: patch.Percent(10)},
		{
			To: patch.Percent(50), Soak: &patch.After{Duration: days(1) / 12, Every: patch.SoakEvery},
			Approval: &patch.Approval{Timeout: days(1), FourEyes: true},
		},
		{
			To: patch.Percent(80), Soak: &patch.After{Duration: days(1) / 24, Healthy: true, Every: patch.SoakEvery},
			Approval: &patch.Approval{Timeout: days(1)},
		},
		{To: patch.Percent(100)},
	}, plan.Stages[1].Steps)
	require.Equal(t, &patch.Approval{Timeout: days(1)}, plan.Stages[1].Approval, "true alone is a gate")
	require.Equal(t, patch.After{Duration: days(1.5), Every: patch.SoakEvery}, *plan.Stages[2].After)
	require.Empty(t, stage.Groups[0].Stopped, "leave is what a group does by itself")
	require.Len(t, c.Notify, 4)
	require.Equal(t, []config.Source{
		"ssm:/patchtide/journal-key-2025", "kms:alias/patchtide-journal",
	}, c.JournalOlderKeysFrom)
	require.NoError(t, c.CheckWorker())
}

func days(count float64) patch.Duration { return patch.Duration(count * 24 * float64(time.Hour)) }

func TestWindowsGetsThreePasses(t *testing.T) {
	c, err := config.Parse(
		"f.yaml", []byte(replaced(t, "baseline: amazon-linux-2023", "baseline: windows-server-2022")), nil,
	)
	require.NoError(t, err)
	plan, err := c.Plan("web")
	require.NoError(t, err)
	require.Equal(t, 3, plan.Passes)
}

func TestCheckWorker(t *testing.T) {
	text := replaced(t, "single_worker: true", "")
	text = strings.Replace(text, "journal_key_from: file:journal.key", "", 1)
	c, err := config.Parse("f.yaml", []byte(text), nil)
	require.NoError(t, err, "a client of the wave needs neither")
	err = c.CheckWorker()
	require.ErrorContains(
		t, err, ": evidence: is a local folder, which a second worker would not see; write evidence: s3://bucket/prefix",
	)
	require.ErrorContains(t, err, "f.yaml: journal_key_from: is missing")
	var first *config.Error
	require.True(t, errors.As(err, &first))
}

// TestMistakes reads one file for each mistake; its first lines say what must be answered.
func TestMistakes(t *testing.T) {
	files, err := filepath.Glob("testdata/mistakes/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".yaml"), func(t *testing.T) {
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			var want []string
			for line := range strings.Lines(string(data)) {
				if message, ok := strings.CutPrefix(line, "# want: "); ok {
					want = append(want, strings.TrimSpace(message))
				}
			}
			_, err = config.Parse("f.yaml", data, nil)
			require.EqualError(t, err, strings.Join(want, "\n"))
		})
	}
}

func TestNoFile(t *testing.T) {
	_, err := config.Load("none.yaml", nil)
	require.EqualError(
		t, err, "none.yaml: cannot be read: no such file or directory; give the configuration file with --config",
	)
}

func TestSecretsAreNeverRepeated(t *testing.T) {
	const key, hook = "AKIAIOSFODNN7EXAMPLE", "https://hooks.slack.com/services/T000/B000/XXXXXXXX"
	for name, text := range map[string]string{
		"where a word is expected": replaced(t, "backup: snapshot", "backup: "+key),
		"as a name":                replaced(t, "baseline: amazon-linux-2023", "baseline: "+key),
		"as a key":                 replaced(t, "backup: snapshot", key+": snapshot"),
		"in a comment":             string(config.Example()) + "\n# " + key + "\n",
		"as a source":              string(config.Example()) + "\nnotify: [{slack: {webhook_from: '" + hook + "'}}]\n",
		"in evidence":              replaced(t, "evidence: ./evidence", "evidence: "+hook),
		"a Teams workflow": string(config.Example()) +
			"\n# https://prod-12.westus.logic.azure.com:443/workflows/T000/triggers/manual/paths/invoke?api-version=2016-06-01&sig=T000\n",
		"broken YAML": string(config.Example()) + "\nx: [" + key + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := config.Parse("f.yaml", []byte(text), nil)
			require.ErrorContains(t, err, "holds a secret")
			require.NotContains(t, err.Error(), key)
			require.NotContains(t, err.Error(), "T000")
		})
	}
}

func TestTimingTable(t *testing.T) {
	for _, key := range config.TimingTable() {
		require.NotEmpty(t, key.Doc, "timing %s has no words in config/timing.go", key.Key)
		require.Positive(t, key.Default, key.Key)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(config.Example())
	f.Add([]byte(full))
	files, err := filepath.Glob("testdata/mistakes/*.yaml")
	require.NoError(f, err)
	for _, path := range files {
		data, err := os.ReadFile(path)
		require.NoError(f, err)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := config.Parse("f.yaml", data, nil)
		if err == nil {
			for _, name := range c.PlanNames() {
				plan, err := c.Plan(name)
				require.NoError(t, err)
				again, err := c.Plan(name)
				require.NoError(t, err)
				require.Equal(t, plan, again)
				require.NotEmpty(t, plan.Stages)
			}
			return
		}
		var all config.Errors
		require.True(t, errors.As(err, &all), "%v", err)
		for _, one := range all {
			require.NotEmpty(t, one.Message)
			require.True(t, one.Line > 0 || one.File != "f.yaml", "%v", one)
		}
	})
}
