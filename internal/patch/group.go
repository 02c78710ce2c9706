package patch

import (
	"math"
	"slices"
	"strings"
	"time"
)

// GroupState is what was read of a group at one moment. For instances chosen by tags the Auto Scaling fields are zero.
type GroupState struct {
	Min, Max, Desired   int
	Counts              Unit     // what these three count; "": instances
	Suspended           []string // process names, by whomever
	Members             []Member // sorted by id
	TargetGroups        []TargetGroup
	RefreshRunning      bool
	WarmPoolState       string // the state in which its warm pool keeps instances; "": it has none
	WarmPoolSize        int    // how many wait there
	Deleting            bool
	Operator            string // the service that operates the Auto Scaling group: EKS, ECS, Elastic Beanstalk
	MaxInstanceLifetime Duration
	FreeTags            bool     // a tag slot is free on the group
	Hidden              []string // who carries the group's tags and is no member: why, with its id
	// OtherBalancers are attached to the group and of a kind whose registrations are not read: "Classic Load
	// Balancer web".
	OtherBalancers []string
	// ElsewhereTargets are registrations by the address of a member in target groups of another network: "10.0.0.1 in
	// ARN".
	ElsewhereTargets []string
	// SharedAddresses are registrations by the address of a managed node that another node has as well: "mi-... as
	// 10.0.0.1, an address that mi-... has as well, in ARN".
	SharedAddresses []string
	At              time.Time // AWS's clock when it was read
}

// Member is one instance of a group as EC2, Auto Scaling and the load balancers see it.
type Member struct {
	ID        string
	Zone      string
	PrivateIP string
	State     string // EC2's: running, stopped, ...; "" when EC2 no longer knows it
	Why       string // EC2's own words on why it is in that state; "": it tells none
	// StoppedAt is when somebody stopped it, by AWS's clock; zero: it is not stopped, or EC2 does not tell.
	StoppedAt    time.Time
	StatusOK     bool   // both of EC2's status checks pass
	Lifecycle    string // Auto Scaling's: InService, Standby, ...; "" when it is no member
	Health       string // Auto Scaling's: Healthy, Unhealthy
	Weight       int    // how much of its group's desired it is, by AWS's word; 0: AWS tells none
	LaunchTime   time.Time
	RootSince    time.Time // when its root volume was attached
	AgentOnline  bool
	AgentPing    time.Time // AWS's clock
	Platform     Platform
	Runs         System // by its agent's word; zero: the agent is not known
	RootVolumeID string // "" when the root is no EBS volume
	RootDevice   string
	ProductCodes bool // a Marketplace image: that its root can be replaced is not proven
	BareMetal    bool
	OwnerGroup   string // the Auto Scaling group it belongs to, also when it was found by tags
	Operator     string // the service that operates the instance: EKS, Karpenter; "": none that is known
	// StandbyFrom is of one on standby with which desired went down: the desired before that. 0: desired did not, and
	// Auto Scaling launches another in its place.
	StandbyFrom int
	FreeTags    bool
	Mark        string // the journal's tag; "": it carries none
	LeftOut     string // why nothing is done to it, see Group.LeavesOut; "": it is taken
	Starts      bool   // it is stopped, and started to be patched: see Group.StartsStopped
	NotStarted  string // why it is left stopped where others are started; "": it is not, or nobody is
	Unbelieved  string // why it is a member although it carries the quarantine's tag; "": it does not
	Targets     []Target
	Exposure    *Exposure `json:",omitempty"` // nil: nobody has asked, or nobody knows
}

// Lifecycle states of Auto Scaling that decisions depend on.
const (
	LifecycleInService       = "InService"
	LifecycleStandby         = "Standby"
	LifecycleEnteringStandby = "EnteringStandby"
	LifecyclePending         = "Pending"
)

// ToldLifecycle is a lifecycle state for people: where a hook of the group holds a member in it, that is said.
func ToldLifecycle(group Group, state string) string {
	if strings.HasSuffix(state, ":Wait") {
		return state + ", held by a lifecycle hook (aws autoscaling describe-lifecycle-hooks --region " + group.Region +
			" --auto-scaling-group-name " + group.AutoScalingGroup + ")"
	}
	return state
}

// StandbyFromUnknown is of one on standby whose scaling activity cannot be read, or is older than AWS keeps them.
const StandbyFromUnknown = math.MaxInt32

// TargetGroup is one that serves a group.
type TargetGroup struct {
	ARN                 string
	Name                string
	Attached            bool // to the Auto Scaling group: standby drains it and return registers it
	DeregistrationDelay Duration
	SlowStart           Duration
	CrossZone           bool
	Others              bool // it holds what is no instance of the group that was read: others serve the same
}

