package baselines

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// Diff names every way in which the baseline in Systems Manager differs from the file, one sentence each; nothing means
// they are equal. The order of filters and of values does not matter, nor whether a default is written out.
func (b Baseline) Diff(got *ssm.GetPatchBaselineOutput) []string {
	want := b.ToSSM()
	var drift []string
	differ := func(what, want, got string) {
		if want != got {
			drift = append(drift, fmt.Sprintf("%s is %s, should be %s", what, quoted(got), quoted(want)))
		}
	}
	differ("name", aws.ToString(want.Name), aws.ToString(got.Name))
	differ("operating system", string(want.OperatingSystem), string(got.OperatingSystem))
	differ("description", aws.ToString(want.Description), aws.ToString(got.Description))
	drift = append(drift, diffRules(want.ApprovalRules, got.ApprovalRules)...)
	differ("approved patches", joined(want.ApprovedPatches), joined(got.ApprovedPatches))
	differ("approved patches' compliance level",
		string(cmp.Or(want.ApprovedPatchesComplianceLevel, types.PatchComplianceLevelUnspecified)),
		string(cmp.Or(got.ApprovedPatchesComplianceLevel, types.PatchComplianceLevelUnspecified)))
	differ("approved patches' non-security", fmt.Sprint(b.ApprovedNonSecurity),
		fmt.Sprint(aws.ToBool(got.ApprovedPatchesEnableNonSecurity)))
	differ("rejected patches", joined(want.RejectedPatches), joined(got.RejectedPatches))
	// The default is ALLOW_AS_DEPENDENCY: API reference of CreatePatchBaseline.
	differ("rejected patches' action", string(want.RejectedPatchesAction),
		string(cmp.Or(got.RejectedPatchesAction, types.PatchActionAllowAsDependency)))
	if got.GlobalFilters != nil {
		differ("global filters", "", filterText(got.GlobalFilters))
	}
	drift = append(drift, diffSources(want.Sources, got.Sources)...)
	if b.PatchGroup != "" && !slices.Contains(got.PatchGroups, b.PatchGroup) {
		drift = append(drift, fmt.Sprintf("patch group %q is not registered", b.PatchGroup))
	}
	return drift
}

// diffSources does not show what a source's configuration holds: it may be a secret, whatever its docs say.
func diffSources(want, got []types.PatchSource) (drift []string) {
	find := func(all []types.PatchSource, name *string) *types.PatchSource {
		i := slices.IndexFunc(all, func(one types.PatchSource) bool { return aws.ToString(one.Name) == aws.ToString(name) })
		if i < 0 {
			return nil
		}
		return &all[i]
	}
	for _, one := range want {
		switch has := find(got, one.Name); {
		case has == nil:
			drift = append(drift, fmt.Sprintf("patch source %q is missing", *one.Name))
		case joined(has.Products) != joined(one.Products):
			drift = append(drift, fmt.Sprintf("patch source %q is for %s, should be for %s", *one.Name,
				quoted(joined(has.Products)), quoted(joined(one.Products))))
		case aws.ToString(has.Configuration) != *one.Configuration:
			drift = append(drift, fmt.Sprintf("patch source %q has another configuration", *one.Name))
		}
	}
	for _, one := range got {
		if find(want, one.Name) == nil {
			drift = append(drift, fmt.Sprintf("patch source %q was added", aws.ToString(one.Name)))
		}
	}
	return drift
}

func diffRules(want, got *types.PatchRuleGroup) []string {
	var gotRules []types.PatchRule
	if got != nil {
		gotRules = got.PatchRules
	}
	var drift []string
	for i := range max(len(want.PatchRules), len(gotRules)) {
		switch {
		case i >= len(gotRules):
			drift = append(drift, fmt.Sprintf("rule %d is missing: %s", i+1, ruleText(want.PatchRules[i])))
		case i >= len(want.PatchRules):
			drift = append(drift, fmt.Sprintf("rule %d was added: %s", i+1, ruleText(gotRules[i])))
		case ruleText(want.PatchRules[i]) != ruleText(gotRules[i]):
			drift = append(
				drift, fmt.Sprintf("rule %d is %s, should be %s", i+1, ruleText(gotRules[i]), ruleText(want.PatchRules[i])),
			)
		}
	}
	return drift
}

// ruleText writes a rule in one way whatever the order of its parts, for comparing and for people.
func ruleText(rule types.PatchRule) string {
	text := filterText(rule.PatchFilterGroup)
	switch {
	case aws.ToString(rule.ApproveUntilDate) != "":
		text += " until " + *rule.ApproveUntilDate
	default: // absent is 0: Systems Manager may leave it out where it has no effect
		text += fmt.Sprintf(" after %d days", aws.ToInt32(rule.ApproveAfterDays))
	}
	text += " as " + string(cmp.Or(rule.ComplianceLevel, types.PatchComplianceLevelUnspecified))
	if aws.ToBool(rule.EnableNonSecurity) {
		text += " with non-security"
	}
	return text
}

func filterText(group *types.PatchFilterGroup) string {
	if group == nil {
		return "no filter"
	}
	parts := make([]string, len(group.PatchFilters))
	for i, filter := range group.PatchFilters {
		parts[i] = string(filter.Key) + "=" + joined(filter.Values)
	}
	slices.Sort(parts)
	return strings.Join(parts, " ")
}

func joined(values []string) string {
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	return strings.Join(sorted, ",")
}

func quoted(text string) string {
	if text == "" {
		return "nothing"
	}
	return `"` + text + `"`
}
