package aws

import (
	_ "embed"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf16"

	"github.com/patchtide/patchtide/internal/patch"
)

const (
	// answerWithin is how long an instance may take over one HTTP check, in seconds: the default of Elastic Load
	// Balancing's checks. It stands in the scripts, too.
	answerWithin = 5
	// probeSlack is what a look of the probe may take beside its checks, in seconds.
	probeSlack = 30
)

var (
	//go:embed scripts/probe.sh
	linuxProbe string
	//go:embed scripts/probe.ps1
	windowsProbe string
)

// Probe is a read-only script that asks an instance its checks: once, or for the length of a bake.
type Probe struct {
	Checks  []patch.HealthCheck // each Probed
	CA      map[int]string      // PEM, by the number of its check, from 0
	Seconds int                 // by the machine's clock; 0: one look
	Every   int                 // seconds between two looks
}

// probeSpec is a probe as the first line of its script has it.
type probeSpec struct {
	Seconds int          `json:"seconds,omitempty"`
	Every   int          `json:"every,omitempty"`
	Checks  []probeCheck `json:"checks"`
}

type probeCheck struct {
	Port     int    `json:"port,omitempty"`
	Path     string `json:"path,omitempty"`
	TLS      bool   `json:"tls,omitempty"`
	Name     string `json:"name,omitempty"`
	Insecure bool   `json:"insecure,omitempty"`
	CA       string `json:"ca,omitempty"` // SHA-256 of the PEM
	Status   []int  `json:"status,omitempty"`
	Body     string `json:"body,omitempty"`
	Run      string `json:"run,omitempty"`
	Timeout  int    `json:"timeout,omitempty"`
}

// Script is the probe for a platform, a line each, and AWS's document that runs it.
func (p Probe) Script(platform patch.Platform) (document string, lines []string) {
	script, calls := linuxProbe, p.shell
	document = "AWS-RunShellScript"
	if platform == patch.Windows {
		script, calls, document = windowsProbe, p.powerShell, "AWS-RunPowerShellScript"
	}
	lines = []string{"# patchtide:probe " + p.spec()}
	replaced := false
	for _, line := range strings.Split(strings.TrimRight(script, "\n"), "\n") {
		switch trimmed := strings.TrimSpace(line); {
		case trimmed == "# begin":
			replaced = true
			lines = append(lines, calls()...)
		case trimmed == "# end":
			replaced = false
		case !replaced && !strings.HasPrefix(trimmed, "#"):
			lines = append(lines, line)
		}
	}
	return document, lines
}

// Within is how long the probe may take at most on the machine, in seconds: a look may begin at its very end, be bad,
// and be followed by another.
func (p Probe) Within() int {
	look := probeSlack
	for _, check := range p.Checks {
		if check.Command != nil {
			look += int(check.Command.Timeout.D().Seconds()) + 1
		} else {
			look += answerWithin
		}
	}
	if p.Seconds == 0 {
		return look
	}
	return p.Seconds + p.Every + 2*look
}

// spec is the first line's JSON. Braces that Systems Manager would take for a parameter of its own are escaped.
func (p Probe) spec() string {
	spec := probeSpec{Seconds: p.Seconds, Every: p.Every}
	for n, check := range p.Checks {
		asked := probeCheck{}
		if web := check.Web(); web != nil {
			asked = probeCheck{Port: web.Port, Path: web.Path, Status: web.Status, Body: web.Body}
		}
		if check.HTTPS != nil {
			asked.TLS, asked.Name, asked.Insecure = true, check.HTTPS.ServerName, check.HTTPS.Insecure
			asked.CA = digest(p.CA[n])
		}
		if check.Command != nil {
			asked.Run, asked.Timeout = check.Command.Run, wholeSeconds(check.Command.Timeout)
		}
		spec.Checks = append(spec.Checks, asked)
	}
	text, err := json.Marshal(spec)
	if err != nil {
		panic("text and numbers are always JSON: " + err.Error())
	}
	return strings.ReplaceAll(string(text), "{{", `\u007b\u007b`)
}

// shell is what the script for Linux has between "begin" and "end".
func (p Probe) shell() []string {
	lines := []string{fmt.Sprintf("seconds=%d every=%d", p.Seconds, p.Every), "checks() {"}
	for n, check := range p.Checks {
		if check.Command != nil {
			lines = append(lines, fmt.Sprintf("own %d %d '%s'", n+1, wholeSeconds(check.Command.Timeout),
				base64.StdEncoding.EncodeToString([]byte(check.Command.Run))))
			continue
		}
		// Of several CAs each is decoded where its check is: they are few.
		lines = append(lines, fmt.Sprintf("ca='%s'", base64.StdEncoding.EncodeToString([]byte(p.CA[n]))))
		lines = append(lines, fmt.Sprintf("web %d %s", n+1, strings.Join(p.arguments(n, quoteShell), " ")))
	}
	return append(lines, "}")
}

// powerShell is the same for Windows.
func (p Probe) powerShell() []string {
	lines := []string{fmt.Sprintf("$seconds = %d; $every = %d", p.Seconds, p.Every), "function Checks {"}
	for n, check := range p.Checks {
		if check.Command != nil {
			lines = append(lines, fmt.Sprintf("Own %d %d '%s'", n+1, wholeSeconds(check.Command.Timeout),
				base64.StdEncoding.EncodeToString(utf16LE(check.Command.Run))))
			continue
		}
		lines = append(lines, fmt.Sprintf("$script:ca = '%s'", base64.StdEncoding.EncodeToString([]byte(p.CA[n]))))
		lines = append(lines, fmt.Sprintf("Web %d %s", n+1, strings.Join(p.arguments(n, quotePowerShell), " ")))
	}
	return append(lines, "}")
}

// arguments are those of a check by HTTP: scheme, port, path, statuses, body, name, and how a certificate is proven.
func (p Probe) arguments(n int, quote func(string) string) []string {
	check, web, scheme, name, how := p.Checks[n], p.Checks[n].Web(), "http", "", ""
	if check.HTTPS != nil {
		scheme, name = "https", check.HTTPS.ServerName
		switch {
		case check.HTTPS.Insecure:
			how = "insecure"
		case p.CA[n] != "":
			how = "ca"
		}
	}
	statuses := "[23]??"
	if len(web.Status) > 0 {
		statuses = strings.Trim(fmt.Sprint(web.Status), "[]")
	}
	return []string{
		quote(scheme), fmt.Sprint(web.Port), quote(web.Path), quote(statuses), quote(web.Body), quote(name), quote(how),
	}
}

func quoteShell(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

func quotePowerShell(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// wholeSeconds is a time-out by the machine's clock, which the laboratory does not scale.
func wholeSeconds(timeout patch.Duration) int { return max(int(timeout.D().Seconds()), 1) }

func utf16LE(text string) []byte {
	var bytes []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		bytes = binary.LittleEndian.AppendUint16(bytes, unit)
	}
	return bytes
}
