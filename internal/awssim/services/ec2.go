package services

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// registerEC2 registers what is modelled of EC2.
func registerEC2(r *api.Registry, w *world.World) {
	registerEC2Instances(r, w)
	registerEC2Storage(r, w)
	registerEC2Tags(r, w)
	registerEC2Roots(r, w)
	registerEC2Images(r, w)
	registerEC2ImageCopies(r, w)
	registerEC2Security(r, w)
	registerEC2Interfaces(r, w)
	registerEC2Network(r, w)
	registerEC2Attach(r, w)
}

func registerEC2Instances(r *api.Registry, w *world.World) {
	api.Handle(r, "ec2", "DescribeInstances", []string{"Filters", "InstanceIds", "MaxResults", "NextToken"},
		func(c api.Call, in *ec2.DescribeInstancesInput) (*ec2.DescribeInstancesOutput, error) {
			if err := notWithIDs(in.InstanceIds, in.MaxResults); err != nil {
				return nil, err
			}
			chosen, err := chooseInstances(regionOf(w, c), "DescribeInstances", in.InstanceIds, in.Filters)
			if err != nil {
				return nil, err
			}
			page, next, err := cutPage(chosen, in.NextToken, in.MaxResults, pageRange{5, 1000, 1000}, "InvalidParameterValue")
			if err != nil {
				return nil, err
			}
			out := &ec2.DescribeInstancesOutput{NextToken: next}
			for _, instance := range page {
				out.Reservations = append(out.Reservations, types.Reservation{
					ReservationId: aws.String(reservationOf(instance)), OwnerId: aws.String(c.Account),
					Instances: []types.Instance{ec2Instance(instance)},
				})
			}
			return out, nil
		})
	api.Handle(
		r,
		"ec2",
		"DescribeInstanceStatus",
		[]string{"Filters", "InstanceIds", "IncludeAllInstances", "MaxResults", "NextToken"},
		func(c api.Call, in *ec2.DescribeInstanceStatusInput) (*ec2.DescribeInstanceStatusOutput, error) {
			if err := notWithIDs(in.InstanceIds, in.MaxResults); err != nil {
				return nil, err
			}
			chosen, err := chooseInstances(regionOf(w, c), "DescribeInstanceStatus", in.InstanceIds, in.Filters)
			if err != nil {
				return nil, err
			}
			if !aws.ToBool(in.IncludeAllInstances) {
				chosen = slices.DeleteFunc(chosen, func(i *world.Instance) bool { return i.State != world.Running })
			}
			page, next, err := cutPage(chosen, in.NextToken, in.MaxResults, pageRange{5, 1000, 100}, "InvalidParameterValue")
			if err != nil {
				return nil, err
			}
			out := &ec2.DescribeInstanceStatusOutput{NextToken: next}
			for _, instance := range page {
				out.InstanceStatuses = append(out.InstanceStatuses, ec2Status(instance))
			}
			return out, nil
		},
	)
	eachInstance := func(
		region *world.Region, ids []string, do func(*world.Instance) error,
	) ([]types.InstanceStateChange, error) {
		chosen, err := chooseInstances(region, "", ids, nil)
		if err != nil {
			return nil, err
		}
		if len(ids) == 0 {
			return nil, api.Errorf("MissingParameter", "The request must contain the parameter InstanceId")
		}
		changes := []types.InstanceStateChange{}
		for _, instance := range chosen {
			before := ec2State(instance.State)
			if err := do(instance); err != nil {
				return nil, err
			}
			changes = append(changes, types.InstanceStateChange{
				InstanceId: aws.String(instance.ID), PreviousState: before, CurrentState: ec2State(instance.State),
			})
		}
		return changes, nil
	}
	api.Handle(
		r, "ec2", "StartInstances", []string{"InstanceIds"},
		func(c api.Call, in *ec2.StartInstancesInput) (*ec2.StartInstancesOutput, error) {
			changes, err := eachInstance(regionOf(w, c), in.InstanceIds, (*world.Instance).Start)
			return &ec2.StartInstancesOutput{StartingInstances: changes}, err
		})
	api.Handle(
		r, "ec2", "StopInstances", []string{"InstanceIds", "Force", "Hibernate", "SkipOsShutdown"},
		func(c api.Call, in *ec2.StopInstancesInput) (*ec2.StopInstancesOutput, error) {
			stop := (*world.Instance).Stop
			if aws.ToBool(in.Hibernate) {
				stop = (*world.Instance).Hibernate
			}
			changes, err := eachInstance(regionOf(w, c), in.InstanceIds, stop)
			return &ec2.StopInstancesOutput{StoppingInstances: changes}, err
		})
	api.Handle(
		r, "ec2", "RebootInstances", []string{"InstanceIds"},
		func(c api.Call, in *ec2.RebootInstancesInput) (*ec2.RebootInstancesOutput, error) {
			_, err := eachInstance(regionOf(w, c), in.InstanceIds, (*world.Instance).Reboot)
			return &ec2.RebootInstancesOutput{}, err
		})
	api.Handle(
		r, "ec2", "TerminateInstances", []string{"InstanceIds"},
		func(c api.Call, in *ec2.TerminateInstancesInput) (*ec2.TerminateInstancesOutput, error) {
			region, before := regionOf(w, c), map[string]*types.InstanceState{}
			for _, id := range in.InstanceIds {
				if instance := region.Instance(id); instance != nil {
					before[id] = ec2State(instance.State)
				}
			}
			var chosen []*world.Instance
			changes, err := eachInstance(
				region, in.InstanceIds, func(i *world.Instance) error { chosen = append(chosen, i); return nil },
			)
			if err == nil {
				err = terminate(chosen)
			}
			for n, instance := range chosen {
				changes[n].PreviousState, changes[n].CurrentState = before[instance.ID], ec2State(instance.State)
			}
			return &ec2.TerminateInstancesOutput{TerminatingInstances: changes}, err
		})
	api.Handle(r, "ec2", "ModifyInstanceAttribute", []string{"InstanceId", "Groups", "DisableApiTermination"},
		func(c api.Call, in *ec2.ModifyInstanceAttributeInput) (*ec2.ModifyInstanceAttributeOutput, error) {
			chosen, err := chooseInstances(regionOf(w, c), "", []string{aws.ToString(in.InstanceId)}, nil)
			if err != nil {
				return nil, err
			}
			if in.DisableApiTermination != nil {
				if len(in.Groups) > 0 {
					return nil, api.Errorf("InvalidParameterCombination", "Fields for multiple attribute types specified")
				}
				chosen[0].Protected = aws.ToBool(in.DisableApiTermination.Value)
				return &ec2.ModifyInstanceAttributeOutput{}, nil
			}
			switch interfaces := chosen[0].Interfaces(); len(interfaces) {
			case 0:
				return nil, api.Errorf(
					"IncorrectInstanceState", "The instance '%s' is not in a state in which its groups can be modified.", chosen[0].ID,
				)
			case 1:
				return &ec2.ModifyInstanceAttributeOutput{}, interfaces[0].SetGroups(in.Groups)
			}
			return nil, api.Errorf(
				"InvalidInstanceID",
				"There are multiple interfaces attached to instance '%s'. Please specify an interface ID for the operation "+
					"instead.",
				chosen[0].ID,
			)
		})
}

