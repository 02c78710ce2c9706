package services

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// registerSSMReads registers what scripts read besides what they act upon.
func registerSSMReads(r *api.Registry, w *world.World) {
	api.Handle(r, "ssm", "GetConnectionStatus", []string{"Target"},
		func(c api.Call, in *ssm.GetConnectionStatusInput) (*ssm.GetConnectionStatusOutput, error) {
			out := &ssm.GetConnectionStatusOutput{Target: in.Target, Status: types.ConnectionStatusNotConnected}
			if instance := regionOf(w, c).Machine(aws.ToString(in.Target)); instance != nil &&
				!instance.LastPing().IsZero() && instance.PingStatus() == "Online" {
				out.Status = types.ConnectionStatusConnected
			}
			return out, nil
		})
	api.Handle(r, "ssm", "DescribeParameters", []string{"ParameterFilters", "MaxResults", "NextToken"},
		func(c api.Call, in *ssm.DescribeParametersInput) (*ssm.DescribeParametersOutput, error) {
			var found []types.ParameterMetadata
			for _, parameter := range regionOf(w, c).Parameters() {
				matches, err := parameterMatches(parameter, in.ParameterFilters)
				if err != nil {
					return nil, err
				}
				if matches {
					found = append(found, parameterMetadata(regionOf(w, c), parameter))
				}
			}
			page, next, err := cutPage(found, in.NextToken, in.MaxResults, pageRange{1, 50, 50}, badSSMToken)
			return &ssm.DescribeParametersOutput{Parameters: page, NextToken: next}, err
		})
	api.Handle(
		r, "ssm", "DescribeInstancePatchStatesForPatchGroup", []string{"PatchGroup", "MaxResults", "NextToken"},
		func(
			c api.Call, in *ssm.DescribeInstancePatchStatesForPatchGroupInput,
		) (*ssm.DescribeInstancePatchStatesForPatchGroupOutput, error) {
			var found []types.InstancePatchState
			for _, instance := range regionOf(w, c).Machines() {
				if state := regionOf(w, c).PatchState(instance.ID); state != nil && state.PatchGroup == *in.PatchGroup {
					found = append(found, ssmPatchState(state))
				}
			}
			page, next, err := cutPage(found, in.NextToken, in.MaxResults, pageRange{10, 100, 50}, badSSMToken)
			return &ssm.DescribeInstancePatchStatesForPatchGroupOutput{InstancePatchStates: page, NextToken: next}, err
		})
	api.Handle(
		r, "ssm", "ListComplianceItems", []string{"ResourceIds", "ResourceTypes", "Filters", "MaxResults", "NextToken"},
		func(c api.Call, in *ssm.ListComplianceItemsInput) (*ssm.ListComplianceItemsOutput, error) {
			if len(in.ResourceTypes) > 0 && !slices.Equal(in.ResourceTypes, []string{managedInstance}) {
				return nil, api.Errorf("InvalidResourceType", "The resource type isn't valid. It is ManagedInstance.")
			}
			var found []types.ComplianceItem
			for _, instance := range regionOf(w, c).Machines() {
				state := regionOf(w, c).PatchState(instance.ID)
				if state == nil || len(in.ResourceIds) > 0 && !slices.Contains(in.ResourceIds, instance.ID) {
					continue
				}
				for _, report := range state.Patches {
					item := complianceItem(state, report)
					matches, err := complianceMatches(item, in.Filters)
					if err != nil {
						return nil, err
					}
					if matches {
						found = append(found, item)
					}
				}
			}
			page, next, err := cutPage(found, in.NextToken, in.MaxResults, pageRange{1, 50, 50}, badSSMToken)
			return &ssm.ListComplianceItemsOutput{ComplianceItems: page, NextToken: next}, err
		})
}

