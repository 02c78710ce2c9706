package window_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

// Whoever froze it may have gone home: while something is frozen, people are told so again each day, and no longer once
// it is lifted.
func TestAFreezeThatLastsIsToldAgain(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
	people := scene.Listen("ops")
	after := func(hours int, do func()) {
		scene.Env.RegisterDelayedCallback(do, time.Duration(hours)*time.Hour)
	}
	update := func(name string, request workflows.FreezeRequest) func() {
		return func() {
			scene.Env.UpdateWorkflow(name, "", &testsuite.TestUpdateCallback{
				OnAccept:   func() {},
				OnReject:   func(err error) { require.NoError(t, err) },
				OnComplete: func(_ any, err error) { require.NoError(t, err) },
			}, request)
		}
	}
	after(1, update(names.UpdateFreeze, workflows.FreezeRequest{Actor: "ann", Reason: "incident", Account: "production"}))
	after(30, update(names.UpdateFreeze, workflows.FreezeRequest{Actor: "bob", Reason: "sale"}))
	after(60, update(names.UpdateUnfreeze, workflows.FreezeRequest{Actor: "bob", Reason: "over"}))
	after(90, update(names.UpdateUnfreeze, workflows.FreezeRequest{Actor: "ann", Reason: "over", Account: "production"}))
	after(200, scene.Env.CancelWorkflow)
	scene.Env.ExecuteWorkflow(names.Freeze, workflows.FreezeInput{})
	require.Error(t, scene.Env.GetWorkflowError())
	began := people.Heard["ops"][0].At
	var told []string
	for _, notice := range people.Heard["ops"] {
		told = append(told, fmt.Sprintf("%.0fh %s", 1+notice.At.Sub(began).Hours(), notice.Subject))
	}
	require.Equal(t, []string{
		"1h account production is frozen", "25h account production is frozen still", "30h everything is frozen",
		"54h frozen still", "60h everything is no longer frozen", "78h account production is frozen still",
		"90h account production is no longer frozen", "200h everything counts as frozen",
	}, told)
	still := people.Heard["ops"][3]
	require.Len(t, still.Findings, 2)
	require.Equal(t, []string{
		`patchtide unfreeze --account production --reason "..."`, `patchtide unfreeze --reason "..."`,
	}, still.Commands)
}