// chooseInstances picks instances by id, or all, and applies the filters. An unknown id is InvalidInstanceID.NotFound.
func chooseInstances(
	region *world.Region, operation string, ids []string, filters []types.Filter,
) ([]*world.Instance, error) {
	chosen := region.Instances()
	if len(ids) > 0 {
		chosen = nil
		for _, id := range ids {
			if err := wellFormed("i", id); err != nil {
				return nil, err
			}
			instance := region.Instance(id)
			if instance == nil {
				return nil, api.Errorf("InvalidInstanceID.NotFound", "The instance ID '%s' does not exist", id)
			}
			if !slices.Contains(chosen, instance) {
				chosen = append(chosen, instance)
			}
		}
	}
	return filtered(operation, chosen, filters, func(i *world.Instance) world.Tags { return i.Tags }, instanceFilter)
}

func instanceFilter(i *world.Instance, name string) ([]string, bool) {
	switch name {
	case "instance-state-name":
		return []string{string(i.State)}, true
	case "instance-id":
		return []string{i.ID}, true
	case "availability-zone":
		return []string{i.Zone}, true
	case "image-id":
		return []string{i.Image.ID}, true
	case "instance.group-id":
		return i.SecurityGroups, true
	case "private-ip-address":
		return []string{i.PrivateIP}, true
	case "vpc-id":
		return []string{i.Region.VPC()}, true
	case "subnet-id":
		return []string{i.Region.SubnetOf(i.Zone)}, true
	case "instance-type":
		return []string{i.Type}, true
	case "architecture":
		return []string{string(types.ArchitectureValuesX8664)}, true
	case "reservation-id":
		return []string{reservationOf(i)}, true
	case "private-dns-name":
		return []string{dnsName(i.Region, i.PrivateIP)}, true
	case "root-device-type":
		return []string{string(types.DeviceTypeEbs)}, true
	case "instance-status.status", "system-status.status":
		return []string{i.StatusCheck()}, true
	}
	return nil, false
}

