package aws

import (
	"context"
	"net/http"

	"github.com/patchtide/patchtide/internal/patch"
)

// Observer looks at everything that health checks name. It judges nothing: patch.JudgeHealth does.
type Observer struct {
	HTTP    *http.Client // dials instances for HTTP checks `from: worker`; nil refuses them
	Secrets Secrets      // reads CAs and headers; nil refuses checks that have any
	Speed   Speed
}

// Secrets reads a value from where a plan says that it is kept, such as "ssm:/patchtide/token". Its errors name the
// place, never the value.
type Secrets func(ctx context.Context, source string) (string, error)

// secret reads one. Where it cannot be read now it may be later, or by another worker.
func (o Observer) secret(ctx context.Context, source string) (string, error) {
	if o.Secrets == nil {
		return "", Final(InvalidInput, "%s cannot be read: this worker reads no secrets for health checks", source)
	}
	value, err := o.Secrets(ctx, source)
	if err != nil {
		return "", MayPass("read what a health check needs from %s: %v", source, err)
	}
	return value, nil
}

// HealthQuery asks how one instance is.
type HealthQuery struct {
	Instance     Instance
	Platform     patch.Platform // "" is what the instance is seen to be
	TargetGroups []string       // ARNs to look at
	Checks       []patch.HealthCheck
	Metrics      patch.MetricLook // what metric checks are about
}

// Validate is InvalidInput for a check that cannot be asked. One of a kind that this worker does not know would count
// as passed if it were left out.
func (in HealthQuery) Validate() error {
	for i, check := range in.Checks {
		kind, ok := check.Kind()
		if !ok {
			return Final(InvalidInput, "%s: health check %d is of no kind that this worker knows", in.Instance, i+1)
		}
		if refuse := healthObservers[kind.Key].check; refuse != nil {
			if err := refuse(in.Instance.String(), check); err != nil {
				return err
			}
		}
	}
	return nil
}

// healthLook is one look at an instance, as the kinds of health checks fill it.
type healthLook struct {
	HealthQuery
	observer Observer
	services *Services
	sighting Sighting
	sent     Commands
	probed   map[int]patch.Answer // by the number of the check; nil: the probe has not been looked for yet
	seen     *patch.HealthObservation
	peers    *[]string // those that serve; nil: nobody has looked yet
	// waitingFor names what has been asked and has not answered.
	waitingFor []string
}

// healthObserver observes one kind of health check; patch.HealthKind judges it.
type healthObserver struct {
	// check refuses a check that cannot be asked, before anything is. nil: all can.
	check   func(where string, check patch.HealthCheck) error
	observe func(ctx context.Context, look *healthLook) error
}

// healthObservers has an observer for the key of each of patch.HealthKinds.
var healthObservers = map[string]healthObserver{
	"target_group": {observe: observeTargets},
	"http":         {check: checkWeb, observe: observeAnswers(func(c patch.HealthCheck) bool { return c.HTTP != nil })},
	"https":        {check: checkHTTPS, observe: observeAnswers(func(c patch.HealthCheck) bool { return c.HTTPS != nil })},
	"command": {
		check: checkCommand, observe: observeAnswers(func(c patch.HealthCheck) bool { return c.Command != nil }),
	},
	"alarm":  {observe: observeAlarms},
	"metric": {check: checkMetric, observe: observeMetrics},
}

// Observe is one look; waitingFor names the commands that have not answered.
func (o Observer) Observe(
	ctx context.Context, s *Services, in HealthQuery, sent Commands,
) (seen *patch.HealthObservation, waitingFor []string, err error) {
	now, err := readMachineSighting(ctx, s, in.Instance)
	if err != nil {
		return nil, nil, err
	}
	seen = &patch.HealthObservation{Member: now.Member, At: now.At}
	look := &healthLook{HealthQuery: in, observer: o, services: s, sighting: now, sent: sent, seen: seen}
	for _, kind := range patch.HealthKinds() {
		if err := healthObservers[kind.Key].observe(ctx, look); err != nil {
			return nil, nil, err
		}
	}
	return seen, look.waitingFor, nil
}

// platform is the caller's word, or what the instance is seen to be.
func (in HealthQuery) platform(member patch.Member) patch.Platform {
	if in.Platform != "" {
		return in.Platform
	}
	return member.Platform
}
