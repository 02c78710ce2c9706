package aws

import (
	"context"
	"net/http"

	"github.com/patchtide/patchtide/internal/patch"
)

// Observer looks at everything that health checks name. It judges nothing: patch.JudgeHealth does.
type Observer struct {
	HTTP  *http.Client // dials instances for HTTP checks `from: worker`; nil refuses them
	Speed Speed
}

// HealthQuery asks how one instance is.
type HealthQuery struct {
	Instance     Instance
	Platform     patch.Platform // "" is what the instance is seen to be
	TargetGroups []string       // ARNs to look at
	Checks       []patch.HealthCheck
}

// Validate is InvalidInput for a check that cannot be asked.
func (in HealthQuery) Validate() error {
	for _, check := range in.Checks {
		if check.HTTP != nil {
			if err := checkHTTP(in.Instance.String(), *check.HTTP); err != nil {
				return err
			}
		}
	}
	return nil
}

// Observe is one look; waitingFor names the commands that have not answered.
func (o Observer) Observe(ctx context.Context, s *Services, in HealthQuery, sent Probes) (seen *patch.HealthObservation, waitingFor []string, err error) {
	now, err := ReadSighting(ctx, s, in.Instance, in.TargetGroups)
	if err != nil {
		return nil, nil, err
	}
	seen = &patch.HealthObservation{Member: now.Member, At: now.At}
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
			answer, err = o.dial(ctx, now.Member.PrivateIP, *check.HTTP)
		} else {
			answer, answered, err = sent.ask(ctx, s, in.Instance, in.platform(now.Member), *check.HTTP)
		}
		if err != nil {
			return nil, nil, err
		}
		if !answered {
			waitingFor = append(waitingFor, "http "+probeKey(*check.HTTP))
		}
		seen.HTTP = append(seen.HTTP, answer)
	}
	seen.Alarms, err = ReadAlarms(ctx, s, in.Instance.Group, alarms, o.Speed)
	return seen, waitingFor, err
}

// platform is the caller's word, or what the instance is seen to be.
func (in HealthQuery) platform(member patch.Member) patch.Platform {
	if in.Platform != "" {
		return in.Platform
	}
	return member.Platform
}
