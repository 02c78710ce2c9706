package wavetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
)

// errorRate is a check of an instance's own error rate, by what its application puts into CloudWatch each minute.
const errorRate = `metric: {name: error rate, expression: "100 * FILL(errors, 0) / requests", metrics: [` +
	`{id: errors, namespace: Web, metric: Errors, statistic: Sum, dimensions: {InstanceId: "{instance}"}}, ` +
	`{id: requests, namespace: Web, metric: Requests, statistic: Sum, dimensions: {InstanceId: "{instance}"}}], ` +
	`requests: {of: requests, at_least: 100}, `

// ErrorsBeside is a check that compares its error rate with its peers', ErrorsBounded one that has a bound for it, to
// be closed by a brace.
const (
	ErrorsBeside  = errorRate + `peers: {within: 20%, margin: 0.1}}`
	ErrorsBounded = errorRate + `at_most: 5`
)

// Measured has metrics judge production as well: two checks of its error rate, one by peers and one by a bound.
func Measured(file []byte) []byte {
	const http, alarm = "          - http: {path: /healthz, port: 80}\n", "          - alarm:"
	return PlanWith(http+alarm, http+"          - "+ErrorsBeside+"\n          - "+ErrorsBounded+"}\n"+alarm)(file)
}

// Minute is what an application has seen in one. What is below zero it does not tell.
type Minute struct{ requests, errors float64 }

// Saw is a minute of so many requests and errors.
func Saw(requests, errors float64) Minute { return Minute{requests, errors} }

// Serving has each machine of production that serves tell CloudWatch each minute what it has seen, for an hour before
// the wave and for days; seen tells it by whether the machine was rebooted since the scene began, and by its place in
// its group. lag is how late CloudWatch shows it.
func (s *Scene) Serving(lag time.Duration, seen func(rebooted bool, n int) Minute) {
	s.Sim.Inspect(func(w *world.World) {
		region := w.Account(Production).Region(Tokyo)
		boots := map[string]string{}
		for _, it := range region.Machines() {
			boots[it.ID] = it.BootID()
		}
		put := func(it *world.Instance, at time.Time, n int) {
			counted := seen(boots[it.ID] != "" && it.BootID() != boots[it.ID], n)
			for name, value := range map[string]float64{"Requests": counted.requests, "Errors": counted.errors} {
				if value >= 0 && it.State == world.Running {
					region.PutMetric("Web", name, [][2]string{{"InstanceId", it.ID}}, world.Datapoint{
						At: at, Count: 1, Sum: value, Min: value, Max: value,
					})
				}
			}
		}
		all := func(at time.Time) {
			for _, group := range region.ScalingGroups() {
				for n, member := range group.Members() {
					if member.State == world.LifecycleInService {
						put(member.Instance, at, n)
					}
				}
			}
			for n, node := range region.Nodes() {
				put(node, at, n)
			}
		}
		began := w.Now().Truncate(time.Minute)
		for ago := time.Hour; ago > 0; ago -= time.Minute {
			all(began.Add(-ago))
		}
		region.Alarms.Lag = lag // of what comes from now on
		var next func()
		next = func() {
			all(w.Now().Truncate(time.Minute))
			if w.Now().Sub(began) < 72*time.Hour {
				w.After(time.Minute, next)
			}
		}
		w.After(time.Minute, next)
	})
}

// Unmeasured finds instances of production that are told as patched, and of which the evidence does not have what so
// many metrics were judged by, for all of their bake.
func (s *Scene) Unmeasured(result *patch.WaveResult, checks int) (found []string) {
	for _, stage := range result.Stages {
		if stage.Name != "production" {
			continue
		}
		for _, group := range stage.Groups {
			for _, told := range group.Instances {
				if told.Outcome != patch.Patched || strings.Contains(strings.Join(told.Notes, " "), "the bake was cut short") {
					continue
				}
				var details patch.InstanceDetails
				if err := s.Store.GetInstance(s.T.Context(), result.WaveID, told.ID, &details); err != nil {
					found = append(found, fmt.Sprintf("%s: its evidence cannot be read: %v", told.ID, err))
					continue
				}
				judged := slices.DeleteFunc(slices.Clone(details.Metrics), func(seen patch.MetricObservation) bool {
					return seen.Why != "" || !seen.Until.After(seen.From) || seen.Own.Requests < 100
				})
				if len(judged) != checks {
					found = append(found, fmt.Sprintf("%s is told to be patched, and %d of %d metrics judged it: %+v", told.ID,
						len(judged), checks, details.Metrics))
				}
			}
		}
	}
	return found
}
