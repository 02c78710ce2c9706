package world

import (
	"fmt"
	"slices"
	"time"
)

// Activity is one scaling activity, as DescribeScalingActivities tells it.
type Activity struct {
	ID          string
	Group       string
	Description string
	Cause       string
	Start, End  time.Time
	Status      string // InProgress, Successful, Failed or Cancelled
	Message     string // why it failed
	Progress    int
	Instance    string
}

// activityMemory is how many activities of a group are kept; AWS keeps six weeks of them.
const activityMemory = 500

func (g *ScalingGroup) begin(description, instance, cause string) *Activity {
	now := g.Region.World.now
	activity := &Activity{
		ID: g.Region.NewUUID("activity"), Group: g.Name, Description: description + instance, Start: now,
		Status:   "InProgress",
		Progress: 50, Instance: instance, Cause: fmt.Sprintf("At %s %s.", now.UTC().Format("2006-01-02T15:04:05Z"), cause),
	}
	g.activities = append(g.activities, activity)
	if len(g.activities) > activityMemory {
		g.activities = slices.Delete(g.activities, 0, 1)
	}
	return activity
}

func (g *ScalingGroup) end(activity *Activity, status, message string) {
	activity.Status, activity.Message, activity.Progress, activity.End = status, message, 100, g.Region.World.now
}

// endFor ends the newest open activity about an instance.
func (g *ScalingGroup) endFor(instance, status string) {
	for _, activity := range slices.Backward(g.activities) {
		if activity.Instance == instance && activity.Status == "InProgress" {
			g.end(activity, status, "")
			return
		}
	}
}

// Activities lists the group's scaling activities, the newest first.
func (g *ScalingGroup) Activities() []*Activity {
	activities := slices.Clone(g.activities)
	slices.Reverse(activities)
	return activities
}
