package run

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
)

// wavesAtOnce bounds the waves that one activity asks Temporal about: it has half a minute.
const wavesAtOnce = 50

// ExpireBackups deletes, or with DryRun lists, what is past its retention in one account and region. What an open wave
// may still be rolled back by stays, and so does what a roll back under way needs, however old it is: whose workflow
// runs is asked just before.
func ExpireBackups(options workflow.Context, in activities.ExpireInput) (activities.Expired, error) {
	var expired activities.Expired
	do := func(in activities.ExpireInput) error {
		expired = activities.Expired{}
		return workflow.ExecuteActivity(options, aws.ExpireBackups, in).Get(options, &expired)
	}
	if err := do(activities.ExpireInput{Group: in.Group, DryRun: true}); err != nil || len(expired.Waves) == 0 {
		return expired, err
	}
	for waves := range slices.Chunk(slices.Clone(expired.Waves), wavesAtOnce) {
		var ids []string
		for _, wave := range waves {
			ids = append(ids, wave, names.RollBack(wave))
		}
		var owners activities.Owners
		ctx := Controlling(options, "whose waves are still open")
		if err := workflow.ExecuteActivity(
			ctx, control.FindOwners, activities.FindOwnersInput{WorkflowIDs: ids},
		).Get(ctx, &owners); err != nil {
			return activities.Expired{}, err
		}
		for _, wave := range waves {
			if slices.Contains(owners.Running, wave) || slices.Contains(owners.Running, names.RollBack(wave)) {
				in.Keep = append(in.Keep, wave)
			}
		}
	}
	return expired, do(in)
}
