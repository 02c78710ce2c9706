package run

import (
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
)

// wavesAtOnce bounds the waves that one activity asks Temporal about: it has half a minute.
const wavesAtOnce = 50

// readsJournal is how long reading the whole journal of one wave may take: a request for each version of each record.
const readsJournal = 10 * time.Minute

// ExpireBackups deletes, or with DryRun lists, what is past its retention in one account and region. What an open wave
// may still be rolled back by stays, and so does what a roll back under way needs, however old it is: whose workflow
// runs is asked just before. What no signed record names stays, and is told.
func ExpireBackups(options workflow.Context, in activities.ExpireInput) (activities.Expired, error) {
	var expired activities.Expired
	do := func(in activities.ExpireInput) error {
		expired = activities.Expired{}
		return workflow.ExecuteActivity(options, aws.ExpireBackups, in).Get(options, &expired)
	}
	if err := do(activities.ExpireInput{Group: in.Group, DryRun: true}); err != nil || len(expired.Unnamed) == 0 {
		return expired, err
	}
	var waves []string
	past := map[string][]string{}
	for _, backup := range expired.Unnamed {
		if past[backup.WaveID] == nil {
			waves = append(waves, backup.WaveID)
		}
		past[backup.WaveID] = append(past[backup.WaveID], backup.ID)
	}
	slices.Sort(waves)
	for some := range slices.Chunk(slices.Clone(waves), wavesAtOnce) {
		var ids []string
		for _, wave := range some {
			ids = append(ids, wave, names.RollBack(wave))
		}
		var owners activities.Owners
		ctx := Controlling(options, "whose waves are still open")
		if err := workflow.ExecuteActivity(
			ctx, control.FindOwners, activities.FindOwnersInput{WorkflowIDs: ids},
		).Get(ctx, &owners); err != nil {
			return activities.Expired{}, err
		}
		for _, wave := range some {
			if slices.Contains(owners.Running, wave) || slices.Contains(owners.Running, names.RollBack(wave)) {
				in.Keep = append(in.Keep, wave)
			}
		}
	}
	for _, wave := range waves {
		if slices.Contains(in.Keep, wave) {
			continue
		}
		var named activities.NamedBackups
		if err := workflow.ExecuteActivity(
			lasting(Controlling(options, "which backups the journal of "+wave+" names"), readsJournal),
			control.NamedBackups,
			activities.NamedBackupsInput{WaveID: wave, Place: in.Group.Place(), IDs: past[wave]},
		).Get(options, &named); err != nil {
			return activities.Expired{}, err
		}
		in.Named = append(in.Named, named.IDs...)
	}
	return expired, do(in)
}

// lasting gives one attempt more time.
func lasting(ctx workflow.Context, attempt time.Duration) workflow.Context {
	options := workflow.GetActivityOptions(ctx)
	options.StartToCloseTimeout = attempt
	return workflow.WithActivityOptions(ctx, options)
}
