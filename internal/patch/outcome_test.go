package patch_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

func TestGroupOutcome(t *testing.T) {
	for _, c := range []struct {
		name      string
		instances []patch.Outcome
		want      patch.Outcome
	}{
		{"empty", nil, patch.Succeeded},
		{"patched and compliant", []patch.Outcome{patch.Patched, patch.AlreadyCompliant}, patch.Succeeded},
		{"one gone", []patch.Outcome{patch.Patched, patch.Gone}, patch.Succeeded},
		{"one skipped", []patch.Outcome{patch.Patched, patch.Skipped}, patch.SucceededWithSkips},
		{"one rolled back", []patch.Outcome{patch.RolledBack, patch.Patched}, patch.SucceededWithSkips},
		{"one not started", []patch.Outcome{patch.Patched, patch.NotStarted}, patch.NotStarted},
		{"not started weighs more than skipped", []patch.Outcome{patch.Skipped, patch.NotStarted}, patch.NotStarted},
		{"failed weighs most", []patch.Outcome{patch.NotStarted, patch.Failed, patch.Skipped}, patch.Failed},
		{"quarantined is failed", []patch.Outcome{patch.Patched, patch.Quarantined}, patch.Failed},
		{"a word nobody knows is failed", []patch.Outcome{"excellent"}, patch.Failed},
	} {
		t.Run(c.name, func(t *testing.T) {
			var instances []patch.InstanceResult
			for _, outcome := range c.instances {
				instances = append(instances, patch.InstanceResult{Outcome: outcome})
			}
			require.Equal(t, c.want, patch.GroupOutcome(instances))
		})
	}
}

func TestCombinedOutcome(t *testing.T) {
	for _, c := range []struct {
		name  string
		parts []patch.Outcome
		want  patch.Outcome
	}{
		{"nothing", nil, patch.NotStarted},
		{"nothing started", []patch.Outcome{patch.NotStarted, patch.NotStarted}, patch.NotStarted},
		{"all well", []patch.Outcome{patch.Succeeded, patch.Succeeded}, patch.Succeeded},
		{"the rest was never reached", []patch.Outcome{patch.Succeeded, patch.NotStarted}, patch.Succeeded},
		{"skips", []patch.Outcome{patch.Succeeded, patch.SucceededWithSkips}, patch.SucceededWithSkips},
		{"aborted", []patch.Outcome{patch.SucceededWithSkips, patch.Aborted}, patch.Aborted},
		{"rolled back", []patch.Outcome{patch.Aborted, patch.RolledBack}, patch.RolledBack},
		{"failed", []patch.Outcome{patch.RolledBack, patch.Failed, patch.Succeeded}, patch.Failed},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, patch.CombinedOutcome(c.parts)) })
	}
}

func TestVerbAllowed(t *testing.T) {
	for state, allowed := range map[patch.WaveState][]patch.Verb{
		patch.StateResolving:        nil,
		patch.StatePreflight:        {patch.Abort},
		patch.StateAwaitingApproval: {patch.Approve, patch.Reject, patch.Abort, patch.SetConcurrency, patch.ExtendWindow},
		patch.StateRunning:          {patch.Pause, patch.RollBack, patch.Abort, patch.SetConcurrency, patch.ExtendWindow},
		patch.StatePaused:           {patch.Resume, patch.RollBack, patch.Abort, patch.SetConcurrency, patch.ExtendWindow},
		patch.StateOnHold: {
			patch.Retry, patch.Skip, patch.RollBack, patch.Abort, patch.SetConcurrency, patch.ExtendWindow,
		},
		patch.StateParked:      {patch.Resume, patch.RollBack, patch.Abort, patch.SetConcurrency, patch.ExtendWindow},
		patch.StateRollingBack: {patch.Abort},
		patch.StateAborting:    {patch.Abort},
		patch.StateClosed:      nil,
		"dreaming":             nil,
	} {
		t.Run(string(state), func(t *testing.T) {
			require.Equal(t, allowed, patch.VerbsIn(state, true))
			require.NotContains(t, patch.VerbsIn(state, false), patch.ExtendWindow, "there is no window to extend")
			for _, verb := range patch.Verbs() {
				err := patch.VerbAllowed(verb, state, patch.VerbsIn(state, true))
				if contains(allowed, verb) {
					require.NoError(t, err)
					continue
				}
				require.ErrorContains(t, err, state.Words())
				for _, other := range allowed {
					require.ErrorContains(t, err, string(other), "the refusal tells what is taken")
				}
			}
		})
	}
}

