package patch

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDurationsMayHaveDays(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"3d": 72 * time.Hour, "1d12h": 36 * time.Hour, "0d": 0, "30d": 720 * time.Hour, "2d30m": 48*time.Hour + 30*time.Minute,
		"72h": 72 * time.Hour, "1h30m": 90 * time.Minute, "50ms": 50 * time.Millisecond,
	} {
		var d Duration
		require.NoError(t, d.UnmarshalText([]byte(text)), text)
		require.Equal(t, want, d.D(), text)
		again, err := json.Marshal(d)
		require.NoError(t, err)
		var read Duration
		require.NoError(t, json.Unmarshal(again, &read))
		require.Equal(t, d, read, text)
	}
	for _, text := range []string{"d", "-1d", "1.5d", "1d-1h", "1d+1h", "1d24h", "3 d", "1dd", "1h1d", "99999999d", "d1h"} {
		var d Duration
		require.ErrorContains(t, d.UnmarshalText([]byte(text)), "is not a duration", text)
	}
}

// soaking is a wave whose stage soaks, with a window that ends on it and one that follows; hours count from its begin.
func soaking(until int) patchAt {
	at := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	hour := func(h int) time.Time { return at.Add(time.Duration(h) * time.Hour) }
	return patchAt{hour, Parked{
		Window:   &Window{Opens: hour(-2), Cutoff: hour(2), Closes: hour(3)},
		Next:     &Window{Opens: hour(24), Cutoff: hour(27), Closes: hour(28)},
		Standing: &Decision{Verb: Resume, Actor: "patchtide"}, Soaks: hour(until),
	}}
}

type patchAt struct {
	hour func(int) time.Time
	Parked
}

func TestAStageThatSoaksGoesOnInTheFirstWindowAfterIt(t *testing.T) {
	for _, c := range []struct {
		name    string
		until   int // of the soak, in hours
		asked   bool
		at      int
		move    ParkedMove
		waits   int
		acts    int
		anyTime bool
	}{
		{"it soaks, whatever is open", 10, false, 1, ParkedWaits, 10, 24, false},
		{"between the windows", 10, false, 5, ParkedWaits, 10, 24, false},
		{"over: the window is asked anew", 10, false, 10, ParkedSoaked, 0, 24, false},
		{"over, and none is open", 10, true, 11, ParkedWaits, 24, 24, false},
		{"the next opens", 10, true, 24, ParkedGoesOn, 0, 24, false},
		{"over in the window that it began in", 1, true, 1, ParkedGoesOn, 0, 1, false},
		{"over in the middle of a window", 26, true, 26, ParkedGoesOn, 0, 26, false},
		{"over after the window", 40, true, 40, ParkedAsks, 0, 0, false},
		{"a plan without windows soaks", 10, false, 5, ParkedWaits, 10, 10, true},
		{"and goes on", 10, true, 11, ParkedGoesOn, 0, 11, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := soaking(c.until)
			if c.anyTime {
				p.AnyTime, p.Window = true, nil
				p.Next.Opens = p.hour(c.until)
			}
			if c.asked {
				p.Soaks = time.Time{}
			}
			step := p.Step(p.hour(c.at))
			require.Equal(t, c.move, step.Move)
			if c.waits != 0 {
				require.Equal(t, p.hour(c.waits), step.Until)
			}
			if c.anyTime {
				require.Nil(t, step.Window, "it has none, and gets none")
			}
			if c.acts != 0 {
				require.Equal(t, p.hour(c.acts), p.Acts(p.hour(c.at)))
			}
		})
	}
}

func TestAStandingVerbThatIsTriedInAPlanWithoutWindows(t *testing.T) {
	p := soaking(10)
	p.AnyTime, p.Window, p.Soaks = true, nil, time.Time{}
	p.Next.Opens = p.hour(10)
	p.InVain(p.hour(10))
	step := p.Step(p.hour(10))
	require.Equal(t, ParkedWaits, step.Move)
	require.Equal(t, p.hour(10).Add(time.Minute), step.Until)
	require.Contains(t, p.Tells(p.hour(10)), "is tried again at 2026-11-22T10:01:00Z")
	p.Stand(nil)
	require.Equal(t, p.Next, p.Step(p.hour(11)).Window, "people are asked until then")
}

func TestVerdictsOfALookAtAStageThatSoaks(t *testing.T) {
	ill := func(count int) (look SoakLook) {
		for range count {
			look.SawIll(NoticedInstance{Group: "a/r/web", ID: "i-1", Reason: "http 500"})
		}
		return look
	}
	unread := SoakLook{}
	unread.CouldNotRead(2, "a/r/web: AccessDenied")
	for _, c := range []struct {
		name string
		look SoakLook
		want SoakVerdict
		says string
	}{
		{"all well", SoakLook{Well: 4}, SoakWell, "4 well"},
		{"nobody to look at", SoakLook{}, SoakWell, "0 well"},
		{"some are gone", SoakLook{Well: 3, Away: 1}, SoakWell, "3 well, 1 gone or at rest"},
		{"all are gone", SoakLook{Away: 4}, SoakUnknown, "4 gone or at rest"},
		{"some could not be read", unread.And(SoakLook{Well: 1}), SoakUnknown, "2 could not be read: a/r/web: AccessDenied, 1 well"},
		{"one is ill", ill(1).And(SoakLook{Well: 3}), SoakIll, "1 ill: a/r/web i-1 (http 500), 3 well"},
		{"ill, and some could not be read", ill(1).And(unread), SoakIll, "1 ill: a/r/web i-1 (http 500), 2 could not be read"},
		{"many are ill", ill(3).And(ill(4)), SoakIll, "; and 2 more"},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.want, c.look.Verdict())
			require.Contains(t, c.look.String(), c.says)
		})
	}
}

