package console

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

const planMinute = patch.Duration(time.Minute)

var (
	planAt  = time.Date(2026, 11, 22, 17, 30, 0, 0, time.UTC)
	openssl = patch.MissingPatch{ID: "openssl-libs.x86_64", Severity: "Critical"}
	kernel  = patch.MissingPatch{ID: "kernel.x86_64", Severity: "Important"}
	curl    = patch.MissingPatch{ID: "curl-minimal.x86_64", Severity: "Important"}
	vim     = patch.MissingPatch{ID: "vim-minimal.x86_64"}
)

func due(id string, begins int, missing ...patch.MissingPatch) patch.PreviewInstance {
	return patch.PreviewInstance{
		ID: id, Does: patch.WouldPatch, Missing: missing, MissingCount: len(missing), Reboot: true,
		KnownAt: planAt.Add(-3 * time.Hour), Age: 180 * planMinute,
		Begins: patch.Duration(begins) * planMinute, Takes: 21 * planMinute, InTime: true,
	}
}

// couldRun has a group of each kind, instances of each kind, and several sets of missing patches.
func couldRun() patch.Preview {
	compliant := due("i-0000000000000003", 42)
	compliant.Does, compliant.Missing = patch.WouldNothing, []patch.MissingPatch{}
	compliant.MissingCount, compliant.Reboot = 0, false
	unknown := patch.PreviewInstance{
		ID: "i-0000000000000004", Does: patch.WouldScan, Begins: 42 * planMinute, InTime: true,
	}
	waits := due("i-0000000000000006", 89, kernel)
	waits.PendingReboot, waits.InTime = []string{"glibc.x86_64"}, false
	return patch.Preview{
		Plan: "web", At: planAt, Begins: planAt, Takes: 110 * planMinute, Ends: planAt.Add(110 * time.Minute),
		NotCounted: []string{"the approval of production", "the soak of 3d before production"},
		Window:     &patch.Window{Opens: planAt, Cutoff: planAt.Add(3 * time.Hour), Closes: planAt.Add(7 * time.Hour)},
		Instances:  6, Due: 5, InTime: 4, Missing: 9, Reboots: 4,
		Loses: "an instance that fails gets its root volume back as it was",
		Notes: []string{"first note", "second note"}, Blockers: []patch.Blocker{},
		Stages: []patch.PreviewStage{
			{Name: "staging", MaxParallelGroups: 1, Bake: 10 * planMinute, Takes: 63 * planMinute, Groups: []patch.PreviewGroup{{
				Group: "staging/ap-northeast-1/Role=web", Takes: 63 * planMinute, Each: 21 * planMinute,
				EachFrom: "estimates.patch and draining",
				Instances: []patch.PreviewInstance{
					due("i-0000000000000001", 0, openssl, curl, kernel, vim), due("i-0000000000000002", 21, openssl, curl, kernel),
					compliant, unknown,
				},
			}}},
			{
				Name: "production", Approval: &patch.Approval{Timeout: 1440 * planMinute, FourEyes: true}, MaxParallelGroups: 2,
				After: &patch.After{Duration: 3 * 1440 * planMinute, Healthy: true},
				Bake:  5 * planMinute, Takes: 47 * planMinute, Begins: 63 * planMinute,
				Groups: []patch.PreviewGroup{
					{
						Group: "production/ap-northeast-1/web", Numbers: &patch.GroupNumbers{Min: 4, Max: 4, Desired: 4},
						Strategy: patch.Strategy{Mode: patch.CapacitySurge, AtOnce: 1, RaiseMax: 1},
						Begins:   63 * planMinute, Takes: 26 * planMinute, Each: 21 * planMinute,
						EachFrom:  "95 of 100 of the 12 instances measured in earlier waves",
						Instances: []patch.PreviewInstance{due("i-0000000000000005", 68, kernel)},
						Held:      &patch.Held{Instance: "i-0000000000000005", Versions: map[string]string{kernel.ID: "0:6.1.127-135.1"}},
					},
					{
						Group: "production/ap-northeast-1/api", Numbers: &patch.GroupNumbers{Min: 1, Max: 4, Desired: 2},
						Strategy: patch.Strategy{Mode: patch.CapacityDecrement},
						Begins:   63 * planMinute, Takes: 21 * planMinute, Each: 21 * planMinute,
						EachFrom:  "estimates.patch and draining",
						Instances: []patch.PreviewInstance{waits},
					},
				},
			},
		},
	}
}

