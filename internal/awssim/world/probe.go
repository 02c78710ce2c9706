package world

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// probeSpec is what the first line of Patchtide's probe says: checks that are asked once, or for so many seconds.
type probeSpec struct {
	Seconds int          `json:"seconds"`
	Every   int          `json:"every"`
	Checks  []probeCheck `json:"checks"`
}

type probeCheck struct {
	Port     int    `json:"port"`
	Path     string `json:"path"`
	TLS      bool   `json:"tls"`
	Name     string `json:"name"`
	Insecure bool   `json:"insecure"`
	CA       string `json:"ca"` // SHA-256 of the PEM
	Status   []int  `json:"status"`
	Body     string `json:"body"`
	Run      string `json:"run"`
	Timeout  int    `json:"timeout"`
}

// probePrefix begins a probe's first line.
const probePrefix = "# patchtide:probe "

// probeOf is the probe that a script is; nil: it is none.
func probeOf(script string) *probeSpec {
	first, _, _ := strings.Cut(strings.TrimLeft(script, "\r\n"), "\n")
	text, known := strings.CutPrefix(first, probePrefix)
	spec := &probeSpec{}
	if !known || json.Unmarshal([]byte(text), spec) != nil {
		return nil
	}
	return spec
}

// probing is a probe on a machine. It looks as the script does: a bad look is followed by another, and two in a row end
// it.
type probing struct {
	probeSpec
	on                    *Instance
	until                 time.Time
	looks, bad, row, told int
	out                   strings.Builder
	took                  time.Duration // by the commands of one look
}

// mostTold is how many lines the script prints before its last.
const mostTold = 60

// runProbe looks, and again until the probe is over.
func (v *Invocation) runProbe(spec *probeSpec, then func(said)) {
	w := v.Instance.Region.World
	p := &probing{probeSpec: *spec, on: v.Instance, until: w.now.Add(time.Duration(spec.Seconds) * time.Second)}
	var next func()
	next = func() {
		p.look()
		over := p.row >= 2 || p.Seconds == 0 || !w.now.Before(p.until) && p.row == 0
		pause := p.took
		if !over {
			pause += time.Duration(p.Every) * time.Second
		}
		v.busy(pause, func() {
			if over {
				then(p.printed())
				return
			}
			next()
		})
	}
	v.busy(scriptTime, next)
}

// printed is what the script has printed in the end.
func (p *probing) printed() said {
	return said{stdout: p.out.String() + fmt.Sprintf("end %d %d %d\n", p.looks, p.bad, p.row)}
}

func (p *probing) look() {
	p.looks, p.took = p.looks+1, 0
	ill := false
	for n, check := range p.Checks {
		status, lacks, text := p.ask(check)
		well := status == 0
		if check.Run == "" {
			well = !lacks && (status >= 200 && status <= 399 && len(check.Status) == 0 || slices.Contains(check.Status, status))
		}
		ill = ill || !well
		if well && p.Seconds > 0 {
			continue
		}
		if p.told++; p.told > mostTold {
			continue
		}
		mark := "+"
		if lacks {
			mark = "-"
		}
		at := p.on.clock().UTC().Format("2006-01-02T15:04:05Z")
		fmt.Fprintf(&p.out, "%d %d %s %s %s\n", n+1, status, mark, at, text)
	}
	if !ill {
		p.row = 0
		return
	}
	p.bad, p.row = p.bad+1, p.row+1
}

// ask is one check's status or exit code, whether the body lacks what it must have, and what was said.
func (p *probing) ask(check probeCheck) (status int, lacks bool, text string) {
	if check.Run != "" {
		return p.run(check)
	}
	if text := p.on.refusesTLS(check); text != "" {
		return 0, false, text
	}
	status = p.on.HTTPStatus(check.Port, check.Path)
	if status == 0 {
		return 0, false, fmt.Sprintf("curl: (7) Failed to connect to localhost port %d", check.Port)
	}
	return status, !strings.Contains(p.on.body(status), check.Body), ""
}

// run is somebody's own command.
func (p *probing) run(check probeCheck) (code int, lacks bool, text string) {
	shell := p.on.posix
	if p.on.Disk().os.Windows() {
		shell = powerShell
	}
	done := shell(check.Run)
	if limit := time.Duration(check.Timeout) * time.Second; done.took > limit {
		p.took += limit
		return 124, false, fmt.Sprintf("it took longer than %ds", check.Timeout)
	}
	p.took += done.took
	for line := range strings.Lines(done.stdout + done.stderr) {
		if line = strings.TrimSpace(line); line != "" {
			text = line
		}
	}
	return done.code, false, text
}

// refusesTLS is curl's word on why it gets no answer by TLS, or by plain HTTP where TLS is spoken; "": it gets one.
func (i *Instance) refusesTLS(check probeCheck) string {
	disk := i.Disk()
	if disk == nil || check.Port != disk.app.Port || !i.Up() || !i.machine.appUp {
		return "" // nobody listens, which is told elsewhere
	}
	speaks := disk.app.TLS
	switch {
	case speaks == nil && check.TLS:
		return "curl: (35) TLS connect error: wrong version number"
	case speaks != nil && !check.TLS:
		return "curl: (52) Empty reply from server"
	case speaks == nil || check.Insecure:
		return ""
	case check.Name != speaks.Name:
		return "curl: (60) SSL: no alternative certificate subject name matches target host name '" + check.Name + "'"
	case speaks.CA != "" && check.CA != hashOf(speaks.CA), speaks.CA == "" && check.CA != "":
		return "curl: (60) SSL certificate problem: unable to get local issuer certificate"
	}
	return ""
}

// body is what the application answers with.
func (i *Instance) body(status int) string {
	if app := i.Disk().app; status == 200 && app.Body != "" {
		return app.Body
	}
	return ""
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(strings.TrimSpace(text)))
	return hex.EncodeToString(sum[:])
}
