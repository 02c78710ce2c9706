// Package situations is a table for tests: waves as somebody meets them, in every state that asks, waits or ends, so
// that whatever shows a wave is shown each of them.
package situations

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/patch"
)

// At is the moment at which each of them is looked at.
var At = time.Date(2026, 11, 22, 2, 10, 0, 0, time.UTC)

// Situation is a wave where somebody looks at it.
type Situation struct {
	Status    patch.WaveStatus
	Waits     patch.Waits                     // as Temporal tells them, which the wave itself cannot
	Groups    map[string]patch.GroupStatus    // by workflow id, as each tells of itself
	Instances map[string]patch.InstanceStatus // those under way, by workflow id
	Away      error                           // why nobody answered the last look
}

// Names are those of All, in order.
func Names() []string { return slices.Sorted(maps.Keys(All())) }

// The fleet of all of them: two in staging are patched, of production's four the first is, and the second is at stake.
const (
	staging    = "staging/ap-northeast-1/web"
	production = "production/ap-northeast-1/web"
	first      = "i-0a1f3c5e7d9b2a4c6"
	second     = "i-0b2e4d6f8a1c3e5f7"
	joined     = "i-09f8e7d6c5b4a3921"
)

func lock(kind, what string) string { return "patch-" + kind + "/111122223333/ap-northeast-1/" + what }

// All are the situations by name.
func All() map[string]Situation {
	all := map[string]Situation{}
	for name, status := range statuses() {
		all[name] = of(status)
	}
	away := func(why string, waits ...patch.Wait) Situation {
		s := of(in(patch.StateRunning, nil))
		s.Waits = patch.Waits{At: At, On: waits}
		if why != "" {
			s.Away = errors.New(why)
		}
		return s
	}
	all["AWS away"] = away("", patch.Wait{
		WorkflowID: "wave-web-1-examine-0", Activity: "InspectGroup", Attempt: 14, Since: At.Add(-10 * time.Minute),
		Failure: "read the group (" + production + "): AWS was not reached: connect: connection refused",
		Next:    At.Add(30 * time.Second),
	})
	all["paused in Temporal"] = away("", patch.Wait{
		WorkflowID: lock("instance", second), Activity: "AwaitInstall", Attempt: 3, Since: At.Add(-time.Minute),
		Failure: "it is paused in Temporal by ann: looking",
	})
	const noWorker = "Temporal answers and no worker does; the wave stands until one runs: patchtide worker"
	all["worker away"] = away(noWorker, patch.Wait{
		WorkflowID: lock("group", "web"), Activity: "RaiseDesired", Attempt: 1, Since: At.Add(-time.Minute),
		Untaken: At.Add(-time.Minute),
	})
	all["Temporal away"] = away("Temporal was not reached: connection refused")
	return all
}

// in is a wave in a state.
func in(state patch.WaveState, change func(*patch.WaveStatus)) patch.WaveStatus {
	status := patch.WaveStatus{
		WaveID: "wave-web-1", Plan: "web", State: state, Stage: "production", Since: At,
		Verbs: patch.VerbsIn(state, false), RollsBack: patch.RollsBack{Stage: 1, Wave: 3},
		Stages: []patch.StageStatus{
			{Name: "staging", Outcome: patch.Succeeded, Groups: []patch.GroupCounts{{
				Group: staging, WorkflowID: lock("group", "web-staging"), Phase: patch.GroupDone, Outcome: patch.Succeeded,
				Total: 2, Done: 2, Patched: 2,
			}}},
			{Name: "production", Groups: []patch.GroupCounts{{
				Group: production, WorkflowID: lock("group", "web"), Phase: patch.GroupPatching, Total: 4, Done: 1, Patched: 1,
			}}},
		},
	}
	if change != nil {
		change(&status)
	}
	return status
}

