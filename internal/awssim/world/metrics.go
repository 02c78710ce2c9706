package world

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Metric is a series of numbers that CloudWatch keeps.
type Metric struct {
	Namespace, Name string
	Dimensions      [][2]string // name, value

	region *Region
	points []Datapoint // by time
	counts bool        // AWS counts it itself: a point holds until the next one, and is reported every minute
}

// Datapoint sums up what was measured in a period; of a single measurement, it.
type Datapoint struct {
	At                   time.Time // when the period begins
	Count, Sum, Min, Max float64

	shown time.Time // from when on it is shown
}

const (
	metricMemory  = 15 * 24 * time.Hour // how long points are kept
	metricMinute  = time.Minute         // how often AWS's own metrics are reported
	metricFuture  = 2 * time.Hour       // how far ahead of AWS's clock a point may be
	metricHistory = 14 * 24 * time.Hour // how far behind
)

// measured is a single measurement.
func measured(at time.Time, value float64) Datapoint {
	return Datapoint{At: at, Count: 1, Sum: value, Min: value, Max: value}
}

// Statistic computes one of CloudWatch's plain statistics; ok is false for others, such as percentiles.
func (d Datapoint) Statistic(name string) (value float64, ok bool) {
	switch name {
	case "Sum":
		return d.Sum, true
	case "Average":
		return d.Sum / max(d.Count, 1), true
	case "Minimum":
		return d.Min, true
	case "Maximum":
		return d.Max, true
	case "SampleCount":
		return d.Count, true
	}
	return 0, false
}

// metricKey names a metric; the order of its dimensions does not count.
func metricKey(namespace, name string, dimensions [][2]string) string {
	sorted := slices.Clone(dimensions)
	slices.SortFunc(
		sorted, func(a, b [2]string) int { return cmp.Or(strings.Compare(a[0], b[0]), strings.Compare(a[1], b[1])) },
	)
	key := namespace + "\x00" + name
	for _, dimension := range sorted {
		key += "\x00" + dimension[0] + "\x00" + dimension[1]
	}
	return key
}

// AcceptsMetricAt reports whether CloudWatch takes a point of that time.
func (r *Region) AcceptsMetricAt(at time.Time) bool {
	return !at.Before(r.World.now.Add(-metricHistory)) && !at.After(r.World.now.Add(metricFuture))
}

// PutMetric adds a point to a metric, which comes into being with its first, and lets the alarms on it look.
func (r *Region) PutMetric(namespace, name string, dimensions [][2]string, point Datapoint) {
	r.metric(namespace, name, dimensions).add(point)
}

func (r *Region) metric(namespace, name string, dimensions [][2]string) *Metric {
	key := metricKey(namespace, name, dimensions)
	if found, ok := r.Alarms.metrics.get(key); ok {
		return found
	}
	made := &Metric{Namespace: namespace, Name: name, Dimensions: dimensions, region: r}
	r.Alarms.metrics.put(key, made)
	return made
}

// Metric finds a metric; nil when nothing was ever put into it.
func (r *Region) Metric(namespace, name string, dimensions [][2]string) *Metric {
	found, _ := r.Alarms.metrics.get(metricKey(namespace, name, dimensions))
	return found
}

// Metrics lists the region's metrics by namespace and name.
func (r *Region) Metrics() []*Metric {
	all := r.Alarms.metrics.all()
	slices.SortStableFunc(all, func(a, b *Metric) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
	})
	return all
}

func (m *Metric) add(point Datapoint) {
	now := m.region.World.now
	point.shown = now.Add(m.region.Alarms.Lag)
	n, _ := slices.BinarySearchFunc(m.points, point.At, func(p Datapoint, at time.Time) int {
		if p.At.After(at) {
			return 1
		}
		return -1 // after those of the same moment
	})
	m.points = slices.Insert(m.points, n, point)
	old := 0
	for old < len(m.points)-1 && m.points[old+1].At.Before(now.Add(-metricMemory)) {
		old++
	}
	m.points = slices.Delete(m.points, 0, old)
	for _, alarm := range m.region.Alarms.alarms.all() {
		if alarm.on(m) {
			alarm.watch(point.At)
		}
	}
}

// Series sums a metric up by periods: those that begin at start or later and before end, the oldest first. Periods
// without a measurement are left out.
func (m *Metric) Series(start, end time.Time, period time.Duration) []Datapoint {
	var series []Datapoint
	collect := func(point Datapoint) {
		at := point.At.Truncate(period)
		if n := len(series) - 1; n >= 0 && series[n].At.Equal(at) {
			last := &series[n]
			last.Count, last.Sum = last.Count+point.Count, last.Sum+point.Sum
			last.Min, last.Max = min(last.Min, point.Min), max(last.Max, point.Max)
			return
		}
		point.At = at
		series = append(series, point)
	}
	if !m.counts {
		for _, point := range m.points {
			if !point.At.Before(start) && point.At.Before(end) && !point.shown.After(m.region.World.now) {
				collect(point)
			}
		}
		return series
	}
	now := m.region.World.now
	at := start.Truncate(metricMinute)
	if oldest := now.Add(-metricMemory); at.Before(oldest) {
		at = oldest.Truncate(metricMinute)
	}
	n := 0
	for ; at.Before(end) && !at.After(now); at = at.Add(metricMinute) {
		for n < len(m.points) && !m.points[n].At.After(at) {
			n++
		}
		if n > 0 && !at.Before(start) {
			point := m.points[n-1]
			point.At = at
			collect(point)
		}
	}
	return series
}
