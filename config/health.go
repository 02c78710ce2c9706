package config

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/patchtide/patchtide/internal/patch"
)

// HealthCheck is one condition; exactly one key is set. Its keys are the kinds of patch.HealthKinds.
type HealthCheck struct {
	TargetGroup string        `yaml:"target_group" pattern:"^[A-Za-z0-9-]{1,32}$" example:"auto" doc:"Healthy in this target group; auto: in every one the instance was healthy in before."`
	HTTP        *HTTPCheck    `yaml:"http" example:"{path: /healthz, port: 80}" doc:"A request by plain HTTP that must be answered well. It is asked before an instance is taken out as well, as https and command are."`
	HTTPS       *HTTPSCheck   `yaml:"https" example:"{path: /healthz, server_name: web.example.com}" doc:"The same by TLS. The certificate is proven for server_name, or by nothing with insecure: true; one of the two has to be there."`
	Command     *CommandCheck `yaml:"command" example:"{run: systemctl is-active --quiet web}" doc:"A script, or a Command document of Systems Manager, that exits with 0 on an instance that is well. It must only read: it runs at each look, and may run twice."`
	Alarm       string        `yaml:"alarm" pattern:"^.{1,255}$" example:"web-5xx" doc:"A CloudWatch alarm that must be OK before the first instance and must not fire after ours are back."`
	Metric      *MetricCheck  `yaml:"metric" example:"{name: error rate, metrics: [{id: errors, namespace: Web, metric: ErrorRate, statistic: Average, dimensions: {InstanceId: '{instance}'}}], at_most: 5}" doc:"What CloudWatch has of an instance, against a bound or against the unpatched others of its group. Too little data is never well."`
}

// HTTPCheck is a request to the instance.
type HTTPCheck struct {
	Path   string `yaml:"path" required:"true" pattern:"^/[A-Za-z0-9._~%/?=&:@+,-]*$" example:"/healthz" doc:"The path asked for."`
	Port   int    `yaml:"port" min:"1" max:"65535" default:"80" example:"80" doc:"The port asked."`
	Wanted `yaml:",inline"`
}

// HTTPSCheck is a request by TLS.
type HTTPSCheck struct {
	Path        string            `yaml:"path" required:"true" pattern:"^/[A-Za-z0-9._~%/?=&:@+,-]*$" example:"/healthz" doc:"The path asked for."`
	Port        int               `yaml:"port" min:"1" max:"65535" default:"443" example:"443" doc:"The port asked."`
	ServerName  string            `yaml:"server_name" pattern:"^[A-Za-z0-9][A-Za-z0-9.-]{0,252}$" example:"web.example.com" doc:"The name asked for, which the certificate must be for. The connection goes to the instance itself."`
	Insecure    bool              `yaml:"insecure" default:"false" example:"true" doc:"Whether any certificate will do."`
	CAFrom      Source            `yaml:"ca_from" computed:"the CAs of whoever asks" example:"file:/etc/patchtide/ca.pem" doc:"Where the worker reads the CA that proves the certificate, PEM: env:NAME, file:PATH or ssm:/NAME. Every worker needs it there."`
	HeadersFrom map[string]Source `yaml:"headers_from" example:"{Authorization: 'ssm:/patchtide/health-token'}" doc:"Headers whose values are secrets, each with where the worker reads it: env:NAME, file:PATH or ssm:/NAME. Only with from: worker, since Systems Manager keeps the text of a command; on the instance let a command read the secret there."`
	Wanted      `yaml:",inline"`
}

// Wanted is what a request has to be answered with, and who asks.
type Wanted struct {
	Status []int  `yaml:"status" min:"100" max:"599" computed:"200 to 399" example:"[200, 204]" doc:"The statuses that are well. Redirects are not followed."`
	Body   string `yaml:"body" pattern:"^[ -~]{1,256}$" example:"ok" doc:"What the first 64 KB of the answer's body must have in them, as it is written. From a Linux instance it needs curl there, as https does."`
	From   string `yaml:"from" enum:"instance,worker" default:"instance" example:"instance" doc:"Who asks: the instance itself, by a read-only command to localhost, or the worker, which must reach its private address."`
}

// CommandCheck is something of somebody's own that is run on the instance.
type CommandCheck struct {
	Run        string            `yaml:"run" example:"systemctl is-active --quiet web" doc:"A script of at most 1024 characters, for sh, or for PowerShell on Windows. The last line that it says stands in status and evidence where it fails: it must print no secrets. Either this or document."`
	Timeout    patch.Duration    `yaml:"timeout" min:"1s" max:"5m" default:"10s" example:"10s" doc:"How long run may take. A document has its own time-outs."`
	Document   string            `yaml:"document" pattern:"^[A-Za-z0-9_.:/-]{3,200}$" example:"web-smoke-test" doc:"A Command document in the instance's account and region, or the ARN of a shared one. It is asked before, after the return, and at the end of the bake."`
	Parameters map[string]string `yaml:"parameters" example:"{Depth: full}" doc:"The document's parameters. Systems Manager keeps them: no secrets."`
}

const healthExample = "health: [{target_group: auto}, {http: {path: /healthz, port: 80}}]"

