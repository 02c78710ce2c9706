package services

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

func registerSSMPatchStates(r *api.Registry, w *world.World) {
	api.Handle(
		r,
		"ssm",
		"DescribeInstanceInformation",
		[]string{"Filters", "InstanceInformationFilterList", "MaxResults", "NextToken"},
		func(c api.Call, in *ssm.DescribeInstanceInformationInput) (*ssm.DescribeInstanceInformationOutput, error) {
			filters := in.Filters
			for _, filter := range in.InstanceInformationFilterList {
				filters = append(
					filters, types.InstanceInformationStringFilter{Key: aws.String(string(filter.Key)), Values: filter.ValueSet},
				)
			}
			var all []types.InstanceInformation
			for _, instance := range regionOf(w, c).Machines() {
				if instance.State == world.Terminated || instance.LastPing().IsZero() {
					continue // SSM never heard of it, or not any more
				}
				keep, err := informationPasses(instance, filters)
				if err != nil {
					return nil, err
				}
				if keep {
					all = append(all, ssmInformation(instance))
				}
			}
			page, next, err := cutPage(all, in.NextToken, in.MaxResults, pageRange{5, 50, 10}, badSSMToken)
			return &ssm.DescribeInstanceInformationOutput{InstanceInformationList: page, NextToken: next}, err
		},
	)
	api.Handle(r, "ssm", "DescribeInstancePatchStates", []string{"InstanceIds", "MaxResults", "NextToken"},
		func(c api.Call, in *ssm.DescribeInstancePatchStatesInput) (*ssm.DescribeInstancePatchStatesOutput, error) {
			if len(in.InstanceIds) == 0 || len(in.InstanceIds) > 50 {
				return nil, api.Errorf(
					"ValidationException", "InstanceIds must hold 1 to 50 ids, it holds %d.", len(in.InstanceIds),
				)
			}
			var all []types.InstancePatchState
			for _, id := range in.InstanceIds {
				if state := regionOf(w, c).PatchState(id); state != nil {
					all = append(all, ssmPatchState(state))
				}
			}
			page, next, err := cutPage(all, in.NextToken, in.MaxResults, pageRange{10, 100, 50}, badSSMToken)
			return &ssm.DescribeInstancePatchStatesOutput{InstancePatchStates: page, NextToken: next}, err
		})
	api.Handle(r, "ssm", "DescribeInstancePatches", []string{"InstanceId", "Filters", "MaxResults", "NextToken"},
		func(c api.Call, in *ssm.DescribeInstancePatchesInput) (*ssm.DescribeInstancePatchesOutput, error) {
			for _, filter := range in.Filters {
				if !slices.Contains([]string{"State", "Classification", "KBId", "Severity", "Title"}, aws.ToString(filter.Key)) {
					return nil, api.NotModelled("filter %s of ssm:DescribeInstancePatches", aws.ToString(filter.Key))
				}
			}
			var all []types.PatchComplianceData
			if state := regionOf(w, c).PatchState(aws.ToString(in.InstanceId)); state != nil {
				for _, report := range state.Patches {
					if reportPasses(report, in.Filters) {
						all = append(all, ssmPatch(report))
					}
				}
			}
			page, next, err := cutPage(all, in.NextToken, in.MaxResults, pageRange{10, 100, 50}, badSSMToken)
			return &ssm.DescribeInstancePatchesOutput{Patches: page, NextToken: next}, err
		})
}

func informationPasses(i *world.Instance, filters []types.InstanceInformationStringFilter) (bool, error) {
	all := true
	for _, filter := range filters {
		var values []string
		key := aws.ToString(filter.Key)
		switch tag, isTag := strings.CutPrefix(key, "tag:"); {
		case isTag:
			if value, ok := i.Tags[tag]; ok {
				values = []string{value}
			}
		case key == "InstanceIds":
			values = []string{i.ID}
		case key == "PingStatus":
			values = []string{i.PingStatus()}
		case key == "PlatformTypes":
			values = []string{i.Image.OS().Platform}
		case key == "SourceTypes":
			values = []string{string(sourceTypeOf(i))}
		case key == "ResourceType":
			values = []string{string(resourceTypeOf(i))}
		case key == "tag-key":
			values = i.Tags.Keys()
		default:
			return false, api.NotModelled("filter %s of ssm:DescribeInstanceInformation", key)
		}
		all = all && slices.ContainsFunc(filter.Values, func(value string) bool { return slices.Contains(values, value) })
	}
	return all, nil
}

