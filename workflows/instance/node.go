package instance

import (
	"fmt"

	"github.com/patchtide/patchtide/internal/patch"
)

// nothingPutsBack is why a managed node that an install has touched must not serve: Patchtide has no copy of its disk.
const nothingPutsBack = "an install has touched it, and nothing can put a managed node back"

// stays reports whether it is a managed node that is registered in no target group: nothing takes it out of service,
// so that it serves whatever is done to it.
func (s *saga) stays() bool { return s.in.Group.IsNodes() && len(s.own()) == 0 }

// leftTouched tells of a node that serves with what an install has left on it, and by what it may be mended. Whoever
// heals it finds just that, and has nothing else to do.
func (s *saga) leftTouched() {
	s.status.Result.StillPatched = true
	if s.heals {
		s.note("it serves with what the install left on it: nothing can put a managed node back")
		return
	}
	s.status.Result.Stranded = append(s.status.Result.Stranded, patch.StrandedNode(s.in.Group, s.in.Instance,
		"it serves with what the install left on it, and no target group could take it out of service",
		fmt.Sprintf("mend it by hand: aws ssm start-session --region %s --target %s, which needs the advanced-instances "+
			"tier, or your own way in; then `retry` while the wave waits, or patch it in the next one", s.in.Group.Region,
			s.in.Instance)))
}
