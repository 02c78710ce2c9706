package patch_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/patchtide/patchtide/internal/patch"
)

// large is a plan of as many groups as a wave may have, with names of a usual length, and where its wave stands.
func large() (patch.Plan, patch.WaveStatus) {
	at := time.Date(2026, 11, 22, 2, 0, 0, 123456789, time.UTC)
	stage := patch.Stage{Name: "production", MaxUnavailable: patch.Instances(1), MaxParallelGroups: 20}
	status := patch.WaveStatus{WaveID: "wave-web-20261122-020000", Plan: "web", Stages: []patch.StageStatus{{
		Name: "production",
	}}}
	for i := range patch.MostGroups {
		group := patch.Group{
			Account: patch.Account{Name: fmt.Sprintf("production-%03d", i/4), ID: "111122223333"}, Region: "ap-northeast-1",
			AutoScalingGroup: fmt.Sprintf("checkout-service-web-blue-%04d", i),
		}
		stage.Groups = append(stage.Groups, group)
		status.Stages[0].Groups = append(status.Stages[0].Groups, patch.GroupCounts{
			Group: group.String(), WorkflowID: "patch-group/" + group.Account.ID + "/" + group.Region + "/" + group.Name(),
			Phase: patch.GroupPatching, Outcome: patch.NotStarted,
			Strategy: patch.Strategy{Mode: patch.CapacitySurge, RaiseMax: 1}, Total: 12, Done: 3,
			StaleImage: strings.Repeat("what it launches next ", 14),
			Each:       patch.Duration(17*time.Minute + 31*time.Second),
			ETA: &patch.ETA{
				At: at, Left: patch.Duration(3*time.Hour + 17*time.Minute), Done: at.Add(9 * time.Hour),
				From: "instances of this wave",
			},
		})
	}
	return patch.Plan{Name: "web", Stages: []patch.Stage{stage}}, status
}

func sizeOf(t *testing.T, document any) int {
	t.Helper()
	content, err := json.Marshal(document)
	require.NoError(t, err)
	return len(content)
}

func TestAPlanOfTheMostGroupsIsSmall(t *testing.T) {
	plan, status := large()
	require.Less(t, sizeOf(t, plan), half)
	require.Less(t, sizeOf(t, status.Fit()), small)
	reason := strings.Repeat("why it is so ", 200)
	for i := range status.Stages[0].Groups {
		group := &status.Stages[0].Groups[i]
		group.Reason = reason
		for n := range 30 {
			group.Failed = append(group.Failed, patch.InstanceResult{ID: fmt.Sprint("i-", n), Reason: reason})
		}
	}
	fit := status.Fit()
	require.Less(t, sizeOf(t, fit), small, "even where everything has failed")
	require.Equal(t, 30, fit.Stages[0].Groups[0].Failures)
	// An approval of it is about much as well.
	status.Case = &patch.Case{Before: []patch.CaseBefore{patch.Before("staging", []patch.GroupCounts{{
		Unproven: slices.Repeat([]patch.NoticedInstance{{Group: reason[:200], ID: "i-1", Reason: reason}}, 1000),
	}})}}
	changes := make([]patch.PackageChange, 100)
	for i := range changes {
		changes[i] = patch.PackageChange{Name: fmt.Sprint(i, reason), From: reason, To: reason}
	}
	status.Case.Changed, _ = patch.Merge([]patch.InstanceDetails{{Changes: changes}})
	status.Case.Due.NameUnseen(slices.Repeat([]string{reason}, 1000))
	require.Less(t, sizeOf(t, status.Case), half/3)
	require.Less(t, sizeOf(t, status.Fit()), small)
	require.Equal(t, 1000, status.Fit().Case.Before[0].UnprovenCount)
	require.Len(t, fit.Stages[0].Groups, patch.MostGroups)
	require.Len(t, status.Stages[0].Groups[0].Failed, 30, "the wave's own is as it was")
	require.Equal(t, reason, status.Stages[0].Groups[0].Reason)
}

// Sizes in bytes: what a document may have, and what one that others stand beside may have.
const (
	small = 512 << 10
	half  = small / 2
)