// parameterMatches obeys the filters that scripts use; all of them must match (API reference, ParameterStringFilter).
func parameterMatches(p *world.Parameter, filters []types.ParameterStringFilter) (bool, error) {
	for _, filter := range filters {
		key, option := aws.ToString(filter.Key), aws.ToString(filter.Option)
		var holds func(value string) bool
		tag, byTag := strings.CutPrefix(key, "tag:")
		switch {
		case byTag && (option == "" || option == "Equals"):
			value, tagged := p.Tags[tag]
			if tagged && len(filter.Values) == 0 {
				continue
			}
			holds = func(wanted string) bool { return tagged && value == wanted }
		case key == "Name" && (option == "" || option == "Equals"):
			holds = func(wanted string) bool { return p.Name == wanted }
		case key == "Name" && option == "BeginsWith":
			holds = func(wanted string) bool { return strings.HasPrefix(p.Name, wanted) }
		case key == "Name" && option == "Contains":
			holds = func(wanted string) bool { return strings.Contains(p.Name, wanted) }
		case key == "Type" && (option == "" || option == "Equals"):
			holds = func(wanted string) bool { return p.Type == wanted }
		case key == "Path" && (option == "" || option == "OneLevel" || option == "Recursive"):
			holds = func(wanted string) bool {
				rest, below := strings.CutPrefix(p.Name, strings.TrimSuffix(wanted, "/")+"/")
				return below && (option == "Recursive" || !strings.Contains(rest, "/"))
			}
		case !slices.Contains([]string{"Name", "Type", "Path", "KeyId", "Tier", "DataType", "Label"}, key) && !byTag:
			return false, api.Errorf("InvalidFilterKey", "The specified filter key isn't valid: %s", key)
		default:
			return false, api.NotModelled("filter %s of ssm:DescribeParameters with option %s", key, option)
		}
		if !slices.ContainsFunc(filter.Values, holds) {
			return false, nil
		}
	}
	return true, nil
}

func parameterMetadata(region *world.Region, p *world.Parameter) types.ParameterMetadata {
	return types.ParameterMetadata{
		Name: aws.String(p.Name), Type: types.ParameterType(p.Type), Version: p.Version, Tier: types.ParameterTierStandard,
		LastModifiedDate: aws.Time(p.Modified), DataType: aws.String("text"), Policies: []types.ParameterInlinePolicy{},
		ARN: aws.String(region.ARN("ssm", "parameter/"+strings.TrimPrefix(p.Name, "/"))),
	}
}

const managedInstance = "ManagedInstance"

// compliant are the states of a patch that count as compliant (user guide, "Patch compliance state values").
var compliant = []string{"Installed", "InstalledOther"}

// severities are those of compliance items by those of patches: unverified.
var severities = map[string]types.ComplianceSeverity{
	"Critical": types.ComplianceSeverityCritical, "Important": types.ComplianceSeverityHigh,
	"High": types.ComplianceSeverityHigh, "Medium": types.ComplianceSeverityMedium,
	"Moderate": types.ComplianceSeverityMedium, "Low": types.ComplianceSeverityLow,
}

// complianceItem is what a scan or an install reported of a patch.
func complianceItem(s *world.PatchState, report world.PatchReport) types.ComplianceItem {
	patch := ssmPatch(report)
	item := types.ComplianceItem{
		ComplianceType: aws.String("Patch"), ResourceType: aws.String(managedInstance),
		ResourceId: aws.String(s.Instance.ID), Id: patch.KBId, Title: patch.Title,
		Status:   types.ComplianceStatusNonCompliant,
		Severity: cmp.Or(severities[report.Patch.Severity], types.ComplianceSeverityUnspecified),
		ExecutionSummary: &types.ComplianceExecutionSummary{
			ExecutionTime: aws.Time(s.End), ExecutionType: aws.String("Command"),
		},
		Details: map[string]string{
			"PatchBaselineId": s.BaselineID, "PatchGroup": s.PatchGroup, "PatchState": report.State,
			"PatchSeverity": report.Patch.Severity, "Classification": report.Patch.Classification,
			"InstalledTime": patch.InstalledTime.UTC().Format(time.RFC3339), "DocumentName": "", "DocumentVersion": "",
		},
	}
	if slices.Contains(compliant, report.State) {
		item.Status = types.ComplianceStatusCompliant
	}
	return item
}

func complianceMatches(item types.ComplianceItem, filters []types.ComplianceStringFilter) (bool, error) {
	for _, filter := range filters {
		value, known := map[string]string{
			"ComplianceType": *item.ComplianceType, "Status": string(item.Status), "Severity": string(item.Severity),
			"Id": aws.ToString(item.Id), "PatchState": item.Details["PatchState"],
		}[aws.ToString(filter.Key)]
		plain := filter.Type == "" || filter.Type == types.ComplianceQueryOperatorTypeEqual
		if !known || !plain && filter.Type != types.ComplianceQueryOperatorTypeNotEqual {
			return false, api.NotModelled("filter %s %s of ssm:ListComplianceItems", aws.ToString(filter.Key), filter.Type)
		}
		if slices.Contains(filter.Values, value) != plain {
			return false, nil
		}
	}
	return true, nil
}
