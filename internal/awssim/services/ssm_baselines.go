package services

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

func registerSSMBaselines(r *api.Registry, w *world.World) {
	api.Handle(r, "ssm", "CreatePatchBaseline", []string{
		"Name", "ApprovalRules", "ApprovedPatches", "ApprovedPatchesComplianceLevel", "ApprovedPatchesEnableNonSecurity",
		"ClientToken",
		"Description", "GlobalFilters", "OperatingSystem", "RejectedPatches", "RejectedPatchesAction", "Sources", "Tags",
	}, func(c api.Call, in *ssm.CreatePatchBaselineInput) (*ssm.CreatePatchBaselineOutput, error) {
		wanted := world.Baseline{
			Name: aws.ToString(in.Name), Description: aws.ToString(in.Description), OS: osOr(in.OperatingSystem),
			Filters: filtersOf(in.GlobalFilters), Rules: rulesOf(in.ApprovalRules), Approved: in.ApprovedPatches,
			Rejected: in.RejectedPatches,
			Level:    string(in.ApprovedPatchesComplianceLevel), Action: string(in.RejectedPatchesAction),
			NonSecurity: aws.ToBool(in.ApprovedPatchesEnableNonSecurity), Tags: tagsOfSSM(in.Tags),
			ClientToken: aws.ToString(in.ClientToken), Sources: sourcesOf(in.Sources),
		}
		baseline, err := regionOf(w, c).CreateBaseline(wanted)
		if err != nil {
			return nil, err
		}
		traced(w, c, map[string]string{"name": baseline.Name}, baseline.ID)
		return &ssm.CreatePatchBaselineOutput{BaselineId: aws.String(baseline.ID)}, nil
	})
	api.Handle(
		r, "ssm", "GetPatchBaseline", []string{"BaselineId"},
		func(c api.Call, in *ssm.GetPatchBaselineInput) (*ssm.GetPatchBaselineOutput, error) {
			b, err := regionOf(w, c).Baseline(aws.ToString(in.BaselineId))
			if err != nil {
				return nil, err
			}
			out := &ssm.GetPatchBaselineOutput{
				BaselineId: aws.String(b.ID), Name: aws.String(b.Name), Description: notEmpty(b.Description),
				OperatingSystem: types.OperatingSystem(b.OS),
				GlobalFilters:   filterGroup(b.Filters), ApprovalRules: ruleGroup(b.Rules), ApprovedPatches: b.Approved,
				RejectedPatches:                  b.Rejected,
				ApprovedPatchesComplianceLevel:   types.PatchComplianceLevel(b.Level),
				RejectedPatchesAction:            types.PatchAction(b.Action),
				ApprovedPatchesEnableNonSecurity: aws.Bool(b.NonSecurity), CreatedDate: aws.Time(b.Created),
				ModifiedDate: aws.Time(b.Modified), Sources: patchSources(b.Sources),
			}
			for _, group := range regionOf(w, c).PatchGroups() {
				if group.Baseline.ID == b.ID {
					out.PatchGroups = append(out.PatchGroups, group.Name)
				}
			}
			return out, nil
		})
	api.Handle(r, "ssm", "UpdatePatchBaseline", []string{
		"BaselineId", "Name", "ApprovalRules", "ApprovedPatches", "ApprovedPatchesComplianceLevel",
		"ApprovedPatchesEnableNonSecurity",
		"Description", "GlobalFilters", "RejectedPatches", "RejectedPatchesAction", "Replace", "Sources",
	}, func(c api.Call, in *ssm.UpdatePatchBaselineInput) (*ssm.UpdatePatchBaselineOutput, error) {
		region := regionOf(w, c)
		old, err := region.Baseline(aws.ToString(in.BaselineId))
		if err != nil {
			return nil, err
		}
		changed := changedBaseline(*old, in)
		if err := region.UpdateBaseline(changed); err != nil {
			return nil, err
		}
		b, err := region.Baseline(changed.ID)
		if err != nil {
			return nil, err
		}
		traced(w, c, map[string]string{"baselineId": b.ID}, b.ID)
		return &ssm.UpdatePatchBaselineOutput{
			BaselineId: aws.String(b.ID), Name: aws.String(b.Name), Description: notEmpty(b.Description),
			OperatingSystem: types.OperatingSystem(b.OS),
			GlobalFilters:   filterGroup(b.Filters), ApprovalRules: ruleGroup(b.Rules), ApprovedPatches: b.Approved,
			RejectedPatches:                  b.Rejected,
			ApprovedPatchesComplianceLevel:   types.PatchComplianceLevel(b.Level),
			RejectedPatchesAction:            types.PatchAction(b.Action),
			ApprovedPatchesEnableNonSecurity: aws.Bool(b.NonSecurity), CreatedDate: aws.Time(b.Created),
			ModifiedDate: aws.Time(b.Modified), Sources: patchSources(b.Sources),
		}, nil
	})
	api.Handle(
		r, "ssm", "DeletePatchBaseline", []string{"BaselineId"},
		func(c api.Call, in *ssm.DeletePatchBaselineInput) (*ssm.DeletePatchBaselineOutput, error) {
			err := regionOf(w, c).DeleteBaseline(aws.ToString(in.BaselineId))
			return &ssm.DeletePatchBaselineOutput{BaselineId: in.BaselineId}, err
		})
	api.Handle(r, "ssm", "DescribePatchBaselines", []string{"Filters", "MaxResults", "NextToken"},
		func(c api.Call, in *ssm.DescribePatchBaselinesInput) (*ssm.DescribePatchBaselinesOutput, error) {
			region := regionOf(w, c)
			var all []types.PatchBaselineIdentity
			for _, b := range region.Baselines() {
				keep := true
				for _, filter := range in.Filters {
					switch aws.ToString(filter.Key) {
					case "NAME_PREFIX":
						keep = keep && slices.ContainsFunc(
							filter.Values, func(prefix string) bool { return len(b.Name) >= len(prefix) && b.Name[:len(prefix)] == prefix },
						)
					case "OWNER":
						owner := "Self"
						if b.AWSOwned {
							owner = "AWS"
						}
						keep = keep && (slices.Contains(filter.Values, owner) || slices.Contains(filter.Values, "All"))
					case "OPERATING_SYSTEM":
						keep = keep && slices.Contains(filter.Values, b.OS)
					default:
						return nil, api.NotModelled("filter %s of ssm:DescribePatchBaselines", aws.ToString(filter.Key))
					}
				}
				if keep {
					all = append(all, baselineIdentity(region, b))
				}
			}
			page, next, err := cutPage(all, in.NextToken, in.MaxResults, pageRange{1, 100, 100}, badSSMToken)
			return &ssm.DescribePatchBaselinesOutput{BaselineIdentities: page, NextToken: next}, err
		})
	registerSSMPatchGroups(r, w)
}

