package workflows_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// settleTime is how long AWS is left alone after a wave before its state is judged: replacements launch meanwhile.
const settleTime = 30 * time.Minute

// numbers are a group's settings, which must be the same before and after a wave.
type numbers struct{ Min, Max, Desired int }

// fleetBefore is what must be found again.
type fleetBefore struct {
	web       numbers
	suspended []string
}

func (b *bench) before() fleetBefore {
	var before fleetBefore
	b.sim.Inspect(func(w *world.World) {
		group, err := w.Account(accountProduction).Region(tokyoRegion).ScalingGroup("web")
		require.NoError(b.t, err)
		before = fleetBefore{web: numbers{group.Min, group.Max, group.Desired}, suspended: sortedKeys(group.Suspended)}
	})
	return before
}

// violations judges the simulator's state and event log after a wave, never the workflow's word, except that something
// which the wave reports as stranded, by name, is told and so no violation.
func (b *bench) violations(before fleetBefore, stranded []patch.Stranded, quarantined []string) []string {
	var found []string
	told := func(resource string) bool {
		return slices.ContainsFunc(stranded, func(s patch.Stranded) bool { return strings.Contains(s.Resource, resource) }) ||
			slices.Contains(quarantined, resource)
	}
	wrong := func(resource, format string, args ...any) {
		if !told(resource) {
			found = append(found, resource+": "+fmt.Sprintf(format, args...))
		}
	}
	b.sim.Inspect(func(w *world.World) {
		w.Advance(w.Now().Add(settleTime))
		production := w.Account(accountProduction).Region(tokyoRegion)
		group, err := production.ScalingGroup("web")
		require.NoError(b.t, err)
		if now := (numbers{group.Min, group.Max, group.Desired}); now != before.web {
			wrong("web", "min, max, desired are %v, were %v", now, before.web)
		}
		if now := sortedKeys(group.Suspended); !slices.Equal(now, before.suspended) {
			wrong("web", "suspended are %v, were %v", now, before.suspended)
		}
		// What is stranded keeps its mark, and so does its group: Reconcile must find it again.
		lost := slices.ContainsFunc(stranded, func(s patch.Stranded) bool { return s.Account == "production" })
		switch marked := slices.ContainsFunc(group.Tags, func(tag world.GroupTag) bool { return tag.Key == names.TagJournal }); {
		case marked && !lost:
			wrong("web", "still carries the journal's tag")
		case !marked && lost:
			found = append(found, fmt.Sprintf("web: carries no mark although something of it is stranded: %+v", stranded))
		}
		serving := 0
		for _, member := range group.Members() {
			id := member.Instance.ID
			switch {
			case member.State != world.LifecycleInService:
				wrong(id, "is %s", member.State)
			case !member.Instance.AppHealthy():
				wrong(id, "is in service and its application is ill")
			default:
				serving++
			}
		}
		if serving < before.web.Desired {
			wrong("web", "%d members serve, %d are wanted", serving, before.web.Desired)
		}
		for _, account := range []string{accountStaging, accountProduction} {
			for _, instance := range w.Account(account).Region(tokyoRegion).Instances() {
				if instance.Tags[names.TagJournal] != "" && instance.State != world.Terminated {
					wrong(instance.ID, "still carries the journal's tag")
				}
				isLost := slices.ContainsFunc(stranded, func(s patch.Stranded) bool { return s.Resource == "instance "+instance.ID })
				if isLost && instance.Tags[names.TagJournal] == "" && instance.State != world.Terminated {
					found = append(found, instance.ID+": is stranded and carries no mark")
				}
			}
		}
		staging := w.Account(accountStaging).Region(tokyoRegion)
		for _, target := range staging.TargetGroups() {
			for _, instance := range staging.Instances() {
				if registered := target.Find(instance.ID, 80); registered == nil || registered.State != world.TargetHealthy {
					wrong(instance.ID, "is not healthy in %s", target.Name)
				}
			}
		}
	})
	for _, group := range []struct{ account, name string }{{accountStaging, "Role=web"}, {accountProduction, "web"}} {
		if out := b.sim.MaxOutOfService(group.account, tokyoRegion, group.name); out > 1 {
			found = append(found, fmt.Sprintf("%s: %d were out of service at once", group.name, out))
		}
	}
	return append(found, twice(b.sim.Events())...)
}

// twice finds effects that one attempt had more than once: the token of the attempt tells which belong together.
func twice(events []awssim.Event) []string {
	seen := map[string]int{}
	var found []string
	for _, event := range events {
		if !event.Effect {
			continue
		}
		token := ""
		switch event.Operation {
		case "StartAutomationExecution", "CreateReplaceRootVolumeTask":
			var in struct{ ClientToken string }
			_ = json.Unmarshal(event.Arguments, &in)
			token = in.ClientToken
		case "CreateSnapshot":
			token = attemptTag(event.Arguments)
		}
		if token == "" {
			continue
		}
		key := event.Operation + " " + token
		if seen[key]++; seen[key] == 2 {
			found = append(found, fmt.Sprintf("%s on %s happened twice for one attempt", event.Operation, event.Resource))
		}
	}
	return found
}

// attemptTag finds the attempt's token among a snapshot's tags.
func attemptTag(arguments json.RawMessage) string {
	text := string(arguments)
	_, rest, found := strings.Cut(text, names.TagAttempt)
	if !found {
		return ""
	}
	token, _, _ := strings.Cut(rest, `"`)
	return token
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