func TestPlanThatCouldRun(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, PrintPlan(&out, nil, couldRun()))
	golden(t, "plan-could-run.txt", out.Bytes())
	require.NotContains(t, out.String(), "\x1b", "no colours where there is no terminal")
}

// The windows after its own are told, what cuts one, and by what name a start before it opens is refused.
func TestPlanThatWaitsForItsWindow(t *testing.T) {
	p := couldRun()
	p.Begins, p.RefusedNow = planAt.Add(time.Hour), patch.RefusedBlackout
	p.Window.Cut = "the blackout from 2026-11-23T00:00:00Z until 2026-11-24T00:00:00Z (stocktaking)"
	p.Following = []patch.Window{{Opens: planAt.AddDate(0, 0, 7), Closes: planAt.AddDate(0, 0, 7).Add(time.Hour)}}
	var out bytes.Buffer
	require.NoError(t, PrintPlan(&out, nil, p))
	for _, says := range []string{
		"            it closes early for the blackout from", "(stocktaking)", "Then        Sun 2026-11-29 17:30 UTC to 18:30\n",
		"It could run once its window opens, at Sun 2026-11-22 18:30 UTC. A start now is refused (Blackout). Then: ",
	} {
		require.Contains(t, out.String(), says)
	}
}

// Who is taken first, and what is waited for, is told of a stage that is taken in another way than usual.
func TestPlanThatIsTakenInAnOrder(t *testing.T) {
	p := couldRun()
	p.Stages[0].Order = patch.OrderOldestFirst
	p.Stages[1].Order, p.Stages[1].ZoneSoak = patch.OrderZone, 30*planMinute
	p.Stages[1].Canary = &patch.Canary{Instances: 2, Bake: 60 * planMinute}
	p.Stages[1].Groups[0].Instances[0].Canary = true
	p.Stages[0].Steps = []patch.StageStep{
		{To: patch.Instances(1), Soak: &patch.After{Duration: 60 * planMinute}, Approval: &patch.Approval{}},
		{To: patch.Percent(10)},
		{To: patch.Percent(100)},
	}
	p.Stages[0].Groups[0].Instances[0].Step = 2
	p.Only = &patch.Only{Zones: []string{"a", "c"}, Instances: []string{"i-1"}}
	var out bytes.Buffer
	require.NoError(t, PrintPlan(&out, nil, p))
	for _, says := range []string{
		"watched for 10m, the oldest first, in steps of each group: 1 (soaks 1h, approval), 10%, 100% ~", "step 2", "one zone after the other, 30m apart, the first 2 of each group watched for 1h",
		"reboot canary as of", "patchtide wave start web --only-zones a,c --only-instances i-1",
	} {
		require.Contains(t, strings.Join(strings.Fields(out.String()), " "), says)
	}
}

// Of a fleet that nobody has scanned yet nothing is said to be missing on none.
func TestPlanOfWhatWasNeverScanned(t *testing.T) {
	p := couldRun()
	p.Missing, p.Reboots, p.Window.Of = 0, 0, "the laboratory"
	var out bytes.Buffer
	require.NoError(t, PrintPlan(&out, nil, p))
	require.Contains(t, out.String(), "5 of 6 instances due, and what they miss is not known: 1 were never scanned (--scan")
	require.Contains(t, out.String(), "            it is of the laboratory\n")
}

