package aws

import (
	"cmp"
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// AWS's limits on one request.
const (
	filterValues    = 200 // values of one EC2 filter
	statusIDs       = 100 // ids of one DescribeInstanceStatus
	tagsPerResource = 50  // of EC2 and of Auto Scaling, those of AWS itself not counted
)

// Machines is what EC2 and Systems Manager say of instances at one moment.
type Machines struct {
	Instances map[string]ec2types.Instance
	statusOK  map[string]bool
	agents    map[string]ssmtypes.InstanceInformation
	At        time.Time // AWS's clock

	hidden     []string          // of those that carry a group's tags: who is in quarantine
	unbelieved map[string]string // by id: why one that carries the quarantine's tag is not
}

// ReadMachines reads instances and managed nodes by id. One that EC2 does not know is left out: presence is EC2's to
// tell, and of a node Systems Manager's.
func ReadMachines(ctx context.Context, s *Services, where string, ids []string) (Machines, error) {
	found := Machines{}
	var err error
	if found.Instances, found.At, err = ReadInstances(ctx, s, where, ids); err != nil {
		return Machines{}, err
	}
	return found, found.readHealth(ctx, s, where)
}

// ReadInstances reads instances and managed nodes by id, without their health. One that EC2, or Systems Manager of a
// node, does not know is left out, once that is believed (Absences). The time is AWS's, of the last answer; zero when
// no id is given.
func ReadInstances(
	ctx context.Context, s *Services, where string, ids []string,
) (map[string]ec2types.Instance, time.Time, error) {
	found := map[string]ec2types.Instance{}
	var at time.Time
	// A filter leaves unknown ids out, where asking by InstanceIds would fail for all because of one.
	ofEC2, nodes := splitNodes(ids)
	for chunk := range slices.Chunk(ofEC2, filterValues) {
		instances, now, err := DescribeInstances(ctx, s, where, Filter("instance-id", chunk...))
		if err != nil {
			return nil, at, err
		}
		at = now
		for _, instance := range instances {
			found[Deref(instance.InstanceId)] = instance
		}
	}
	machines, now, err := readNodesByID(ctx, s, where, nodes)
	if err != nil {
		return nil, at, err
	}
	for _, machine := range machines {
		found[Deref(machine.InstanceId)] = machine
	}
	listed := func(id string) bool { _, listed := found[id]; return listed }
	if doubted := s.Absences.doubt("EC2", at, ofEC2, listed); len(doubted) > 0 {
		return nil, at, doubtful(where, "EC2", doubted)
	}
	if len(nodes) > 0 {
		at = now
	}
	if doubted := s.Absences.doubt("Systems Manager", at, nodes, listed); len(doubted) > 0 {
		return nil, at, doubtful(where, "Systems Manager", doubted)
	}
	return found, at, nil
}

// ReadTagged reads the instances, or the managed nodes, that carry all of a group's tags, are not on their way out and
// not proven to be in quarantine.
func ReadTagged(ctx context.Context, s *Services, group patch.Group) (Machines, error) {
	where, tags, list := group.String(), group.Tags, listTagged
	if group.IsNodes() {
		tags, list = group.ManagedNodes, readTaggedNodes
	}
	instances, at, err := list(ctx, s, where, tags)
	if err != nil {
		return Machines{}, err
	}
	// EC2 takes * and ? in a filter for wildcards; a plan means them literally.
	instances = slices.DeleteFunc(instances, func(instance ec2types.Instance) bool {
		if TagOf(instance.Tags, names.TagTrial) != "" { // it tries an image, and is nobody's member
			return true
		}
		for key, value := range tags {
			if !slices.ContainsFunc(
				instance.Tags, func(tag ec2types.Tag) bool { return Deref(tag.Key) == key && Deref(tag.Value) == value },
			) {
				return true
			}
		}
		return false
	})
	found := Machines{Instances: map[string]ec2types.Instance{}, unbelieved: map[string]string{}, At: at}
	for _, instance := range instances {
		hidden, why := s.hides(ctx, group, instance)
		if hidden { // it was taken out of its group
			found.hidden = append(found.hidden, why)
			continue
		}
		id := Deref(instance.InstanceId)
		found.Instances[id], found.unbelieved[id] = instance, why
	}
	slices.Sort(found.hidden)
	return found, found.readHealth(ctx, s, where)
}

// listTagged lists EC2's instances that carry all of the tags and are not on their way out.
func listTagged(
	ctx context.Context, s *Services, where string, tags map[string]string,
) ([]ec2types.Instance, time.Time, error) {
	filters := []ec2types.Filter{Filter("instance-state-name", "pending", "running", "stopping", "stopped")}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		filters = append(filters, Filter("tag:"+key, tags[key]))
	}
	return DescribeInstances(ctx, s, where, filters...)
}

