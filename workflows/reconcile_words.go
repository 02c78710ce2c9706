package workflows

import (
	"strings"
	"time"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
)

// longestHeal bounds one instance's or group's healing: every wait of it, one after the other. Past it what cannot be put
// back is given up and told.
func longestHeal(t patch.Timing) time.Duration {
	return (t.Stop + t.Snapshot + 2*t.RestoreRoot + t.Agent + t.Drain + t.InService + t.HealthBudget + t.ActBudget).D()
}

func resourceOf(marked activities.MarkedResource) string {
	if marked.Instance != "" {
		return "instance " + marked.Instance
	}
	return "auto scaling group " + marked.Group
}

// outcomeOf says how an instance was healed.
func outcomeOf(instance patch.InstanceResult) string {
	said := []string{instance.Reason}
	switch instance.Outcome {
	case patch.RolledBack:
		said = append(said, "its root volume is put back and it serves on its old version")
	case patch.Quarantined:
		said = append(said, "quarantined: it is out of its group")
	case patch.Gone:
		said = append(said, "its group is mended")
	}
	return strings.Join(append(said, instance.Notes...), "; ")
}