var stateCodes = map[world.InstanceState]int32{
	world.Pending: 0, world.Running: 16, world.ShuttingDown: 32, world.Terminated: 48, world.Stopping: 64,
	world.Stopped: 80,
}

func ec2State(state world.InstanceState) *types.InstanceState {
	return &types.InstanceState{Name: types.InstanceStateName(state), Code: aws.Int32(stateCodes[state])}
}

func ec2Instance(i *world.Instance) types.Instance {
	out := types.Instance{
		InstanceId: aws.String(i.ID), ImageId: aws.String(i.Image.ID), InstanceType: types.InstanceType(i.Type),
		State: ec2State(i.State), LaunchTime: aws.Time(i.LaunchTime),
		Placement:          &types.Placement{AvailabilityZone: aws.String(i.Zone), Tenancy: types.TenancyDefault},
		RootDeviceName:     aws.String(world.RootDevice),
		RootDeviceType:     types.DeviceTypeEbs,
		VirtualizationType: types.VirtualizationTypeHvm,
		Hypervisor:         types.HypervisorTypeXen,
		VpcId:              aws.String(i.Region.VPC()),
		Tags:               ec2Tags(i.Tags),
		PlatformDetails:    aws.String("Linux/UNIX"),
		HibernationOptions: &types.HibernationOptions{Configured: aws.Bool(i.Hibernates)},
		Monitoring:         &types.Monitoring{State: types.MonitoringStateDisabled},
		EbsOptimized:       aws.Bool(false), AmiLaunchIndex: aws.Int32(0),
		ClientToken: aws.String(""), PublicDnsName: aws.String(""), PrivateDnsName: aws.String(""),
		CpuOptions: &types.CpuOptions{CoreCount: aws.Int32(1), ThreadsPerCore: aws.Int32(2)},
		MetadataOptions: &types.InstanceMetadataOptionsResponse{
			State: types.InstanceMetadataOptionsStateApplied, HttpTokens: types.HttpTokensStateRequired,
			HttpPutResponseHopLimit: aws.Int32(2), HttpEndpoint: types.InstanceMetadataEndpointStateEnabled,
			HttpProtocolIpv6:     types.InstanceMetadataProtocolStateDisabled,
			InstanceMetadataTags: types.InstanceMetadataTagsStateDisabled,
		},
	}
	tellKind(&out, i.Image)
	if i.Image.OS().Windows() {
		out.Platform, out.PlatformDetails = "windows", aws.String("Windows") // in small letters, as EC2 has it
	}
	if i.State != world.Terminated {
		out.PrivateIpAddress, out.PrivateDnsName = aws.String(i.PrivateIP), aws.String(dnsName(i.Region, i.PrivateIP))
		if i.IPv6 != "" {
			out.Ipv6Address = aws.String(i.IPv6)
		}
		out.SubnetId, out.SourceDestCheck = aws.String(i.Region.SubnetOf(i.Zone)), aws.Bool(true)
		out.SecurityGroups = securityGroupViews(i, i.SecurityGroups)
		out.NetworkInterfaces = interfaceViews(i)
	}
	if i.StateReason != "" {
		out.StateReason = &types.StateReason{Code: aws.String(i.StateReason), Message: aws.String(i.StateReason)}
	}
	if !i.StoppedAt.IsZero() {
		out.StateTransitionReason = aws.String("User initiated (" + i.StoppedAt.UTC().Format(time.DateTime) + " GMT)")
	}
	for _, volume := range i.Attachments() {
		out.BlockDeviceMappings = append(out.BlockDeviceMappings, types.InstanceBlockDeviceMapping{
			DeviceName: aws.String(volume.Device),
			Ebs: &types.EbsInstanceBlockDevice{
				VolumeId: aws.String(volume.ID), Status: types.AttachmentStatusAttached, AttachTime: aws.Time(volume.Created),
				DeleteOnTermination: aws.Bool(volume.ID == i.RootVolume),
			},
		})
	}
	return out
}

