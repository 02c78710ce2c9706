package patch_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func minutes(n int) time.Duration { return time.Duration(n) * time.Minute }

func TestJudgeHealth(t *testing.T) {
	auto := []patch.HealthCheck{{TargetGroup: "auto"}}
	target := func(health patch.TargetHealth) patch.Target {
		return patch.Target{TargetGroupARN: targetGroup, ID: "i-01", Port: 80, Health: health}
	}
	other := patch.Target{TargetGroupARN: targetGroup + "4", ID: "10.0.0.1", Port: 8080, Health: patch.TargetHealthy}
	alarm := func(state string, minute int) []patch.AlarmObservation {
		return []patch.AlarmObservation{{Name: "web-5xx", State: state, Since: noon.Add(minutes(minute))}}
	}
	for _, c := range []struct {
		name                    string
		before                  []patch.Target
		checks                  []patch.HealthCheck
		now                     patch.HealthObservation
		waiting, failed, unsaid string // a part of what is said; "" when nothing is
	}{
		{
			name: "healthy as before", before: []patch.Target{target(patch.TargetHealthy)}, checks: auto,
			now: patch.HealthObservation{Member: well(1, "a")},
		},
		{name: "nothing to check but EC2", now: patch.HealthObservation{Member: well(1, "a")}},
		{name: "stopped", now: patch.HealthObservation{Member: patch.Member{State: "stopped"}}, waiting: `"stopped"`},
		{name: "gone", now: patch.HealthObservation{}, waiting: `""`},
		{
			name: "status checks", now: patch.HealthObservation{Member: patch.Member{State: "running"}},
			waiting: "status checks",
		},
		{
			name: "target initial", before: []patch.Target{target(patch.TargetHealthy)}, checks: auto,
			now: seen(target(patch.TargetInitial)), waiting: "initial",
		},
		{
			name: "target not registered again", before: []patch.Target{target(patch.TargetHealthy)}, checks: auto, now: seen(),
			waiting: "not registered",
		},
		{
			name: "registered on another port", before: []patch.Target{target(patch.TargetHealthy)}, checks: auto,
			now:     seen(patch.Target{TargetGroupARN: targetGroup, ID: "i-01", Port: 81, Health: patch.TargetHealthy}),
			waiting: "not registered",
		},
		{
			name: "of two target groups one is missing", before: []patch.Target{target(patch.TargetHealthy), other},
			checks: auto, now: seen(target(patch.TargetHealthy)), waiting: "not registered",
		},
		{
			name: "both, one by its address", before: []patch.Target{target(patch.TargetHealthy), other}, checks: auto,
			now: seen(target(patch.TargetHealthy), other),
		},
		{
			name: "unused before is not judged, and that is said", before: []patch.Target{target(patch.TargetUnused)},
			checks: auto, now: seen(target(patch.TargetUnhealthy)), unsaid: "not judged",
		},
		{
			name: "disabled checks before are not judged", before: []patch.Target{target(patch.TargetUnavailable)}, checks: auto,
			now: seen(), unsaid: "not judged",
		},
		{
			name: "no check of target groups", before: []patch.Target{target(patch.TargetHealthy)},
			now: seen(target(patch.TargetUnhealthy)),
		},
		{
			name: "one target group named: another is not looked at", before: []patch.Target{target(patch.TargetHealthy)},
			checks: []patch.HealthCheck{{TargetGroup: "api"}}, now: seen(target(patch.TargetUnhealthy)),
		},
		{
			name: "one target group named", before: []patch.Target{target(patch.TargetHealthy)},
			checks: []patch.HealthCheck{{TargetGroup: "web"}}, now: seen(target(patch.TargetUnhealthy)), waiting: "unhealthy",
		},
		{
			name: "a name that only begins alike", before: []patch.Target{target(patch.TargetHealthy)},
			checks: []patch.HealthCheck{{TargetGroup: "we"}}, now: seen(target(patch.TargetUnhealthy)),
		},
		{name: "http 200", now: answers(200)},
		{name: "http 301", now: answers(301)},
		{name: "http 400", now: answers(400), waiting: "answers 400"},
		{name: "http 503", now: answers(503), waiting: "answers 503"},
		{name: "http silent", now: answers(0), waiting: "answers 0"},
		{name: "alarm OK", now: patch.HealthObservation{Member: well(1, "a"), Alarms: alarm("OK", 5)}},
		{
			name: "alarm rang after our return", now: patch.HealthObservation{Member: well(1, "a"), Alarms: alarm("ALARM", 1)},
			failed: "web-5xx",
		},
		{
			name: "alarm rang before our return", now: patch.HealthObservation{Member: well(1, "a"), Alarms: alarm("ALARM", -1)},
			unsaid: "web-5xx",
		},
		{
			name:   "alarm rang at the moment of our return",
			now:    patch.HealthObservation{Member: well(1, "a"), Alarms: alarm("ALARM", 0)},
			unsaid: "web-5xx",
		},
		{
			name: "alarm has too little data",
			now:  patch.HealthObservation{Member: well(1, "a"), Alarms: alarm("INSUFFICIENT_DATA", 1)},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			health := patch.JudgeHealth(c.before, c.checks, c.now, noon)
			for _, part := range []struct {
				want string
				got  []string
			}{{c.waiting, health.Waiting}, {c.failed, health.Failed}, {c.unsaid, health.Unsaid}} {
				if part.want == "" {
					require.Empty(t, part.got)
				} else {
					require.Len(t, part.got, 1)
					require.Contains(t, part.got[0], part.want)
				}
			}
			require.Equal(t, c.waiting == "" && c.failed == "", health.Healthy())
			if health.Healthy() {
				require.Equal(t, "healthy", health.String())
			} else {
				require.Contains(t, health.String(), c.waiting+c.failed)
			}
		})
	}
}

