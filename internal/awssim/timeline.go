package awssim

import (
	"slices"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/awssim/world"
)

// serviceRecord measures, at every change of the world and around every request, which instances serve. It knows
// nothing of the worker: what it says is what users of the service would have noticed.
type serviceRecord struct {
	world     *world.World
	instances []*instanceRecord
	byID      map[*world.Instance]*instanceRecord
	moves     []move // in order; two at the same time are still told apart
	levels    map[levelKey]*level
}

// instanceRecord is what is remembered of one instance.
type instanceRecord struct {
	instance *world.Instance
	group    string // the Auto Scaling group it was last seen in
	served   bool   // it served at least once
	leaving  bool   // terminating, terminated, detached: not counted any more
	serves   bool   // it serves now
	out      bool
	homes    map[*world.TargetGroup]bool // where it was healthy once and should be again
	attached []*world.TargetGroup        // what its group was attached to when it was looked at last
	dropped  map[*world.TargetGroup]bool // taken off its group since: no home, though it is still healthy there
}

// move is an instance going out of service or coming back.
type move struct {
	at     time.Time
	record *instanceRecord
	out    bool
}

func newServiceRecord(w *world.World) serviceRecord {
	return serviceRecord{world: w, byID: map[*world.Instance]*instanceRecord{}, levels: map[levelKey]*level{}}
}

// watch measures the present and from then on every change.
func (s *serviceRecord) watch() {
	s.measureAll()
	s.world.OnChange(func(c world.Change) { s.measure(c.Region) })
}

func (s *serviceRecord) measureAll() {
	for _, account := range s.world.Accounts() {
		for _, region := range account.Regions() {
			s.measure(region)
		}
	}
}

func (s *serviceRecord) measure(region *world.Region) {
	targets := targetsOf(region)
	members := map[*world.Instance]*world.Member{}
	for _, group := range region.ScalingGroups() {
		for _, member := range group.Members() {
			members[member.Instance] = member
		}
	}
	for _, instance := range region.Machines() {
		record := s.byID[instance]
		if record == nil {
			record = &instanceRecord{
				instance: instance, homes: map[*world.TargetGroup]bool{}, dropped: map[*world.TargetGroup]bool{},
			}
			s.byID[instance] = record
			s.instances = append(s.instances, record)
		}
		s.look(record, members[instance], targets[instance])
	}
}

// forget drops the target groups that somebody has taken off its group, or deleted: nothing is sent there to anybody.
func (r *instanceRecord) forget(group *world.ScalingGroup) {
	for _, was := range r.attached {
		if !slices.Contains(group.TargetGroups, was) {
			delete(r.homes, was)
			r.dropped[was] = true
		}
	}
	for _, is := range group.TargetGroups {
		delete(r.dropped, is)
	}
	r.attached = slices.Clone(group.TargetGroups)
	all := group.Region.TargetGroups()
	for home := range r.homes {
		if !slices.Contains(all, home) {
			delete(r.homes, home)
		}
	}
}

func targetsOf(region *world.Region) map[*world.Instance][]*world.Target {
	targets := map[*world.Instance][]*world.Target{}
	for _, group := range region.TargetGroups() {
		for _, target := range group.Targets() {
			targets[target.Instance] = append(targets[target.Instance], target)
		}
	}
	return targets
}

// look judges one instance and notes when the judgement changes.
func (s *serviceRecord) look(record *instanceRecord, member *world.Member, targets []*world.Target) {
	if member != nil {
		if record.group != member.Group.Name {
			record.served = false // what it did before is nothing that its new group had
		}
		record.group = member.Group.Name
		record.forget(member.Group)
	}
	record.leaving = leaving(record, member)
	serves := serving(record, member, targets)
	s.note(record, serves)
	if serves {
		record.served = true
		for _, target := range targets {
			if target.State == world.TargetHealthy && !record.dropped[target.Group] {
				record.homes[target.Group] = true
			}
		}
	}
	if out := record.served && !serves && !record.leaving; out != record.out {
		record.out = out
		s.moves = append(s.moves, move{at: s.world.Now(), record: record, out: out})
	}
}

func leaving(record *instanceRecord, member *world.Member) bool {
	switch record.instance.State {
	case world.ShuttingDown, world.Terminated:
		return true
	}
	if member == nil {
		return record.group != "" // it was detached
	}
	return member.Leaving() || member.State == world.LifecycleDetaching
}

