package run

import (
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
)

// ReadInterference asks what others do to a group and some of its instances.
func ReadInterference(
	ctx workflow.Context, in activities.ReadInterferenceInput, t patch.Timing,
) (patch.Interference, error) {
	var around patch.Interference
	options := Summed(Reading(ctx, in.Group, t), "what others do to "+in.Group.String())
	err := workflow.ExecuteActivity(options, aws.ReadInterference, in).Get(ctx, &around)
	return around, err
}

// Gates are the alarms that are to judge.
func Gates(health []patch.HealthCheck) []string {
	var alarms []string
	for _, check := range health {
		if check.Alarm != "" {
			alarms = append(alarms, check.Alarm)
		}
	}
	return alarms
}
