package patch

import "fmt"

// HTTPCheck asks for a 2xx or 3xx answer. From "instance" (the default) it is a read-only command to localhost on the
// instance; from "worker" the worker dials the instance's private address.
type HTTPCheck struct {
	Path string `json:"path"`
	Port int    `json:"port"`
	From string `json:"from,omitempty"`
}

// HTTPObservation is one HTTP check's answer; Status is 0 when nothing answered.
type HTTPObservation struct {
	Check  HTTPCheck
	Status int
	Error  string
}

// httpHealth: the instance must answer a request well.
var httpHealth = HealthKind{
	Key:  "http",
	Asks: func(check HealthCheck) bool { return check.HTTP != nil },
	Judge: func(health *Health, view HealthView) {
		for _, http := range view.Now.HTTP {
			if !http.Good() {
				health.wait("%s", http)
			}
		}
	},
}

// Good reports whether the answer is one of a healthy instance.
func (o HTTPObservation) Good() bool { return o.Status >= 200 && o.Status <= 399 }

// String tells a person what was asked and what came back.
func (o HTTPObservation) String() string {
	said := fmt.Sprintf("http %s on port %d answers %d", o.Check.Path, o.Check.Port, o.Status)
	if o.Error != "" {
		said += ": " + o.Error
	}
	return said
}

// mendHTTP is what to do about a check that does not pass while its instance serves.
const mendHTTP = "correct the path and port of the stage's health, which is asked by plain HTTP, or leave the check out"

// checkHTTPBefore refuses an instance whose http checks do not pass while it still serves: patched and returned it
// would be held for ill, and be put back, for what nobody has changed.
func checkHTTPBefore(v View) []*Refusal {
	var found []*Refusal
	for _, answer := range v.Machine.HTTP {
		if !answer.Good() {
			found = append(found, v.refuse(answer.String()+", before we began", mendHTTP)...)
		}
	}
	return found
}