// ReadMachine reads an instance that must be there: Gone when EC2 no longer has it.
func ReadMachine(ctx context.Context, s *Services, in Instance) (*ec2types.Instance, error) {
	instance, err := FindMachine(ctx, s, in)
	if err == nil && instance == nil {
		err = gone(in)
	}
	return instance, err
}

// FindMachine reads one instance without its health; nil when EC2 does not know it or has it terminated.
func FindMachine(ctx context.Context, s *Services, in Instance) (*ec2types.Instance, error) {
	instance, _, err := findMachine(ctx, s, in)
	return instance, err
}

// findMachine is FindMachine, with AWS's time of the answer.
func findMachine(ctx context.Context, s *Services, in Instance) (*ec2types.Instance, time.Time, error) {
	found, at, err := ReadInstances(ctx, s, in.String(), []string{in.ID})
	if err != nil {
		return nil, at, err
	}
	instance := found[in.ID]
	switch StateOf(instance) {
	case "", "terminated", "shutting-down":
		return nil, at, nil
	}
	return &instance, at, nil
}

// DescribeInstances lists the instances that the filters let through; the time is AWS's, of the answer.
func DescribeInstances(
	ctx context.Context, s *Services, where string, filters ...ec2types.Filter,
) ([]ec2types.Instance, time.Time, error) {
	var all []ec2types.Instance
	var at time.Time
	pages := ec2.NewDescribeInstancesPaginator(s.EC2, &ec2.DescribeInstancesInput{Filters: filters})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, at, Wrap("describe instances", where, err)
		}
		if at, err = TimeOf(page.ResultMetadata, where); err != nil {
			return nil, at, err
		}
		for _, reservation := range page.Reservations {
			all = append(all, reservation.Instances...)
		}
	}
	return all, at, nil
}

// readHealth reads status checks and agents of the machines that run.
func (m *Machines) readHealth(ctx context.Context, s *Services, where string) error {
	m.statusOK, m.agents = map[string]bool{}, map[string]ssmtypes.InstanceInformation{}
	var running []string
	for _, id := range slices.Sorted(maps.Keys(m.Instances)) {
		if StateOf(m.Instances[id]) == "running" {
			running = append(running, id)
		}
	}
	ofEC2, nodes := splitNodes(running)
	for chunk := range slices.Chunk(ofEC2, statusIDs) {
		pages := ec2.NewDescribeInstanceStatusPaginator(s.EC2, &ec2.DescribeInstanceStatusInput{InstanceIds: chunk})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if IsNotFound(err) {
				return MayPass("%s: an instance went away while its status was read: %v", where, err)
			}
			if err != nil {
				return Wrap("describe instance status", where, err)
			}
			for _, status := range page.InstanceStatuses {
				m.statusOK[Deref(status.InstanceId)] = passed(status.InstanceStatus) && passed(status.SystemStatus)
			}
		}
	}
	for chunk := range slices.Chunk(running, AgentsPage) {
		agents, err := ReadAgents(ctx, s, where, chunk)
		if err != nil {
			return err
		}
		maps.Copy(m.agents, agents)
	}
	for _, id := range nodes { // of which nobody checks more than that
		m.statusOK[id] = m.agents[id].PingStatus == ssmtypes.PingStatusOnline
	}
	return nil
}

func passed(summary *ec2types.InstanceStatusSummary) bool {
	return summary != nil && summary.Status == ec2types.SummaryStatusOk
}

