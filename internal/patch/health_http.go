package patch

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
			if http.Status < 200 || http.Status > 399 {
				health.wait("http %s answers %d %s", http.Check.Path, http.Status, http.Error)
			}
		}
	},
}
