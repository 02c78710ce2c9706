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
	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// recorded are the kinds of change and what the journal must tell when they are made: of the group, and of the instance
// that is under way in it.
var recorded = map[string]func(group, instance *journal.Record) bool{
	"CreateOrUpdateTags": func(group, _ *journal.Record) bool { return group != nil },
	"CreateTags":         func(_, instance *journal.Record) bool { return instance != nil },
	"SuspendProcesses": func(group, instance *journal.Record) bool { // for room the group does, before anybody is out
		return instance == nil && len(group.Intended.Suspend) > 0 || len(instance.Intended.Suspend) > 0
	},
	"EnterStandby": func(_, instance *journal.Record) bool { return instance.Intended.Standby },
	"DeregisterTargets": func(_, instance *journal.Record) bool {
		return len(instance.Intended.Deregister) > 0
	},
	"StartInstances": func(_, instance *journal.Record) bool { return instance.Intended.Start },
	"CreateSnapshot": func(_, instance *journal.Record) bool {
		return instance.RootVolume != ""
	},
	"StartAutomationExecution": func(_, instance *journal.Record) bool {
		return instance.Installing && instance.Point != nil && len(instance.Intended.InstallTokens) > 0
	},
	"CreateReplaceRootVolumeTask": func(_, instance *journal.Record) bool {
		return instance.Intended.RestoreToken != ""
	},
	"DetachInstances": func(_, instance *journal.Record) bool { return instance.Quarantine != nil },
	"ModifyNetworkInterfaceAttribute": func(_, instance *journal.Record) bool {
		return len(instance.Quarantine.Isolation.Interfaces) == 2
	},
	"AttachInstances":    func(_, instance *journal.Record) bool { return instance.Release != nil },
	"TerminateInstances": func(_, instance *journal.Record) bool { return instance.Ends != nil },
	"UpdateAutoScalingGroup": func(group, _ *journal.Record) bool {
		return group.Intended.RaiseMax > 0 && group.Before.Max == 4
	},
	"SetDesiredCapacity": func(group, instance *journal.Record) bool {
		return group.Intended.RaiseDesired > 0 || instance.Quarantine.DesiredWanted == 4
	},
	"TerminateInstanceInAutoScalingGroup": func(group, instance *journal.Record) bool {
		return len(group.Intended.Surge) > 0 || instance.Release.GiveWay != ""
	},
}

// puttingBack are the calls that undo a recorded change, and those that leave nothing behind.
var puttingBack = []string{
	"ExitStandby", "RegisterTargets", "ResumeProcesses", "DeleteTags", "SetInstanceHealth", "AssumeRole", "SendCommand",
	"CancelCommand",
	"StopAutomationExecution", "StopInstances", "CreateDocument", "UpdateDocument", "CreatePatchBaseline", "UpdatePatchBaseline",
	"RegisterPatchBaselineForPatchGroup",
	"AddTagsToResource", "DeleteSnapshot", "DeleteVolume",
}

// recordsFirst asks the journal at every changing call whether it tells of it, and returns the kinds of change that
// were made and what was not recorded.
func recordsFirst(scene *wavetest.Scene, wave *string) (seen map[string]bool, missing func() []string) {
	var mu sync.Mutex
	var wrong []string
	seen = map[string]bool{}
	scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
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
			group, instance := newestRecords(scene, *wave, call.Account)
			if !tells(told, group, instance) {
				wrong = append(wrong, call.Operation+" on "+call.Resource+" was not recorded before")
			}
		}
		return awssim.Fault{}
	})
	return seen, func() []string { return wrong }
}

// tells is false where the record that is asked for is not there at all.
func tells(told func(group, instance *journal.Record) bool, group, instance *journal.Record) (yes bool) {
	defer func() {
		if recover() != nil {
			yes = false
		}
	}()
	return told(group, instance)
}

// newestRecords are a wave's newest records of an account: of a group, and of an instance.
func newestRecords(scene *wavetest.Scene, wave, account string) (group, instance *journal.Record) {
	records, err := scene.Store.ListJournal(scene.T.Context(), wave)
	require.NoError(scene.T, err)
	for _, one := range records {
		var record journal.Record
		require.NoError(scene.T, json.Unmarshal(one.Body, &record))
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
		scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: wavetest.FailsOnce(wavetest.Sized(4, 4, 4))})
		wave := "wave-test"
		seen, missing := recordsFirst(scene, &wave)
		scene.Decide = []patch.Verb{patch.Skip}
		scene.WhenAtStep(patch.StepInstall, func(string) {
			marked := 0
			scene.Production(func(g *world.ScalingGroup) {
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
		_, err := scene.Run(wavetest.WebWave)
		require.NoError(t, err)
		require.Empty(t, missing())
		for kind := range seen {
			all[kind] = true
		}
	})
	t.Run("one that was stopped", func(t *testing.T) {
		scene := wavetest.New(t, wavetest.Options{
			Scenario: "healthy", Config: wavetest.StagingOnly(wavetest.StartsStopped), Fleet: wavetest.Untargeted(1),
		})
		scene.EachRegion(func(region *world.Region) {
			for _, instance := range region.Instances() {
				if instance.Tags["Role"] == "web" {
					require.NoError(t, instance.Stop())
				}
			}
		})
		wave := "wave-test"
		seen, missing := recordsFirst(scene, &wave)
		_, err := scene.Run(wavetest.WebWave)
		require.NoError(t, err)
		require.Empty(t, missing())
		for kind := range seen {
			all[kind] = true
		}
	})
	t.Run("a quarantine, its release, another and its end", func(t *testing.T) {
		for _, verb := range []patch.QuarantineVerb{patch.QuarantineRelease, patch.QuarantineTerminate} {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Fleet: wavetest.WithIsolation(wavetest.Unrestorable("production", wavetest.Sized(2, 4, 4))),
				Config: wavetest.PlanWith(wavetest.Isolates...),
			})
			scene.EachRegion(func(region *world.Region) {
				for _, instance := range region.Instances() {
					instance.AddInterface(instance.SecurityGroups)
				}
			})
			wave := "wave-test"
			seen, missing := recordsFirst(scene, &wave)
			scene.Decide = []patch.Verb{patch.Abort}
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			request := wavetest.ReleaseRequest(result.Stages[1].Groups[0].Instances[0].ID)
			request.Verb = verb
			wave = names.QuarantineID(request.Instance)
			_, err = scene.EndQuarantine(request)
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
