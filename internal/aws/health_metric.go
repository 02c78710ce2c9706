package aws

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// checkMetric refuses a check that nothing could be told by.
func checkMetric(where string, of patch.HealthCheck) error {
	check := of.Metric
	bounds := 0
	for _, given := range []bool{check.AtMost != nil, check.AtLeast != nil, check.Peers != nil} {
		if given {
			bounds++
		}
	}
	switch {
	case len(check.Metrics) == 0:
		return Final(InvalidInput, "%s: metric check %q: it has no metrics", where, check.Name)
	case bounds != 1:
		return Final(InvalidInput, "%s: metric check %q: write one of at_most, at_least and peers", where, check.Name)
	case check.Period.D() < time.Minute || check.Period.D()%time.Minute != 0:
		return Final(InvalidInput, "%s: metric check %q: period %s is no number of whole minutes", where, check.Name,
			check.Period)
	}
	return nil
}

// observeMetrics reads the metrics that the checks name. A period that has been read is not read again for as long as
// no other has ended: CloudWatch bills each series, and a bake looks several times a minute.
func observeMetrics(ctx context.Context, look *healthLook) error {
	for n, check := range look.Checks {
		if check.Metric == nil {
			continue
		}
		seen := look.newMetric(*check.Metric)
		if !look.recalls(n, &seen) {
			if err := look.readMetric(ctx, &seen); err != nil {
				return err
			}
			look.keeps(n, seen)
		}
		look.seen.Metrics = append(look.seen.Metrics, seen)
	}
	return nil
}

// defaultBack is how many periods are looked at where nobody says how long.
const defaultBack = 15

// newMetric is an observation of nothing yet: of the whole periods that count and may be believed by now.
func (l *healthLook) newMetric(check patch.MetricCheck) patch.MetricObservation {
	period := check.Period.D()
	until := l.seen.At.Add(-check.Delay.D()).Truncate(period)
	from := l.Metrics.Since.Add(period - 1).Truncate(period)
	if l.Metrics.Since.IsZero() {
		from = until.Add(-l.back(check))
	}
	return patch.MetricObservation{Check: check, From: from, Until: until, Final: l.Metrics.Final}
}

// back is for how long is looked back, in whole periods.
func (l *healthLook) back(check patch.MetricCheck) time.Duration {
	period := check.Period.D()
	if l.Metrics.Back == 0 {
		return defaultBack * period
	}
	return max(l.observer.Speed.OnAWS(l.Metrics.Back).Truncate(period), period)
}

// metricKey is where a look keeps what it has read.
func metricKey(check int) string { return fmt.Sprintf("%s%d", metricPrefix, check) }

const metricPrefix = "metric "

// recalls takes what has been read of the same periods.
func (l *healthLook) recalls(check int, seen *patch.MetricObservation) bool {
	var kept patch.MetricObservation
	if json.Unmarshal([]byte(l.sent[metricKey(check)]), &kept) != nil ||
		!kept.From.Equal(seen.From) || !kept.Until.Equal(seen.Until) {
		return false
	}
	*seen = kept
	return true
}

// keeps remembers what has been read; what CloudWatch did not tell is asked again.
func (l *healthLook) keeps(check int, seen patch.MetricObservation) {
	delete(l.sent, metricKey(check))
	if text, err := json.Marshal(seen); err == nil && seen.Why == "" {
		l.sent[metricKey(check)] = string(text)
	}
}

