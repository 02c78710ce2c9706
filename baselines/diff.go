package baselines

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// Difference is one way in which a baseline in Systems Manager differs from the file. "" is nothing.
type Difference struct {
	What   string `json:"what"`
	Found  string `json:"found"`
	Wanted string `json:"wanted"`

	says string // the sentence, where the usual one does not read well
}

// PatchGroup is what differs where the patch group is not registered.
const PatchGroup = "patch group"

// String is the difference as a sentence.
func (d Difference) String() string {
	return cmp.Or(d.says, fmt.Sprintf("%s is %s, should be %s", d.What, quoted(d.Found), quoted(d.Wanted)))
}

// Diff is Differences, one sentence each.
func (b Baseline) Diff(got *ssm.GetPatchBaselineOutput) []string {
	var said []string
	for _, one := range b.Differences(got) {
		said = append(said, one.String())
	}
	return said
}

// Differences names every way in which the baseline in Systems Manager differs from the file; nothing means they are
// equal. The order of filters and of values does not matter, nor whether a default is written out, nor what has no
// effect.
func (b Baseline) Differences(got *ssm.GetPatchBaselineOutput) []Difference {
	want := b.ToSSM()
	var drift []Difference
	differ := func(what, want, got string) {
		if want != got {
			drift = append(drift, Difference{What: what, Found: got, Wanted: want})
		}
	}
	differ("name", aws.ToString(want.Name), aws.ToString(got.Name))
	differ("operating system", string(want.OperatingSystem), string(got.OperatingSystem))
	differ("description", aws.ToString(want.Description), aws.ToString(got.Description))
	drift = append(drift, b.diffRules(want.ApprovalRules, got.ApprovalRules)...)
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
		drift = append(drift, Difference{
			What: PatchGroup, Wanted: b.PatchGroup, says: fmt.Sprintf("patch group %q is not registered", b.PatchGroup),
		})
	}
	return drift
}

// diffSources does not show what a source's configuration holds: it may be a secret, whatever its docs say.
func diffSources(want, got []types.PatchSource) (drift []Difference) {
	find := func(all []types.PatchSource, name *string) *types.PatchSource {
		i := slices.IndexFunc(all, func(one types.PatchSource) bool { return aws.ToString(one.Name) == aws.ToString(name) })
		if i < 0 {
			return nil
		}
		return &all[i]
	}
	differ := func(name *string, found, wanted, says string) {
		what := fmt.Sprintf("patch source %q", aws.ToString(name))
		drift = append(drift, Difference{What: what, Found: found, Wanted: wanted, says: what + " " + says})
	}
	for _, one := range want {
		products := joined(one.Products)
		switch has := find(got, one.Name); {
		case has == nil:
			differ(one.Name, "", "for "+products, "is missing")
		case joined(has.Products) != products:
			differ(one.Name, "for "+joined(has.Products), "for "+products, fmt.Sprintf("is for %s, should be for %s",
				quoted(joined(has.Products)), quoted(products)))
		case aws.ToString(has.Configuration) != *one.Configuration:
			differ(
				one.Name, "another configuration, which is not shown", "the file's configuration", "has another configuration",
			)
		}
	}
	for _, one := range got {
		if find(want, one.Name) == nil {
			differ(one.Name, "for "+joined(one.Products), "", "was added")
		}
	}
	return drift
}

func (b Baseline) diffRules(want, got *types.PatchRuleGroup) (drift []Difference) {
	var gotRules []types.PatchRule
	if got != nil {
		gotRules = got.PatchRules
	}
	for i := range max(len(want.PatchRules), len(gotRules)) {
		what := fmt.Sprintf("rule %d", i+1)
		switch {
		case i >= len(gotRules):
			text := ruleText(want.PatchRules[i])
			drift = append(drift, Difference{What: what, Wanted: text, says: what + " is missing: " + text})
		case i >= len(want.PatchRules):
			text := ruleText(gotRules[i])
			drift = append(drift, Difference{What: what, Found: text, says: what + " was added: " + text})
		default:
			drift = append(drift, diffRule(
				fmt.Sprintf("%s (%s), ", what, b.Rules[i].Name), b.ruleParts(want.PatchRules[i]), b.ruleParts(gotRules[i]),
			)...)
		}
	}
	return drift
}

// diffRule compares two rules part by part.
func diffRule(rule string, want, got map[string]string) (drift []Difference) {
	parts := map[string]bool{}
	for _, of := range []map[string]string{want, got} {
		for part := range of {
			parts[part] = true
		}
	}
	for _, part := range slices.Sorted(maps.Keys(parts)) {
		if want[part] != got[part] {
			drift = append(drift, Difference{
				What: rule + part, Found: cmp.Or(got[part], wildcard), Wanted: cmp.Or(want[part], wildcard),
			})
		}
	}
	return drift
}

// ruleParts are what a rule says, by what it says it of. What matches everything or has no effect is left out.
func (b Baseline) ruleParts(rule types.PatchRule) map[string]string {
	parts := map[string]string{
		"compliance level": string(cmp.Or(rule.ComplianceLevel, types.PatchComplianceLevelUnspecified)),
		"non-security":     fmt.Sprint(aws.ToBool(rule.EnableNonSecurity)),
	}
	if system, known := systemOf(b.OperatingSystem); !known || system.delay {
		parts["approval"] = approvalText(rule)
	}
	if rule.PatchFilterGroup == nil {
		return parts
	}
	for _, filter := range rule.PatchFilterGroup.PatchFilters {
		values := joined(filter.Values)
		usual := filter.Key == types.PatchFilterKeyPatchSet && values == patchSetOS // API reference of PatchFilter
		if !usual && !slices.Contains(filter.Values, wildcard) {
			parts[string(filter.Key)] = values
		}
	}
	return parts
}

// patchSetOS is what the filter PATCH_SET means where it is left out.
const patchSetOS = "OS"

func approvalText(rule types.PatchRule) string {
	if until := aws.ToString(rule.ApproveUntilDate); until != "" {
		return "until " + until
	}
	// absent is 0: Systems Manager may leave it out where it has no effect
	return fmt.Sprintf("after %d days", aws.ToInt32(rule.ApproveAfterDays))
}

// ruleText writes a rule in one way whatever the order of its parts, for comparing and for people.
func ruleText(rule types.PatchRule) string {
	text := filterText(rule.PatchFilterGroup) + " " + approvalText(rule)
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
