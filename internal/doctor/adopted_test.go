package doctor_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/doctor"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/worker"
)

// resultOf is the result of a check of production.
func resultOf(t *testing.T, report doctor.Report, check, where string) doctor.Result {
	t.Helper()
	at := slices.IndexFunc(report.Results, func(r doctor.Result) bool { return r.Check == check && r.Where == where })
	require.GreaterOrEqual(t, at, 0, "%+v", report.Results)
	return report.Results[at]
}

// Where a plan adopts what Systems Manager has, it is told which baseline each instance has, and none is compared.
func TestWhoJudgesWhereAPlanAdopts(t *testing.T) {
	b := newScene(t)
	b.replace("baseline: amazon-linux-2023", "baseline: {adopt: true}")
	b.aws.Inspect(func(w *world.World) {
		region := w.Account(production).Region(tokyo)
		theirs, err := region.CreateBaseline(world.Baseline{Name: "theirs", OS: "AMAZON_LINUX_2023"})
		require.NoError(t, err)
		require.NoError(t, region.RegisterPatchGroup("amazon-linux-2023", theirs.ID))
		delete(region.Instances()[0].Tags, "PatchGroup")
		region.Instances()[1].Tags["Patch Group"] = "another"
	})
	report := b.look()
	result := resultOf(t, report, "patch group", "production/"+tokyo+"/web")
	require.Equal(t, doctor.Unknown, result.State)
	require.Regexp(t, `^1 are judged by AWS-AmazonLinux2023DefaultPatchBaseline \(pb-\w+\), `+
		`2 are judged by theirs \(pb-\w+\); `+
		`who judges 1 of 4: i-\w+ is not known$`, result.Says)
	require.Equal(t, doctor.OK, resultOf(t, report, "agents", "production/"+tokyo+"/web").State)
	require.False(t, slices.ContainsFunc(report.Results, func(r doctor.Result) bool { return r.Check == "baseline" }))

	b.replace("{adopt: true}", "{adopt: true, platform: windows}")
	result = resultOf(t, b.look(), "agents", "production/"+tokyo+"/web")
	require.Contains(t, result.Says, "of another operating system")
}

// What is blocked is no difference of a baseline, and where nobody knows what is, nobody says that it differs.
func TestABlockIsNoDifference(t *testing.T) {
	b := newScene(t)
	loaded, err := config.Parse("patchtide.yaml", []byte(b.text), nil)
	require.NoError(t, err)
	wanted, err := loaded.Baselines.Load("amazon-linux-2023")
	require.NoError(t, err)
	blocked, err := patch.ParsePatch("", "curl.x86_64:0:8-1")
	require.NoError(t, err)
	with, err := wanted.Rejecting(patch.Blocks{blocked})
	require.NoError(t, err)
	b.aws.Inspect(func(w *world.World) {
		region := w.Account(production).Region(tokyo)
		in, rules := with.ToSSM(), []world.ApprovalRule{}
		for _, rule := range in.ApprovalRules.PatchRules {
			days := int(*rule.ApproveAfterDays)
			one := world.ApprovalRule{AfterDays: &days, Compliance: string(rule.ComplianceLevel)}
			one.NonSecurity = rule.EnableNonSecurity != nil && *rule.EnableNonSecurity
			for _, filter := range rule.PatchFilterGroup.PatchFilters {
				one.Filters = append(one.Filters, world.PatchFilter{Key: string(filter.Key), Values: filter.Values})
			}
			rules = append(rules, one)
		}
		made, err := region.CreateBaseline(world.Baseline{
			Name: *in.Name, OS: string(in.OperatingSystem), Description: *in.Description, Rules: rules,
			Rejected: in.RejectedPatches, Action: string(in.RejectedPatchesAction),
		})
		require.NoError(t, err)
		require.NoError(t, region.RegisterPatchGroup(wanted.PatchGroup, made.ID))
	})
	where := "production/" + tokyo
	require.Equal(t, doctor.Problem, resultOf(t, b.look(), "baseline", where).State, "nobody has blocked it")

	store, err := worker.OpenEvidence(t.Context(), loaded, aws.Config{})
	require.NoError(t, err)
	blocked.Actor, blocked.Reason = "ann", "logins fail"
	_, err = (&activities.Control{Evidence: worker.Journal(store)}).BlockPatches(t.Context(), activities.BlockPatchesInput{
		Patches: []patch.BlockedPatch{blocked},
	})
	require.NoError(t, err)
	result := resultOf(t, b.look(), "baseline", where)
	require.Equal(t, doctor.OK, result.State, result.Says)

	b.replace("journal_key_from: file:", "journal_key_from: file:none")
	result = resultOf(t, b.look(), "baseline", where)
	require.Equal(t, doctor.Unknown, result.State)
	require.Contains(t, result.Says, "which patches are blocked is not known")
}
