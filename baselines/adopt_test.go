package baselines_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/baselines"
)

// filter is one of a rule, in Systems Manager's words.
func filter(key types.PatchFilterKey, values ...string) types.PatchFilter {
	return types.PatchFilter{Key: key, Values: values}
}

// ruleOf is a rule that approves after a week.
func ruleOf(filters ...types.PatchFilter) types.PatchRule {
	return types.PatchRule{
		ApproveAfterDays: aws.Int32(7), ComplianceLevel: types.PatchComplianceLevelHigh,
		PatchFilterGroup: &types.PatchFilterGroup{PatchFilters: filters},
	}
}

// theirs is a baseline that somebody made by hand.
func theirs(os types.OperatingSystem, rules ...types.PatchRule) *ssm.GetPatchBaselineOutput {
	return &ssm.GetPatchBaselineOutput{
		Name: aws.String("corp_" + string(os)), OperatingSystem: os, ApprovalRules: &types.PatchRuleGroup{PatchRules: rules},
		RejectedPatchesAction: types.PatchActionAllowAsDependency, PatchGroups: []string{"web"},
	}
}

// A file that is written of what Systems Manager has differs from it in nothing, and keeps its name.
func TestAdopt(t *testing.T) {
	for _, c := range []struct {
		name   string
		os     types.OperatingSystem
		rules  []types.PatchRule
		change func(*ssm.GetPatchBaselineOutput)
		holds  []string
	}{
		{
			"Amazon Linux with one filter", types.OperatingSystemAmazonLinux2023,
			[]types.PatchRule{ruleOf(filter("CLASSIFICATION", "Security", "Bugfix"))},
			func(o *ssm.GetPatchBaselineOutput) { o.Description = aws.String("Ours: 'since 2019' # kept") },
			[]string{
				"ssm_name: corp_AMAZON_LINUX_2023", "patch_group: web", "approve_after_days: 7",
				"rejected_action: ALLOW_AS_DEPENDENCY",
			},
		},
		{
			"no filter, up to a day", types.OperatingSystemSuse,
			[]types.PatchRule{{ApproveUntilDate: aws.String("2026-10-31"), EnableNonSecurity: aws.Bool(true)}},
			nil,
			[]string{"approve_until: ", "2026-10-31", "enable_non_security: true", "name: everything until 2026-10-31"},
		},
		{
			"a delay that has no effect", types.OperatingSystemDebian,
			[]types.PatchRule{ruleOf(filter("PRODUCT", "Debian12"), filter("PRIORITY", "Required", "Important"))},
			nil,
			[]string{"priorities:", "Important"},
		},
		{
			"Windows and its applications", types.OperatingSystemWindows,
			[]types.PatchRule{
				ruleOf(filter("PATCH_SET", "OS"), filter("MSRC_SEVERITY", "Critical"), filter("PRODUCT", "*")),
				ruleOf(filter("PATCH_SET", "APPLICATION"), filter("PRODUCT_FAMILY", "Office")),
			},
			nil,
			[]string{"patch_set: APPLICATION", "severities:"},
		},
		{
			"all lists", types.OperatingSystemRockyLinux,
			[]types.PatchRule{ruleOf()},
			func(o *ssm.GetPatchBaselineOutput) {
				o.ApprovedPatches = []string{"kernel-6.1*", "1234"}
				o.ApprovedPatchesComplianceLevel = types.PatchComplianceLevelHigh
				o.ApprovedPatchesEnableNonSecurity = aws.Bool(true)
				o.RejectedPatches, o.RejectedPatchesAction = []string{"docker*", "yes"}, types.PatchActionBlock
				o.GlobalFilters = &types.PatchFilterGroup{}
				o.Sources = []types.PatchSource{{
					Name: aws.String("ours"), Products: []string{"*"}, Configuration: aws.String("[ours]\nname=ours\nenabled=1\n"),
				}}
			},
			[]string{"approved_enable_non_security: true", "rejected_action: BLOCK", "sources:"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := theirs(c.os, c.rules...)
			if c.change != nil {
				c.change(got)
			}
			name := baselines.FileName(*got.Name)
			text, err := baselines.Adopt(name, "web", got)
			require.NoError(t, err)
			for _, part := range c.holds {
				require.Contains(t, string(text), part)
			}
			b, err := baselines.Parse(name+".yaml", text)
			require.NoError(t, err)
			require.Equal(t, *got.Name, b.SSMName())
			require.Empty(t, b.Diff(got))
			require.Equal(t, aws.ToString(got.Description), aws.ToString(b.ToSSM().Description), "nothing is added to it")
			got.Description = aws.String("another")
			require.NotEmpty(t, b.Diff(got))
		})
	}
}

// What no file can say is refused with its name: a wave would take it away.
func TestAdoptRefusesWhatNoFileCanSay(t *testing.T) {
	linux := types.OperatingSystemAmazonLinux2023
	for _, c := range []struct {
		name string
		got  *ssm.GetPatchBaselineOutput
		says string
	}{
		{
			"another filter", theirs(linux, ruleOf(), ruleOf(filter("CVE_ID", "CVE-2026-1"))),
			"has the filter CVE_ID in rule 2",
		},
		{
			"a filter twice", theirs(linux, ruleOf(filter("PRODUCT", "a"), filter("PRODUCT", "b"))),
			"has the filter PRODUCT twice in rule 1",
		},
		{
			"another system", theirs(types.OperatingSystemMacOS, ruleOf()),
			`"MACOS" is a system of Systems Manager, and Patchtide patches`,
		},
		{"no rules", theirs(linux), "rules: is empty"},
		{
			"a value that nobody knows", theirs(linux, ruleOf(filter("CLASSIFICATION", "Sometimes"))),
			`"Sometimes" is no classification of AMAZON_LINUX_2023`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := baselines.Adopt("corp", "web", c.got)
			require.ErrorContains(t, err, c.says)
			require.ErrorContains(t, err, *c.got.Name)
		})
	}
	got := theirs(linux, ruleOf())
	got.GlobalFilters = &types.PatchFilterGroup{PatchFilters: []types.PatchFilter{filter("PRODUCT", "x")}}
	_, err := baselines.Adopt("corp", "web", got)
	require.ErrorContains(t, err, "has global filters (PRODUCT=x), which no file of Patchtide can say")
}

// Whether it was written from the file, from another content of it, or not by us is told by its description.
func TestOrigin(t *testing.T) {
	b, err := baselines.Load("amazon-linux-2023")
	require.NoError(t, err)
	ours, another := *b.ToSSM().Description, "0123456789abcdef"
	for name, c := range map[string]struct{ description, says string }{
		"ours, changed":   {ours, "somebody changed it in Systems Manager since"},
		"another content": {strings.ReplaceAll(ours, b.Hash(), another), "another content of the file (" + another},
		"not ours":        {"by hand", "Patchtide has not written it"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, b.Origin(&ssm.GetPatchBaselineOutput{Description: aws.String(c.description)}), c.says)
		})
	}
	adopted, err := baselines.Parse("corp.yaml", fmt.Appendf(nil, "name: corp\nssm_name: corp\noperating_system: UBUNTU\n"+
		"rules: [{name: all}]\n"))
	require.NoError(t, err)
	require.Empty(t, adopted.Origin(&ssm.GetPatchBaselineOutput{}), "its description has no mark of ours")
	require.Nil(t, adopted.ToSSM().Description)
}
