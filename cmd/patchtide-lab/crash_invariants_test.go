package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// fleetBefore is what must be found again, by "account/region/group": min, max, desired, suspended processes, members;
// and by "account/region/target group": the registered instances.
type fleetBefore struct{ groups, targets map[string]string }

func fleetNow(aws *simulator) fleetBefore {
	now := fleetBefore{map[string]string{}, map[string]string{}}
	eachRegion(aws, func(where string, region *world.Region) {
		for _, group := range region.ScalingGroups() {
			var members []string
			for _, member := range group.Members() {
				members = append(members, member.Instance.ID)
			}
			slices.Sort(members)
			now.groups[where+group.Name] = fmt.Sprint(
				group.Min, group.Max, group.Desired, slices.Sorted(maps.Keys(group.Suspended)), members,
			)
		}
		for _, group := range region.TargetGroups() {
			var targets []string
			for _, target := range group.Targets() {
				targets = append(targets, fmt.Sprintf("%s:%d", target.Instance.ID, target.Port))
			}
			slices.Sort(targets)
			now.targets[where+group.Name] = fmt.Sprint(targets)
		}
	})
	return now
}

func eachRegion(aws *simulator, look func(where string, region *world.Region)) {
	aws.Inspect(func(w *world.World) {
		for _, account := range w.Accounts() {
			for _, region := range account.Regions() {
				look(account.ID+"/"+region.Name+"/", region)
			}
		}
	})
}

// untilQuiet is how long the simulated AWS is left alone before it is judged: what was begun ends meanwhile.
const untilQuiet = 30 * time.Minute

// violations judges the simulated AWS after a wave by what it is and what its log says took effect.
func (b *crashScene) violations() (found []string) {
	wrong := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	b.aws.Inspect(func(w *world.World) { w.Advance(w.Now().Add(untilQuiet)) })
	now := fleetNow(b.aws)
	for name, was := range b.before.groups {
		if now.groups[name] != was {
			wrong("%s is %s and was %s", name, now.groups[name], was)
		}
	}
	for name, was := range b.before.targets {
		if now.targets[name] != was {
			wrong("%s has %s and had %s", name, now.targets[name], was)
		}
	}
	eachRegion(b.aws, func(where string, region *world.Region) {
		for _, group := range region.ScalingGroups() {
			for _, tag := range group.Tags {
				if tag.Key == names.TagJournal {
					wrong("%s%s still carries the journal's tag", where, group.Name)
				}
			}
			for _, member := range group.Members() {
				if member.State != world.LifecycleInService {
					wrong("%s%s is %s", where, member.Instance.ID, member.State)
				}
			}
		}
		for _, instance := range region.Instances() {
			if instance.Tags[names.TagJournal] != "" {
				wrong("%s%s still carries the journal's tag", where, instance.ID)
			}
			if !instance.AppHealthy() {
				wrong("%s%s: its application is ill", where, instance.ID)
			}
		}
		for _, group := range region.TargetGroups() {
			for _, target := range group.Targets() {
				if target.State != world.TargetHealthy {
					wrong("%s%s is %s in %s", where, target.Instance.ID, target.State, group.Name)
				}
			}
		}
		for _, command := range region.Commands() {
			if !command.Done() && slices.Contains(command.Parameters["Operation"], "Install") {
				wrong("%sthe install %s still runs", where, command.ID)
			}
		}
	})
	for _, line := range b.aws.Timeline() {
		if line.Group != "" && line.MaxOutOfService > b.atOnce {
			wrong("%s: %d were out of service at once", line.Group, line.MaxOutOfService)
		}
	}
	for _, account := range b.aws.scenario.Accounts {
		most := 1
		if account.Name == "production" { // whose group carries the tag as well
			most = b.atOnce
		}
		for _, region := range account.Regions {
			if out := b.aws.MaxOutOfService(account.ID, region.Name, "Role=web"); out > most {
				wrong("%s Role=web: %d were out of service at once", account.Name, out)
			}
		}
	}
	return append(found, twice(b.aws.Events())...)
}

// twice finds effects that one attempt had more than once: the token of (wave, instance, step, try) tells.
func twice(events []awssim.Event) (found []string) {
	made := map[string]int{}
	for _, event := range events {
		token := ""
		switch {
		case !event.Effect:
		case event.Operation == "StartAutomationExecution", event.Operation == "CreateReplaceRootVolumeTask":
			var in struct{ ClientToken string }
			_ = json.Unmarshal(event.Arguments, &in)
			token = in.ClientToken
		case event.Operation == "CreateSnapshot":
			_, rest, _ := strings.Cut(string(event.Arguments), names.TagAttempt)
			token, _, _ = strings.Cut(rest, `"`)
		}
		if token == "" {
			continue
		}
		key := event.Operation + " " + token
		if made[key]++; made[key] == 2 {
			found = append(
				found, fmt.Sprintf("%s of %s happened twice for the attempt %s", event.Operation, event.Resource, token),
			)
		}
	}
	return found
}

// effects counts what took effect by operation.
func effects(events []awssim.Event, operation string) (number int) {
	for _, event := range events {
		if event.Effect && event.Operation == operation {
			number++
		}
	}
	return number
}

// outcomes are those of the instances of each stage, sorted, as "patched patched".
func outcomes(result patch.WaveResult) map[string]string {
	byStage := map[string]string{}
	for _, stage := range result.Stages {
		var all []string
		for _, group := range stage.Groups {
			for _, instance := range group.Instances {
				all = append(all, string(instance.Outcome))
			}
		}
		slices.Sort(all)
		byStage[stage.Name] = strings.Join(all, " ")
	}
	return byStage
}

// requireEvidence reads what the workers left: every version of every record is signed and whole, and the wave's
// document is there.
func (b *crashScene) requireEvidence(waveID string) {
	b.t.Helper()
	key, err := evidence.LoadKey(
		b.t.Context(), "file:"+filepath.Join(b.data, "worker", "journal.key"), evidence.KeyPlaces{},
	)
	require.NoError(b.t, err)
	store, err := evidence.Open(b.t.Context(), filepath.Join(b.data, "worker", "evidence"), evidence.Options{Signer: key})
	require.NoError(b.t, err)
	defer func() { require.NoError(b.t, store.Close()) }()
	records, err := store.ListJournal(b.t.Context(), waveID)
	require.NoError(b.t, err)
	require.NotEmpty(b.t, records)
	var document map[string]any
	require.NoError(b.t, store.GetWave(b.t.Context(), waveID, &document))
	require.NotEmpty(b.t, document)
}