func registerSSMPatchGroups(r *api.Registry, w *world.World) {
	api.Handle(r, "ssm", "RegisterPatchBaselineForPatchGroup", []string{"BaselineId", "PatchGroup"},
		func(
			c api.Call, in *ssm.RegisterPatchBaselineForPatchGroupInput,
		) (*ssm.RegisterPatchBaselineForPatchGroupOutput, error) {
			id, group := aws.ToString(in.BaselineId), aws.ToString(in.PatchGroup)
			err := regionOf(w, c).RegisterPatchGroup(group, id)
			if err == nil {
				traced(w, c, map[string]string{"baselineId": id, "patchGroup": group}, id)
			}
			return &ssm.RegisterPatchBaselineForPatchGroupOutput{BaselineId: in.BaselineId, PatchGroup: in.PatchGroup}, err
		})
	api.Handle(r, "ssm", "DeregisterPatchBaselineForPatchGroup", []string{"BaselineId", "PatchGroup"},
		func(
			c api.Call, in *ssm.DeregisterPatchBaselineForPatchGroupInput,
		) (*ssm.DeregisterPatchBaselineForPatchGroupOutput, error) {
			id, group := aws.ToString(in.BaselineId), aws.ToString(in.PatchGroup)
			err := regionOf(w, c).DeregisterPatchGroup(group, id)
			if err == nil {
				traced(w, c, map[string]string{"baselineId": id, "patchGroup": group}, id)
			}
			return &ssm.DeregisterPatchBaselineForPatchGroupOutput{BaselineId: in.BaselineId, PatchGroup: in.PatchGroup}, err
		})
	api.Handle(r, "ssm", "GetPatchBaselineForPatchGroup", []string{"PatchGroup", "OperatingSystem"},
		func(c api.Call, in *ssm.GetPatchBaselineForPatchGroupInput) (*ssm.GetPatchBaselineForPatchGroupOutput, error) {
			os := osOr(in.OperatingSystem)
			baseline := regionOf(w, c).BaselineForGroup(aws.ToString(in.PatchGroup), os)
			if baseline == nil {
				return nil, api.Errorf("DoesNotExistException", "There is no patch baseline for operating system %s.", os)
			}
			return &ssm.GetPatchBaselineForPatchGroupOutput{
				BaselineId: aws.String(baseline.ID), PatchGroup: in.PatchGroup, OperatingSystem: types.OperatingSystem(os),
			}, nil
		})
	api.Handle(r, "ssm", "DescribePatchGroups", []string{"Filters", "MaxResults", "NextToken"},
		func(c api.Call, in *ssm.DescribePatchGroupsInput) (*ssm.DescribePatchGroupsOutput, error) {
			region := regionOf(w, c)
			var all []types.PatchGroupPatchBaselineMapping
			for _, group := range region.PatchGroups() {
				keep := true
				for _, filter := range in.Filters {
					switch aws.ToString(filter.Key) {
					case "NAME_PREFIX":
						keep = keep && slices.ContainsFunc(filter.Values, func(prefix string) bool {
							return len(group.Name) >= len(prefix) && group.Name[:len(prefix)] == prefix
						})
					case "OPERATING_SYSTEM":
						keep = keep && slices.Contains(filter.Values, group.Baseline.OS)
					default:
						return nil, api.NotModelled("filter %s of ssm:DescribePatchGroups", aws.ToString(filter.Key))
					}
				}
				if keep {
					identity := baselineIdentity(region, group.Baseline)
					all = append(
						all, types.PatchGroupPatchBaselineMapping{PatchGroup: aws.String(group.Name), BaselineIdentity: &identity},
					)
				}
			}
			page, next, err := cutPage(all, in.NextToken, in.MaxResults, pageRange{1, 100, 100}, badSSMToken)
			return &ssm.DescribePatchGroupsOutput{Mappings: page, NextToken: next}, err
		})
	api.Handle(r, "ssm", "GetDefaultPatchBaseline", []string{"OperatingSystem"},
		func(c api.Call, in *ssm.GetDefaultPatchBaselineInput) (*ssm.GetDefaultPatchBaselineOutput, error) {
			os := osOr(in.OperatingSystem)
			id := regionOf(w, c).DefaultBaselineID(os)
			if id == "" {
				return nil, api.Errorf("DoesNotExistException", "There is no default patch baseline for operating system %s.", os)
			}
			return &ssm.GetDefaultPatchBaselineOutput{
				BaselineId: aws.String(id), OperatingSystem: types.OperatingSystem(os),
			}, nil
		})
	api.Handle(r, "ssm", "RegisterDefaultPatchBaseline", []string{"BaselineId"},
		func(c api.Call, in *ssm.RegisterDefaultPatchBaselineInput) (*ssm.RegisterDefaultPatchBaselineOutput, error) {
			err := regionOf(w, c).SetDefaultBaseline(aws.ToString(in.BaselineId))
			return &ssm.RegisterDefaultPatchBaselineOutput{BaselineId: in.BaselineId}, err
		})
}

