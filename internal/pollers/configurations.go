package pollers

import (
	"fmt"
	"time"

	"github.com/patchtide/patchtide/config"
)

// OtherConfiguration is a worker that knows another configuration than a file.
type OtherConfiguration struct {
	Process string `json:"worker"` // PID@HOST
	Says    string `json:"says"`
	Mend    string `json:"mend"`
}

// OtherConfigurations are those of the workers that know another configuration than the one loaded. Windows open, and
// waves begin, by what a worker knows, which read its file when it started.
func OtherConfigurations(workers []Poller, now time.Time, loaded *config.Config) ([]OtherConfiguration, error) {
	ours, err := loaded.Fingerprint()
	if err != nil {
		return nil, err
	}
	var others []OtherConfiguration
	for _, worker := range workers {
		if worker.Worker.Config == ours {
			continue
		}
		others = append(others, OtherConfiguration{
			Process: worker.Process(),
			Says: fmt.Sprintf("the worker %s, which polled %s ago, runs with another configuration (%s) than %s (%s)",
				worker.Process(), max(now.Sub(worker.Last), 0).Round(time.Second), worker.Worker.Config, loaded.File, ours),
			Mend: fmt.Sprintf("give it this file and restart it; one that has ended is still listed for %s", Age),
		})
	}
	return others, nil
}