// A group of which a wave takes nobody is not said to be one of another kind.
func TestPlanOfNobody(t *testing.T) {
	p := couldRun()
	group := &p.Stages[1].Groups[0]
	group.Instances, group.Strategy, group.Numbers = nil, patch.Strategy{}, nil
	p.Stages[1].Unasked = "nothing is due on it"
	var out bytes.Buffer
	require.NoError(t, PrintPlan(&out, nil, p))
	require.Contains(t, out.String(), "production/ap-northeast-1/web  nobody of it is taken\n")
	require.Contains(t, out.String(), "nobody is asked to approve it: nothing is due on it\n")
	require.NotContains(t, out.String(), "waits for somebody to approve")
}

func TestPlanThatIsBlocked(t *testing.T) {
	p := couldRun()
	p.Window = nil
	p.NotCounted = nil
	p.Stages[1].Groups[0].Refused = "NoRoom: desired 4 - 1 would fall below min 4"
	p.Stages[1].Groups[1] = patch.PreviewGroup{Group: "production/ap-northeast-1/api", Refused: "it could not be read"}
	p.Blockers = []patch.Blocker{
		{Code: "Frozen", Where: "web", What: "frozen by alice: incident 4711", WhatToDo: "ask who froze it"},
		{
			Code: "AgentOffline", Where: "production/ap-northeast-1/web",
			Instances: []string{"i-0000000000000005", "i-0000000000000007"}, What: "its SSM agent is not online",
			WhatToDo: "check the agent",
		},
	}
	var out bytes.Buffer
	require.NoError(t, PrintPlan(&out, nil, p))
	golden(t, "plan-blocked.txt", out.Bytes())
}

func TestSetNames(t *testing.T) {
	for n, want := range map[int]string{0: "A", 25: "Z", 26: "AA", 27: "AB", 52: "BA"} {
		require.Equal(t, want, setName(n))
	}
}

// A plan shows the hooks of the wave and of each stage, with what their failure leads to.
func TestAPlanShowsItsHooks(t *testing.T) {
	call := patch.HookCall{Run: "systemctl stop web", Timeout: patch.Duration(2 * time.Minute)}
	undo := patch.HookCall{Document: "start-web", Timeout: patch.Duration(time.Minute)}
	text := planText(patch.Preview{
		Plan: "web", Hooks: patch.Hooks{patch.BeforeWave: {{
			Name: "announce", OnFailure: patch.HookContinues,
			Call: patch.HookCall{Webhook: &patch.HookWebhook{URLFrom: "ssm:/url"}, Timeout: patch.Duration(time.Minute)},
		}}},
		Stages: []patch.PreviewStage{{Name: "production", Hooks: patch.Hooks{patch.BeforeSnapshot: {{
			Name: "stop", Call: call, Undo: &undo, OnFailure: patch.HookHolds, InRollBack: true,
		}}}}},
	}, Page{Width: 200})
	require.Contains(t, text, " announce: webhook ssm:/url, within 1m0s, on failure continue")
	require.Contains(t, text, " stop: run systemctl stop web, within 2m0s, on failure hold; "+
		"undone by document start-web; also in a roll back")
}

// A plan shows what metrics have to be.
func TestAPlanShowsItsMetrics(t *testing.T) {
	most := 5.0
	text := planText(patch.Preview{Plan: "web", Stages: []patch.PreviewStage{{
		Name: "production", Metrics: patch.MetricLines([]patch.HealthCheck{
			{TargetGroup: "auto"}, {Metric: &patch.MetricCheck{Name: "error rate", AtMost: &most}},
		}),
	}}}, Page{Width: 200})
	require.Contains(t, text, " error rate at most 5")
}

// Numbers that do not count instances say what they count.
func TestRoomInWeights(t *testing.T) {
	require.Equal(t, "min 8, desired 12, max 16 weights: decrement, one less serves while an instance is out",
		roomWords(patch.PreviewGroup{
			Numbers:  &patch.GroupNumbers{Min: 8, Desired: 12, Max: 16, Counts: patch.CountsWeights},
			Strategy: patch.Strategy{Mode: patch.CapacityDecrement, AtOnce: 1},
		}))
}
