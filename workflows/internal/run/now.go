package run

import (
	"github.com/patchtide/patchtide/internal/patch"
)

// Newer tells news from what is known already: signals may overtake each other.
func Newer(known *patch.InstanceNow, now patch.InstanceNow) bool {
	return known == nil || !now.Since.Before(known.Since)
}

// AtWork is what a group's instance is doing; nil where none is under way.
func AtWork(phase patch.GroupPhase, now *patch.InstanceNow) *patch.InstanceNow {
	if phase != patch.GroupPatching && phase != patch.GroupRollingBack {
		return nil
	}
	return now
}
