package activities

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go/middleware"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// AWS's limits on one request.
const (
	filterValues     = 200 // values of one EC2 filter
	statusIDs        = 100 // ids of one DescribeInstanceStatus
	agentsPerRequest = 50  // DescribeInstanceInformation
	tagsPerResource  = 50  // of EC2 and of Auto Scaling, those of AWS itself not counted
)

// machines is what EC2 and Systems Manager say of instances at one moment.
type machines struct {
	instances map[string]ec2types.Instance
	statusOK  map[string]bool
	agents    map[string]ssmtypes.InstanceInformation
	at        time.Time // AWS's clock
}

// readMachines reads instances by id. One that EC2 does not know is left out: presence is EC2's to tell.
func readMachines(ctx context.Context, s *aws.Services, where string, ids []string) (machines, error) {
	found := machines{}
	var err error
	if found.instances, found.at, err = readInstances(ctx, s, where, ids); err != nil {
		return machines{}, err
	}
	return found, found.readHealth(ctx, s, where)
}

// readInstances reads instances by id, without their health. One that EC2 does not know is left out. The time is AWS's, of the
// last answer; zero when no id is given.
func readInstances(ctx context.Context, s *aws.Services, where string, ids []string) (map[string]ec2types.Instance, time.Time, error) {
	found := map[string]ec2types.Instance{}
	var at time.Time
	// A filter leaves unknown ids out, where asking by InstanceIds would fail for all because of one.
	for chunk := range slices.Chunk(ids, filterValues) {
		instances, now, err := describeInstances(ctx, s, where, filter("instance-id", chunk...))
		if err != nil {
			return nil, at, err
		}
		at = now
		for _, instance := range instances {
			found[deref(instance.InstanceId)] = instance
		}
	}
	return found, at, nil
}

// findMachines reads the instances that carry all of the tags, are not on their way out and not quarantined.
func findMachines(ctx context.Context, s *aws.Services, where string, tags map[string]string) (machines, error) {
	filters := []ec2types.Filter{filter("instance-state-name", "pending", "running", "stopping", "stopped")}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		filters = append(filters, filter("tag:"+key, tags[key]))
	}
	instances, at, err := describeInstances(ctx, s, where, filters...)
	if err != nil {
		return machines{}, err
	}
	// EC2 takes * and ? in a filter for wildcards; a plan means them literally.
	instances = slices.DeleteFunc(instances, func(instance ec2types.Instance) bool {
		if tagOf(instance.Tags, names.TagQuarantine) != "" {
			return true // it was taken out of its group
		}
		for key, value := range tags {
			if !slices.ContainsFunc(instance.Tags, func(tag ec2types.Tag) bool { return deref(tag.Key) == key && deref(tag.Value) == value }) {
				return true
			}
		}
		return false
	})
	found := machines{instances: map[string]ec2types.Instance{}, at: at}
	for _, instance := range instances {
		found.instances[deref(instance.InstanceId)] = instance
	}
	return found, found.readHealth(ctx, s, where)
}

// readMachine reads an instance that must be there: Gone when EC2 no longer has it.
func readMachine(ctx context.Context, s *aws.Services, in Instance) (*ec2types.Instance, error) {
	instance, err := findMachine(ctx, s, in)
	if err == nil && instance == nil {
		err = aws.Final(aws.Gone, "%s: EC2 no longer has the instance", in)
	}
	return instance, err
}

// findMachine reads one instance without its health; nil when EC2 does not know it or has it terminated.
func findMachine(ctx context.Context, s *aws.Services, in Instance) (*ec2types.Instance, error) {
	instances, _, err := describeInstances(ctx, s, in.String(), filter("instance-id", in.ID))
	if err != nil || len(instances) == 0 {
		return nil, err
	}
	switch stateOf(instances[0]) {
	case "", "terminated", "shutting-down":
		return nil, nil
	}
	return &instances[0], nil
}

// describeInstances lists the instances that the filters let through; the time is AWS's, of the answer.
func describeInstances(ctx context.Context, s *aws.Services, where string, filters ...ec2types.Filter) ([]ec2types.Instance, time.Time, error) {
	var all []ec2types.Instance
	var at time.Time
	pages := ec2.NewDescribeInstancesPaginator(s.EC2, &ec2.DescribeInstancesInput{Filters: filters})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, at, aws.Wrap("describe instances", where, err)
		}
		if at, err = awsTime(page.ResultMetadata, where); err != nil {
			return nil, at, err
		}
		for _, reservation := range page.Reservations {
			all = append(all, reservation.Instances...)
		}
	}
	return all, at, nil
}

