package patch

import "slices"

// HTTPCheck asks for an answer of a status that is wanted. From "instance" (the default) it is asked by the probe, a
// read-only command, of localhost; from "worker" the worker dials the instance's private address.
type HTTPCheck struct {
	Path   string `json:"path"`
	Port   int    `json:"port"`
	From   string `json:"from,omitempty"`
	Status []int  `json:"status,omitempty"` // those that are well; none: 200 to 399
	Body   string `json:"body,omitempty"`   // what the answer's first 64 KB have in them; "": anything
}

// HTTPSCheck is HTTPCheck by TLS. Its certificate is proven by its name, against the machine's own roots or a CA; or,
// with Insecure, by nothing.
type HTTPSCheck struct {
	HTTPCheck
	ServerName  string            `json:"server_name,omitempty"`
	Insecure    bool              `json:"insecure,omitempty"`
	CAFrom      string            `json:"ca_from,omitempty"`      // where the worker reads the CA, PEM
	HeadersFrom map[string]string `json:"headers_from,omitempty"` // where the worker reads their values
}

// Web is what an http or https check asks; nil for any other.
func (c HealthCheck) Web() *HTTPCheck {
	if c.HTTPS != nil {
		return &c.HTTPS.HTTPCheck
	}
	return c.HTTP
}

// Wants reports whether a status is one of a healthy instance.
func (c HTTPCheck) Wants(status int) bool {
	if len(c.Status) > 0 {
		return slices.Contains(c.Status, status)
	}
	return status >= 200 && status <= 399
}

func asksHTTP(check HealthCheck) bool  { return check.HTTP != nil }
func asksHTTPS(check HealthCheck) bool { return check.HTTPS != nil }

// The instance must answer a request well.
var (
	httpHealth  = HealthKind{Key: "http", Asks: asksHTTP, Judge: judgeAnswers(asksHTTP)}
	httpsHealth = HealthKind{Key: "https", Asks: asksHTTPS, Judge: judgeAnswers(asksHTTPS)}
)
