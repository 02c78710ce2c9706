package aws

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/patchtide/patchtide/internal/patch"
)

// The scripts take as long as answerWithin, which is also the default of Elastic Load Balancing's checks.
var (
	//go:embed scripts/http.sh
	linuxHTTP string
	//go:embed scripts/http.ps1
	windowsHTTP string
)

func linuxProbe(check patch.HTTPCheck) []string {
	return probe(linuxHTTP, "port=80 path='/healthz'", fmt.Sprintf("port=%d path='%s'", check.Port, check.Path), check)
}

func windowsProbe(check patch.HTTPCheck) []string {
	url := fmt.Sprintf("'http://localhost:%d%s'", check.Port, check.Path)
	return probe(windowsHTTP, "'http://localhost:80/healthz'", url, check)
}

// probe is a script for a check, a line each. Its first line tells readers of the command history, and the laboratory,
// what is asked; other comments stay here.
func probe(script, sample, asked string, check patch.HTTPCheck) []string {
	lines := []string{fmt.Sprintf("# patchtide:http %d %s", check.Port, check.Path)}
	for _, line := range strings.Split(strings.TrimRight(script, "\n"), "\n") {
		if !strings.HasPrefix(strings.TrimSpace(line), "#") {
			lines = append(lines, strings.Replace(line, sample, asked, 1))
		}
	}
	return lines
}