func TestFreezeKeepsWhoFrozeWhat(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
	people := scene.Listen("ops")
	var answer workflows.FreezeAnswer
	var refused error
	update := func(name string, request workflows.FreezeRequest) {
		answer, refused = workflows.FreezeAnswer{}, nil
		scene.Env.UpdateWorkflow(name, "", &testsuite.TestUpdateCallback{
			OnAccept: func() {},
			OnReject: func(err error) { refused = err },
			OnComplete: func(result any, err error) {
				refused = err
				if err == nil {
					answer = result.(workflows.FreezeAnswer)
				}
			},
		}, request)
	}
	frozen := func() patch.FreezeStatus {
		var status patch.FreezeStatus
		value, err := scene.Env.QueryWorkflow(names.QueryStatus)
		require.NoError(t, err)
		require.NoError(t, value.Get(&status))
		return status
	}
	// Each looks at what the one before it led to: an Update's answer comes later.
	steps := []func(){
		func() { update(names.UpdateFreeze, workflows.FreezeRequest{Actor: "ann"}) },
		func() {
			require.ErrorContains(t, refused, "reason: is missing")
			require.Empty(t, frozen().Freezes)
			update(names.UpdateFreeze, workflows.FreezeRequest{Actor: "ann", Reason: "incident", Account: "production"})
		},
		func() {
			require.NoError(t, refused)
			require.Equal(t, "ann", frozen().Freezes.Of("production")[0].Actor)
			update(names.UpdateFreeze, workflows.FreezeRequest{Actor: "ann", Reason: "incident 4711", Account: "production"})
		},
		func() {
			require.NoError(t, refused)
			require.Equal(t, "incident", answer.Replaced.Reason, "which reason gave way is told")
			update(names.UpdateFreeze, workflows.FreezeRequest{Actor: "ben", Reason: "network", Account: "production"})
		},
		func() {
			require.NoError(t, refused)
			require.Nil(t, answer.Replaced)
			require.Len(t, frozen().Freezes.Of("production"), 2)
			update(names.UpdateFreeze, workflows.FreezeRequest{Actor: "ben", Reason: "network", Account: "production"})
		},
		func() {
			require.NoError(t, refused)
			require.Nil(t, answer.Replaced, "what is said twice is heard once")
			require.Len(t, frozen().Freezes.Of("production"), 2)
			update(names.UpdateFreeze, workflows.FreezeRequest{Actor: "ann", Reason: "incident", Account: "prodcution"})
		},
		func() {
			require.ErrorContains(t, refused,
				`there is no "prodcution" in the worker's configuration; it knows production, staging`)
			require.Len(t, frozen().Freezes, 2, "an account that nobody knows is not frozen")
			update(names.UpdateFreeze, workflows.FreezeRequest{Actor: "bob", Reason: "all", ForAll: true})
		},
		func() {
			require.ErrorContains(t, refused, "for_all: a freeze is by one person")
			update(names.UpdateUnfreeze, workflows.FreezeRequest{Actor: "bob", Reason: "over", Account: "prodcution"})
		},
		func() {
			require.ErrorContains(t, refused, `there is no "prodcution"`, "who misspelt it would go home")
			update(names.UpdateUnfreeze, workflows.FreezeRequest{Actor: "bob", Reason: "over", Account: "staging"})
		},
		func() {
			require.NoError(t, refused)
			require.False(t, answer.Changed)
			update(names.UpdateUnfreeze, workflows.FreezeRequest{Actor: "bob", Reason: "over"})
		},
		func() {
			require.NoError(t, refused)
			require.False(t, answer.Changed, "everything was not frozen")
			require.Len(t, answer.Freezes, 2)
			update(names.UpdateUnfreeze, workflows.FreezeRequest{Actor: "bob", Reason: "over", Account: "production"})
		},
		func() {
			require.ErrorContains(t, refused, "None of it is by bob, and each takes back their own")
			require.Len(t, frozen().Freezes, 2)
			update(names.UpdateUnfreeze, workflows.FreezeRequest{Actor: "ben", Reason: "over", Account: "production"})
		},
		func() {
			require.NoError(t, refused)
			require.Len(t, answer.Lifted, 1)
			require.Equal(t, "ann", frozen().Freezes.Of("production")[0].Actor, "whose reason lasts")
			update(names.UpdateUnfreeze, workflows.FreezeRequest{
				Actor: "bob", Reason: "over", Account: "production", ForAll: true,
			})
		},
		func() {
			require.True(t, answer.Changed)
			require.Empty(t, frozen().Freezes)
			scene.Env.CancelWorkflow()
		},
	}
	for i, step := range steps {
		scene.Env.RegisterDelayedCallback(step, time.Duration(i+1)*time.Minute)
	}
	scene.Env.ExecuteWorkflow(names.Freeze, workflows.FreezeInput{})
	require.Error(t, scene.Env.GetWorkflowError())
	require.True(t, frozen().Closed, "what a cancelled one says counts no more")
	var told []string
	for _, notice := range people.Heard["ops"] {
		require.Equal(t, patch.NoticeFrozen, notice.Kind)
		told = append(told, strings.TrimSpace(notice.Subject+" "+notice.Actor+" "+notice.Why))
	}
	require.Equal(t, []string{
		"account production is frozen ann incident", "account production is frozen ann incident 4711",
		"account production is frozen ben network", "account production is frozen still, for one reason less ben over",
		"account production is no longer frozen bob over",
		"everything counts as frozen  the workflow patchtide-freeze was cancelled",
	}, told, "what changes nothing is told to nobody")
}

func TestFreezeBeginsItsHistoryAnewWithAllItKeeps(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
	scene.Env.RegisterDelayedCallback(func() {
		for range 500 {
			scene.Env.UpdateWorkflow(names.UpdateFreeze, "", &testsuite.TestUpdateCallback{
				OnAccept: func() {}, OnReject: func(err error) { t.Error(err) }, OnComplete: func(any, error) {},
			}, workflows.FreezeRequest{Actor: "ann", Reason: "incident"})
		}
	}, time.Minute)
	scene.Env.ExecuteWorkflow(names.Freeze, workflows.FreezeInput{
		Freezes: patch.Freezes{{Account: "staging", Actor: "bob", Reason: "moves"}},
	})
	var again *workflow.ContinueAsNewError
	require.ErrorAs(t, scene.Env.GetWorkflowError(), &again)
}

