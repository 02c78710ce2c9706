package property

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// scriptMetric is a metric that judges production.
type scriptMetric struct {
	Kind  string `json:",omitempty"` // "": there is none
	Worse bool   `json:",omitempty"` // who was rebooted since the wave began answers with more errors than it may
	Lag   int    `json:",omitempty"` // seconds by which CloudWatch shows it late
}

const (
	metricPeers = "peers"
	metricBound = "a bound"

	// metricBake is a bake, in seconds, that sees some whole periods.
	metricBake = 480
)

// drawMetric has a metric judge production in a fifth of the scripts, with good patches or not.
func (s *script) drawMetric(t *rapid.T, passes bool) {
	if rapid.IntRange(0, 4).Draw(t, "metric") > 0 {
		return
	}
	s.Metric = scriptMetric{
		Kind: rapid.SampledFrom([]string{metricPeers, metricBound}).Draw(t, "metric's kind"),
		Lag:  rapid.SampledFrom([]int{0, 0, 90}).Draw(t, "metric's lag"),
	}
	s.Metric.Worse = !passes && rapid.IntRange(0, 2).Draw(t, "worse") == 0
	s.Plan.Bake = metricBake
}

// drops reports whether a check is a metric's that was not drawn.
func (m scriptMetric) drops(check patch.HealthCheck) bool {
	if check.Metric == nil {
		return false
	}
	kind := metricBound
	if check.Metric.Peers != nil {
		kind = metricPeers
	}
	return m.Kind != kind
}

// serve has the machines of production tell CloudWatch what they have seen.
func (m scriptMetric) serve(scene *wavetest.Scene) {
	if m.Kind == "" {
		return
	}
	scene.Serving(time.Duration(m.Lag)*time.Second, func(rebooted bool, _ int) wavetest.Minute {
		if rebooted && m.Worse {
			return wavetest.Saw(100, 20)
		}
		return wavetest.Saw(100, 1)
	})
}

// metricWrong finds machines that are told as patched without the metric having judged them for all of their bake, or
// although they answer with more errors than they may.
func (p *play) metricWrong() []string {
	if p.script.Metric.Kind == "" || p.result == nil {
		return nil
	}
	found := p.Unmeasured(p.result, 1)
	if !p.script.Metric.Worse || p.script.Patch == patchNoReboot {
		return found
	}
	for _, stage := range p.result.Stages {
		for _, group := range stage.Groups {
			for _, told := range group.Instances {
				cut := slices.ContainsFunc(told.Notes, func(note string) bool { return strings.Contains(note, "cut short") })
				newcomer := !p.was[told.ID] // it boots once, and answers as well before as after
				if stage.Name == "production" && told.Outcome == patch.Patched && !cut && !newcomer {
					found = append(found, fmt.Sprintf("%s is told to be patched, and answers with more errors than it may", told.ID))
				}
			}
		}
	}
	return found
}
