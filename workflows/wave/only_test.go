package wave_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

// never is production alone, whose plan leaves alone who says so.
func never(fleet func(*world.Scenario)) wavetest.Options {
	return wavetest.Options{
		Scenario: "healthy", Fleet: fleet, Config: wavetest.ProductionOnly(wavetest.Unattended),
	}
}

// excludes gives the plan, or the stage, an exclude.
func excludes(options wavetest.Options, where string) wavetest.Options {
	next := options.Config
	options.Config = func(file []byte) []byte {
		return next(wavetest.PlanWith(where, where+map[bool]string{
			true: "        exclude: {tags: {Patch: never}}\n", false: "    exclude: {tags: {Patch: never}}\n",
		}[where[4] == ' '])(file))
	}
	return options
}

// membersOf are the ids of the production group's members, in the order of a wave.
func membersOf(scene *wavetest.Scene) (ids []string) {
	scene.Production(func(group *world.ScalingGroup) {
		for _, member := range group.Members() {
			ids = append(ids, member.Instance.ID)
		}
	})
	slices.Sort(ids)
	return ids
}

// tag puts the tag that excludes on an instance.
func tag(scene *wavetest.Scene, id string) {
	scene.Production(func(group *world.ScalingGroup) { group.Region.Instance(id).Tags["Patch"] = "never" })
}

// touched are the calls that changed something of an instance.
func touched(scene *wavetest.Scene, id string) (calls []string) {
	for _, event := range scene.Sim.Events() {
		if event.Effect && strings.Contains(event.Resource+string(event.Arguments), id) {
			calls = append(calls, event.Operation)
		}
	}
	return calls
}

// Who carries the tag is never touched, counts for room, and is named; the wave is a success without it.
func TestWhoIsExcludedIsNamedAndNotTouched(t *testing.T) {
	for name, where := range map[string]string{
		"by the plan": "    restore: root_volume\n", "by the stage": "        capacity: auto\n",
	} {
		t.Run(name, func(t *testing.T) {
			scene := wavetest.New(t, excludes(never(nil), where))
			ids := membersOf(scene)
			tag(scene, ids[1])
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, patch.Succeeded, result.Outcome, result.Reason)
			group := result.Stages[0].Groups[0]
			require.Equal(t, []patch.Gap{{Instance: ids[1], Why: "excluded by the tag Patch=never"}}, group.LeftOut)
			require.Empty(t, group.Gaps)
			require.Len(t, group.Instances, 3)
			said := ids[1] + " left as it is: excluded by the tag Patch=never"
			require.Contains(t, group.Notes, said)
			require.Contains(t, result.Reason, said)
			require.Empty(t, touched(scene, ids[1]))
			scene.RequireInvariants(result, wavetest.Except{})
			var document activities.WaveDocument
			require.NoError(t, scene.Store.GetWave(t.Context(), "wave-test", &document))
			require.Equal(t, group.LeftOut, document.Result.Stages[0].Groups[0].LeftOut)
		})
	}
}

// Who is excluded in the middle of a wave is not touched any more: a person is asked, for it was promised. Its group is
// otherwise taken as ever.
func TestWhoIsExcludedMeanwhile(t *testing.T) {
	for answer, want := range map[patch.Verb]patch.Outcome{
		patch.Skip: patch.SucceededWithSkips, patch.Retry: patch.Succeeded,
	} {
		t.Run(string(answer), func(t *testing.T) { excludedMeanwhile(t, answer, want) })
	}
}

func excludedMeanwhile(t *testing.T, answer patch.Verb, want patch.Outcome) {
	scene := wavetest.New(t, excludes(never(nil), "    restore: root_volume\n"))
	ids := membersOf(scene)
	excluded := ""
	scene.WhenAtStep(patch.StepInstall, func(instance string) {
		at := slices.IndexFunc(ids, func(id string) bool { return id != instance })
		excluded = ids[at]
		tag(scene, excluded)
	})
	scene.Decide = []patch.Verb{answer}
	asked := ""
	scene.OnHold = func(status patch.WaveStatus) { asked = status.Awaiting }
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Contains(t, asked, excluded+" failed: refused: Excluded: ")
	require.Equal(t, want, result.Outcome, result.Reason)
	if answer == patch.Retry {
		require.Contains(t, result.Reason, excluded+" left as it is: excluded by the tag Patch=never")
	}
	require.Equal(t, 3, wavetest.Count(outcomesIn(result), patch.Patched))
	require.Equal(t, []string{"SendCommand"}, touched(scene, excluded), "the wave's scan, before it was excluded")
	scene.RequireInvariants(result, wavetest.Except{})
}