func contains(verbs []patch.Verb, verb patch.Verb) bool {
	for _, v := range verbs {
		if v == verb {
			return true
		}
	}
	return false
}

func TestDuration(t *testing.T) {
	for _, c := range []struct {
		json string
		want time.Duration
		bad  bool
	}{
		{json: `"30m"`, want: 30 * time.Minute},
		{json: `"1h30m0s"`, want: 90 * time.Minute},
		{json: `"-5s"`, want: -5 * time.Second},
		{json: `1500000000`, want: 1500 * time.Millisecond},
		{json: `0`},
		{json: `"0"`},
		{json: `"30"`, bad: true},
		{json: `"half an hour"`, bad: true},
		{json: `""`, bad: true},
		{json: `1.5`, bad: true},
		{json: `true`, bad: true},
		{json: `{}`, bad: true},
		{json: `[]`, bad: true},
	} {
		t.Run(c.json, func(t *testing.T) {
			var d patch.Duration
			err := json.Unmarshal([]byte(c.json), &d)
			if c.bad {
				require.ErrorContains(t, err, `write it like "30m" or "1h30m"`)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, d.D())
			written, err := json.Marshal(d)
			require.NoError(t, err)
			var again patch.Duration
			require.NoError(t, json.Unmarshal(written, &again))
			require.Equal(t, d, again, "what is written can be read: %s", written)
		})
	}
}

func TestScaled(t *testing.T) {
	plan := patch.Plan{
		Name: "web", Retention: patch.Duration(168 * time.Hour), Timing: patch.DefaultTiming(),
		Quarantine: patch.Quarantine{TTL: patch.Duration(72 * time.Hour)},
		Stages: []patch.Stage{{
			Name: "production", Bake: patch.Duration(5 * time.Minute),
			Approval:  &patch.Approval{Timeout: patch.Duration(24 * time.Hour)},
			After:     &patch.After{Duration: patch.Duration(72 * time.Hour), Healthy: true, Every: patch.SoakEvery},
			OnFailure: patch.OnFailure{Timeout: patch.Duration(30 * time.Minute), Then: patch.RollBack},
		}},
	}
	for _, speed := range []float64{0, 1, -3, 0.5} {
		require.Equal(t, plan, plan.Scaled(speed), "a speed of %v is none", speed)
	}
	fast := plan.Scaled(60)
	require.Equal(t, 5*time.Second, fast.Stages[0].Bake.D())
	require.Equal(t, 72*time.Minute, fast.Stages[0].After.Duration.D())
	require.Equal(t, time.Minute, fast.Stages[0].After.Every.D())
	require.Equal(t, patch.SoakEvery, plan.Stages[0].After.Every, "the plan itself is as it was")
	require.Equal(t, plan.Stages[0].Approval, fast.Stages[0].Approval, "people do not live faster")
	require.Equal(t, plan.Stages[0].OnFailure, fast.Stages[0].OnFailure)
	require.Equal(t, plan.Quarantine, fast.Quarantine)
	require.Equal(t, 250*time.Millisecond, fast.Timing.Poll.D(), "polls are divided whole")
	require.Equal(t, patch.MinAttempt, fast.Timing.Act.D(), "an attempt never gets shorter than a busy machine can meet")
	require.Equal(t, 90*time.Second, fast.Timing.Install.D())
	require.Equal(t, patch.MinBudget, fast.Timing.Stop.D(), "15 minutes by 60 would be less than a budget may be")
	require.Equal(t, 60*plan.Retention, fast.Retention, "AWS's clock measures it, and people come back after days of ours")
	require.Equal(t, 60*plan.Timing.RollbackMaxAge, fast.Timing.RollbackMaxAge)
	require.Positive(t, plan.Scaled(1e9).Retention, "there is no overflow")
	require.Equal(t, 5*time.Minute, plan.Stages[0].Bake.D(), "the plan itself is as it was")

	short := plan
	short.Timing.Look, short.Timing.Agent = patch.Duration(time.Second), patch.Duration(5*time.Second)
	require.Equal(t, time.Second, short.Scaled(60).Timing.Look.D(), "no plan gets longer by scaling")
	require.Equal(t, 5*time.Second, short.Scaled(60).Timing.Agent.D())
}

