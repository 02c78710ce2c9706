package baselines

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	yaml "github.com/goccy/go-yaml"
)

// FileName is what a file may be called of what Systems Manager calls so.
func FileName(ssmName string) string {
	return strings.ToLower(strings.TrimPrefix(ssmName, ssmPrefix))
}

// Adopt writes the file of a baseline that is in Systems Manager, such that Diff of the two is empty. What a file
// cannot say is refused, with its name: nothing is lost unseen. The patch group must be one that it has, or "".
func Adopt(name, patchGroup string, got *ssm.GetPatchBaselineOutput) ([]byte, error) {
	ssmName := aws.ToString(got.Name)
	if unsaid := unsaid(got); unsaid != "" {
		return nil, fmt.Errorf("%s has %s, which no file of Patchtide can say; change it there, or write a file by hand "+
			"that does without", ssmName, unsaid)
	}
	// In double quotes: in single ones the library writes a line break as it is written in double ones.
	text, err := yaml.MarshalWithOptions(fileOf(name, patchGroup, got), yaml.IndentSequence(true))
	if err != nil {
		return nil, fmt.Errorf("write a file of %s: %w", ssmName, err)
	}
	read, err := Parse(name+".yaml", text)
	if err != nil {
		return nil, fmt.Errorf("%s holds what no file of Patchtide may:\n%w", ssmName, err)
	}
	if drift := read.Diff(got); len(drift) > 0 {
		return nil, fmt.Errorf("a file of %s would differ from it, so that a wave would change it: %s", ssmName,
			strings.Join(drift, "; "))
	}
	return text, nil
}

// unsaid is the first thing that our files have no key for.
func unsaid(got *ssm.GetPatchBaselineOutput) string {
	if got.GlobalFilters != nil && len(got.GlobalFilters.PatchFilters) > 0 {
		return "global filters (" + filterText(got.GlobalFilters) + ")"
	}
	for i, rule := range rulesIn(got) {
		keys := map[types.PatchFilterKey]bool{}
		for _, filter := range filtersIn(rule) {
			if _, known := filterKeys[filter.Key]; !known {
				return fmt.Sprintf("the filter %s in rule %d", filter.Key, i+1)
			}
			if keys[filter.Key] {
				return fmt.Sprintf("the filter %s twice in rule %d", filter.Key, i+1)
			}
			keys[filter.Key] = true
		}
	}
	return ""
}

// filterKeys are the keys of a rule in our files, by those of Systems Manager's filters.
var filterKeys = map[types.PatchFilterKey]string{
	types.PatchFilterKeyPatchSet: "patch_set", types.PatchFilterKeyProductFamily: "product_families",
	types.PatchFilterKeyProduct: "products", types.PatchFilterKeyClassification: "classifications",
	types.PatchFilterKeySeverity: "severities", types.PatchFilterKeyMsrcSeverity: "severities",
	types.PatchFilterKeyPriority: "priorities",
}

func rulesIn(got *ssm.GetPatchBaselineOutput) []types.PatchRule {
	if got.ApprovalRules == nil {
		return nil
	}
	return got.ApprovalRules.PatchRules
}

func filtersIn(rule types.PatchRule) []types.PatchFilter {
	if rule.PatchFilterGroup == nil {
		return nil
	}
	return rule.PatchFilterGroup.PatchFilters
}

// paper is a map of YAML in the order in which it is written.
type paper struct{ yaml.MapSlice }

func (p *paper) add(key string, value any) {
	p.MapSlice = append(p.MapSlice, yaml.MapItem{Key: key, Value: value})
}

func (p *paper) some(key string, values []string) {
	if len(values) > 0 {
		p.add(key, values)
	}
}

func (p *paper) text(key, value string) {
	if value != "" {
		p.add(key, value)
	}
}

func fileOf(name, patchGroup string, got *ssm.GetPatchBaselineOutput) yaml.MapSlice {
	var file paper
	file.add("name", name)
	file.add("ssm_name", aws.ToString(got.Name))
	file.text("description", aws.ToString(got.Description))
	file.add("operating_system", string(got.OperatingSystem))
	file.text("patch_group", patchGroup)
	rules := []yaml.MapSlice{}
	for _, rule := range rulesIn(got) {
		rules = append(rules, ruleFile(got.OperatingSystem, rule))
	}
	file.add("rules", rules)
	file.some("approved_patches", got.ApprovedPatches)
	if level := got.ApprovedPatchesComplianceLevel; level != types.PatchComplianceLevelUnspecified {
		file.text("approved_compliance_level", string(level))
	}
	if aws.ToBool(got.ApprovedPatchesEnableNonSecurity) {
		file.add("approved_enable_non_security", true)
	}
	file.some("rejected_patches", got.RejectedPatches)
	file.add("rejected_action", string(cmp.Or(got.RejectedPatchesAction, types.PatchActionAllowAsDependency)))
	var sources []yaml.MapSlice
	for _, source := range got.Sources {
		var one paper
		one.add("name", aws.ToString(source.Name))
		one.add("products", source.Products)
		one.add("configuration", aws.ToString(source.Configuration))
		sources = append(sources, one.MapSlice)
	}
	if len(sources) > 0 {
		file.add("sources", sources)
	}
	return file.MapSlice
}

func ruleFile(os types.OperatingSystem, rule types.PatchRule) yaml.MapSlice {
	var named []string
	var filters paper
	for _, filter := range filtersIn(rule) {
		switch {
		case slices.Contains(filter.Values, wildcard):
			continue
		case filter.Key == types.PatchFilterKeyPatchSet:
			filters.add(filterKeys[filter.Key], joined(filter.Values))
		default:
			filters.add(filterKeys[filter.Key], filter.Values)
		}
		named = append(named, strings.Join(filter.Values, ", "))
	}
	system, _ := systemOf(os)
	var file paper
	called := cmp.Or(strings.Join(named, ", "), "everything") // Systems Manager has no names of rules
	if system.delay {
		called += " " + approvalText(rule)
	}
	file.add("name", called)
	file.MapSlice = append(file.MapSlice, filters.MapSlice...)
	switch until := aws.ToString(rule.ApproveUntilDate); {
	case !system.delay: // what stands there has no effect
	case until != "":
		file.add("approve_until", until)
	default:
		file.add("approve_after_days", aws.ToInt32(rule.ApproveAfterDays))
	}
	file.add("compliance_level", string(cmp.Or(rule.ComplianceLevel, types.PatchComplianceLevelUnspecified)))
	if aws.ToBool(rule.EnableNonSecurity) {
		file.add("enable_non_security", true)
	}
	return file.MapSlice
}