// resultsOf are as many as a group may have, each with all that a usual one has.
func resultsOf(instances int) (results []patch.InstanceResult) {
	hash := strings.Repeat("0123456789abcdef", 4)
	at := time.Date(2026, 11, 22, 2, 0, 0, 123456789, time.UTC)
	for i := range instances {
		results = append(results, patch.InstanceResult{
			ID: fmt.Sprintf("i-%017x", i), Outcome: patch.Patched, BootID: "01234567-89ab-cdef-0123-456789abcdef",
			AutomationExecutionID: "01234567-89ab-cdef-0123-456789abcdef", MissingBefore: 150, Changes: 150, Details: hash,
			PackagesAfter: hash, ApplicationAfter: hash, Started: at, Ended: at,
			Notes: []string{strings.Repeat("a note ", 100)}, Reason: strings.Repeat("why ", 500),
			Backup: &patch.RestorePoint{
				SnapshotID: "snap-0123456789abcdef0", VolumeID: "vol-0123456789abcdef0", TakenAt: at,
				Facts: patch.MachineFacts{
					BootID: "01234567-89ab-cdef-0123-456789abcdef", Release: "2023.6.20241010", PackagesSHA256: hash,
					Kernel: "6.1.112-122.189.amzn2023.x86_64", ApplicationSHA256: hash, Elsewhere: []string{}, Patchers: []string{},
				},
			},
		}.Brief())
	}
	return results
}

func TestAGroupOfTheMostInstancesIsSmall(t *testing.T) {
	results := resultsOf(patch.MostInstances)
	require.Greater(t, sizeOf(t, results), small)
	require.Less(t, sizeOf(t, patch.FitResults(results)), small*11/10)
	for i := range results {
		results[i].Reason, results[i].Notes = "", nil
	}
	require.Less(t, sizeOf(t, results), small)
	few := resultsOf(10)
	require.Equal(t, few, patch.FitResults(few))

	refused := patch.First(patch.LevelWave, patch.View{
		Group: previewG, State: &patch.GroupState{Members: make([]patch.Member, patch.MostInstances+1)},
	})
	require.Equal(t, patch.RefusedTooLarge, refused.Code)
}

// Of many notes the last stay, too: a quarantine is noted after all that was seen before.
func TestTheLastOfManyNotesStays(t *testing.T) {
	var notes []string
	for i := range 30 {
		notes = append(notes, fmt.Sprint(i))
	}
	brief := patch.InstanceResult{Notes: notes}.Brief()
	require.Equal(t, []string{"0", "1", "2", "3", "4", "21 more notes, which are left out here", "26", "27", "28", "29"},
		brief.Notes)
	require.Equal(t, brief.Notes, brief.Brief().Notes)
	require.Equal(t, notes[:10], patch.InstanceResult{Notes: notes[:10]}.Brief().Notes)
}

func TestAWavesResultTellsOfFewInstancesOneByOne(t *testing.T) {
	few := patch.WaveResult{Stages: []patch.StageResult{{Groups: []patch.GroupResult{{Instances: resultsOf(10)}}}}}
	require.Equal(t, few, few.Told())
	many := patch.WaveResult{Stages: []patch.StageResult{{Groups: []patch.GroupResult{
		{Instances: resultsOf(600)}, {Instances: resultsOf(600)},
	}}}}
	told := many.Told()
	require.Less(t, sizeOf(t, told), half)
	require.Equal(t, patch.Tally{patch.Patched: 600}, told.Stages[0].Groups[1].Tally)
	require.Len(t, many.Stages[0].Groups[1].Instances, 600, "the evidence has all of them")
}

func TestAPreviewOfTheMostGroupsIsSmall(t *testing.T) {
	for _, instances := range []int{4, 600} {
		var preview patch.Preview
		plan, _ := large()
		stage := patch.PreviewStage{Name: "production"}
		for _, group := range plan.Stages[0].Groups[:min(patch.MostGroups, 3_000/instances)] {
			shown := patch.PreviewGroup{Group: group.String(), EachFrom: "the usual time, bake and draining"}
			for i := range instances {
				shown.Instances = append(shown.Instances, patch.PreviewInstance{
					ID: fmt.Sprintf("i-%017x", i), Zone: "ap-northeast-1a", MissingCount: 1,
					Missing: []patch.MissingPatch{{ID: "a-package-of-a-usual-length.x86_64", Severity: "Medium"}},
				})
			}
			stage.Groups = append(stage.Groups, shown)
		}
		preview.Stages = []patch.PreviewStage{stage}
		require.Greater(t, sizeOf(t, preview), small)
		fit := preview.Fit()
		require.Less(t, sizeOf(t, fit), small)
		require.NotEmpty(t, fit.Notes)
		require.Len(t, preview.Stages[0].Groups[0].Instances, instances)
		require.NotEmpty(t, preview.Stages[0].Groups[0].Instances[0].Missing)
	}
}