func reservationOf(i *world.Instance) string { return "r-" + i.ID[2:] }

func ec2Status(i *world.Instance) types.InstanceStatus {
	check := types.SummaryStatus(i.StatusCheck())
	system := check
	if check == types.SummaryStatusImpaired {
		system = types.SummaryStatusOk // the host is well; the guest is not
	}
	return types.InstanceStatus{
		InstanceId: aws.String(i.ID), AvailabilityZone: aws.String(i.Zone), InstanceState: ec2State(i.State),
		InstanceStatus: &types.InstanceStatusSummary{Status: check, Details: reachability(check)},
		SystemStatus:   &types.InstanceStatusSummary{Status: system, Details: reachability(system)},
	}
}

func reachability(status types.SummaryStatus) []types.InstanceStatusDetails {
	word := types.StatusTypePassed
	switch status {
	case types.SummaryStatusImpaired:
		word = types.StatusTypeFailed
	case types.SummaryStatusInitializing:
		word = types.StatusTypeInitializing
	case types.SummaryStatusNotApplicable:
		return nil
	}
	return []types.InstanceStatusDetails{{Name: types.StatusNameReachability, Status: word}}
}

func registerEC2Tags(r *api.Registry, w *world.World) {
	api.Handle(
		r, "ec2", "CreateTags", []string{"Resources", "Tags"},
		func(c api.Call, in *ec2.CreateTagsInput) (*ec2.CreateTagsOutput, error) {
			if err := checkTags(in.Tags); err != nil {
				return nil, err
			}
			return &ec2.CreateTagsOutput{}, regionOf(w, c).TagResources(in.Resources, tagsOf(in.Tags))
		})
	api.Handle(
		r, "ec2", "DeleteTags", []string{"Resources", "Tags"},
		func(c api.Call, in *ec2.DeleteTagsInput) (*ec2.DeleteTagsOutput, error) {
			tags := map[string]*string{}
			for _, tag := range in.Tags {
				tags[aws.ToString(tag.Key)] = tag.Value
			}
			return &ec2.DeleteTagsOutput{}, regionOf(w, c).UntagResources(in.Resources, tags)
		})
	api.Handle(r, "ec2", "DescribeTags", []string{"Filters", "MaxResults", "NextToken"},
		func(c api.Call, in *ec2.DescribeTagsInput) (*ec2.DescribeTagsOutput, error) {
			var all []types.TagDescription
			region := regionOf(w, c)
			for _, id := range region.TaggableIDs() {
				tags, kind, err := region.ResourceTags(id)
				if err != nil {
					return nil, err
				}
				for _, key := range tags.Keys() {
					ok, err := passes("DescribeTags", in.Filters, world.Tags{key: tags[key]}, func(name string) ([]string, bool) {
						switch name {
						case "resource-id":
							return []string{id}, true
						case "resource-type":
							return []string{kind}, true
						case "key":
							return []string{key}, true
						case "value":
							return []string{tags[key]}, true
						}
						return nil, false
					})
					if err != nil {
						return nil, err
					}
					if ok {
						all = append(all, types.TagDescription{
							Key: aws.String(key), Value: aws.String(tags[key]), ResourceId: aws.String(id),
							ResourceType: types.ResourceType(kind),
						})
					}
				}
			}
			page, next, err := cutPage(all, in.NextToken, in.MaxResults, pageRange{5, 1000, 1000}, "InvalidParameterValue")
			return &ec2.DescribeTagsOutput{Tags: page, NextToken: next}, err
		})
}
