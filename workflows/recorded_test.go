package workflows_test

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows"
)

// recorded are the kinds of change and what the journal must tell when they are made: of the group, and of the instance that
// is under way in it.
var recorded = map[string]func(group, instance *workflows.Record) bool{
	"CreateOrUpdateTags":              func(group, _ *workflows.Record) bool { return group != nil },
	"CreateTags":                      func(_, instance *workflows.Record) bool { return instance != nil },
	"SuspendProcesses":                func(_, instance *workflows.Record) bool { return len(instance.Intended.Suspend) > 0 },
	"EnterStandby":                    func(_, instance *workflows.Record) bool { return instance.Intended.Standby },
	"DeregisterTargets":               func(_, instance *workflows.Record) bool { return len(instance.Intended.Deregister) > 0 },
	"CreateSnapshot":                  func(_, instance *workflows.Record) bool { return instance.Intended.SnapshotToken != "" },
	"StartAutomationExecution":        func(_, instance *workflows.Record) bool { return instance.Installing && instance.Point != nil },
	"CreateReplaceRootVolumeTask":     func(_, instance *workflows.Record) bool { return instance.Intended.RestoreToken != "" },
	"DetachInstances":                 func(_, instance *workflows.Record) bool { return instance.Quarantine != nil },
	"ModifyNetworkInterfaceAttribute": func(_, instance *workflows.Record) bool { return len(instance.Quarantine.Isolation.Interfaces) == 2 },
	"AttachInstances":                 func(_, instance *workflows.Record) bool { return instance.Release != nil },
	"TerminateInstances":              func(_, instance *workflows.Record) bool { return instance.Ends != nil },
	"UpdateAutoScalingGroup":          func(group, _ *workflows.Record) bool { return group.Intended.RaiseMax && group.Before.Max == 4 },
	"SetDesiredCapacity": func(group, instance *workflows.Record) bool {
		return group.Intended.RaiseDesired || instance.Quarantine.DesiredWanted == 4
	},
	"TerminateInstanceInAutoScalingGroup": func(group, instance *workflows.Record) bool {
		return group.Intended.Surge != "" || instance.Release.GiveWay != ""
	},
}

// puttingBack are the calls that undo a recorded change, and those that leave nothing behind.
var puttingBack = []string{
	"ExitStandby", "RegisterTargets", "ResumeProcesses", "DeleteTags", "SetInstanceHealth", "AssumeRole", "SendCommand", "CancelCommand",
	"StopAutomationExecution", "CreateDocument", "UpdateDocument", "CreatePatchBaseline", "UpdatePatchBaseline", "RegisterPatchBaselineForPatchGroup",
	"AddTagsToResource", "DeleteSnapshot", "DeleteVolume",
}

// recordsFirst asks the journal at every changing call whether it tells of it, and returns the kinds of change that were made
// and what was not recorded.
func (b *bench) recordsFirst(wave *string) (seen map[string]bool, missing func() []string) {
	var mu sync.Mutex
	var wrong []string
	seen = map[string]bool{}
	b.sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		mu.Lock()
		defer mu.Unlock()
		for _, read := range []string{"Describe", "Get", "List"} {
			if strings.HasPrefix(call.Operation, read) {
				return awssim.Fault{}
			}
		}
		told, known := recorded[call.Operation]
		switch {
		case slices.Contains(puttingBack, call.Operation):
		case !known:
			wrong = append(wrong, call.Operation+" is a kind of change that this test does not know")
		default:
			seen[call.Operation] = true
			group, instance := b.newestRecords(*wave, call.Account)
			if !tells(told, group, instance) {
				wrong = append(wrong, call.Operation+" on "+call.Resource+" was not recorded before")
			}
		}
		return awssim.Fault{}
	})
	return seen, func() []string { return wrong }
}

// tells is false where the record that is asked for is not there at all.
func tells(told func(group, instance *workflows.Record) bool, group, instance *workflows.Record) (yes bool) {
	defer func() {
		if recover() != nil {
			yes = false
		}
	}()
	return told(group, instance)
}

// newestRecords are a wave's newest records of an account: of a group, and of an instance.
func (b *bench) newestRecords(wave, account string) (group, instance *workflows.Record) {
	records, err := b.store.ListJournal(b.t.Context(), wave)
	require.NoError(b.t, err)
	for _, one := range records {
		var record workflows.Record
		require.NoError(b.t, json.Unmarshal(one.Body, &record))
		if record.Group.Account.ID != account {
			continue
		}
		into := &group
		if record.Instance != "" {
			into = &instance
		}
		if *into == nil || record.At.After((*into).At) {
			*into = &record
		}
	}
	return group, instance
}

func TestEveryChangeIsRecordedBeforeItIsMade(t *testing.T) {
	all := map[string]bool{}
	t.Run("a surge, a restore, and staging", func(t *testing.T) {
		b := newBench(t, benchOptions{scenario: "healthy", fleet: failsOnce(sized(4, 4, 4))})
		wave := "wave-test"
		seen, missing := b.recordsFirst(&wave)
		b.decide = []patch.Verb{patch.Skip}
		b.whenAt(patch.StepInstall, func(string) {
			marked := 0
			b.production(func(g *world.ScalingGroup) {
				at := slices.IndexFunc(g.Tags, func(tag world.GroupTag) bool { return tag.Key == names.TagJournal })
				require.GreaterOrEqual(t, at, 0)
				require.False(t, g.Tags[at].Propagate, "PropagateAtLaunch")
				require.Len(t, g.Members(), 5, "the surge instance was launched under the tag")
				for _, member := range g.Members() {
					if member.Instance.Tags[names.TagJournal] != "" {
						marked++
					}
				}
			})
			require.Equal(t, 1, marked, "only the instance that is taken out carries the tag")
		})
		_, err := b.run(theWeb)
		require.NoError(t, err)
		require.Empty(t, missing())
		for kind := range seen {
			all[kind] = true
		}
	})
	t.Run("a quarantine, its release, another and its end", func(t *testing.T) {
		for _, verb := range []patch.QuarantineVerb{patch.QuarantineRelease, patch.QuarantineTerminate} {
			b := newBench(t, benchOptions{scenario: "healthy", fleet: withIsolation(unrestorable("production", sized(2, 4, 4))), config: plan(isolates...)})
			b.eachRegion(func(region *world.Region) {
				for _, instance := range region.Instances() {
					instance.AddInterface(instance.SecurityGroups)
				}
			})
			wave := "wave-test"
			seen, missing := b.recordsFirst(&wave)
			b.decide = []patch.Verb{patch.Abort}
			result, err := b.run(theWeb)
			require.NoError(t, err)
			request := release(result.Stages[1].Groups[0].Instances[0].ID)
			request.Verb = verb
			wave = names.EndQuarantine(request.Instance)
			_, err = b.settle(request)
			require.NoError(t, err)
			require.Empty(t, missing())
			for kind := range seen {
				all[kind] = true
			}
		}
	})
	for kind := range recorded {
		require.True(t, all[kind], "no %s was made: the test proves nothing of it", kind)
	}
}
