package world

import (
	"slices"
	"time"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// Refresh is an instance refresh: it replaces the instances that were there when it began, one after another.
type Refresh struct {
	ID         string
	Status     string // Pending, InProgress, Successful, Failed, Cancelling or Cancelled
	Reason     string
	Start, End time.Time
	total      int
	old        []string // ids still to be replaced
	blocked    *Event   // ends it when instances stay in standby
	warmup     time.Duration
	together   int    // how many are replaced at once
	warming    *Event // goes on when the newest instance is warm
}

// standbyPatience is how long a refresh waits for instances in standby before it fails.
const standbyPatience = time.Hour

// MinHealthy is how many percent of a group a refresh leaves healthy where its request says nothing.
const MinHealthy = 90

// StartRefresh begins an instance refresh; one at a time.
func (g *ScalingGroup) StartRefresh() (*Refresh, error) { return g.StartRefreshWith(0, MinHealthy) }

// StartRefreshWith is StartRefresh for one that waits for the warm-up of the newest instance before it takes the next,
// and that takes as many at once as leave so many percent of the group healthy: one where that leaves none.
func (g *ScalingGroup) StartRefreshWith(warmup time.Duration, minHealthy int) (*Refresh, error) {
	if g.openRefresh() != nil {
		return nil, api.Errorf(
			"InstanceRefreshInProgress",
			"An Instance Refresh is already in progress and blocks the execution of this Instance Refresh.",
		)
	}
	refresh := &Refresh{ID: g.Region.NewUUID("refresh"), Status: "InProgress", Start: g.Region.World.now, warmup: warmup}
	for _, member := range g.members {
		refresh.old = append(refresh.old, member.Instance.ID)
	}
	refresh.total = len(refresh.old)
	refresh.together = max(1, refresh.total*(100-minHealthy)/100)
	g.refreshes = append(g.refreshes, refresh)
	g.Region.Changed("group", g.Name, "instance refresh began")
	g.Region.resettle()
	return refresh, nil
}

// CancelRefresh ends the refresh that is under way; what it began with an instance it finishes.
func (g *ScalingGroup) CancelRefresh() (*Refresh, error) {
	refresh := g.openRefresh()
	if refresh == nil {
		return nil, api.Errorf(
			"ActiveInstanceRefreshNotFound", "No in progress or pending Instance Refresh found for Auto Scaling group %s",
			g.Name,
		)
	}
	refresh.Status, refresh.Reason = "Cancelling", "Cancelled due to user request."
	g.Region.resettle()
	return refresh, nil
}

// Refreshes lists the group's instance refreshes, the newest first.
func (g *ScalingGroup) Refreshes() []*Refresh {
	refreshes := slices.Clone(g.refreshes)
	slices.Reverse(refreshes)
	return refreshes
}

// PercentComplete is how far the refresh is.
func (r *Refresh) PercentComplete() int {
	if r.total == 0 {
		return 100
	}
	return 100 * (r.total - len(r.old)) / r.total
}

// Left is how many instances are still to be replaced.
func (r *Refresh) Left() int { return len(r.old) }

func (g *ScalingGroup) openRefresh() *Refresh {
	for _, refresh := range g.refreshes {
		if refresh.End.IsZero() {
			return refresh
		}
	}
	return nil
}

func (g *ScalingGroup) driveRefresh() {
	refresh := g.openRefresh()
	if refresh == nil || g.active() < g.Desired || slices.ContainsFunc(g.members, (*Member).arriving) {
		return
	}
	refresh.old = slices.DeleteFunc(refresh.old, func(id string) bool {
		member := g.Member(id)
		return member == nil || member.Leaving()
	})
	switch {
	case refresh.Status == "Cancelling":
		g.endRefresh(refresh, "Cancelled", refresh.Reason)
	case len(refresh.old) == 0:
		g.endRefresh(refresh, "Successful", "")
	case g.suspended("InstanceRefresh") || g.suspended("Launch") || g.suspended("Terminate"):
		// It waits.
	case g.warming(refresh):
		// It waits for the newest instance, and is asked again when that is warm.
	default:
		for range min(refresh.together, len(refresh.old)) {
			g.refreshNext(refresh)
		}
	}
}

// warming reports whether an instance that the refresh launched is not warm yet.
func (g *ScalingGroup) warming(refresh *Refresh) bool {
	newest := time.Time{}
	for _, member := range g.members {
		if member.Instance.LaunchTime.After(refresh.Start) && member.Since.After(newest) {
			newest = member.Since
		}
	}
	left := newest.Add(refresh.warmup).Sub(g.Region.World.now)
	if newest.IsZero() || left <= 0 {
		return false
	}
	refresh.warming.Stop()
	refresh.warming = g.Region.World.After(left, g.Region.resettle)
	return true
}

func (g *ScalingGroup) refreshNext(refresh *Refresh) {
	for _, id := range refresh.old {
		if member := g.Member(id); member.State == LifecycleInService && !member.Protected {
			refresh.blocked.Stop()
			refresh.blocked = nil
			g.terminate(member, "an instance was taken out of service in response to an instance refresh")
			return
		}
	}
	if refresh.blocked == nil { // only standby or protected ones are left
		refresh.blocked = g.Region.World.After(standbyPatience, func() {
			g.endRefresh(refresh, "Failed", "Instances stayed in Standby or protected from scale in.")
		})
	}
}

func (g *ScalingGroup) endRefresh(refresh *Refresh, status, reason string) {
	refresh.blocked.Stop()
	refresh.warming.Stop()
	refresh.Status, refresh.Reason, refresh.End = status, reason, g.Region.World.now
	g.Region.Changed("group", g.Name, "instance refresh "+status)
}