func TestScansThatDoNotFitKeepTheirNumbers(t *testing.T) {
	var scans []patch.Scan
	for i := range 500 {
		scan := patch.Scan{Instance: fmt.Sprintf("i-%017x", i)}
		for n := range 150 {
			scan.Missing = append(scan.Missing, fmt.Sprintf("a-package-of-a-usual-length-%d.x86_64", n))
		}
		scans = append(scans, scan)
	}
	patch.FitScans([][]patch.Scan{scans})
	require.Less(t, sizeOf(t, scans), half)
	require.Equal(t, 150, scans[499].MissingCount)
	require.False(t, scans[499].Compliant())
}

func TestGroupsReportTheirCounts(t *testing.T) {
	for _, c := range []struct {
		name                     string
		spent, groups, instances int
		every                    int
	}{
		{"a small wave", 100, 3, 101, 1},
		{"one group of the most", 200, 1, patch.MostInstances, 1},
		{"a large wave", 600, 20, 500, 1},
		{"the most groups of one each", 6 * patch.MostGroups, patch.MostGroups, patch.MostGroups, 1},
		{"the most groups of four each", 6 * patch.MostGroups, patch.MostGroups, 4 * patch.MostGroups, 4},
		{"twenty groups of the most", 600, 20, 20 * patch.MostInstances, 2},
		{"the same in a second window", 25_000, 20, 20 * patch.MostInstances, 4},
		{"the most groups in a second window", 25_000, patch.MostGroups, patch.MostGroups, patch.MostGroups},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.every, patch.ReportsEvery(patch.HistoryLeft(c.spent, c.groups, c.groups), c.instances))
		})
	}
}

// Whatever a wave that may go on reports, of each instance twice, Temporal does not end it.
func TestPropertyAWavesHistoryHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		groups := rapid.IntRange(1, patch.MostGroups).Draw(t, "groups")
		turns := rapid.IntRange(0, groups).Draw(t, "turns")
		instances := rapid.IntRange(groups, groups*patch.MostInstances).Draw(t, "instances")
		spent := rapid.IntRange(0, 25_000).Draw(t, "spent")
		left := patch.HistoryLeft(spent, groups, turns)
		if !patch.HistoryHolds(left, instances) {
			return
		}
		every := patch.ReportsEvery(left, instances)
		reports := 2 * (instances/every + 1)
		require.Less(t, spent+13*groups+23*turns+4*reports, 51_200)
	})
}

func TestWhatSendsRequestsAndIsNotReadIsRefused(t *testing.T) {
	group := patch.Group{AutoScalingGroup: "web"}
	member := patch.Member{ID: "i-1", State: "running", Lifecycle: patch.LifecycleInService, Health: "Healthy"}
	policy := patch.Policy{MaxUnavailable: patch.Instances(1)}
	web := patch.HealthCheck{HTTP: &patch.HTTPCheck{}}
	for _, c := range []struct {
		name   string
		change func(*patch.GroupState, *patch.Policy)
		want   patch.RefusalCode
		says   string
	}{
		{
			"a Classic Load Balancer", func(s *patch.GroupState, _ *patch.Policy) {
				s.OtherBalancers = []string{"Classic Load Balancer old"}
			}, patch.RefusedBalancer, "Classic Load Balancer old",
		},
		{
			"VPC Lattice, and an http check judges", func(s *patch.GroupState, p *patch.Policy) {
				s.OtherBalancers, p.Health = []string{"VPC Lattice target group tg-1"}, []patch.HealthCheck{web}
			}, "", "",
		},
		{
			"a target of a peered network", func(s *patch.GroupState, p *patch.Policy) {
				s.ElsewhereTargets, p.Health = []string{"i-1 as 10.0.0.1 in arn"}, []patch.HealthCheck{web}
			}, patch.RefusedBalancer, "i-1 as 10.0.0.1 in arn",
		},
		{
			"a refresh replaces a root volume", func(s *patch.GroupState, _ *patch.Policy) {
				s.Members[0].Lifecycle = "ReplacingRootVolume:Wait"
			}, patch.RefusedUnknownState, "replaces its root volume",
		},
		{
			"it has replaced one", func(s *patch.GroupState, _ *patch.Policy) {
				s.Members[0].Lifecycle = "RootVolumeReplaced"
			}, patch.RefusedUnknownState, "replaces its root volume",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			state := patch.GroupState{Min: 0, Max: 2, Desired: 1, FreeTags: true, Members: []patch.Member{member}}
			policy := policy
			c.change(&state, &policy)
			refused := patch.First(patch.LevelGroup, patch.View{Group: group, Policy: policy, State: &state})
			if c.want == "" {
				require.Nil(t, refused)
				return
			}
			require.NotNil(t, refused)
			require.Equal(t, c.want, refused.Code)
			require.Contains(t, refused.What, c.says)
		})
	}
}
