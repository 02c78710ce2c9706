package patch

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// After is how long the stage before one must have been done until that one begins: it soaks.
type After struct {
	Duration Duration `json:"duration"`
	Healthy  bool     `json:"healthy"` // its health is looked at meanwhile
	Every    Duration `json:"every"`   // between two looks
}

// Words is the soak before a stage, as something that is waited for.
func (a After) Words(stage string) string {
	return fmt.Sprintf("the soak of %s before %s", a.Duration.Rough(), stage)
}

// SoakEvery is the time between two looks at a stage that soaks: what a bake has proved once ages slowly, and each look
// asks every instance.
const SoakEvery = Duration(time.Hour)

// SoakConfirm is how long after a bad look another is to confirm it: longer than a deployment or a reboot by others
// usually takes.
const SoakConfirm = Duration(5 * time.Minute)

// Soak is the time between two stages, in which a wave holds no locks, as its status and its evidence tell it.
type Soak struct {
	Before  string    `json:"before"` // the stage that begins after it
	Since   time.Time `json:"since"`  // when the one that soaks was done
	Until   time.Time `json:"until"`
	Every   Duration  `json:"every,omitempty"` // between two looks at its health; 0: nobody looks
	Looks   int       `json:"looks,omitempty"`
	Bad     int       `json:"bad,omitempty"`    // of them: saw something ill
	Unread  int       `json:"unread,omitempty"` // of them: could not be told by
	Last    *SoakLook `json:"last_look,omitempty"`
	Ended   time.Time `json:"ended,omitzero"`
	CutBy   string    `json:"cut_by,omitempty"` // who ended it early, and why
	Skipped Duration  `json:"skipped,omitempty"`
}

// NewSoak begins the time between a stage that is done and one that has to wait for it.
func NewSoak(after After, before string, now time.Time) *Soak {
	soak := &Soak{Before: before, Since: now, Until: now.Add(after.Duration.D())}
	if after.Healthy {
		soak.Every = after.Every
	}
	return soak
}

// Looked takes a look.
func (s *Soak) Looked(look SoakLook) {
	s.Looks++
	switch look.Verdict() {
	case SoakIll:
		s.Bad++
	case SoakUnknown:
		s.Unread++
	}
	s.Last = &look
}

// End ends it at a moment. cutBy says who ended it early; "": nobody did.
func (s *Soak) End(at time.Time, cutBy string) {
	s.Ended = at
	if s.Until.After(at) {
		s.CutBy, s.Skipped = cutBy, Duration(s.Until.Sub(at))
	}
}

// Unproven is why the stage after it may not begin by itself although the time is over: the last look did not see the
// stage well. "": it may.
func (s *Soak) Unproven() string {
	switch {
	case s.Every == 0:
		return ""
	case s.Last == nil:
		return "nobody has looked at its health yet"
	case s.Last.Verdict() != SoakWell:
		return "the last look did not see it well: " + s.Last.String()
	}
	return ""
}

// Took is how long it has lasted by now, or lasted.
func (s *Soak) Took(now time.Time) Duration {
	if !s.Ended.IsZero() {
		now = s.Ended
	}
	return Duration(now.Sub(s.Since))
}

// Told says of a soak what an approver, and whoever looks at the wave, should know. moment writes a time.
func (s *Soak) Told(stage string, now time.Time, moment func(time.Time) string) string {
	text := fmt.Sprintf("%s is done since %s and soaks until %s", stage, moment(s.Since), moment(s.Until))
	switch {
	case s.CutBy != "":
		text = fmt.Sprintf("%s soaked for %s, %s less than planned: %s", stage, s.Took(now).Rough(), s.Skipped.Rough(),
			s.CutBy)
	case !s.Ended.IsZero(), !now.Before(s.Until):
		text = fmt.Sprintf("%s soaked for %s, since %s", stage, s.Took(now).Rough(), moment(s.Since))
	}
	switch {
	case s.Every == 0:
		return text + "; nobody looks at its health meanwhile"
	case s.Last == nil:
		return text + "; nobody has looked at its health yet"
	}
	text += fmt.Sprintf("; the last of %d looks, at %s: %s", s.Looks, moment(s.Last.At), s.Last)
	if s.Bad+s.Unread > 0 {
		text += fmt.Sprintf(" (%d bad in all, %d that could not be told by)", s.Bad, s.Unread)
	}
	return text
}

// Soaks reports whether an instance that ended so is looked at while its stage soaks: it has what the stage proves.
func (o Outcome) Soaks() bool {
	return slices.Contains([]Outcome{Patched, PatchedRebootPending, AlreadyCompliant, RebootPending}, o)
}

// SoakLook is one look at the instances of a stage that soaks.
type SoakLook struct {
	At     time.Time         `json:"at"`             // by the clock of who looked
	Well   int               `json:"well,omitempty"` // so many are
	Ill    []NoticedInstance `json:"ill,omitempty"`  // the first of them
	IllIn  int               `json:"ill_in_all,omitempty"`
	Unread []string          `json:"unread,omitempty"` // the first of what could not be read, and why
	// UnreadIn counts instances that could not be read.
	UnreadIn int `json:"unread_in_all,omitempty"`
	// Away are gone, as those that were scaled in, or serve nobody, as those that somebody has stopped: not ill.
	Away int `json:"away,omitempty"`
}