// osOr is the operating system of a request, which is WINDOWS where it is silent.
func osOr(os types.OperatingSystem) string {
	if os == "" {
		return string(types.OperatingSystemWindows)
	}
	return string(os)
}

func baselineIdentity(region *world.Region, b *world.Baseline) types.PatchBaselineIdentity {
	return types.PatchBaselineIdentity{
		BaselineId: aws.String(b.ID), BaselineName: aws.String(b.Name), BaselineDescription: notEmpty(b.Description),
		DefaultBaseline: region.IsDefault(b), OperatingSystem: types.OperatingSystem(b.OS),
	}
}

// changedBaseline applies an update: what it leaves out stays, or is cleared when Replace is set.
func changedBaseline(b world.Baseline, in *ssm.UpdatePatchBaselineInput) world.Baseline {
	if aws.ToBool(in.Replace) {
		b.Description, b.Filters, b.Rules, b.Approved, b.Rejected, b.Sources = "", nil, nil, nil, nil, nil
		b.Level, b.Action, b.NonSecurity = "UNSPECIFIED", "ALLOW_AS_DEPENDENCY", false
	}
	if in.Name != nil {
		b.Name = *in.Name
	}
	if in.Description != nil {
		b.Description = *in.Description
	}
	if in.GlobalFilters != nil {
		b.Filters = filtersOf(in.GlobalFilters)
	}
	if in.ApprovalRules != nil {
		b.Rules = rulesOf(in.ApprovalRules)
	}
	if in.ApprovedPatches != nil {
		b.Approved = in.ApprovedPatches
	}
	if in.RejectedPatches != nil {
		b.Rejected = in.RejectedPatches
	}
	if in.Sources != nil {
		b.Sources = sourcesOf(in.Sources)
	}
	if in.ApprovedPatchesComplianceLevel != "" {
		b.Level = string(in.ApprovedPatchesComplianceLevel)
	}
	if in.RejectedPatchesAction != "" {
		b.Action = string(in.RejectedPatchesAction)
	}
	if in.ApprovedPatchesEnableNonSecurity != nil {
		b.NonSecurity = *in.ApprovedPatchesEnableNonSecurity
	}
	return b
}

