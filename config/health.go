package config

import "github.com/patchtide/patchtide/internal/patch"

// HealthCheck is one condition; exactly one key is set. Its keys are the kinds of patch.HealthKinds.
type HealthCheck struct {
	TargetGroup string     `yaml:"target_group" pattern:"^[A-Za-z0-9-]{1,32}$" example:"auto" doc:"Healthy in this target group; auto: in every one the instance was healthy in before."`
	HTTP        *HTTPCheck `yaml:"http" example:"{path: /healthz, port: 80}" doc:"A request answered with 2xx or 3xx, by plain HTTP. It is asked before an instance is taken out as well."`
	Alarm       string     `yaml:"alarm" pattern:"^.{1,255}$" example:"web-5xx" doc:"A CloudWatch alarm that must be OK before the first instance and must not fire after ours are back."`
}

// HTTPCheck is a request to the instance.
type HTTPCheck struct {
	Path string `yaml:"path" required:"true" pattern:"^/[A-Za-z0-9._~%/?=&:@+,-]*$" example:"/healthz" doc:"The path asked for."`
	Port int    `yaml:"port" min:"1" max:"65535" default:"80" example:"80" doc:"The port asked."`
	From string `yaml:"from" enum:"instance,worker" default:"instance" example:"instance" doc:"Who asks: the instance itself, by a read-only command to localhost, or the worker, which must reach its private address."`
}

const healthExample = "health: [{target_group: auto}, {http: {path: /healthz, port: 80}}]"

// healthKeys are the kinds of health checks.
func healthKeys() []string {
	var keys []string
	for _, kind := range patch.HealthKinds() {
		keys = append(keys, kind.Key)
	}
	return keys
}

func (c HealthCheck) resolve() patch.HealthCheck {
	resolved := patch.HealthCheck{TargetGroup: c.TargetGroup, Alarm: c.Alarm}
	if c.HTTP != nil {
		resolved.HTTP = &patch.HTTPCheck{Path: c.HTTP.Path, Port: c.HTTP.Port, From: c.HTTP.From}
	}
	return resolved
}