// SoakVerdict is what a look comes to.
type SoakVerdict string

// The verdicts of a look.
const (
	SoakWell    SoakVerdict = "well"
	SoakIll     SoakVerdict = "ill"
	SoakUnknown SoakVerdict = "unknown" // neither: something could not be read, or nobody is left
)

// Verdict is what the look comes to. What could not be read is neither well nor ill, and instances that are gone are
// not ill; where all of them are, nobody proves anything any more.
func (l SoakLook) Verdict() SoakVerdict {
	switch {
	case l.IllIn > 0:
		return SoakIll
	case l.UnreadIn > 0, l.Well == 0 && l.Away > 0:
		return SoakUnknown
	}
	return SoakWell
}

// Most of each kind that a look names.
const mostSoakNamed = 5

// SawIll takes an instance that is not well.
func (l *SoakLook) SawIll(one NoticedInstance) {
	l.IllIn++
	if len(l.Ill) < mostSoakNamed {
		l.Ill = append(l.Ill, one)
	}
}

// CouldNotRead takes instances that could not be read.
func (l *SoakLook) CouldNotRead(instances int, why string) {
	l.UnreadIn += instances
	if len(l.Unread) < mostSoakNamed {
		l.Unread = append(l.Unread, Clip(why, longestNote))
	}
}

// And is two looks at different instances as one.
func (l SoakLook) And(other SoakLook) SoakLook {
	l.Well, l.Away = l.Well+other.Well, l.Away+other.Away
	l.IllIn, l.UnreadIn = l.IllIn+other.IllIn, l.UnreadIn+other.UnreadIn
	l.Ill, l.Unread = slices.Concat(l.Ill, other.Ill), slices.Concat(l.Unread, other.Unread)
	l.Ill, l.Unread = l.Ill[:min(len(l.Ill), mostSoakNamed)], l.Unread[:min(len(l.Unread), mostSoakNamed)]
	return l
}

// String is the look for people: "4 well, 1 gone or at rest".
func (l SoakLook) String() string {
	var said []string
	if l.IllIn > 0 {
		said = append(said, fmt.Sprintf("%d ill: %s", l.IllIn, l.named()))
	}
	if l.UnreadIn > 0 {
		said = append(said, fmt.Sprintf("%d could not be read: %s", l.UnreadIn, strings.Join(l.Unread, "; ")))
	}
	if l.Well > 0 || l.Away == 0 && len(said) == 0 {
		said = append(said, fmt.Sprintf("%d well", l.Well))
	}
	if l.Away > 0 {
		said = append(said, fmt.Sprintf("%d gone or at rest", l.Away))
	}
	return strings.Join(said, ", ")
}

func (l SoakLook) named() string {
	var words []string
	for _, one := range l.Ill {
		words = append(words, fmt.Sprintf("%s %s (%s)", one.Group, one.ID, one.Reason))
	}
	if more := l.IllIn - len(l.Ill); more > 0 {
		words = append(words, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(words, "; ")
}

// JudgeSoak judges one instance by a look at it, as the bake of its stage did: what it is registered in must have it
// healthy, and no gate alarm may ring, since when ever.
func JudgeSoak(checks []HealthCheck, now HealthObservation) Health {
	before := slices.Clone(now.Member.Targets)
	for i, target := range before {
		if target.Judged() {
			before[i].Health = TargetHealthy
		}
	}
	health := JudgeHealth(before, checks, now, time.Time{})
	if now.Member.Health == "Unhealthy" {
		health.wait("its Auto Scaling group calls it Unhealthy")
	}
	return health
}

// InService reports whether an instance serves, or should: neither gone nor stopped, and with its Auto Scaling group,
// if it has one, not out of service for any reason.
func (m Member) InService() bool {
	return m.State == "running" && (m.Lifecycle == "" || m.Lifecycle == "InService")
}

// SoakWarnings says where backups may be too old for a roll back by the time a stage has soaked.
func (p Plan) SoakWarnings() []string {
	var said []string
	var soaked Duration
	for i, stage := range p.Stages {
		if stage.After == nil {
			continue
		}
		soaked += stage.After.Duration
		before := p.Stages[i-1].Name
		if p.Backup == BackupNone {
			continue
		}
		if soaked >= p.Retention {
			said = append(said, fmt.Sprintf("stage %s begins %s after stage %s was patched, whose backups are kept for %s "+
				"(retention): by then a roll back asks for --accept-loss, and they are deleted once the wave has closed; keep "+
				"them for longer",
				stage.Name, soaked.Rough(), p.Stages[0].Name, p.Retention.Rough()))
		} else if soaked >= p.Timing.RollbackMaxAge {
			said = append(said, fmt.Sprintf("stage %s waits %s for stage %s: from %s on (rollback_max_age) its backups count "+
				"as old, and a roll back asks for --accept-loss once the wave has closed",
				stage.Name, stage.After.Duration.Rough(), before, p.Timing.RollbackMaxAge.Rough()))
		}
	}
	return said
}
