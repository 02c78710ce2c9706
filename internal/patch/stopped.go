package patch

import (
	"slices"
	"strings"
)

// Stopped says what is done with an instance, chosen by tags, that is stopped as its turn comes.
type Stopped string

// What may be done with who is stopped.
const (
	StoppedLeave Stopped = "leave"          // it stays as it is, and is named; "" is the same
	StoppedStart Stopped = "start_and_stop" // started, patched, proven, and stopped again; it serves nobody meanwhile
)

// hibernated is EC2's code for who was put to sleep, which it gives as the reason of the state.
const hibernated = "Client.UserInitiatedHibernate"

// AtRest reports an instance in no Auto Scaling group that is stopped: it serves nobody, and nobody replaces it.
func (m Member) AtRest() bool {
	return m.OwnerGroup == "" && (m.State == "stopped" || m.State == "stopping")
}

// Rests reports one at rest that is left so. Whoever decides who is taken asks it.
func (m Member) Rests() bool { return m.AtRest() && !m.Starts }

// StartsStopped decides whether a member that is stopped is started to be patched, and if not although the group says
// so, why: for what a start would do to others.
func (g Group) StartsStopped(m Member, code string) (starts bool, why string) {
	switch {
	case g.Stopped != StoppedStart || !m.AtRest() || m.LeftOut != "":
		return false, ""
	case code == hibernated:
		return false, "it is hibernated: started, it would go on where it was, and a reboot would lose that"
	case len(m.Targets) > 0:
		var where []string
		for _, target := range m.Targets {
			where = append(where, target.Where())
		}
		slices.Sort(where)
		return false, "it is registered in " + strings.Join(slices.Compact(where), ", ") +
			", which would send it requests as soon as it runs: deregister it, or start it yourself"
	case m.Operator != "":
		return false, "it is operated by " + m.Operator
	}
	return true, ""
}

// starting are the members that are stopped and are started to be patched. One that carries a mark was left so by a
// wave.
func (s GroupState) starting() (ids []string) {
	for _, member := range s.Members {
		if member.Starts && member.Mark == "" {
			ids = append(ids, member.ID)
		}
	}
	return ids
}

// ToStart tells, for people, of the members that are stopped and are started to be patched.
func (s GroupState) ToStart() (told []string) {
	for _, member := range s.Members {
		if member.Starts {
			told = append(told, member.ToldAtRest())
		}
	}
	return told
}

// ToldAtRest says for people what is done with a member that is stopped.
func (m Member) ToldAtRest() string {
	switch {
	case m.Starts:
		return m.is() + ": it is started, patched, and stopped again"
	case m.NotStarted != "":
		return m.is() + ": it is not patched, and left as it is: " + m.NotStarted
	}
	return m.is() + ": it is not patched, and left as it is"
}