// readMetric reads one check's metrics of the instance, and of what it is compared with.
func (l *healthLook) readMetric(ctx context.Context, seen *patch.MetricObservation) error {
	if !seen.Until.After(seen.From) {
		return nil
	}
	check, subjects := seen.Check, []string{l.Instance.ID}
	if check.Peers != nil {
		peers, err := l.peersThatServe(ctx)
		if err != nil {
			return err
		}
		subjects = append(subjects, peers...)
	}
	data, err := l.askMetric(ctx, check, subjects, seen.From, seen.Until)
	if err != nil || data.why != "" {
		seen.Why = data.why
		return err
	}
	seen.Own, seen.Peers = data.sample(check, 0, 1), len(subjects)-1
	switch {
	case check.Peers == nil:
	case seen.Peers > 0:
		seen.Other = data.sample(check, 1, len(subjects))
	case l.Metrics.Since.IsZero(): // it has not gone out yet: it is as it is
		seen.Other = seen.Own
	case !l.Metrics.Went.IsZero():
		until := l.Metrics.Went.Truncate(check.Period.D())
		before, err := l.askMetric(ctx, check, subjects, until.Add(-l.back(check)), until)
		if err != nil || before.why != "" {
			seen.Why = before.why
			return err
		}
		seen.Other = before.sample(check, 0, 1)
	}
	return nil
}

// askMetric asks CloudWatch.
func (l *healthLook) askMetric(
	ctx context.Context, check patch.MetricCheck, subjects []string, from, until time.Time,
) (metricData, error) {
	return readMetricData(ctx, l.services, l.Instance.String(), check, subjects, from, until)
}

// peersThatServe are those of the possible peers that run, that no wave has begun, and that are healthy in each target
// group in which the instance is.
func (l *healthLook) peersThatServe(ctx context.Context) ([]string, error) {
	if len(l.Metrics.Peers) == 0 {
		return nil, nil
	}
	if l.peers != nil {
		return *l.peers, nil
	}
	asked := l.Metrics.Peers[:min(len(l.Metrics.Peers), patch.MostPeers)]
	// By a filter: one that is gone is no peer any more, and no error.
	ofEC2, nodes := splitNodes(asked)
	machines, _, err := readNodesByID(ctx, l.services, l.Instance.String(), nodes)
	if err == nil && len(ofEC2) > 0 {
		machines, _, err = DescribeInstances(ctx, l.services, l.Instance.String(), Filter("instance-id", ofEC2...))
	}
	if err != nil {
		return nil, err
	}
	found := []string{}
	for _, machine := range machines {
		if StateOf(machine) == "running" && !carries(machine, names.TagJournal) && l.servesBeside(machine) {
			found = append(found, Deref(machine.InstanceId))
		}
	}
	slices.Sort(found)
	l.peers = &found
	return found, nil
}

func carries(machine ec2types.Instance, key string) bool {
	return slices.ContainsFunc(machine.Tags, func(tag ec2types.Tag) bool { return Deref(tag.Key) == key })
}

// servesBeside reports whether a machine is healthy in each target group that has the instance as a healthy target.
func (l *healthLook) servesBeside(machine ec2types.Instance) bool {
	for _, own := range l.seen.Member.Targets {
		if own.Health != patch.TargetHealthy {
			continue
		}
		theirs := targetsOf(own.TargetGroupARN, machine, l.sighting.health[own.TargetGroupARN])
		if !slices.ContainsFunc(theirs, func(t patch.Target) bool { return t.Health == patch.TargetHealthy }) {
			return false
		}
	}
	return true
}

// TryMetrics asks CloudWatch for each of the checks' metrics once, so that an expression that it does not take and a
// permission that is missing are found before anything is changed. It judges nothing. Instance is one of the group;
// "": it has none, and nothing is asked.
func TryMetrics(
	ctx context.Context, s *Services, group patch.Group, checks []patch.MetricCheck, instance string, at time.Time,
) error {
	for _, check := range checks {
		if err := checkMetric(group.String(), patch.HealthCheck{Metric: &check}); err != nil {
			return err
		}
		until := at.Add(-check.Delay.D()).Truncate(check.Period.D())
		if _, err := readMetricData(
			ctx, s, group.String(), check, []string{instance}, until.Add(-check.Period.D()), until,
		); err != nil {
			return err
		}
	}
	return nil
}

// ofInstance fills an instance's id in.
func ofInstance(value, id string) string { return strings.ReplaceAll(value, patch.InstanceWord, id) }
