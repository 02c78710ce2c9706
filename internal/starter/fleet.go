// Package starter makes a first patchtide.yaml of what is found in accounts: it looks, arranges what it saw into plans,
// and writes them with comments that teach. It changes nothing in AWS.
package starter

import "github.com/patchtide/patchtide/internal/patch"

// Account is one that was looked at.
type Account struct {
	Name, ID       string
	RoleARN        string
	ExternalIDFrom string   // as in the configuration; "" for none
	Regions        []string // those with something to patch
}

// Group is a group of instances that may be patched.
type Group struct {
	Account, Region  string
	AutoScalingGroup string            // or
	Tags             map[string]string // instances outside any Auto Scaling group
	Role             string            // its tag Role, else its name
	Environment      string            // its tag Environment; may be ""
	Baseline         string            // by its instances' operating system
	Instances        int
	TargetGroups     int
	Check            *HTTPCheck // the health check of its first HTTP target group
	// Elsewhere is told where its instances are not in their baseline's patch group, with the commands that mend it; nil
	// where they are.
	Elsewhere *patch.Refusal

	ids []string
}

// HTTPCheck is a path and a port that a load balancer asks.
type HTTPCheck struct {
	Path string
	Port int32
}

// LeftOut is something that was seen and not taken, with the reason.
type LeftOut struct {
	Where string `json:"where"` // account/region/name
	Why   string `json:"why"`
}

// Fleet is all that was seen.
type Fleet struct {
	Accounts []Account
	Groups   []Group
	LeftOut  []LeftOut
}

// Name is the group's name as everywhere in Patchtide.
func (g Group) Name() string {
	return patch.Group{AutoScalingGroup: g.AutoScalingGroup, Tags: g.Tags}.Name()
}