// of adds what the groups and the instances tell of themselves.
func of(status patch.WaveStatus) Situation {
	s := Situation{
		Status: status, Groups: map[string]patch.GroupStatus{}, Instances: map[string]patch.InstanceStatus{},
	}
	for _, stage := range status.Stages {
		for n, counts := range stage.Groups {
			told := patch.GroupStatus{Group: counts.Group, Phase: counts.Phase, Reason: counts.Reason}
			ids := []string{"i-0c111111111111111", "i-0c222222222222222"}
			if stage.Name == "production" {
				ids = []string{first, second, "i-0d333333333333333", "i-0e444444444444444"}
			}
			for i, id := range ids {
				result := patch.Untouched(id)
				if i < counts.Patched {
					result.Outcome, result.Ended = patch.Patched, At.Add(-time.Hour)
				}
				for _, failed := range counts.Failed {
					if failed.ID == id {
						result = failed
					}
				}
				told.Instances = append(told.Instances, result)
			}
			stage.Groups[n].Tally = patch.TallyOf(told.Instances)
			if counts.Phase == patch.GroupPatching {
				told.Current = []string{lock("instance", second)}
				now := patch.InstanceStatus{ID: second, Step: patch.StepInstall, Since: At.Add(-time.Minute)}
				for _, one := range counts.Now {
					now.Step, now.Undoing, now.Result.Reason = one.Step, one.Undoing, one.Why
				}
				s.Instances[told.Current[0]] = now
			}
			s.Groups[counts.WorkflowID] = told
		}
	}
	return s
}

func group(status *patch.WaveStatus) *patch.GroupCounts { return &status.Stages[1].Groups[0] }

// asks is a wave whose second instance failed, or whose stage is to be approved.
func asks(text string, then patch.Verb) func(*patch.WaveStatus) {
	return func(s *patch.WaveStatus) {
		until := At.Add(30 * time.Minute)
		s.Hold, s.Awaiting, s.Otherwise, s.Until = 2, text, then, &until
	}
}

const (
	counted = ". When this was asked, 4 of its 4 members were in service"
	held    = second + " rolled back: return to service: it is unhealthy in target group web " +
		"(Target.FailedHealthChecks)" + counted
)

func holds(why, also string, outcome patch.Outcome) patch.WaveStatus {
	return in(patch.StateOnHold, func(s *patch.WaveStatus) {
		asks(production+": "+why+". "+also+"Send retry, skip, roll back or abort.", patch.RollBack)(s)
		group(s).Phase, group(s).Reason = patch.GroupHeld, strings.TrimSuffix(why, counted)
		if outcome != "" {
			group(s).Done = 2
			group(s).Failed = []patch.InstanceResult{{
				ID: second, Outcome: outcome,
				Reason: strings.TrimSuffix(strings.TrimPrefix(why, second+" rolled back: "), counted),
			}}
		}
	})
}

func closed(outcome patch.Outcome, reason string) patch.WaveStatus {
	return in(patch.StateClosed, func(s *patch.WaveStatus) {
		s.Outcome, s.Reason, s.Verbs = outcome, reason, nil
		group(s).Phase, group(s).Outcome = patch.GroupDone, outcome
	})
}

