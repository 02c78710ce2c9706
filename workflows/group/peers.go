package group

import "github.com/patchtide/patchtide/internal/patch"

// peers are the members with which an instance's metrics may be compared: those that the wave has not begun, the last
// to be taken first, since they stay so for the longest. None where no check compares.
func (g *group) peers(id string) (ids []string) {
	if !patch.ComparesPeers(g.in.Policy.Health) {
		return nil
	}
	for n := len(g.status.Instances) - 1; n >= 0 && len(ids) < patch.MostPeers; n-- {
		one := g.status.Instances[n]
		if one.ID != id && one.Outcome == patch.NotStarted && !one.WasStopped && nowOf(g.status.Now, one.ID) == nil {
			ids = append(ids, one.ID)
		}
	}
	return ids
}
