package baselines

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// SSMName is the baseline's name in Systems Manager. It never changes, so that a sync finds what an earlier one made.
func (b Baseline) SSMName() string { return "patchtide-" + b.Name }

// ToSSM returns the request that creates the baseline. The description carries the content's hash, so that a reader
// sees in the console whether it is the current one. Registering the patch group is another call.
func (b Baseline) ToSSM() *ssm.CreatePatchBaselineInput {
	rules := make([]types.PatchRule, len(b.Rules))
	for i, rule := range b.Rules {
		rules[i] = b.ssmRule(rule)
	}
	name, description := b.SSMName(), b.ssmDescription()
	return &ssm.CreatePatchBaselineInput{
		Name:            &name,
		Description:     &description,
		OperatingSystem: b.OperatingSystem,
		ApprovalRules:   &types.PatchRuleGroup{PatchRules: rules},
		ApprovedPatches: b.Approved,
		RejectedPatches: b.Rejected,
		// BLOCK, for a rejected patch that comes in as somebody's dependency is installed all the same.
		RejectedPatchesAction: types.PatchActionBlock,
	}
}

func (b Baseline) ssmDescription() string {
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
	add(types.PatchFilterKeyProduct, rule.Products)
	if system.classifications != nil {
		add(types.PatchFilterKeyClassification, rule.Classifications)
	}
	if system.severities != nil {
		add(system.severityKey, rule.Severities)
	}
	if system.priorities != nil {
		add(types.PatchFilterKeyPriority, rule.Priorities)
	}
	translated := types.PatchRule{
		PatchFilterGroup: &types.PatchFilterGroup{PatchFilters: filters},
		ApproveAfterDays: rule.ApproveAfterDays,
		ComplianceLevel:  rule.ComplianceLevel,
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
