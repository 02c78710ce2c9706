package brief

import (
	"strings"

	"github.com/patchtide/patchtide/internal/patch"
)

// mostHooksTold is how many runs of hooks are told.
const mostHooksTold = 20

// hooksOf says how the hooks of a wave ended, and those of its failed instances, each with the last line of what one
// said that did not end well.
func hooksOf(status patch.WaveStatus) (told []string) {
	add := func(of string, runs []patch.HookRun) {
		for _, ran := range runs {
			if len(told) < mostHooksTold {
				told = append(told, of+HookLine(ran))
			}
		}
	}
	add("", status.Hooks)
	for _, stage := range status.Stages {
		for _, group := range stage.Groups {
			for _, failed := range group.Failed {
				add(failed.ID+": ", failed.Hooks)
			}
		}
	}
	return told
}

// HookLine says how a run of a hook ended; of one that did not end well with the last line of what it said.
func HookLine(ran patch.HookRun) string {
	said := ran.String()
	lines := strings.Split(strings.TrimSpace(ran.Output), "\n")
	if last := lines[len(lines)-1]; ran.Failed() && last != "" && !strings.Contains(ran.Why, last) {
		said += "; it said: " + patch.Clip(last, 200)
	}
	return said
}
