package situations

import (
	"time"

	"github.com/patchtide/patchtide/internal/patch"
)

// toApprove is a wave whose staging is patched, and whose production waits for a person. first: what is said first.
func toApprove(first string, change func(*patch.WaveStatus)) patch.WaveStatus {
	return in(patch.StateAwaitingApproval, func(s *patch.WaveStatus) {
		asks(first+"Stage production: 4 instances, 24 patches missing in all. Send approve or reject.", patch.Reject)(s)
		group(s).Phase, group(s).Done, group(s).Patched = patch.GroupIdle, 0, 0
		s.Case = Case()
		change(s)
	})
}

// Case is what an approval is about after a staging that is patched, in which a kernel was not due.
func Case() *patch.Case {
	changed := func(name, from, to string, instances int) patch.MergedChange {
		return patch.MergedChange{
			PackageChange: patch.PackageChange{Name: name, From: from, To: to}, Instances: instances,
		}
	}
	return &patch.Case{
		Stage: "production", At: At,
		Before: []patch.CaseBefore{{Stage: "staging", Instances: 2, Patched: 2, Since: At.Add(-80 * time.Minute)}},
		Changed: patch.CaseChanged{Instances: 2, More: 3, Packages: []patch.MergedChange{
			changed("curl.x86_64", "0:8.5.0-1.amzn2023.0.4", "0:8.5.0-1.amzn2023.0.5", 2),
			changed("openssl.x86_64", "1:3.0.8-1.amzn2023.0.14", "1:3.0.8-1.amzn2023.0.16", 1),
			changed("openssl-fips.x86_64", "", "1:3.0.8-1.amzn2023.0.16", 1),
			changed("python3-old.noarch", "0:3.9.1-1", "", 1),
		}},
		Due: patch.CaseDue{
			Instances: 3, Of: 4, Patches: 6, Oldest: At.Add(-2 * time.Hour), Compared: true,
			Unseen: []string{"kernel.x86_64"}, UnseenCount: 1,
		},
		Gates: []string{"web-5xx"},
		Alarms: []patch.CaseAlarm{
			{Place: "production/eu-west-1", Name: "web-5xx", State: patch.AlarmRings, Since: At.Add(-time.Minute)},
			{Place: "production/ap-northeast-1", Name: "web-5xx", State: patch.AlarmWell, Since: At.Add(-time.Hour)},
		},
		Loses: "a roll back of stage production: each of them gets its root volume back as it was, and loses what was " +
			"written to it since",
		Unknown: []string{"what is due on 1 of " + production + ": they were not scanned by the plan's baseline"},
	}
}

// skippedBefore is a wave whose plan promotes with skips: one of staging was put back.
func skippedBefore() patch.WaveStatus {
	const ill = "health checks: it is unhealthy in target group web"
	left := []patch.NoticedInstance{{
		Group: staging, ID: "i-0c222222222222222", Outcome: patch.RolledBack, Reason: ill,
	}}
	first := "Look first: " + patch.NotProven("staging", left) + ". "
	return toApprove(first, func(s *patch.WaveStatus) {
		group := &s.Stages[0].Groups[0]
		group.Patched, group.Unproven = 1, left
		group.Failed = []patch.InstanceResult{{ID: left[0].ID, Outcome: patch.RolledBack, Reason: ill}}
		group.Outcome, s.Stages[0].Outcome = patch.SucceededWithSkips, patch.SucceededWithSkips
		before := &s.Case.Before[0]
		before.Patched, before.Unproven, before.UnprovenCount = 1, left, len(left)
		s.Case.Changed.Instances = 1
		for i := range s.Case.Changed.Packages {
			s.Case.Changed.Packages[i].Instances = 1
		}
	})
}
