package world

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Account is one AWS account; nothing in it is seen from another.
type Account struct {
	World *World
	ID    string // 12 digits
	Name  string // the scenario's name for it
	Spec  AccountSpec

	regions  map[string]*Region
	policies map[string]*Policy // by role
	control  *Policy            // the organisation's for the account; nil: it has none
}

// Region returns the account's region, which comes into being, empty, when it is first asked for.
func (a *Account) Region(name string) *Region {
	region, ok := a.regions[name]
	if !ok {
		region = newRegion(a, name)
		a.regions[name] = region
	}
	return region
}

// Regions lists the regions that were named so far, sorted.
func (a *Account) Regions() []*Region {
	names := slices.Sorted(maps.Keys(a.regions))
	regions := make([]*Region, 0, len(names))
	for _, name := range names {
		regions = append(regions, a.regions[name])
	}
	return regions
}

// Region is one region of one account, with everything that lives in it.
type Region struct {
	World   *World
	Account *Account
	Name    string

	instances       shelf[*Instance]
	nodes           shelf[*Instance] // managed ones, which EC2 does not know
	volumes         shelf[*Volume]
	snapshots       shelf[*Snapshot]
	images          shelf[*Image]
	securityGroups  shelf[*SecurityGroup]
	rootTasks       shelf[*RootTask]
	launchTemplates shelf[*LaunchTemplate]
	tokens          map[string]made // by client token

	dualStack         bool
	EncryptsByDefault bool   // what EBS makes is encrypted, whatever it is made of
	DefaultKey        string // ARN of the key for that; "": AWS's own

	patching   patching
	documents  documents
	commands   commands
	automation automation
	store      parameterStore
	trail      []TrailEvent

	AutoScaling   AutoScaling
	LoadBalancing LoadBalancing
	Alarms        Alarms
	Others        Others
}

func newRegion(a *Account, name string) *Region {
	r := &Region{World: a.World, Account: a, Name: name}
	r.setUpImages()
	r.setUpPatching()
	r.setUpDocuments()
	return r
}

// build fills the region with what the scenario says lives there.
func (r *Region) build(spec RegionSpec) error {
	r.dualStack = spec.DualStack
	if err := r.buildPatching(spec); err != nil {
		return err
	}
	for _, group := range spec.SecurityGroups {
		if _, err := r.CreateSecurityGroup(group, "from the scenario", ""); err != nil {
			return err
		}
	}
	r.buildParameters(spec)
	r.buildOthers(spec)
	if err := r.buildLoadBalancing(spec); err != nil {
		return err
	}
	for _, instance := range spec.Instances {
		for range max(instance.Count, 1) {
			if _, err := r.place(instance); err != nil {
				return err
			}
		}
	}
	for _, node := range spec.Nodes {
		for n := range max(node.Count, 1) {
			if err := r.placeNode(node, n); err != nil {
				return err
			}
		}
	}
	if err := r.buildAutoScaling(spec); err != nil {
		return err
	}
	r.count(r.World.now.Add(-24 * time.Hour)) // it stands as it did for a day
	return r.buildAlarms(spec)
}

// String names the region as error messages do.
func (r *Region) String() string { return r.Account.Name + "/" + r.Name }

// ARN builds an Amazon resource name in this region: service, then what comes after the account.
func (r *Region) ARN(service, resource string) string {
	return "arn:aws:" + service + ":" + r.Name + ":" + r.Account.ID + ":" + resource
}

// Changed tells the observers that something of this region changed.
func (r *Region) Changed(kind, id, what string) { r.World.changed(r, kind, id, what) }

// Tags are a resource's tags.
type Tags map[string]string

// Clone copies the tags; the result is never nil.
func (t Tags) Clone() Tags {
	clone := make(Tags, len(t))
	maps.Copy(clone, t)
	return clone
}

// Keys lists the tag keys, sorted.
func (t Tags) Keys() []string { return slices.Sorted(maps.Keys(t)) }

// shelf keeps things by id in the order they came.
type shelf[T any] struct {
	byID map[string]T
	ids  []string
}

func (s *shelf[T]) put(id string, thing T) {
	if s.byID == nil {
		s.byID = map[string]T{}
	}
	if _, known := s.byID[id]; !known {
		s.ids = append(s.ids, id)
	}
	s.byID[id] = thing
}

func (s *shelf[T]) get(id string) (T, bool) {
	thing, ok := s.byID[id]
	return thing, ok
}

func (s *shelf[T]) drop(id string) {
	delete(s.byID, id)
	s.ids = slices.DeleteFunc(s.ids, func(other string) bool { return other == id })
}

func (s *shelf[T]) all() []T {
	things := make([]T, 0, len(s.ids))
	for _, id := range s.ids {
		things = append(things, s.byID[id])
	}
	return things
}

// Matches compares text with a pattern in which * stands for any text and ? for one character, as EC2 filters do.
func Matches(pattern, text string) bool {
	if !strings.ContainsAny(pattern, "*?") {
		return pattern == text
	}
	return matches([]rune(pattern), []rune(text))
}

func matches(pattern, text []rune) bool {
	for len(pattern) > 0 {
		switch pattern[0] {
		case '*':
			for skip := 0; skip <= len(text); skip++ {
				if matches(pattern[1:], text[skip:]) {
					return true
				}
			}
			return false
		case '?':
			if len(text) == 0 {
				return false
			}
		default:
			if len(text) == 0 || text[0] != pattern[0] {
				return false
			}
		}
		pattern, text = pattern[1:], text[1:]
	}
	return len(text) == 0
}

// Spec is what the scenario says of the region; empty for one it does not name.
func (r *Region) Spec() RegionSpec {
	for _, spec := range r.Account.Spec.Regions {
		if spec.Name == r.Name {
			return spec
		}
	}
	return RegionSpec{Name: r.Name}
}