// Member is one machine as a member of a group; what Auto Scaling and the load balancers say is added by others.
func (m Machines) Member(id string) patch.Member {
	member := patch.Member{ID: id, Platform: patch.Linux}
	instance, known := m.Instances[id]
	if !known {
		return member
	}
	if instance.Placement != nil {
		member.Zone = Deref(instance.Placement.AvailabilityZone)
	}
	member.PrivateIP = cmp.Or(Deref(instance.PrivateIpAddress), Deref(instance.Ipv6Address)) // of a subnet of IPv6 only
	member.State, member.Unbelieved = StateOf(instance), m.unbelieved[id]
	member.Why, member.StoppedAt = whyInState(instance)
	member.StatusOK = m.statusOK[id]
	member.LaunchTime = Deref(instance.LaunchTime)
	member.RootDevice = Deref(instance.RootDeviceName)
	member.RootVolumeID = RootVolume(instance)
	if root := rootDevice(instance); root != nil {
		member.RootSince = Deref(root.AttachTime)
	}
	member.ProductCodes = len(instance.ProductCodes) > 0
	member.BareMetal = bareMetal(string(instance.InstanceType))
	member.OwnerGroup = TagOf(instance.Tags, "aws:autoscaling:groupName")
	member.Operator = operatorOfInstance(instance)
	member.Mark = TagOf(instance.Tags, names.TagJournal)
	member.FreeTags = freeTags(TagKeys(instance.Tags), names.TagJournal, names.TagQuarantine)
	if strings.EqualFold(string(instance.Platform), string(ec2types.PlatformValuesWindows)) { // EC2 says "windows"
		member.Platform = patch.Windows
	}
	if agent, ok := m.agents[id]; ok {
		member.AgentOnline = agent.PingStatus == ssmtypes.PingStatusOnline
		member.AgentPing = Deref(agent.LastPingDateTime)
		member.Runs = patch.System{Name: Deref(agent.PlatformName), Version: Deref(agent.PlatformVersion)}
		if agent.PlatformType == ssmtypes.PlatformTypeWindows {
			member.Platform = patch.Windows
		}
	}
	return member
}

// RootVolume is the id of an instance's root volume; "" where that is no EBS volume.
func RootVolume(instance ec2types.Instance) string {
	if root := rootDevice(instance); root != nil {
		return Deref(root.VolumeId)
	}
	return ""
}

// rootDevice is an instance's root volume as it is attached; nil where that is no EBS volume.
func rootDevice(instance ec2types.Instance) *ec2types.EbsInstanceBlockDevice {
	if instance.RootDeviceType != ec2types.DeviceTypeEbs {
		return nil
	}
	for _, mapping := range instance.BlockDeviceMappings {
		if Deref(mapping.DeviceName) == Deref(instance.RootDeviceName) {
			return mapping.Ebs
		}
	}
	return nil
}

// bareMetal tells types whose root volume cannot be replaced; Macs are bare metal too, but theirs can.
func bareMetal(instanceType string) bool {
	family, size, _ := strings.Cut(instanceType, ".")
	return strings.HasPrefix(size, "metal") && !strings.HasPrefix(family, "mac")
}

// freeTags reports whether all of our tags fit, those that are on already included.
func freeTags(keys []string, ours ...string) bool {
	count := len(ours)
	for _, key := range keys {
		if !strings.HasPrefix(key, "aws:") && !slices.Contains(ours, key) {
			count++
		}
	}
	return count <= tagsPerResource
}

// stoppedBy is how EC2 tells who stopped an instance, and when: "User initiated (2026-11-27 18:00:00 GMT)". The API
// reference says only that the reason may be empty, and nothing of its form: unverified. Where it is another, nobody
// knows when, and the instance counts as out.
var stoppedBy = regexp.MustCompile(`\((\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) GMT\)`)

// whyInState is EC2's own word on why an instance does not run, and when it was stopped, where that is told.
func whyInState(instance ec2types.Instance) (why string, stopped time.Time) {
	why = Deref(instance.StateTransitionReason)
	if told := stoppedBy.FindStringSubmatch(why); told != nil && StateOf(instance) != "running" {
		stopped, _ = time.Parse(time.DateTime, told[1]) // zero where it is no time: nobody knows then
	}
	if why == "" && instance.StateReason != nil {
		why = Deref(instance.StateReason.Message)
	}
	return why, stopped
}