func outcomesIn(result *patch.WaveResult) (all []patch.Outcome) {
	for _, instance := range result.Stages[0].Groups[0].Instances {
		all = append(all, instance.Outcome)
	}
	return all
}

// A wave that takes only some touches nobody else, and says whom it left.
func TestAWaveOfSome(t *testing.T) {
	for _, c := range []struct {
		name    string
		only    func(ids, zones []string) patch.Only
		exclude bool // the first
		taken   func(id, zone string, ids, zones []string) bool
		refused string
		outcome patch.Outcome
	}{
		{
			name:    "a zone",
			only:    func(_, zones []string) patch.Only { return patch.Only{Zones: zones[:1]} },
			taken:   func(_, zone string, _, zones []string) bool { return zone == zones[0] },
			outcome: patch.SucceededWithSkips,
		},
		{
			name:    "two instances",
			only:    func(ids, _ []string) patch.Only { return patch.Only{Instances: ids[1:3]} },
			taken:   func(id, _ string, ids, _ []string) bool { return slices.Contains(ids[1:3], id) },
			outcome: patch.SucceededWithSkips,
		},
		{
			name:    "all zones is everybody",
			only:    func(_, zones []string) patch.Only { return patch.Only{Zones: zones} },
			taken:   func(string, string, []string, []string) bool { return true },
			outcome: patch.Succeeded,
		},
		{
			name:    "an id that is nobody's",
			only:    func(ids, _ []string) patch.Only { return patch.Only{Instances: []string{ids[0], "i-0"}} },
			refused: "only: no group of the plan web has an instance i-0 that can be taken",
		},
		{
			name:    "a zone without anybody",
			only:    func(_, _ []string) patch.Only { return patch.Only{Zones: []string{"ap-northeast-1z"}} },
			refused: "has an instance in zone ap-northeast-1z; there are ap-northeast-1",
		},
		{
			name: "one that is excluded", exclude: true,
			only:    func(ids, _ []string) patch.Only { return patch.Only{Instances: ids[:1]} },
			refused: "would not be taken: excluded by the tag Patch=never",
		},
		{name: "nobody", only: func(_, _ []string) patch.Only { return patch.Only{} }, refused: "only: names nobody"},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, excludes(never(nil), "    restore: root_volume\n"))
			ids, zoneOf, zones := membersOf(scene), map[string]string{}, []string{}
			scene.Production(func(group *world.ScalingGroup) {
				for _, id := range ids {
					zoneOf[id] = group.Region.Instance(id).Zone
					zones = append(zones, zoneOf[id])
				}
			})
			slices.Sort(zones)
			zones = slices.Compact(zones)
			if c.exclude {
				tag(scene, ids[0])
			}
			request, only := wavetest.WebWave, c.only(ids, zones)
			request.Only = &only
			result, err := scene.Run(request)
			if c.refused != "" {
				require.ErrorContains(t, err, c.refused)
				require.Empty(t, scene.Effects("EnterStandby"))
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.outcome, result.Outcome, result.Reason)
			group := result.Stages[0].Groups[0]
			for _, id := range ids {
				taken := slices.ContainsFunc(group.Instances, func(r patch.InstanceResult) bool { return r.ID == id })
				left := slices.ContainsFunc(group.LeftOut, func(g patch.Gap) bool { return g.Instance == id })
				require.Equal(t, c.taken(id, zoneOf[id], ids, zones), taken, id)
				require.Equal(t, !taken, left, "who is not taken is named")
				if left {
					require.Contains(t, result.Reason, id)
					require.Contains(t, result.Reason, "left as it is: this wave takes only "+only.String())
					require.Empty(t, touched(scene, id))
				}
			}
			var document activities.WaveDocument
			require.NoError(t, scene.Store.GetWave(t.Context(), "wave-test", &document))
			require.Equal(t, &only, document.Status.Only, "the evidence tells whom it took")
			scene.RequireInvariants(result, wavetest.Except{})
		})
	}
}

