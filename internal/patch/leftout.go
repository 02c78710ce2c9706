package patch

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Only is whom one wave takes, of all that its plan names; a part that is empty bounds nothing.
type Only struct {
	Zones     []string `json:"zones,omitempty"`     // availability zones
	Instances []string `json:"instances,omitempty"` // instance ids
}

// Empty reports whether it bounds nothing.
func (o *Only) Empty() bool { return o == nil || len(o.Zones) == 0 && len(o.Instances) == 0 }

// String says for people whom the wave takes: "instances i-1 and i-2 in zone a".
func (o *Only) String() string {
	if o.Empty() {
		return ""
	}
	var words []string
	if len(o.Instances) > 0 {
		words = append(words, "instance "+fewOf(o.Instances))
	}
	if len(o.Zones) > 0 {
		words = append(words, "zone "+fewOf(o.Zones))
	}
	return strings.Join(words, " in ")
}

// Check refuses what is written down as no list of names.
func (o *Only) Check() error {
	if o == nil {
		return nil
	}
	if o.Empty() {
		return errors.New(`only: names nobody; write it like {"zones": ["ap-northeast-1a"]}, or leave it out`)
	}
	for _, name := range slices.Concat(o.Zones, o.Instances) {
		if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return fmt.Errorf("only: %q is no zone's name and no instance's id", name)
		}
	}
	return nil
}

// takes reports whether an instance in a zone is one of them.
func (o *Only) takes(id, zone string) bool {
	return o.Empty() || (len(o.Zones) == 0 || slices.Contains(o.Zones, zone)) &&
		(len(o.Instances) == 0 || slices.Contains(o.Instances, id))
}

// Taking is the plan as a wave takes it that takes only some.
func (p Plan) Taking(only *Only) Plan {
	if only.Empty() {
		return p
	}
	p.Stages = slices.Clone(p.Stages)
	for i := range p.Stages {
		p.Stages[i].Groups = slices.Clone(p.Stages[i].Groups)
		for g := range p.Stages[i].Groups {
			p.Stages[i].Groups[g].Only = only
		}
	}
	return p
}

// takesOnly begins why a wave leaves out whom the next one takes.
const takesOnly = "this wave takes only "

// LeavesOut is why nothing is done to one of the group's instances, which counts for room and health like any other;
// "": it is taken. A tag says more than what one wave takes: it is the instance's own.
func (g Group) LeavesOut(id, zone string, tags map[string]string) string {
	for _, excluded := range g.Exclude {
		all := len(excluded) > 0
		for key, value := range excluded {
			has, found := tags[key]
			all = all && found && has == value
		}
		if all {
			return "excluded by the tag " + Group{Tags: excluded}.Name()
		}
	}
	if !g.Only.takes(id, zone) {
		return takesOnly + g.Only.String()
	}
	return ""
}

// LeftOut are the members to which nothing is done though something may be due, but for those that leave.
func (s GroupState) LeftOut() (left []Gap) {
	for _, member := range s.Members {
		if member.LeftOut != "" && !member.Leaving() {
			left = append(left, Gap{member.ID, member.LeftOut})
		}
	}
	return left
}

// ToldLeftOut says for people who was left out, one sentence for each reason, in the order in which they come.
func ToldLeftOut(left []Gap) (told []string) { return toldTogether(left, " left as it is: ") }

func toldTogether(left []Gap, how string) (told []string) {
	var whys []string
	ids := map[string][]string{}
	for _, one := range left {
		if ids[one.Why] == nil {
			whys = append(whys, one.Why)
		}
		ids[one.Why] = append(ids[one.Why], one.Instance)
	}
	for _, why := range whys {
		told = append(told, fewOf(ids[why])+how+why)
	}
	return told
}

// fewOf names the first of several, and how many more there are.
func fewOf(names []string) string {
	said := strings.Join(names[:min(len(names), gapsNamed)], ", ")
	if more := len(names) - gapsNamed; more > 0 {
		said += fmt.Sprintf(" and %d more", more)
	}
	return said
}

// JudgedWithout is a group's outcome where a wave took only some of it: whoever asked for that skipped the others.
func (o Outcome) JudgedWithout(only *Only, left []Gap) Outcome {
	if (o == Succeeded || o == SucceededImageStale) && !only.Empty() && len(left) > 0 {
		return SucceededWithSkips
	}
	return o
}

// checkLeftOut refuses one that was excluded since its group began.
func checkLeftOut(v View) []*Refusal {
	member, _ := v.State.Member(v.Instance)
	if member.LeftOut == "" {
		return nil
	}
	return v.refuse("it is "+member.LeftOut+", since its group began",
		"retry: it is left as it is then, or taken where the tag is off by then; or skip it")
}