// Target is one registration of an instance, exact enough to make it again.
type Target struct {
	TargetGroupARN string
	ID             string // instance id or private address, as registered
	Port           int
	Zone           string // as registered, of an address; "" for the group's default
	QUICServerID   string // of a target group that speaks QUIC, which needs it
	Health         TargetHealth
	Reason         string
}

// Where names the target group of a registration, for people: "target group web".
func (t Target) Where() string { return TargetGroupCalled(t.TargetGroupARN) }

// TargetGroupCalled names a target group by its ARN, for people; what is no such ARN is told as it is.
func TargetGroupCalled(arn string) string {
	_, resource, found := strings.Cut(arn, ":targetgroup/")
	if !found {
		return arn
	}
	name, _, _ := strings.Cut(resource, "/")
	return "target group " + name
}

// TargetHealth is a state of Elastic Load Balancing.
type TargetHealth string

// The states of a target.
const (
	TargetInitial     TargetHealth = "initial"
	TargetHealthy     TargetHealth = "healthy"
	TargetUnhealthy   TargetHealth = "unhealthy"
	TargetUnused      TargetHealth = "unused"      // no load balancer uses the group: never becomes healthy
	TargetUnavailable TargetHealth = "unavailable" // health checks are disabled: never becomes healthy
	TargetDraining    TargetHealth = "draining"
)

// Judged reports whether the target's health says anything.
func (t Target) Judged() bool { return t.Health != TargetUnused && t.Health != TargetUnavailable }

// Present reports whether EC2 still has the instance: presence is proven by EC2, never by the group.
func (m Member) Present() bool {
	return m.State != "" && m.State != "terminated" && m.State != "shutting-down"
}

// is names the member with EC2's state and its reason, for people.
func (m Member) is() string {
	said := m.ID + ": EC2 says " + m.State
	if m.State == "running" {
		return m.ID
	}
	if m.Why != "" {
		said += " (" + m.Why + ")"
	}
	return said
}

// Serving reports whether the member takes part in the group's work.
func (m Member) Serving(inAutoScaling bool) bool {
	if m.State != "running" || inAutoScaling && (m.Lifecycle != LifecycleInService || m.Health == "Unhealthy") {
		return false
	}
	return !slices.ContainsFunc(m.Targets, func(t Target) bool { return t.Judged() && t.Health != TargetHealthy })
}

// Member finds a member by id.
func (s GroupState) Member(id string) (Member, bool) {
	i := slices.IndexFunc(s.Members, func(m Member) bool { return m.ID == id })
	if i < 0 {
		return Member{}, false
	}
	return s.Members[i], true
}

// Leaving reports whether the group is letting the member go: nothing is to be done with it any more.
func (m Member) Leaving() bool {
	base, _, _ := strings.Cut(m.Lifecycle, ":")
	switch base {
	case "Terminating", "Terminated", "Detaching", "Detached":
		return true
	}
	return !m.Present()
}

// Place is the account and region of the group.
func (g Group) Place() Place { return Place{Account: g.Account, Region: g.Region} }

// IDs lists the members' instance ids, in the order read.
func (s GroupState) IDs() []string {
	ids := make([]string, 0, len(s.Members))
	for _, member := range s.Members {
		ids = append(ids, member.ID)
	}
	return ids
}

// Awake are the ids of the members that are not at rest: what others do to the rest is of no matter.
func (s GroupState) Awake() []string {
	return GroupState{Members: slices.DeleteFunc(slices.Clone(s.Members), Member.AtRest)}.IDs()
}

// Numbers is the state with nothing of its members but their ids.
func (s GroupState) Numbers() GroupState {
	members := make([]Member, len(s.Members))
	for i, member := range s.Members {
		members[i].ID = member.ID
	}
	s.Members, s.TargetGroups = members, nil
	return s
}

// FirstNewcomer is the first of Newcomers; "" when there is none.
func FirstNewcomer(state GroupState, known []string, since time.Time) string {
	newcomers := Newcomers(state, known, since)
	if len(newcomers) == 0 {
		return ""
	}
	return newcomers[0].ID
}

// Newcomers are the members that were launched since and not known before, in the order of their launch. An older one
// that is not known was attached by somebody, or a list lacked it for once.
func Newcomers(state GroupState, known []string, since time.Time) (newcomers []Member) {
	for _, member := range state.Members {
		if member.Present() && !slices.Contains(known, member.ID) && !member.LaunchTime.Before(since) {
			newcomers = append(newcomers, member)
		}
	}
	slices.SortStableFunc(newcomers, func(a, b Member) int { return a.LaunchTime.Compare(b.LaunchTime) })
	return newcomers
}