func ssmInformation(i *world.Instance) types.InstanceInformation {
	os := i.Image.OS()
	out := types.InstanceInformation{
		InstanceId: aws.String(i.ID), PingStatus: types.PingStatus(i.PingStatus()), LastPingDateTime: aws.Time(i.LastPing()),
		AgentVersion: aws.String("3.3.1611.0"), IsLatestVersion: aws.Bool(false),
		PlatformType: types.PlatformType(os.Platform),
		PlatformName: aws.String(os.PlatformName), PlatformVersion: aws.String(os.PlatformVersion),
		ResourceType: resourceTypeOf(i),
		IPAddress:    aws.String(i.PrivateIP),
		ComputerName: aws.String(
			"ip-" + strings.ReplaceAll(i.PrivateIP, ".", "-") + "." + i.Region.Name + ".compute.internal",
		),
		SourceId: aws.String(i.ID), SourceType: sourceTypeOf(i),
	}
	if i.Node {
		out.ComputerName = aws.String(i.Name() + ".example.internal")
		out.Name, out.RegistrationDate = aws.String(i.Name()), aws.Time(i.LaunchTime)
		out.IamRole, out.ActivationId = aws.String("nodes"), aws.String("00000000-0000-4000-8000-000000000000")
	}
	return out
}

func resourceTypeOf(i *world.Instance) types.ResourceType {
	if i.Node {
		return types.ResourceTypeManagedInstance
	}
	return types.ResourceTypeEc2Instance
}

func sourceTypeOf(i *world.Instance) types.SourceType {
	if i.Node {
		return types.SourceTypeAwsSsmManagedinstance
	}
	return types.SourceTypeAwsEc2Instance
}

func ssmPatchState(s *world.PatchState) types.InstancePatchState {
	count := func(state string) int32 { return int32(s.Count(state)) }
	out := types.InstancePatchState{
		InstanceId: aws.String(s.Instance.ID), PatchGroup: aws.String(s.PatchGroup), BaselineId: aws.String(s.BaselineID),
		SnapshotId: aws.String(s.SnapshotID), Operation: types.PatchOperationType(s.Operation),
		OperationStartTime: aws.Time(s.Start),
		OperationEndTime:   aws.Time(s.End), InstallOverrideList: notEmpty(s.OverrideList),
		InstalledCount: count("Installed"), InstalledOtherCount: count("InstalledOther"),
		InstalledPendingRebootCount: aws.Int32(count("InstalledPendingReboot")),
		InstalledRejectedCount:      aws.Int32(count("InstalledRejected")),
		MissingCount:                count("Missing"), FailedCount: count("Failed"),
		UnreportedNotApplicableCount: aws.Int32(0),
		RebootOption:                 types.RebootOption(s.RebootOption),
	}
	if s.Operation == "Scan" {
		out.RebootOption = types.RebootOptionNoReboot
	}
	if !s.LastNoReboot.IsZero() {
		out.LastNoRebootInstallOperationTime = aws.Time(s.LastNoReboot)
	}
	return out
}

func ssmPatch(report world.PatchReport) types.PatchComplianceData {
	out := types.PatchComplianceData{
		Title: aws.String(report.Title), KBId: aws.String(report.Patch.ID),
		Classification: aws.String(report.Patch.Classification),
		Severity:       aws.String(report.Patch.Severity), State: types.PatchComplianceDataState(report.State),
		InstalledTime: aws.Time(report.Installed),
	}
	if report.State == "Missing" || report.State == "Failed" {
		out.InstalledTime = aws.Time(time.Unix(0, 0))
		out.CVEIds = notEmpty(strings.Join(report.Patch.CVEs, ","))
	}
	return out
}

func reportPasses(report world.PatchReport, filters []types.PatchOrchestratorFilter) bool {
	for _, filter := range filters {
		value := map[string]string{
			"State": report.State, "Classification": report.Patch.Classification, "KBId": report.Patch.ID,
			"Severity": report.Patch.Severity, "Title": report.Title,
		}[aws.ToString(filter.Key)]
		if !slices.Contains(filter.Values, value) {
			return false
		}
	}
	return true
}