// Of a group of which nobody is taken nothing stands in the way, and nothing of it is changed.
func TestAGroupOfWhichNobodyIsTaken(t *testing.T) {
	options := wavetest.Options{Scenario: "healthy", Fleet: wavetest.TwoGroups, Config: wavetest.ProductionOnly(
		wavetest.PlanWith(wavetest.WebOnly, wavetest.WebAndAPI, "        service: web\n", "",
			"approval: {required: true, timeout: 24h}", "approval: {required: false}"),
	)}
	scene := wavetest.New(t, options)
	ids := membersOf(scene)
	scene.Sim.Inspect(func(w *world.World) {
		group, err := scene.WebIn(w).Region.ScalingGroup("api")
		require.NoError(t, err)
		require.NoError(t, group.Suspend([]string{"Launch"})) // which would refuse the wave
	})
	request := wavetest.WebWave
	request.Only = &patch.Only{Instances: ids[:1]}
	result, err := scene.Run(request)
	require.NoError(t, err)
	require.Equal(t, patch.SucceededWithSkips, result.Outcome, result.Reason)
	require.Contains(t, result.Reason, "production/ap-northeast-1/api: ")
	for _, group := range result.Stages[0].Groups {
		if group.Name == "api" {
			require.Empty(t, group.Instances)
			require.Len(t, group.LeftOut, 4)
			require.Contains(t, group.Reason, "nobody of it is taken")
		} else {
			require.Len(t, group.Instances, 1)
		}
	}
	for _, event := range scene.Sim.Events() {
		require.False(t, event.Effect && strings.HasSuffix(event.Resource, "api"), event.Operation)
	}
}

// Whom a person names in production is patched although nobody of staging is: that one had been proven by another wave.
func TestAWaveOfOneInProduction(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
	ids := membersOf(scene)
	request := wavetest.WebWave
	request.Only = &patch.Only{Instances: ids[:1]}
	asked := ""
	scene.When(wavetest.InState(patch.StateAwaitingApproval), func(status patch.WaveStatus) { asked = status.Awaiting })
	result, err := scene.Run(request)
	require.NoError(t, err)
	require.Contains(t, asked, ". It takes only "+request.Only.String())
	require.Equal(t, patch.SucceededWithSkips, result.Outcome, result.Reason)
	require.Equal(t, 1, wavetest.CountInProduction(result, patch.Patched))
	require.Empty(t, result.Stages[0].Groups[0].Instances)
}

// Nobody is asked to approve a stage of which nobody is taken.
func TestAWaveOfOneInStaging(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
	request := wavetest.WebWave
	scene.Sim.Inspect(func(w *world.World) {
		request.Only = &patch.Only{Instances: []string{w.Account(wavetest.Staging).Region("ap-northeast-1").Instances()[0].ID}}
	})
	scene.When(wavetest.InState(patch.StateAwaitingApproval), func(status patch.WaveStatus) {
		t.Errorf("it asks: %s", status.Awaiting)
		scene.MustTake(patch.Reject, wavetest.Because("of nothing"))
	})
	var eta *patch.ETA
	scene.When(wavetest.InState(patch.StateRunning), func(status patch.WaveStatus) { eta = status.ETA })
	result, err := scene.Run(request)
	require.NoError(t, err)
	require.Equal(t, patch.SucceededWithSkips, result.Outcome, result.Reason)
	require.Len(t, result.Stages[0].Groups[0].Instances, 1)
	require.NotNil(t, eta)
	require.Empty(t, eta.NotCounted, "nor does the time left wait for it")
}

// A preview shows the same, with what is nobody's in the way.
func TestAPreviewOfSome(t *testing.T) {
	scene := wavetest.New(t, excludes(never(nil), "    restore: root_volume\n"))
	ids := membersOf(scene)
	tag(scene, ids[3])
	found := previewOf(scene, workflows.PreviewRequest{Plan: "web", Only: &patch.Only{Instances: ids[:1]}})
	require.True(t, found.CouldRun(), "%+v", found.Blockers)
	require.Equal(t, 1, found.Instances)
	require.Equal(t, &patch.Only{Instances: ids[:1]}, found.Only)
	notes := strings.Join(found.Notes, "\n")
	require.Contains(t, notes, ids[3]+" left as it is: excluded by the tag Patch=never")
	require.Contains(t, notes, "left as it is: this wave takes only instance "+ids[0])

	found = previewOf(wavetest.New(t, never(nil)), workflows.PreviewRequest{Plan: "web", Only: &patch.Only{
		Instances: []string{"i-0"},
	}})
	require.Len(t, found.Blockers, 1)
	require.Contains(t, found.Blockers[0].What, "has an instance i-0 that can be taken")
}