func sourcesOf(sources []types.PatchSource) (out []world.PatchSource) {
	for _, one := range sources {
		out = append(out, world.PatchSource{
			Name: aws.ToString(one.Name), Products: one.Products, Configuration: aws.ToString(one.Configuration),
		})
	}
	return out
}

func patchSources(sources []world.PatchSource) (out []types.PatchSource) {
	for _, one := range sources {
		out = append(out, types.PatchSource{
			Name: aws.String(one.Name), Products: one.Products, Configuration: aws.String(one.Configuration),
		})
	}
	return out
}

func filtersOf(group *types.PatchFilterGroup) []world.PatchFilter {
	if group == nil {
		return nil
	}
	filters := make([]world.PatchFilter, 0, len(group.PatchFilters))
	for _, filter := range group.PatchFilters {
		filters = append(filters, world.PatchFilter{Key: string(filter.Key), Values: filter.Values})
	}
	return filters
}

func filterGroup(filters []world.PatchFilter) *types.PatchFilterGroup {
	group := &types.PatchFilterGroup{PatchFilters: []types.PatchFilter{}}
	for _, filter := range filters {
		group.PatchFilters = append(
			group.PatchFilters, types.PatchFilter{Key: types.PatchFilterKey(filter.Key), Values: filter.Values},
		)
	}
	return group
}

func rulesOf(group *types.PatchRuleGroup) []world.ApprovalRule {
	if group == nil {
		return nil
	}
	rules := make([]world.ApprovalRule, 0, len(group.PatchRules))
	for _, rule := range group.PatchRules {
		out := world.ApprovalRule{
			Filters: filtersOf(rule.PatchFilterGroup), UntilDate: aws.ToString(rule.ApproveUntilDate),
			Compliance: string(rule.ComplianceLevel), NonSecurity: aws.ToBool(rule.EnableNonSecurity),
		}
		if rule.ApproveAfterDays != nil {
			days := int(*rule.ApproveAfterDays)
			out.AfterDays = &days
		}
		rules = append(rules, out)
	}
	return rules
}

func ruleGroup(rules []world.ApprovalRule) *types.PatchRuleGroup {
	group := &types.PatchRuleGroup{PatchRules: []types.PatchRule{}}
	for _, rule := range rules {
		out := types.PatchRule{
			PatchFilterGroup: filterGroup(rule.Filters), ApproveUntilDate: notEmpty(rule.UntilDate),
			ComplianceLevel: types.PatchComplianceLevel(rule.Compliance), EnableNonSecurity: aws.Bool(rule.NonSecurity),
		}
		if rule.Compliance == "" {
			out.ComplianceLevel = types.PatchComplianceLevelUnspecified
		}
		if rule.AfterDays != nil {
			out.ApproveAfterDays = aws.Int32(int32(*rule.AfterDays))
		}
		group.PatchRules = append(group.PatchRules, out)
	}
	return group
}
