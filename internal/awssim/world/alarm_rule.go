package world

import (
	"fmt"
	"regexp"
	"strings"
)

// alarmRule is the rule of a composite alarm: the states of other alarms, joined by AND, OR and NOT.
type alarmRule func(state func(name string) string) bool

var ruleToken = regexp.MustCompile(`^\s*(\(|\)|"[^"]*"|[^\s()"]+)`)

// ruleParser reads a rule from left to right (CloudWatch guide, "Rule expressions").
type ruleParser struct {
	rest  string
	names []string // of the alarms that the rule is about
}

// parseAlarmRule reads a rule, and names the alarms it is about.
func parseAlarmRule(text string) (alarmRule, []string, error) {
	p := &ruleParser{rest: text}
	rule, err := p.either()
	if err == nil && p.peek() != "" {
		err = fmt.Errorf("unexpected %q", p.peek())
	}
	return rule, p.names, err
}

func (p *ruleParser) peek() string {
	match := ruleToken.FindStringSubmatch(p.rest)
	if match == nil {
		return strings.TrimSpace(p.rest)
	}
	return match[1]
}

func (p *ruleParser) take() string {
	token := p.peek()
	p.rest = strings.TrimPrefix(strings.TrimSpace(p.rest), token)
	return token
}

// either is alternatives joined by OR.
func (p *ruleParser) either() (alarmRule, error) {
	rule, err := p.both()
	for err == nil && strings.EqualFold(p.peek(), "OR") {
		p.take()
		var next alarmRule
		first := rule
		next, err = p.both()
		rule = func(state func(string) string) bool { return first(state) || next(state) }
	}
	return rule, err
}

// both is what is joined by AND.
func (p *ruleParser) both() (alarmRule, error) {
	rule, err := p.one()
	for err == nil && strings.EqualFold(p.peek(), "AND") {
		p.take()
		var next alarmRule
		first := rule
		next, err = p.one()
		rule = func(state func(string) string) bool { return first(state) && next(state) }
	}
	return rule, err
}

func (p *ruleParser) one() (alarmRule, error) {
	switch token := p.take(); strings.ToUpper(token) {
	case "NOT":
		rule, err := p.one()
		return func(state func(string) string) bool { return !rule(state) }, err
	case "(":
		rule, err := p.either()
		if err == nil && p.take() != ")" {
			err = fmt.Errorf("a parenthesis is not closed")
		}
		return rule, err
	case "TRUE", "FALSE":
		return func(func(string) string) bool { return strings.EqualFold(token, "TRUE") }, nil
	case AlarmOK, AlarmRaised, AlarmUnknown:
		open, name, closed := p.take(), strings.Trim(p.take(), `"`), p.take()
		if open != "(" || name == "" || closed != ")" {
			return nil, fmt.Errorf("%s takes the name of an alarm in parentheses", token)
		}
		if _, after, isARN := strings.Cut(name, ":alarm:"); isARN {
			name = after
		}
		p.names = append(p.names, name)
		return func(state func(string) string) bool { return state(name) == strings.ToUpper(token) }, nil
	default:
		return nil, fmt.Errorf("unexpected %q", token)
	}
}

// PutComposite creates a composite alarm, or replaces the rule of one. It follows the alarms of its rule; the error is
// of a rule that is none, or about alarms that are not there.
func (r *Region) PutComposite(alarm *Alarm) error {
	rule, names, err := parseAlarmRule(alarm.Rule)
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, ok := r.Alarms.alarms.get(name); !ok || name == alarm.Name {
			return fmt.Errorf("the alarm %s does not exist", name)
		}
	}
	for seen, left := map[string]bool{}, names; len(left) > 0; left = left[1:] {
		if left[0] == alarm.Name {
			return fmt.Errorf("the rule of %s goes in a circle", alarm.Name)
		}
		if other, ok := r.Alarms.alarms.get(left[0]); ok && !seen[left[0]] {
			seen[left[0]] = true
			left = append(left, other.about...)
		}
	}
	alarm.rule, alarm.about = rule, names
	r.PutAlarm(alarm)
	r.followRules()
	return nil
}

// followRules brings composite alarms to the states that their rules give now.
func (r *Region) followRules() {
	state := func(name string) string {
		if alarm, ok := r.Alarms.alarms.get(name); ok {
			return alarm.State
		}
		return AlarmUnknown
	}
	for _, alarm := range r.Alarms.alarms.all() {
		if alarm.rule == nil {
			continue
		}
		wanted := AlarmOK
		if alarm.rule(state) {
			wanted = AlarmRaised
		}
		if alarm.State != wanted {
			alarm.become(wanted, "the alarm rule "+alarm.Rule+" gives "+wanted)
		}
	}
}
