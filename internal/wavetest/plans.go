package wavetest

import (
	"bytes"
	"slices"
	"time"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
)

// Plans are the configuration's, in a window of the test's own; nil is any time. With Scheduled set the configuration's
// own schedule counts.
type Plans struct {
	activities.Plans
	Within    *patch.Window
	Following []patch.Window // those after it
	Scheduled bool
	Change    func(*patch.Plan) // nil: as the configuration has it
	Overdue   []string          // exceptions whose day is over, beside the configuration's
}

// Over are exceptions whose day is over.
func (p *Plans) Over(plan string, at time.Time) []string {
	return append(p.Plans.Over(plan, at), p.Overdue...)
}

// Window is the one that holds at a moment, or the next.
func (p *Plans) Window(plan string, at time.Time) (*patch.Window, error) {
	if p.Scheduled {
		return p.Plans.Window(plan, at)
	}
	for i := range p.Following {
		if p.Following[i].Cutoff.After(at) && !at.Before(p.Within.Cutoff) {
			return &p.Following[i], nil
		}
	}
	return p.Within, nil
}

// Plan is one of the configuration's, as the test changes it.
func (p *Plans) Plan(name string) (patch.Plan, error) {
	plan, err := p.Plans.Plan(name)
	if p.Change != nil && err == nil {
		p.Change(&plan)
	}
	return plan, err
}

// PlanWith changes the example configuration: pairs of what stands there and what shall.
func PlanWith(pairs ...string) func([]byte) []byte {
	return func(file []byte) []byte {
		for i := 0; i < len(pairs); i += 2 {
			if bytes.Count(file, []byte(pairs[i])) != 1 {
				panic("the example holds this not exactly once: " + pairs[i])
			}
			file = bytes.Replace(file, []byte(pairs[i]), []byte(pairs[i+1]), 1)
		}
		return file
	}
}

// ProductionOnly leaves the staging stage out.
func ProductionOnly(next func([]byte) []byte) func([]byte) []byte {
	return func(file []byte) []byte {
		from, to := bytes.Index(file, []byte("      - name: staging\n")), bytes.Index(file,
			[]byte("      - name: production\n"))
		return next(slices.Concat(file[:from], file[to:]))
	}
}

// Unattended leaves the gate of production open.
var Unattended = PlanWith("approval: {required: true, timeout: 24h}", "approval: {required: false}")

// InWindow gives the plan web, whose gates are open, a window.
func InWindow(window string) func([]byte) []byte {
	return func(file []byte) []byte {
		return PlanWith("    stages:\n      - name: staging\n",
			"    windows: ["+window+"]\n    stages:\n      - name: staging\n")(Unattended(file))
	}
}

// Isolates is a plan that gives a quarantined instance another security group.
var Isolates = []string{
	"restore: root_volume", "restore: root_volume\n    quarantine: {ttl: 72h, isolate: quarantined}",
}

// WebOnly is what the plan's production patches.
const WebOnly = "auto_scaling_group: web\n"

// WebAndAPI is that, and the group api of TwoGroups.
const WebAndAPI = WebOnly +
	"          - account: production\n            region: ap-northeast-1\n            auto_scaling_group: api\n"