// soaking is a wave whose first stage soaks; late is why it does not go on although that is over, "" while it lasts.
func soaking(late string) patch.WaveStatus {
	return in(patch.StateSoaking, func(s *patch.WaveStatus) {
		s.Stage = "staging"
		group(s).Phase, group(s).Done, group(s).Patched = patch.GroupIdle, 0, 0
		soak := patch.NewSoak(patch.After{
			Duration: patch.Duration(72 * time.Hour), Healthy: true, Every: patch.SoakEvery,
		}, "production", At.Add(-24*time.Hour))
		then := "Then the approval of production is asked in the window that opens at 2026-11-29 02:00:00 UTC. "
		if late != "" {
			soak.Since, soak.Until = soak.Since.AddDate(0, 0, -3), soak.Until.AddDate(0, 0, -3)
			then = "Then production follows: " + late + "; it is tried again at 2026-11-22T03:10:00Z. "
		}
		soak.Looked(patch.SoakLook{At: At.Add(-10 * time.Minute), Well: 1, Away: 1})
		s.Stages[0].Soak, s.RollsBack = soak, patch.RollsBack{Stage: 2, Wave: 2}
		moment := func(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05 UTC") }
		s.Awaiting = soak.Told("staging", At, moment) + ". " + then + "No lock is held, and nothing is suspended or out of " +
			"service. Send resume to go on without the rest of it, roll back or abort."
	})
}

func statuses() map[string]patch.WaveStatus {
	const frozen = "account production is frozen by bob since 2026-11-22 02:00 UTC: sale"
	all := map[string]patch.WaveStatus{
		"awaiting approval": toApprove("", func(s *patch.WaveStatus) {}),
		"four eyes": toApprove("", func(s *patch.WaveStatus) {
			s.Awaiting = "Stage production: 4 instances, 24 patches missing in all. Somebody other than ann, who started the " +
				"wave, has to approve. Send approve or reject."
			s.NotBy = "ann"
		}),
		"awaiting approval, not read yet": toApprove("", func(s *patch.WaveStatus) {
			s.Case.Reading, s.Case.Changed, s.Case.Due, s.Case.Alarms = true, patch.CaseChanged{}, patch.CaseDue{Of: 4}, nil
		}),
		"awaiting approval after a skip": skippedBefore(),
		"awaiting approval, and much is not known": toApprove("", func(s *patch.WaveStatus) {
			s.Case.Changed, s.Case.Due, s.Case.Alarms = patch.CaseChanged{}, patch.CaseDue{Of: 4}, nil
			s.Case.Unknown = []string{
				"what is due in " + production + ": AccessDenied: the role may not describe the patches",
				"how its alarms stand in production/ap-northeast-1: there is no CloudWatch alarm \"web-5xx\"",
				"what the stages before changed, and so what they have not seen: the evidence store is away",
			}
		}),
		"on hold": holds(held, "", patch.RolledBack),
		"on hold, paused and frozen": holds(held, "It is paused by ann: looking: answer first, then send "+
			"resume: nothing begins before. As of 2026-11-22 02:10:00 UTC "+frozen+
			": nothing begins there until that is lifted. ", patch.RolledBack),
		"quarantined at a hold": holds(second+" quarantined: its restore failed", "", patch.Quarantined),
		"lost its group":        holds("its workflow ended before the wave released it; was it terminated?", "", ""),
		"closed with one in quarantine": in(patch.StateClosed, func(s *patch.WaveStatus) {
			s.Outcome, s.Verbs = patch.Failed, nil
			group(s).Phase, group(s).Outcome = patch.GroupDone, patch.Failed
			group(s).Failed = []patch.InstanceResult{{ID: second, Outcome: patch.Quarantined}}
		}),
		"running": in(patch.StateRunning, nil),
		"an instance is put back": in(patch.StateRunning, func(s *patch.WaveStatus) {
			group(s).Now = []patch.InstanceNow{{
				ID: second, Step: patch.StepRestore, Undoing: true, Since: At.Add(-time.Minute),
				Why: "health checks: it is unhealthy in target group web (Target.FailedHealthChecks)",
			}}
		}),
		"frozen": in(patch.StateRunning, func(s *patch.WaveStatus) {
			group(s).Phase, group(s).Reason = patch.GroupPaused, frozen
		}),
		"soaking between zones": in(patch.StateRunning, func(s *patch.WaveStatus) {
			group(s).Phase, group(s).Reason = patch.GroupPaused, "zone ap-northeast-1a is patched and watched: zone "+
				"ap-northeast-1c begins at 2026-11-22T03:00:00Z"
		}),
		"a canary has baked": in(patch.StateRunning, func(s *patch.WaveStatus) {
			group(s).Phase, group(s).Reason = patch.GroupStepDone, "its canary is patched and watched; the others are "+
				"taken once the canaries of the stage's other groups are, too"
		}),
		"a step is to be approved": in(patch.StateAwaitingApproval, func(s *patch.WaveStatus) {
			asks("step 1 (1) of production is done: "+production+": 1 of 4 patched. Then step 2 (100%) of production. Send "+
				"approve or reject; reject ends the wave and leaves what is patched as it is.", patch.Reject)(s)
			s.Case = Case()
			group(s).Phase, group(s).Reason = patch.GroupStepDone, "1 of its 4 instances are patched, as far as step 1 of "+
				"2 goes; the others wait for the stage's other groups, the step's soak and its approval"
			s.Stages[1].Steps = []patch.StepStatus{
				{To: patch.Instances(1), Done: At.Add(-time.Minute), Next: true}, {To: patch.Percent(100)},
			}
		}),
		"takes only some": in(patch.StateRunning, func(s *patch.WaveStatus) {
			s.Only = &patch.Only{Zones: []string{"ap-northeast-1a"}}
			group(s).LeftOut = []string{"i-0f555555555555555 left as it is: this wave takes only zone ap-northeast-1a"}
		}),
		"waits for another plan": in(patch.StatePreflight, func(s *patch.WaveStatus) {
			s.Stage, s.RollsBack = "", patch.RollsBack{}
			s.Stages = []patch.StageStatus{{Name: "staging", Groups: []patch.GroupCounts{}}, {
				Name: "production", Groups: []patch.GroupCounts{},
			}}
			s.Awaiting = "the plan database has an open wave: wave-database-1. It is waited for until 2026-11-22 05:00:00 " +
				"UTC, the window's cutoff."
		}),
		"a tier that waits for reboots": in(patch.StateRunning, func(s *patch.WaveStatus) {
			group(s).Baseline = "windows-server-2022"
			group(s).Waiting = []string{
				"i-0a111111111111111 waits for a reboot, which this wave leaves to others: KB5041111",
			}
		}),
		"paused": in(patch.StatePaused, func(s *patch.WaveStatus) {
			s.Awaiting = "paused by ann: looking. An instance under way ends first. Send resume, roll back or abort."
		}),
		"aborting":             in(patch.StateAborting, nil),
		"rolling back a stage": in(patch.StateRollingBack, nil),
		"rolling back a wave": in(patch.StateRollingBack, func(s *patch.WaveStatus) {
			s.Stage, s.PutsBack = "staging", "wave-web-0"
			for i := range s.Stages {
				for j := range s.Stages[i].Groups {
					s.Stages[i].Groups[j].ToPutBack = s.Stages[i].Groups[j].Phase != patch.GroupDone
				}
			}
		}),
		"an undo fails": in(patch.StateRollingBack, func(s *patch.WaveStatus) {
			s.FailingUndos = []patch.FailingUndo{{
				Group: production, Instance: second, Step: patch.StepStandby, Act: "ExitStandby", Since: At, Attempt: 12,
				Error: "AccessDenied", At: At,
			}}
			s.Awaiting = patch.Asks("", s.FailingUndos)
		}),
		"soaking":       soaking(""),
		"soaking, late": soaking("resume by patchtide (staging soaked for 3d) could not be carried out: " + frozen),
		"ill while it soaks": in(patch.StateOnHold, func(s *patch.WaveStatus) {
			*s = soaking("")
			s.State, s.Verbs = patch.StateOnHold, patch.VerbsIn(patch.StateOnHold, false)
			until := At.Add(30 * time.Minute)
			s.Hold, s.Otherwise, s.Until = 2, patch.Abort, &until
			s.Awaiting = "staging is not well while it soaks, by two looks: 1 ill: staging/ap-northeast-1/Role=web " +
				"i-0f111111111111111 (unhealthy in target group web-staging). Send retry to look again and go on soaking, skip " +
				"to go on to production as it is, roll back or abort."
		}),
		"parked": in(patch.StateParked, func(s *patch.WaveStatus) {
			s.Awaiting = "the window closed before 3 instances. Send resume to go on in the window that opens at 2026-11-23 " +
				"02:00 UTC."
			s.NextWindow = &patch.Window{Opens: At.Add(24 * time.Hour)}
			group(s).Phase, group(s).Outcome = patch.GroupDone, patch.Aborted
		}),
		"something is stranded": in(patch.StateRunning, func(s *patch.WaveStatus) {
			s.Stranded = []patch.Stranded{{
				Account: "production", Region: "ap-northeast-1", Resource: "instance " + second, State: "in standby",
				WhatToDo: "return it to service",
			}}
			s.NotTold = []string{"on_hold: the channel ops: 503"}
		}),
	}
	second := holds(held, "", patch.RolledBack)
	group(&second).Done, group(&second).Failed = 3, append([]patch.InstanceResult{{
		ID: "i-0d333333333333333", Outcome: patch.Skipped, Reason: "install: openssl is held back by a version lock",
	}}, group(&second).Failed...)
	all["on hold over the second that failed"] = second
	gaps := closed(patch.SucceededWithGaps, production+": not reached: "+joined+" it joined meanwhile")
	group(&gaps).Gaps = []patch.Gap{{Instance: joined, Why: "it joined meanwhile"}}
	all["closed as succeeded with gaps"] = gaps
	for _, outcome := range []patch.Outcome{
		patch.Succeeded, patch.SucceededWithSkips, patch.SucceededImageStale, patch.RolledBack, patch.NothingPutBack,
		patch.Aborted, patch.Failed,
	} {
		name := strings.ReplaceAll(string(outcome), "_", " ")
		all["closed as "+name] = closed(outcome, "why it ended as "+name)
	}
	for _, check := range patch.Checks() {
		refused := closed(patch.Refused, string(check.Code)+": "+production+": "+check.When+" → "+check.WhatToDo)
		refused.Stages = []patch.StageStatus{} // nothing was begun
		all["refused as "+string(check.Code)] = refused
	}
	return all
}