func TestAnInstanceIsJudgedWhileItsStageSoaks(t *testing.T) {
	now := HealthObservation{Member: Member{
		ID: "i-1", State: "running", StatusOK: true, Targets: []Target{{TargetGroupARN: "tg", ID: "i-1", Health: TargetHealthy}},
	}}
	checks := []HealthCheck{{TargetGroup: "auto"}, {Alarm: "errors"}}
	for name, c := range map[string]struct {
		change func(*HealthObservation)
		says   string // "": it is well
	}{
		"well":                     {func(*HealthObservation) {}, ""},
		"a target that is not":     {func(o *HealthObservation) { o.Member.Targets[0].Health = TargetUnhealthy }, "unhealthy in tg"},
		"a target that is unused":  {func(o *HealthObservation) { o.Member.Targets[0].Health = TargetUnused }, ""},
		"deregistered by somebody": {func(o *HealthObservation) { o.Member.Targets = nil }, ""},
		"a status check":           {func(o *HealthObservation) { o.Member.StatusOK = false }, "status checks have not passed"},
		"its group's word":         {func(o *HealthObservation) { o.Member.Health = "Unhealthy" }, "calls it Unhealthy"},
		"an alarm": {func(o *HealthObservation) {
			o.Alarms = []AlarmObservation{{Name: "errors", State: AlarmRings, Since: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}}
		}, "alarm errors entered ALARM"},
	} {
		t.Run(name, func(t *testing.T) {
			seen := now
			seen.Member.Targets = append([]Target{}, now.Member.Targets...)
			c.change(&seen)
			health := JudgeSoak(checks, seen)
			require.Equal(t, c.says == "", health.Healthy(), "%s", health)
			if c.says != "" {
				require.Contains(t, health.String(), c.says)
			}
		})
	}
}

func TestWhatIsToldOfASoak(t *testing.T) {
	at := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	moment := func(t time.Time) string { return t.Format("02T15") }
	after := After{Duration: Duration(72 * time.Hour), Healthy: true, Every: SoakEvery}
	soak := NewSoak(after, "production", at)
	require.Equal(t, "staging is done since 22T00 and soaks until 25T00; nobody has looked at its health yet",
		soak.Told("staging", at, moment))
	require.Equal(t, "nobody has looked at its health yet", soak.Unproven())
	soak.Looked(SoakLook{At: at, Well: 2})
	require.Empty(t, soak.Unproven())
	soak.Looked(SoakLook{At: at.Add(time.Hour), Away: 2})
	require.Contains(t, soak.Unproven(), "2 gone or at rest")
	require.Equal(t, "staging soaked for 3d, since 22T00; the last of 2 looks, at 22T01: 2 gone or at rest "+
		"(0 bad in all, 1 that could not be told by)", soak.Told("staging", at.Add(72*time.Hour), moment))
	soak.End(at.Add(24*time.Hour), "resume by ann (urgent)")
	require.Contains(t, soak.Told("staging", at.Add(96*time.Hour), moment),
		"staging soaked for 1d, 2d less than planned: resume by ann (urgent)")
	after.Healthy = false
	require.Empty(t, NewSoak(after, "production", at).Unproven(), "it only waits")
}

func TestSoaksThatBackupsDoNotOutlast(t *testing.T) {
	plan := func(soaks ...Duration) Plan {
		p := Plan{
			Backup: BackupSnapshot, Retention: Duration(7 * 24 * time.Hour), Timing: DefaultTiming(),
			Stages: []Stage{{Name: "one"}},
		}
		for i, soak := range soaks {
			stage := Stage{Name: []string{"two", "three"}[i]}
			if soak > 0 {
				stage.After = &After{Duration: soak}
			}
			p.Stages = append(p.Stages, stage)
		}
		return p
	}
	day := Duration(24 * time.Hour)
	require.Empty(t, plan(0, day/2).SoakWarnings())
	require.Len(t, plan(3*day).SoakWarnings(), 1)
	require.Contains(t, plan(3 * day).SoakWarnings()[0], "from 1d on (rollback_max_age) its backups count as old")
	require.Contains(t, plan(3*day, 5*day).SoakWarnings()[1], "whose backups are kept for 7d (retention)")
	without := plan(3 * day)
	without.Backup = BackupNone
	require.Empty(t, without.SoakWarnings())
}
