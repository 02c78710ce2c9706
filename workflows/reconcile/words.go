package reconcile

import (
	"strings"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
)

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
