package activities

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"go.temporal.io/sdk/activity"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/patch"
)

// ObserveInput asks how one instance is.
type ObserveInput struct {
	Instance     Instance
	Platform     patch.Platform
	TargetGroups []string // ARNs to look at
	Checks       []patch.HealthCheck
	Pace         Pace
}

// Observe looks once at everything the checks name: EC2's state and status checks, target health, HTTP from the instance (a
// read-only command) or from the worker, alarms. It judges nothing: patch.JudgeHealth does. Gone when EC2 no longer has it.
// HTTP from the instance takes until its command has answered, NotReady meanwhile: call it as a wait.
func (a *AWS) Observe(ctx context.Context, in ObserveInput) (_ *patch.HealthObservation, err error) {
	defer typed(&err)
	return a.observeUntil(ctx, in, func(*patch.HealthObservation) (bool, string, error) { return true, "", nil })
}

// AwaitHealthyInput waits for health.
type AwaitHealthyInput struct {
	Observe ObserveInput
	Before  []patch.Target
	Since   patch.HealthObservation // the first observation after return: alarms count from its At
}

// AwaitHealthy observes until patch.JudgeHealth finds the instance healthy; NotHealthy (terminal) on what no wait will mend;
// NotReady with the reasons otherwise.
func (a *AWS) AwaitHealthy(ctx context.Context, in AwaitHealthyInput) (_ *patch.HealthObservation, err error) {
	defer typed(&err)
	return a.observeUntil(ctx, in.Observe, func(seen *patch.HealthObservation) (bool, string, error) {
		health := patch.JudgeHealth(in.Before, in.Observe.Checks, *seen, in.Since.At)
		if len(health.Failed) > 0 {
			return false, "", final(ErrNotHealthy, "%s: %s", in.Observe.Instance, health)
		}
		return health.Healthy(), in.Observe.Instance.String() + " is not healthy yet: " + health.String(), nil
	})
}

// observeUntil observes until enough says so of a whole observation. Commands that were sent and have not answered are kept
// for the next attempt; once all have answered, the next look sends new ones, and not before Poll has passed.
func (a *AWS) observeUntil(ctx context.Context, in ObserveInput, enough func(*patch.HealthObservation) (bool, string, error)) (*patch.HealthObservation, error) {
	query := healthQuery{Instance: in.Instance, Platform: in.Platform, TargetGroups: in.TargetGroups, Checks: in.Checks}
	if err := query.validate(); err != nil {
		return nil, err
	}
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return nil, err
	}
	sent := probes{}
	if activity.HasHeartbeatDetails(ctx) {
		// Details that cannot be read only mean that the commands are sent again.
		if err := activity.GetHeartbeatDetails(ctx, &sent); err != nil || sent == nil {
			sent = probes{}
		}
	}
	var last *patch.HealthObservation
	var next time.Time
	var why string
	err = a.waits().lookKeeping(ctx, in.Pace, func() any { return sent }, func(ctx context.Context) (bool, string, error) {
		// Answers are looked for often, but an instance is not asked anew more often than the plan says.
		if time.Now().Before(next) {
			return false, why, nil
		}
		seen, waitingFor, err := observer{HTTP: a.HTTP, Speed: a.speed()}.observe(ctx, s, query, sent)
		if err != nil || len(waitingFor) > 0 {
			return false, in.Instance.String() + ": no answer yet to " + strings.Join(waitingFor, ", "), err
		}
		clear(sent)
		last, next = seen, time.Now().Add(in.Pace.Poll.D())
		var done bool
		done, why, err = enough(seen)
		return done, why, err
	})
	if err != nil {
		return nil, err
	}
	return last, nil
}

// observer looks at everything that health checks name. It judges nothing: patch.JudgeHealth does.
type observer struct {
	HTTP  *http.Client // dials instances for HTTP checks `from: worker`; nil refuses them
	Speed speed
}

// healthQuery asks how one instance is.
type healthQuery struct {
	Instance     Instance
	Platform     patch.Platform // "" is what the instance is seen to be
	TargetGroups []string       // ARNs to look at
	Checks       []patch.HealthCheck
}

// validate is InvalidInput for a check that cannot be asked.
func (in healthQuery) validate() error {
	for _, check := range in.Checks {
		if check.HTTP != nil {
			if err := checkHTTP(in.Instance.String(), *check.HTTP); err != nil {
				return err
			}
		}
	}
	return nil
}