func seen(targets ...patch.Target) patch.HealthObservation {
	m := well(1, "a")
	m.Targets = targets
	return patch.HealthObservation{Member: m}
}

func answers(status int) patch.HealthObservation {
	return patch.HealthObservation{
		Member: well(1, "a"),
		Answers: []patch.Answer{
			{Check: patch.HealthCheck{HTTP: &patch.HTTPCheck{Path: "/healthz", Port: 80}}, Status: status},
		},
	}
}

func TestWindowOpen(t *testing.T) {
	night := &patch.Window{Opens: at(22, 23, 0), Cutoff: at(23, 2, 0), Closes: at(23, 3, 0)}
	for _, c := range []struct {
		name   string
		window *patch.Window
		at     time.Time
		open   bool
	}{
		{"none: any time", nil, at(1, 0, 0), true},
		{"a second before it opens", night, at(22, 23, 0).Add(-time.Second), false},
		{"as it opens", night, at(22, 23, 0), true},
		{"over midnight", night, at(23, 0, 30), true},
		{"a second before the cutoff", night, at(23, 2, 0).Add(-time.Second), true},
		{"at the cutoff", night, at(23, 2, 0), false},
		{"between cutoff and close", night, at(23, 2, 30), false},
		{"the evening after", night, at(23, 23, 30), false},
		{"in another time zone's words", night, at(23, 0, 30).In(time.FixedZone("JST", 9*3600)), true},
		{
			"empty: cutoff as it opens", &patch.Window{Opens: at(22, 23, 0), Cutoff: at(22, 23, 0), Closes: at(23, 0, 0)},
			at(22, 23, 0), false,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			open, why := c.window.Open(c.at)
			require.Equal(t, c.open, open)
			require.Equal(t, c.open, why == "", why)
		})
	}
}

func at(day, hour, minute int) time.Time {
	return time.Date(2026, 11, day, hour, minute, 0, 0, time.UTC)
}
