package baselines

import (
	"cmp"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// ssmPrefix is how the names of our baselines begin in Systems Manager.
const ssmPrefix = "patchtide-"

// SSMName is the baseline's name in Systems Manager. It never changes, so that a sync finds what an earlier one made.
func (b Baseline) SSMName() string { return cmp.Or(b.SSM, ssmPrefix+b.Name) }

// ToSSM returns the request that creates the baseline. The description carries the content's hash, so that a reader
// sees in the console whether it is the current one. Registering the patch group is another call.
func (b Baseline) ToSSM() *ssm.CreatePatchBaselineInput {
	rules := make([]types.PatchRule, len(b.Rules))
	for i, rule := range b.Rules {
		rules[i] = b.ssmRule(rule)
	}
	name := b.SSMName()
	in := &ssm.CreatePatchBaselineInput{
		Name:                  &name,
		OperatingSystem:       b.OperatingSystem,
		ApprovalRules:         &types.PatchRuleGroup{PatchRules: rules},
		ApprovedPatches:       b.Approved,
		RejectedPatches:       b.rejected(),
		RejectedPatchesAction: b.RejectedAction,
		Sources:               b.ssmSources(),
	}
	if description := b.ssmDescription(); description != "" { // Systems Manager refuses one without a character
		in.Description = &description
	}
	in.ApprovedPatchesComplianceLevel = b.ApprovedLevel
	if b.ApprovedNonSecurity {
		in.ApprovedPatchesEnableNonSecurity = &b.ApprovedNonSecurity
	}
	return in
}

func (b Baseline) ssmSources() (sources []types.PatchSource) {
	for _, source := range b.Sources {
		sources = append(sources, types.PatchSource{
			Name: aws.String(source.Name), Products: source.Products, Configuration: aws.String(source.Configuration),
		})
	}
	return sources
}

// ssmDescription leaves the description of an adopted baseline as it is: it was somebody's before it was ours.
func (b Baseline) ssmDescription() string {
	if b.SSM != "" {
		return b.Description
	}
	return fmt.Sprintf("%s Managed by Patchtide, content %s.", b.Description, b.Hash())
}

func (b Baseline) ssmRule(rule Rule) types.PatchRule {
	system, _ := systemOf(b.OperatingSystem) // Parse refused unknown ones
	var filters []types.PatchFilter
	add := func(key types.PatchFilterKey, values []string) {
		if len(values) == 0 {
			values = []string{wildcard}
		}
		filters = append(filters, types.PatchFilter{Key: key, Values: values})
	}
	// A rule has at most four filters, so that those of applications are the ones that are written.
	some := func(key types.PatchFilterKey, values []string) {
		if len(values) > 0 {
			add(key, values)
		}
	}
	all := add
	if rule.PatchSet != "" {
		all = some
		add(types.PatchFilterKeyPatchSet, []string{rule.PatchSet})
	}
	some(types.PatchFilterKeyProductFamily, rule.ProductFamilies)
	add(types.PatchFilterKeyProduct, rule.Products)
	if system.classifications != nil {
		all(types.PatchFilterKeyClassification, rule.Classifications)
	}
	if system.severities != nil {
		all(system.severityKey, rule.Severities)
	}
	if system.priorities != nil {
		add(types.PatchFilterKeyPriority, rule.Priorities)
	}
	translated := types.PatchRule{
		PatchFilterGroup: &types.PatchFilterGroup{PatchFilters: filters},
		ApproveAfterDays: rule.ApproveAfterDays,
		ComplianceLevel:  rule.ComplianceLevel,
	}
	if rule.ApproveUntil != "" {
		translated.ApproveUntilDate = aws.String(rule.ApproveUntil)
	}
	if !system.delay {
		// It has no effect there, and a request without it or a date is refused all the same: API reference of PatchRule.
		translated.ApproveAfterDays = aws.Int32(0)
	}
	if rule.NonSecurity {
		translated.EnableNonSecurity = &rule.NonSecurity
	}
	return translated
}