// serving means: the machine runs, its application is well, its group has it in service, and every target group that it
// is or was healthy in finds it healthy now.
func serving(record *instanceRecord, member *world.Member, targets []*world.Target) bool {
	if record.instance.State != world.Running || !record.instance.AppHealthy() {
		return false
	}
	if member != nil && member.State != world.LifecycleInService {
		return false
	}
	healthy := 0
	for _, target := range targets {
		switch {
		case target.Group.LoadBalancer == "": // nobody asks it
		case target.State == world.TargetUnavailable: // it is asked, well or not
		case target.State != world.TargetHealthy && record.served && !record.homes[target.Group]:
			// Somebody registers it in one more place while it serves: those whom it serves already notice nothing.
		case target.State != world.TargetHealthy:
			return false
		case record.homes[target.Group]:
			healthy++
		}
	}
	return healthy == len(record.homes)
}

// MaxOutOfService is the largest number of instances of a group that were out of service at the same moment since the
// start: they had served before, and were in standby, draining, rebooting, unhealthy or stopped. Instances that
// terminate, or were detached, or never served yet do not count. The group is an Auto Scaling group's name or a
// selector of tags with sorted keys: "Role=web,Tier=front" of instances, "mi:Role=till" of managed nodes.
func (s *Sim) MaxOutOfService(accountID, region, groupName string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	s.service.measureAll()
	return s.service.maxOut(accountID, region, groupName)
}

func (s *serviceRecord) maxOut(accountID, region, groupName string) int {
	now, most := 0, 0
	for _, move := range s.moves {
		if !move.record.in(accountID, region, groupName) {
			continue
		}
		if move.out {
			now++
		} else {
			now--
		}
		most = max(most, now)
	}
	return most
}

func (r *instanceRecord) in(accountID, region, groupName string) bool {
	if r.instance.Region.Name != region || r.instance.Region.Account.ID != accountID {
		return false
	}
	if !strings.Contains(groupName, "=") {
		return r.group == groupName
	}
	tags, ofNodes := strings.CutPrefix(groupName, "mi:")
	if ofNodes != r.instance.Node {
		return false
	}
	for pair := range strings.SplitSeq(tags, ",") {
		key, value, _ := strings.Cut(pair, "=")
		if has, ok := r.instance.Tags[key]; !ok || has != value {
			return false
		}
	}
	return true
}

// TimelinePoint is a moment at which the number of a group's instances out of service changed.
type TimelinePoint struct {
	Time         time.Time `json:"time"`
	Instance     string    `json:"instance"`
	Out          bool      `json:"out"` // it went out; false: it came back or ceased to count
	OutOfService int       `json:"out_of_service"`
}

// GroupTimeline is how an Auto Scaling group, or the standalone instances of a region under the name "", fared.
type GroupTimeline struct {
	Account         string          `json:"account"`
	Region          string          `json:"region"`
	Group           string          `json:"group"`
	MaxOutOfService int             `json:"max_out_of_service"`
	Points          []TimelinePoint `json:"points"`
}

// Timeline returns every group's measured timeline.
func (s *Sim) Timeline() []GroupTimeline {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	return s.service.timeline()
}

func (s *serviceRecord) timeline() []GroupTimeline {
	var lines []GroupTimeline
	find := func(r *instanceRecord) *GroupTimeline {
		account, region := r.instance.Region.Account.ID, r.instance.Region.Name
		at := slices.IndexFunc(lines, func(l GroupTimeline) bool {
			return l.Account == account && l.Region == region && l.Group == r.group
		})
		if at < 0 {
			at = len(lines)
			lines = append(lines, GroupTimeline{Account: account, Region: region, Group: r.group, Points: []TimelinePoint{}})
		}
		return &lines[at]
	}
	for _, record := range s.instances {
		find(record)
	}
	for _, move := range s.moves {
		line := find(move.record)
		now := 0
		if len(line.Points) > 0 {
			now = line.Points[len(line.Points)-1].OutOfService
		}
		if move.out {
			now++
		} else {
			now--
		}
		line.MaxOutOfService = max(line.MaxOutOfService, now)
		line.Points = append(
			line.Points, TimelinePoint{Time: move.at, Instance: move.record.instance.ID, Out: move.out, OutOfService: now},
		)
	}
	return lines
}
