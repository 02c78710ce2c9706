package config

import (
	"fmt"

	"github.com/patchtide/patchtide/internal/patch"
)

// checkStopped refuses to start what Auto Scaling does not let be stopped: "When Amazon EC2 Auto Scaling determines
// that an InService instance is unhealthy, it replaces it with a new instance", and one that does not run is unhealthy
// to it (EC2 Auto Scaling User Guide, Health checks for instances in an Auto Scaling group).
func (v *validator) checkStopped(at string, stage Stage) {
	if stage.Stopped != patch.StoppedStart {
		return
	}
	for i, group := range stage.Groups {
		if group.AutoScalingGroup != "" {
			v.doc.Problem(at+".stopped", "start_and_stop is for instances chosen by tags, and %s names the Auto Scaling group "+
				"%s, which replaces a member that is stopped; write a stage of its own for the group, or stopped: leave",
				fmt.Sprintf("groups[%d]", i), group.AutoScalingGroup)
		}
	}
}

// stopped is what a stage says of its groups; leaving is what they know by themselves.
func (s Stage) stopped() patch.Stopped {
	if s.Stopped == patch.StoppedStart {
		return patch.StoppedStart
	}
	return ""
}