// Every interval and budget must be scaled, those that come later too.
func TestScaledLeavesNoIntervalOut(t *testing.T) {
	plan := patch.Plan{Timing: patch.DefaultTiming()}
	before, after := reflect.ValueOf(plan.Timing), reflect.ValueOf(plan.Scaled(1.01).Timing)
	for i := range before.NumField() {
		if before.Type().Field(i).Name == "RollbackMaxAge" {
			require.Greater(t, after.Field(i).Int(), before.Field(i).Int(), "an age is told by AWS's clock, like retention")
			continue
		}
		require.Less(t, after.Field(i).Int(), before.Field(i).Int(), "%s is not scaled", before.Type().Field(i).Name)
		require.Positive(t, after.Field(i).Int(), before.Type().Field(i).Name)
	}
}

func TestGroupNames(t *testing.T) {
	for _, c := range []struct {
		name  string
		group patch.Group
		want  string
	}{
		{"an Auto Scaling group", webGroup, "production/ap-northeast-1/web"},
		{
			"tags, by key",
			patch.Group{Account: patch.Account{Name: "s"}, Region: "r", Tags: map[string]string{"Tier": "front", "Role": "web"}},
			"s/r/Role=web,Tier=front",
		},
		{"nothing", patch.Group{}, "//"},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, c.group.String()) })
	}
}

func TestGroupsOfAPlanAreListedOnceInAFixedOrder(t *testing.T) {
	other := webGroup
	other.AutoScalingGroup = "api"
	plan := patch.Plan{
		Stages: []patch.Stage{{Groups: []patch.Group{webGroup, tagsGroup}}, {Groups: []patch.Group{other, webGroup}}},
	}
	require.Equal(t, []patch.Group{other, webGroup, tagsGroup}, plan.Groups())
	require.Empty(t, patch.Plan{}.Groups())
}

func TestNewestHasEachInstanceOnce(t *testing.T) {
	one, two := patch.InstanceResult{ID: "i-1", Outcome: patch.Patched}, patch.InstanceResult{
		ID: "i-2", Outcome: patch.NotStarted,
	}
	failed, newcomer := patch.InstanceResult{ID: "i-2", Outcome: patch.Failed}, patch.InstanceResult{
		ID: "i-3", Outcome: patch.Failed,
	}
	kept := []patch.InstanceResult{one, two}
	require.Equal(
		t, []patch.InstanceResult{one, failed, newcomer}, patch.Newest(kept, []patch.InstanceResult{failed, newcomer}),
	)
	require.Equal(t, []patch.InstanceResult{one, two}, kept, "what was kept stays as it is")
	require.Equal(t, kept, patch.Newest(kept, nil))
}

// Who asked for a roll back must not read that something was put back of which nothing was patched.
func TestWhatPutNothingBackDoesNotSayThatItDid(t *testing.T) {
	for _, c := range []struct {
		name  string
		whole patch.Outcome
		parts []patch.Outcome
		want  patch.Outcome
	}{
		{"one was put back", patch.RolledBack, []patch.Outcome{patch.AlreadyCompliant, patch.RolledBack}, patch.RolledBack},
		{"none was patched", patch.RolledBack, []patch.Outcome{patch.AlreadyCompliant, patch.NotStarted}, patch.NothingPutBack},
		{"parts that put nothing back", patch.RolledBack, []patch.Outcome{patch.NothingPutBack}, patch.NothingPutBack},
		{"nothing was there", patch.RolledBack, nil, patch.NothingPutBack},
		{"it was not to be put back", patch.Succeeded, []patch.Outcome{patch.Patched}, patch.Succeeded},
		{"it could not", patch.Failed, []patch.Outcome{patch.Failed}, patch.Failed},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, c.whole.JudgePutBack(c.parts)) })
	}
}
