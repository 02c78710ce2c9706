package notify

import (
	"slices"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/situations"
	"github.com/patchtide/patchtide/internal/temporalui"
)

var (
	at    = time.Date(2026, 11, 22, 2, 10, 0, 0, time.UTC)
	until = at.Add(30 * time.Minute)
	where = temporalui.UI{Address: "http://localhost:8080", Namespace: "default"}
)

// samples has one notice of each kind, as workflows make them, and its variants.
func samples() map[string]patch.Notice {
	wave := func(kind patch.NoticeKind, n patch.Notice) patch.Notice {
		n.Kind, n.Key, n.At = kind, "wave-web-20261122-020000/0f1e/"+string(kind)+"-1", at
		n.WaveID, n.RunID, n.Plan = "wave-web-20261122-020000", "0f1e", "web"
		return n
	}
	failed := []patch.NoticedInstance{{
		Group: "production/ap-northeast-1/web", ID: "i-4333dc0704d74e937", Outcome: patch.RolledBack,
		Reason: "health checks: <targets> of web & api are unhealthy: 5xx > 1%",
	}}
	skipped := situations.All()["awaiting approval after a skip"].Status
	return map[string]patch.Notice{
		"started": wave(patch.NoticeStarted, patch.Notice{Actor: "alice", Why: "monthly patches"}),
		"awaiting_approval": wave(patch.NoticeAwaitingApproval, patch.Notice{
			Stage: "production", Hold: 2,
			Why: "Stage production: production/ap-northeast-1/web: 4 instances, 24 patches missing in all. Send approve or " +
				"reject.",
			Verbs: decisions(patch.StateAwaitingApproval), Otherwise: patch.Reject, Until: &until, Case: situations.Case(),
		}),
		"awaiting_approval_after_a_skip": wave(patch.NoticeAwaitingApproval, patch.Notice{
			Stage: "production", Hold: 2, Why: skipped.Awaiting, Case: skipped.Case,
			Instances: skipped.Case.Before[0].Unproven,
			Verbs:     decisions(patch.StateAwaitingApproval), Otherwise: patch.Reject, Until: &until,
		}),
		"on_hold": wave(patch.NoticeOnHold, patch.Notice{
			RollsBack: patch.RollsBack{Stage: 1, Wave: 3},
			Stage:     "production", Hold: 2,
			Why:   "production/ap-northeast-1/web: 1 failed, more than 0. Send retry, skip, roll back or abort.",
			Verbs: decisions(patch.StateOnHold), Otherwise: patch.RollBack, Until: &until, Instances: failed,
		}),
		"parked": wave(patch.NoticeParked, patch.Notice{
			Stage: "production", Hold: 2,
			Why:   "the window's cutoff was at 2026-11-22T05:00:00Z. Left: 3 of 5 of production/ap-northeast-1/web.",
			Verbs: decisions(patch.StateParked), Otherwise: patch.Abort, Until: &until,
		}),
		"parked_with_a_standing_verb": wave(patch.NoticeParked, patch.Notice{
			Stage: "production", Hold: 2,
			Why: "the window's cutoff was at 2026-11-22T05:00:00Z. approve by alice (looks well) at 2026-11-22T06:00:00Z: " +
				"acts when the window opens at 2026-12-13T02:00:00Z.",
			Verbs: []patch.Verb{patch.Reject, patch.RollBack, patch.Abort},
		}),
		"awaiting_plan": wave(patch.NoticeAwaitingPlan, patch.Notice{
			Why: "the plan database has an open wave: wave-database-1. It is waited for until 2026-11-22 05:00:00 UTC, " +
				"the window's cutoff.",
			Verbs: []patch.Verb{patch.Abort},
		}),
		"soaking": wave(patch.NoticeSoaking, patch.Notice{
			Stage: "staging", Hold: 1, RollsBack: patch.RollsBack{Stage: 2, Wave: 2},
			Why: "staging is done since 2026-11-22 03:00:00 UTC and soaks until 2026-11-25 03:00:00 UTC. Then the approval of " +
				"production is asked in the window that opens at 2026-11-29 02:00:00 UTC.",
			Verbs: decisions(patch.StateSoaking),
		}),
		"failed_instance": wave(patch.NoticeFailedInstance, patch.Notice{Stage: "production", Instances: failed}),
		"rolled_back": wave(patch.NoticeRolledBack, patch.Notice{
			Why: "rolled back by patchtide: nobody answered within 30m0s", Outcome: patch.RolledBack,
			Tally: patch.Tally{patch.Patched: 2, patch.RolledBack: 1, patch.NotStarted: 3},
		}),
		"finished": wave(
			patch.NoticeFinished,
			patch.Notice{Outcome: patch.Succeeded, Tally: patch.Tally{patch.Patched: 5, patch.AlreadyCompliant: 1}},
		),
		"finished_with_something_stranded": wave(patch.NoticeFinished, patch.Notice{
			Outcome: patch.Failed, Why: "aborted: bob: stop it", Tally: patch.Tally{patch.Patched: 2, patch.Failed: 1},
			Stranded: []patch.Stranded{{
				Account: "production", Region: "ap-northeast-1", Resource: "instance i-1", State: "in standby",
				WhatToDo: "aws autoscaling exit-standby --instance-ids i-1 --auto-scaling-group-name web",
			}},
		}),
		"refused": wave(patch.NoticeFinished, patch.Notice{
			Outcome: patch.Refused, Why: "Frozen: every account is frozen by carol since 2026-11-22 01:00:00 UTC: incident 12",
		}),
		"roll_back_refused": wave(patch.NoticeFinished, patch.Notice{
			PutsBack: "wave-web-20261120-020000", Outcome: patch.Refused,
			Why: "DataLoss: production/ap-northeast-1/web/i-1: 12 files were changed since the backup",
		}),
		"rolling_back_started": wave(
			patch.NoticeStarted, patch.Notice{PutsBack: "wave-web-20261120-020000", Actor: "bob", Why: "logins fail"},
		),
		"schedule_skipped": {
			Kind: patch.NoticeScheduleSkipped, Key: "schedule/web/2026-11-22T02:00:00Z", At: at, Plan: "web",
			WorkflowID: "open-window-web-2026-11-22",
			Why:        "production/ap-northeast-1/web is being patched by wave wave-web-20261121-020000",
			WhatToDo:   "Wait until that has ended, or abort it.",
		},
		"drift": {
			Kind: patch.NoticeDrift, Key: "drift/schedules/1", At: at, Subject: "the schedules differ from the files",
			WorkflowID: "patchtide-schedules",
			Findings:   []string{"web: paused by hand", "batch: missing"}, WhatToDo: "Make them equal, or change the files.",
			Commands: []string{"patchtide schedule sync"},
		},
		"frozen": {
			Kind: patch.NoticeFrozen, Key: "freeze/1", At: at, Subject: "every account is frozen", Actor: "carol",
			Why:      "incident 12",
			WhatToDo: "Waves hold between instances until it is lifted.",
			Commands: []string{`patchtide unfreeze --reason "..."`},
		},
		"stranded": {
			Kind: patch.NoticeStranded, Key: "patchtide-reconcile/1/stranded", At: at, Subject: "reconcile",
			WorkflowID: "patchtide-reconcile",
			Stranded: []patch.Stranded{
				{
					Account: "production", Region: "ap-northeast-1", Resource: "instance i-1", State: "quarantined",
					WhatToDo: "examine and terminate it",
				},
			},
		},
		"undo_fails": wave(patch.NoticeUndoFails, patch.Notice{
			Stage: "production", WorkflowID: "patch-instance/111122223333/ap-northeast-1/i-1",
			Subject: "the undo of standby on i-1 of production/ap-northeast-1/web",
			Why: "the undo of standby on i-1 of production/ap-northeast-1/web fails since 2026-11-22 02:05 UTC, attempt 9 " +
				"(ExitStandby): AccessDenied: an SCP denies it",
			Commands: []string{"aws autoscaling exit-standby --auto-scaling-group-name web --instance-ids i-1 --region " +
				"ap-northeast-1"},
			Verbs: []patch.Verb{patch.Abort},
		}),
		"undo_ended": wave(patch.NoticeUndoEnded, patch.Notice{
			Stage: "production", WorkflowID: "patch-instance/111122223333/ap-northeast-1/i-1",
			Subject: "the undo of standby on i-1 of production/ap-northeast-1/web",
			Why:     "the undo of standby on i-1 of production/ap-northeast-1/web has ended after 2h0m0s",
		}),
		"paused": wave(patch.NoticePaused, patch.Notice{
			Stage: "production", WorkflowID: "patch-instance/111122223333/ap-northeast-1/i-1",
			Subject: "i-1 of production/ap-northeast-1/web, at its step install",
			Why: "await install: it is paused in Temporal by ann: looking; it goes on by `temporal activity unpause " +
				"--workflow-id patch-instance/111122223333/ap-northeast-1/i-1 --activity-id 41`",
		}),
		"test": {Kind: patch.NoticeTest, Key: "test/1", At: at, Actor: "alice", Why: "somebody asked for it"},
	}
}

