package run

import (
	"github.com/patchtide/patchtide/internal/patch"
)

// AtWork is what a group's instances under way are doing; nil where none is.
func AtWork(phase patch.GroupPhase, now []patch.InstanceNow) []patch.InstanceNow {
	if phase != patch.GroupPatching && phase != patch.GroupRollingBack {
		return nil
	}
	return now
}