// readHealth reads status checks and agents of the machines that run.
func (m *machines) readHealth(ctx context.Context, s *aws.Services, where string) error {
	m.statusOK, m.agents = map[string]bool{}, map[string]ssmtypes.InstanceInformation{}
	var running []string
	for _, id := range slices.Sorted(maps.Keys(m.instances)) {
		if stateOf(m.instances[id]) == "running" {
			running = append(running, id)
		}
	}
	for chunk := range slices.Chunk(running, statusIDs) {
		pages := ec2.NewDescribeInstanceStatusPaginator(s.EC2, &ec2.DescribeInstanceStatusInput{InstanceIds: chunk})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if aws.IsNotFound(err) {
				return aws.MayPass("%s: an instance went away while its status was read: %v", where, err)
			}
			if err != nil {
				return aws.Wrap("describe instance status", where, err)
			}
			for _, status := range page.InstanceStatuses {
				m.statusOK[deref(status.InstanceId)] = passed(status.InstanceStatus) && passed(status.SystemStatus)
			}
		}
	}
	for chunk := range slices.Chunk(running, agentsPerRequest) {
		pages := ssm.NewDescribeInstanceInformationPaginator(s.SSM, &ssm.DescribeInstanceInformationInput{
			Filters: []ssmtypes.InstanceInformationStringFilter{{Key: ptr("InstanceIds"), Values: chunk}}, MaxResults: ptr(int32(agentsPerRequest)),
		})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return aws.Wrap("describe the SSM agents", where, err)
			}
			for _, agent := range page.InstanceInformationList {
				m.agents[deref(agent.InstanceId)] = agent
			}
		}
	}
	return nil
}

func passed(summary *ec2types.InstanceStatusSummary) bool {
	return summary != nil && summary.Status == ec2types.SummaryStatusOk
}

// member is one machine as a member of a group; what Auto Scaling and the load balancers say is added by others.
func (m machines) member(id string) patch.Member {
	member := patch.Member{ID: id, Platform: patch.Linux}
	instance, known := m.instances[id]
	if !known {
		return member
	}
	if instance.Placement != nil {
		member.Zone = deref(instance.Placement.AvailabilityZone)
	}
	member.PrivateIP = deref(instance.PrivateIpAddress)
	member.State = stateOf(instance)
	member.StatusOK = m.statusOK[id]
	member.LaunchTime = deref(instance.LaunchTime)
	member.RootDevice = deref(instance.RootDeviceName)
	member.RootVolumeID = rootVolume(instance)
	member.ProductCodes = len(instance.ProductCodes) > 0
	member.BareMetal = bareMetal(string(instance.InstanceType))
	member.OwnerGroup = tagOf(instance.Tags, "aws:autoscaling:groupName")
	member.FreeTags = freeTags(ec2TagKeys(instance.Tags), names.TagJournal, names.TagQuarantine)
	if instance.Platform == ec2types.PlatformValuesWindows {
		member.Platform = patch.Windows
	}
	if agent, ok := m.agents[id]; ok {
		member.AgentOnline = agent.PingStatus == ssmtypes.PingStatusOnline
		member.AgentPing = deref(agent.LastPingDateTime)
		if agent.PlatformType == ssmtypes.PlatformTypeWindows {
			member.Platform = patch.Windows
		}
	}
	return member
}

func rootVolume(instance ec2types.Instance) string {
	if instance.RootDeviceType != ec2types.DeviceTypeEbs {
		return ""
	}
	for _, mapping := range instance.BlockDeviceMappings {
		if deref(mapping.DeviceName) == deref(instance.RootDeviceName) && mapping.Ebs != nil {
			return deref(mapping.Ebs.VolumeId)
		}
	}
	return ""
}

// bareMetal tells types whose root volume cannot be replaced; Macs are bare metal too, but theirs can.
func bareMetal(instanceType string) bool {
	family, size, _ := strings.Cut(instanceType, ".")
	return strings.HasPrefix(size, "metal") && !strings.HasPrefix(family, "mac")
}

// freeTags tells whether all of our tags fit, those that are on already included.
func freeTags(keys []string, ours ...string) bool {
	count := len(ours)
	for _, key := range keys {
		if !strings.HasPrefix(key, "aws:") && !slices.Contains(ours, key) {
			count++
		}
	}
	return count <= tagsPerResource
}

// awsTime is when AWS answered, by AWS's own clock: the only one its times may be compared with.
func awsTime(metadata middleware.Metadata, where string) (time.Time, error) {
	at, ok := awsmiddleware.GetServerTime(metadata)
	if !ok || at.IsZero() {
		return at, aws.MayPass("%s: AWS's answer carries no Date, so nothing can be dated by AWS's clock; look for a proxy that removes the header", where)
	}
	return at.UTC(), nil
}