// worst is a notice of which every part is as long, and as awkward to encode, as it can be.
func worst(text string) patch.Notice {
	long := strings.Repeat(text, 2000)
	n := patch.Notice{
		Kind: patch.NoticeOnHold, Key: "wave-" + strings.Repeat("w", 240) + "/0f1e/on_hold-1", At: at,
		WaveID: "wave-" + strings.Repeat("w", 180) + strings.Repeat("'", 40), RunID: "0f1e",
		Plan: strings.Repeat("p", 63), Stage: strings.Repeat("s", 63), Actor: long, Why: long, WhatToDo: long, Until: &until,
		Otherwise: patch.RollBack,
		Verbs:     append(decisions(patch.StateOnHold), decisions(patch.StateAwaitingApproval)...),
		PutsBack:  strings.Repeat("b", 240), Subject: long,
		Commands: []string{"patchtide " + long, "two\nlines"},
	}
	for range 50 {
		n.Instances = append(
			n.Instances,
			patch.NoticedInstance{Group: long[:200], ID: "i-4333dc0704d74e937", Outcome: patch.Quarantined, Reason: long},
		)
		n.Stranded = append(
			n.Stranded,
			patch.Stranded{Account: "production", Region: "ap-northeast-1", Resource: long, State: long, WhatToDo: long},
		)
		n.Findings = append(n.Findings, long)
	}
	return n
}