// observe is one look; waitingFor names the commands that have not answered.
func (o observer) observe(ctx context.Context, s *aws.Services, in healthQuery, sent probes) (seen *patch.HealthObservation, waitingFor []string, err error) {
	now, err := readSighting(ctx, s, in.Instance, in.TargetGroups)
	if err != nil {
		return nil, nil, err
	}
	seen = &patch.HealthObservation{Member: now.member, At: now.at}
	var alarms []string
	for _, check := range in.Checks {
		if check.Alarm != "" {
			alarms = append(alarms, check.Alarm)
		}
		if check.HTTP == nil {
			continue
		}
		var answer patch.HTTPObservation
		answered := true
		if check.HTTP.From == "worker" {
			answer, err = o.dial(ctx, now.member.PrivateIP, *check.HTTP)
		} else {
			answer, answered, err = sent.ask(ctx, s, in.Instance, in.platform(now.member), *check.HTTP)
		}
		if err != nil {
			return nil, nil, err
		}
		if !answered {
			waitingFor = append(waitingFor, "http "+probeKey(*check.HTTP))
		}
		seen.HTTP = append(seen.HTTP, answer)
	}
	seen.Alarms, err = readAlarms(ctx, s, in.Instance.Group, alarms, o.Speed)
	return seen, waitingFor, err
}

// platform is the caller's word, or what the instance is seen to be.
func (in healthQuery) platform(member patch.Member) patch.Platform {
	if in.Platform != "" {
		return in.Platform
	}
	return member.Platform
}

// alarmPeriod is the longest period of an alarm's metrics; one with metric math has them in its queries.
func alarmPeriod(alarm cwtypes.MetricAlarm) patch.Duration {
	longest := deref(alarm.Period)
	for _, query := range alarm.Metrics {
		longest = max(longest, deref(query.Period))
		if query.MetricStat != nil {
			longest = max(longest, deref(query.MetricStat.Period))
		}
	}
	return patch.Duration(time.Duration(longest) * time.Second)
}

// alarmsPerRequest is how many names one DescribeAlarms takes.
const alarmsPerRequest = 100

// readAlarms reads alarms in the order of their names. One that does not exist is InvalidInput: a gate that nothing can close
// is a mistake in the plan.
func readAlarms(ctx context.Context, s *aws.Services, group patch.Group, wanted []string, speed speed) ([]patch.AlarmObservation, error) {
	wanted = slices.Compact(slices.Sorted(slices.Values(wanted)))
	var seen []patch.AlarmObservation
	for chunk := range slices.Chunk(wanted, alarmsPerRequest) {
		// Composite alarms are left out unless asked for.
		pages := cloudwatch.NewDescribeAlarmsPaginator(s.CloudWatch, &cloudwatch.DescribeAlarmsInput{
			AlarmNames: chunk, AlarmTypes: []cwtypes.AlarmType{cwtypes.AlarmTypeMetricAlarm, cwtypes.AlarmTypeCompositeAlarm},
			MaxRecords: ptr(int32(alarmsPerRequest)),
		})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, aws.Wrap("describe the alarms "+strings.Join(chunk, ", "), group.String(), err)
			}
			for _, alarm := range page.MetricAlarms {
				entered := alarm.StateTransitionedTimestamp
				if entered == nil {
					entered = alarm.StateUpdatedTimestamp
				}
				seen = append(seen, patch.AlarmObservation{
					Name: deref(alarm.AlarmName), State: string(alarm.StateValue), Since: deref(entered).UTC(),
					Needs: speed.inPlan(patch.AlarmTime(alarmPeriod(alarm), int(deref(alarm.EvaluationPeriods)))),
				})
			}
			for _, alarm := range page.CompositeAlarms {
				entered := alarm.StateTransitionedTimestamp
				if entered == nil {
					entered = alarm.StateUpdatedTimestamp
				}
				seen = append(seen, patch.AlarmObservation{Name: deref(alarm.AlarmName), State: string(alarm.StateValue), Since: deref(entered).UTC()})
			}
		}
	}
	for _, name := range wanted {
		if !slices.ContainsFunc(seen, func(alarm patch.AlarmObservation) bool { return alarm.Name == name }) {
			return nil, aws.Final(aws.InvalidInput, "%s: there is no CloudWatch alarm %q in this account and region; correct the plan's health checks", group, name)
		}
	}
	slices.SortFunc(seen, func(a, b patch.AlarmObservation) int { return strings.Compare(a.Name, b.Name) })
	return seen, nil
}