// longestCommand is how long a script of a check may be: it travels within that of the probe, and with the plan to each
// instance's workflow.
const longestCommand = 1024

// healthKeys are the kinds of health checks.
func healthKeys() []string {
	var keys []string
	for _, kind := range patch.HealthKinds() {
		keys = append(keys, kind.Key)
	}
	return keys
}

// checkHealth finds what one check's keys mean for each other.
func (v *validator) checkHealth(at string, check HealthCheck) {
	v.exactlyOne(at, healthExample, healthKeys()...)
	if check.HTTP != nil {
		v.checkWanted(at+".http", check.HTTP.Wanted)
	}
	if check.HTTPS != nil {
		v.checkHTTPS(at+".https", *check.HTTPS)
	}
	if check.Command != nil {
		v.checkCommand(at+".command", *check.Command)
	}
	if check.Metric != nil {
		v.checkMetric(at+".metric", *check.Metric)
	}
}

func (v *validator) checkWanted(at string, wanted Wanted) {
	if strings.Contains(wanted.Body, "{{") {
		v.doc.Problem(at+".body", "holds {{, which Systems Manager would take for a parameter of its own; write a part "+
			"without it")
	}
	v.notEmpty(at+".status", len(wanted.Status), "status: [200, 204]")
}

// headerName is a header's name: RFC 9110, token.
var headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")

func (v *validator) checkHTTPS(at string, check HTTPSCheck) {
	v.checkWanted(at, check.Wanted)
	switch {
	case check.ServerName == "" && !check.Insecure:
		v.doc.Problem(at, "has neither server_name nor insecure: true; write the name that the certificate is for, like "+
			"server_name: web.example.com")
	case check.ServerName != "" && check.Insecure:
		v.doc.Problem(at+".insecure", "has no use beside server_name; write one of them")
	case check.CAFrom != "" && check.Insecure:
		v.doc.Problem(at+".ca_from", "has no use beside insecure: true; write server_name instead of that")
	}
	checkSource(v.doc, at+".ca_from", check.CAFrom, "ca_from: file:/etc/patchtide/ca.pem", "env", "file", "ssm")
	if len(check.HeadersFrom) > 0 && check.From != patch.FromWorker {
		v.doc.Problem(at+".headers_from", "needs from: worker, for Systems Manager keeps the text of every command; on the "+
			"instance let a command read the secret there")
	}
	for _, name := range slices.Sorted(maps.Keys(check.HeadersFrom)) {
		place := at + ".headers_from." + name
		if !headerName.MatchString(name) {
			v.doc.Problem(place, "is no header's name; write it like headers_from: {Authorization: ssm:/patchtide/health-token}")
		}
		checkSource(v.doc, place, check.HeadersFrom[name], "Authorization: ssm:/patchtide/health-token", "env", "file", "ssm")
	}
}

func (v *validator) checkCommand(at string, check CommandCheck) {
	switch {
	case check.Run == "" && check.Document == "":
		v.doc.Problem(at, "has neither run nor document; write one of them, like run: systemctl is-active --quiet web")
	case check.Run != "" && check.Document != "":
		v.doc.Problem(at, "has run and document together; write one of them, like run: systemctl is-active --quiet web")
	case check.Run != "" && len(check.Parameters) > 0:
		v.doc.Problem(at+".parameters", "are a document's; a script has its values in itself")
	case check.Document != "" && v.doc.Has(at+".timeout"):
		v.doc.Problem(at+".timeout", "is for run; a document has its own time-outs: remove it")
	case len(check.Run) > longestCommand:
		v.doc.Problem(at+".run", "has %d characters, and may have %d: keep the script on the machine, and run it here",
			len(check.Run), longestCommand)
	}
}

func (c HealthCheck) resolve() patch.HealthCheck {
	resolved := patch.HealthCheck{TargetGroup: c.TargetGroup, Alarm: c.Alarm}
	if c.HTTP != nil {
		web := c.HTTP.web(c.HTTP.Path, c.HTTP.Port)
		resolved.HTTP = &web
	}
	if c.HTTPS != nil {
		resolved.HTTPS = &patch.HTTPSCheck{
			HTTPCheck: c.HTTPS.web(c.HTTPS.Path, c.HTTPS.Port), ServerName: c.HTTPS.ServerName, Insecure: c.HTTPS.Insecure,
			CAFrom: string(c.HTTPS.CAFrom),
		}
		for name, source := range c.HTTPS.HeadersFrom {
			if resolved.HTTPS.HeadersFrom == nil {
				resolved.HTTPS.HeadersFrom = map[string]string{}
			}
			resolved.HTTPS.HeadersFrom[name] = string(source)
		}
	}
	if c.Metric != nil {
		metric := c.Metric.resolve()
		resolved.Metric = &metric
	}
	if c.Command != nil {
		resolved.Command = &patch.CommandCheck{
			Run: c.Command.Run, Document: c.Command.Document, Parameters: c.Command.Parameters, Timeout: c.Command.Timeout,
		}
	}
	return resolved
}

func (w Wanted) web(path string, port int) patch.HTTPCheck {
	return patch.HTTPCheck{Path: path, Port: port, From: w.From, Status: w.Status, Body: w.Body}
}