// Who loses Temporal's database must not lose a freeze with it: the evidence keeps it. What is kept and cannot be
// believed freezes everything, until a person lifts that.
func TestAFreezeOutlivesTemporalsDatabase(t *testing.T) {
	for _, c := range []struct {
		name, account, says, told string
		meddle                    func(activities.Evidence) activities.Evidence
	}{
		{
			"its database is lost", "production", "account production is frozen by ann since", "account production",
			func(kept activities.Evidence) activities.Evidence { return kept },
		},
		{
			"and what is kept was altered", "", "everything is frozen by patchtide since", "everything",
			func(kept activities.Evidence) activities.Evidence { return alteredEvidence{kept} },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
			people := scene.Listen("ops")
			during := func(then func()) {
				scene.Env.RegisterDelayedCallback(then, time.Minute)
				scene.Env.RegisterDelayedCallback(scene.Env.CancelWorkflow, time.Hour)
				scene.Env.ExecuteWorkflow(names.Freeze, workflows.FreezeInput{})
				require.Error(t, scene.Env.GetWorkflowError())
			}
			update := func(name string, request workflows.FreezeRequest) {
				scene.Env.UpdateWorkflow(name, "", &testsuite.TestUpdateCallback{
					OnAccept:   func() {},
					OnReject:   func(err error) { require.NoError(t, err) },
					OnComplete: func(_ any, err error) { require.NoError(t, err) },
				}, request)
			}
			var status patch.FreezeStatus
			during(func() {
				update(names.UpdateFreeze, workflows.FreezeRequest{Actor: "ann", Reason: "incident", Account: "production"})
			})

			scene.Control.Evidence = c.meddle(scene.Control.Evidence)
			scene.Again(scene.Env.Now().Add(time.Hour))
			people.Heard["ops"] = nil
			during(func() {
				value, err := scene.Env.QueryWorkflow(names.QueryStatus)
				require.NoError(t, err)
				require.NoError(t, value.Get(&status))
				update(names.UpdateUnfreeze, workflows.FreezeRequest{
					Actor: "bob", Reason: "over", Account: c.account, ForAll: true,
				})
			})
			require.Len(t, status.Freezes, 1)
			require.Contains(t, status.Freezes[0].String(), c.says)
			var told []string
			for _, notice := range people.Heard["ops"] {
				told = append(told, notice.Subject)
			}
			require.Equal(t, []string{
				c.told + " is frozen still", c.told + " is no longer frozen", "everything counts as frozen",
			}, told)
			require.Contains(t, people.Heard["ops"][0].Findings[0], "Temporal knew nothing of it")
		})
	}
}

// alteredEvidence is evidence that somebody has altered.
type alteredEvidence struct{ activities.Evidence }

func (alteredEvidence) ProvenWave(_ context.Context, id string, _ any) error {
	return &evidence.InvalidWaveError{Name: id, Reason: "was altered"}
}

// brokenEvidence is evidence whose store refuses for good what is written of freezes.
type brokenEvidence struct {
	activities.Evidence
	writes *int
}

func (b brokenEvidence) PutWave(_ context.Context, id string, _ any) error {
	*b.writes++
	return &evidence.InvalidWaveError{Name: id, Reason: "was altered"}
}

// What the evidence refuses for good is tried again now and then, not without end in one moment, and people are told
// where a freeze that it lacks ends with its keeper.
func TestAFreezeThatTheEvidenceRefuses(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
	people := scene.Listen("ops")
	writes := 0
	scene.Control.Evidence = brokenEvidence{scene.Control.Evidence, &writes}
	scene.Env.RegisterDelayedCallback(func() {
		scene.Env.UpdateWorkflow(names.UpdateFreeze, "", &testsuite.TestUpdateCallback{
			OnAccept:   func() {},
			OnReject:   func(err error) { require.NoError(t, err) },
			OnComplete: func(_ any, err error) { require.NoError(t, err) },
		}, workflows.FreezeRequest{Actor: "ann", Reason: "incident", Account: "production"})
	}, time.Minute)
	scene.Env.RegisterDelayedCallback(scene.Env.CancelWorkflow, 2*time.Hour)
	scene.Env.ExecuteWorkflow(names.Freeze, workflows.FreezeInput{})
	require.Error(t, scene.Env.GetWorkflowError())
	require.LessOrEqual(t, writes, 6, "every half an hour, and at its end")
	told := people.Heard["ops"][len(people.Heard["ops"])-1]
	require.Contains(t, told.WhatToDo, "freeze again what must be")
	require.Len(t, told.Findings, 1)
	require.Contains(t, told.Findings[0], "account production is frozen by ann")
}