// awkward texts: what each channel's markup, JSON in JSON, and UTF-8 make long.
var awkward = map[string]string{
	"plain":   "reason ",
	"markup":  "<&>`*_",
	"quotes":  `"\"`,
	"astral":  "😀",
	"han":     "補丁",
	"control": "\x00\x1b\u2028\n",
	"broken":  "\xff\xfe",
}

// decisions are the verbs that a notice of a wave in that state names.
// hard are notices of which every part is as long, and as awkward to encode, as it can be.
func hard() map[string]patch.Notice {
	all := map[string]patch.Notice{}
	for name, text := range awkward {
		all[name] = worst(text)
		approval := worst(text)
		approval.Case = worstCase(text)
		all[name+", of an approval"] = approval
	}
	return all
}

// worstCase is as much as an approval can be about.
func worstCase(text string) *patch.Case {
	long := strings.Repeat(text, 100)
	c := situations.Case()
	for range 20 {
		c.Before[0].Unproven = append(c.Before[0].Unproven, patch.NoticedInstance{Group: long, ID: "i-1", Reason: long})
		c.Changed.Packages = append(c.Changed.Packages, patch.MergedChange{
			PackageChange: patch.PackageChange{Name: long, From: long, To: long}, Instances: 1,
		})
		c.Due.Unseen = append(c.Due.Unseen, long)
		c.Alarms = append(c.Alarms, patch.CaseAlarm{Place: long, Name: long, State: long})
		c.Unknown = append(c.Unknown, long)
	}
	c.Before[0].UnprovenCount = 1000
	return c
}

func decisions(state patch.WaveState) []patch.Verb {
	return slices.DeleteFunc(patch.VerbsIn(state, true), func(v patch.Verb) bool { return !v.Decides() })
}
