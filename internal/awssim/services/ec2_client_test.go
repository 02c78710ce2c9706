package services_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/awssimtest"
	"github.com/patchtide/patchtide/internal/awssim/contract/shapes"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

var ctx = context.Background()

// account is a real SDK client's way into one account of a simulator whose clock stands still until a test moves it.
type account struct {
	t      *testing.T
	now    time.Time
	config aws.Config
	home   aws.Config // the home account's
	sim    *awssim.Sim
}

func staging(t *testing.T, scenario string) *account { return inAccount(t, scenario, "222233334444") }

// inAccount is staging for another account of the scenario.
func inAccount(t *testing.T, scenario, id string) *account {
	t.Helper()
	return begin(t, awssimtest.Options{Name: scenario}, id)
}

// withScenario is inAccount for a scenario that the test writes.
func withScenario(t *testing.T, text, id string) *account {
	t.Helper()
	s, err := world.ParseScenario("test.yaml", []byte(text))
	require.NoError(t, err)
	return begin(t, awssimtest.Options{Scenario: s}, id)
}

func begin(t *testing.T, options awssimtest.Options, id string) *account {
	t.Helper()
	a := &account{t: t, now: time.Date(2026, 11, 8, 2, 0, 0, 0, time.UTC)}
	options.Now = func() time.Time { return a.now }
	options.Between = func(next http.RoundTripper) http.RoundTripper { return conforming(t, next) }
	fleet := awssimtest.New(t, options)
	a.sim, a.config = fleet.Sim, fleet.Config()
	a.config.BaseEndpoint = nil // the services' own names, which their signatures hold
	a.config.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	a.home = a.config.Copy()
	a.config.Credentials = a.assumed("arn:aws:iam::"+id+":role/patchtide", 12*time.Hour)
	return a
}

// assumed are credentials of a role; 0 is AWS's default duration.
func (a *account) assumed(arn string, length time.Duration) aws.CredentialsProvider {
	a.t.Helper()
	in := &sts.AssumeRoleInput{
		RoleArn: &arn, RoleSessionName: aws.String("test"), ExternalId: aws.String("patchtide-lab"),
	}
	if length > 0 {
		in.DurationSeconds = aws.Int32(int32(length.Seconds()))
	}
	role, err := sts.NewFromConfig(a.home).AssumeRole(ctx, in)
	require.NoError(a.t, err)
	return credentials.NewStaticCredentialsProvider(
		*role.Credentials.AccessKeyId, *role.Credentials.SecretAccessKey, *role.Credentials.SessionToken,
	)
}

// conforming checks every reply against AWS's own descriptions of its APIs.
func conforming(t *testing.T, next http.RoundTripper) http.RoundTripper {
	t.Helper()
	models, err := shapes.Default()
	require.NoError(t, err)
	return &shapes.Transport{Next: next, Models: models, Report: func(reply shapes.Reply, problems []string) {
		t.Errorf(
			"%s %s: the reply is not as AWS describes it: %s", reply.Service, reply.Operation, strings.Join(problems, "; "),
		)
	}}
}

func (a *account) pass(d time.Duration) { a.now = a.now.Add(d) }

func code(t *testing.T, err error) string {
	t.Helper()
	var refused smithy.APIError
	require.True(t, errors.As(err, &refused), "%v", err)
	return refused.ErrorCode()
}

func filter(name string, values ...string) types.Filter {
	return types.Filter{Name: aws.String(name), Values: values}
}

func TestDescribeInstances(t *testing.T) {
	a := staging(t, "healthy")
	client := ec2.NewFromConfig(a.config)
	cases := []struct {
		name    string
		filters []types.Filter
		want    int
		code    string
	}{
		{"all", nil, 2, ""},
		{"by tag", []types.Filter{filter("tag:Role", "web"), filter("instance-state-name", "running", "stopped")}, 2, ""},
		{"by wildcard", []types.Filter{filter("tag:Name", "*-2")}, 1, ""},
		{"by tag key", []types.Filter{filter("tag-key", "PatchGroup")}, 2, ""},
		{"none", []types.Filter{filter("tag:Role", "db")}, 0, ""},
		{"a filter that is not modelled", []types.Filter{filter("ramdisk-id", "x")}, 0, "NotModelled"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			out, err := client.DescribeInstances(ctx, &ec2.DescribeInstancesInput{Filters: c.filters})
			if c.code != "" {
				require.Equal(t, c.code, code(t, err))
				return
			}
			require.NoError(t, err)
			require.Len(t, out.Reservations, c.want)
		})
	}
	out, err := client.DescribeInstances(ctx, &ec2.DescribeInstancesInput{})
	require.NoError(t, err)
	i := out.Reservations[0].Instances[0]
	require.Equal(t, types.InstanceStateNameRunning, i.State.Name)
	require.Equal(t, "/dev/xvda", *i.RootDeviceName)
	require.Equal(t, types.DeviceTypeEbs, i.RootDeviceType)
	require.NotEmpty(t, *i.BlockDeviceMappings[0].Ebs.VolumeId)
	require.Equal(t, "ap-northeast-1a", *i.Placement.AvailabilityZone)
	require.Equal(t, "default", *i.SecurityGroups[0].GroupName)
	require.Equal(t, a.now.Add(-24*time.Hour), *i.LaunchTime)

	status, err := client.DescribeInstanceStatus(
		ctx, &ec2.DescribeInstanceStatusInput{InstanceIds: []string{*i.InstanceId}},
	)
	require.NoError(t, err)
	require.Equal(t, types.SummaryStatusOk, status.InstanceStatuses[0].InstanceStatus.Status)
	require.Equal(t, types.SummaryStatusOk, status.InstanceStatuses[0].SystemStatus.Status)

	_, err = client.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{"i-0123456789abcdef0"}})
	require.Equal(t, "InvalidInstanceID.NotFound", code(t, err))
	_, err = client.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{"web"}})
	require.Equal(t, "InvalidInstanceID.Malformed", code(t, err))
}

func TestInstanceVerbs(t *testing.T) {
	a := staging(t, "healthy")
	client := ec2.NewFromConfig(a.config)
	out, err := client.DescribeInstances(ctx, &ec2.DescribeInstancesInput{})
	require.NoError(t, err)
	id := []string{*out.Reservations[0].Instances[0].InstanceId}
	state := func() types.InstanceStateName {
		out, err := client.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: id})
		require.NoError(t, err)
		return out.Reservations[0].Instances[0].State.Name
	}
	stopped, err := client.StopInstances(ctx, &ec2.StopInstancesInput{InstanceIds: id})
	require.NoError(t, err)
	require.Equal(t, types.InstanceStateNameStopping, stopped.StoppingInstances[0].CurrentState.Name)
	_, err = client.StartInstances(ctx, &ec2.StartInstancesInput{InstanceIds: id})
	require.Equal(t, "IncorrectInstanceState", code(t, err))
	a.pass(time.Minute)
	require.Equal(t, types.InstanceStateNameStopped, state())
	_, err = client.StartInstances(ctx, &ec2.StartInstancesInput{InstanceIds: id})
	require.NoError(t, err)
	a.pass(2 * time.Minute)
	_, err = client.RebootInstances(ctx, &ec2.RebootInstancesInput{InstanceIds: id})
	require.NoError(t, err)
	require.Equal(t, types.InstanceStateNameRunning, state(), "a reboot leaves it running for EC2")

	group, err := client.CreateSecurityGroup(
		ctx, &ec2.CreateSecurityGroupInput{GroupName: aws.String("isolated"), Description: aws.String("no rules")},
	)
	require.NoError(t, err)
	_, err = client.ModifyInstanceAttribute(
		ctx, &ec2.ModifyInstanceAttributeInput{InstanceId: &id[0], Groups: []string{*group.GroupId}},
	)
	require.NoError(t, err)
	found, err := client.DescribeInstances(
		ctx, &ec2.DescribeInstancesInput{Filters: []types.Filter{filter("instance.group-id", *group.GroupId)}},
	)
	require.NoError(t, err)
	require.Equal(t, id[0], *found.Reservations[0].Instances[0].InstanceId)
	groups, err := client.DescribeSecurityGroups(
		ctx, &ec2.DescribeSecurityGroupsInput{Filters: []types.Filter{filter("group-name", "isolated")}},
	)
	require.NoError(t, err)
	require.Len(t, groups.SecurityGroups, 1)

	_, err = client.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: id})
	require.NoError(t, err)
	a.pass(time.Minute)
	require.Equal(t, types.InstanceStateNameTerminated, state())
}

func TestTags(t *testing.T) {
	a := staging(t, "healthy")
	client := ec2.NewFromConfig(a.config)
	out, err := client.DescribeInstances(ctx, &ec2.DescribeInstancesInput{})
	require.NoError(t, err)
	id := *out.Reservations[0].Instances[0].InstanceId
	mine := func() []types.TagDescription {
		out, err := client.DescribeTags(
			ctx, &ec2.DescribeTagsInput{Filters: []types.Filter{filter("resource-id", id), filter("key", "patchtide:*")}},
		)
		require.NoError(t, err)
		return out.Tags
	}
	set := func(value string) {
		_, err := client.CreateTags(
			ctx,
			&ec2.CreateTagsInput{Resources: []string{id}, Tags: []types.Tag{{Key: aws.String("patchtide:wave"), Value: &value}}},
		)
		require.NoError(t, err)
	}
	set("one")
	set("two")
	require.Len(t, mine(), 1)
	require.Equal(t, "two", *mine()[0].Value)
	require.Equal(t, types.ResourceTypeInstance, mine()[0].ResourceType)
	_, err = client.DeleteTags(
		ctx,
		&ec2.DeleteTagsInput{
			Resources: []string{id}, Tags: []types.Tag{{Key: aws.String("patchtide:wave"), Value: aws.String("one")}},
		},
	)
	require.NoError(t, err)
	require.Len(t, mine(), 1, "another value stays")
	_, err = client.DeleteTags(
		ctx, &ec2.DeleteTagsInput{Resources: []string{id}, Tags: []types.Tag{{Key: aws.String("patchtide:wave")}}},
	)
	require.NoError(t, err)
	require.Empty(t, mine())
	_, err = client.CreateTags(
		ctx,
		&ec2.CreateTagsInput{
			Resources: []string{"i-0123456789abcdef0"}, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}},
		},
	)
	require.Equal(t, "InvalidInstanceID.NotFound", code(t, err))
	var many []types.Tag
	for n := range 50 {
		many = append(many, types.Tag{Key: aws.String("k" + string(rune('A'+n))), Value: aws.String("")})
	}
	_, err = client.CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{id}, Tags: many})
	require.Equal(t, "TagLimitExceeded", code(t, err))
}

func TestBackupAndRestore(t *testing.T) {
	a := staging(t, "healthy")
	client := ec2.NewFromConfig(a.config)
	out, err := client.DescribeInstances(ctx, &ec2.DescribeInstancesInput{})
	require.NoError(t, err)
	instance := out.Reservations[0].Instances[0]
	id, root := instance.InstanceId, instance.BlockDeviceMappings[0].Ebs.VolumeId
	spec := func(kind types.ResourceType) []types.TagSpecification {
		return []types.TagSpecification{
			{ResourceType: kind, Tags: []types.Tag{{Key: aws.String("patchtide:attempt"), Value: aws.String("t1")}}},
		}
	}
	_, err = client.CreateSnapshot(
		ctx, &ec2.CreateSnapshotInput{VolumeId: root, TagSpecifications: spec(types.ResourceTypeVolume)},
	)
	require.Equal(t, "InvalidParameterValue", code(t, err))
	snapshot, err := client.CreateSnapshot(ctx, &ec2.CreateSnapshotInput{
		VolumeId: root, Description: aws.String("before"), TagSpecifications: spec(types.ResourceTypeSnapshot),
	})
	require.NoError(t, err)
	require.Equal(t, types.SnapshotStatePending, snapshot.State)
	request := &ec2.CreateReplaceRootVolumeTaskInput{
		InstanceId: id, SnapshotId: snapshot.SnapshotId, ClientToken: aws.String("token"),
		DeleteReplacedRootVolume: aws.Bool(false),
		TagSpecifications:        spec(types.ResourceTypeReplaceRootVolumeTask),
	}
	_, err = client.CreateReplaceRootVolumeTask(ctx, request)
	require.Equal(t, "IncorrectState", code(t, err))
	a.pass(5 * time.Minute)
	found, err := client.DescribeSnapshots(
		ctx,
		&ec2.DescribeSnapshotsInput{
			OwnerIds: []string{"self"}, Filters: []types.Filter{filter("tag:patchtide:attempt", "t1")},
		},
	)
	require.NoError(t, err)
	require.Len(t, found.Snapshots, 1)
	require.Equal(t, types.SnapshotStateCompleted, found.Snapshots[0].State)
	require.Equal(t, *root, *found.Snapshots[0].VolumeId)

	first, err := client.CreateReplaceRootVolumeTask(ctx, request)
	require.NoError(t, err)
	second, err := client.CreateReplaceRootVolumeTask(ctx, request)
	require.NoError(t, err)
	require.Equal(
		t, *first.ReplaceRootVolumeTask.ReplaceRootVolumeTaskId, *second.ReplaceRootVolumeTask.ReplaceRootVolumeTaskId,
	)
	_, err = client.DeleteSnapshot(ctx, &ec2.DeleteSnapshotInput{SnapshotId: snapshot.SnapshotId})
	require.Equal(t, "InvalidSnapshot.InUse", code(t, err))
	a.pass(4 * time.Minute)
	tasks, err := client.DescribeReplaceRootVolumeTasks(
		ctx, &ec2.DescribeReplaceRootVolumeTasksInput{Filters: []types.Filter{filter("instance-id", *id)}},
	)
	require.NoError(t, err)
	require.Equal(t, types.ReplaceRootVolumeTaskStateSucceeded, tasks.ReplaceRootVolumeTasks[0].TaskState)
	require.NotEmpty(t, *tasks.ReplaceRootVolumeTasks[0].CompleteTime)

	old, err := client.DescribeVolumes(ctx, &ec2.DescribeVolumesInput{VolumeIds: []string{*root}})
	require.NoError(t, err)
	require.Equal(t, types.VolumeStateAvailable, old.Volumes[0].State)
	attached, err := client.DescribeVolumes(
		ctx, &ec2.DescribeVolumesInput{Filters: []types.Filter{filter("attachment.instance-id", *id)}},
	)
	require.NoError(t, err)
	require.Len(t, attached.Volumes, 1)
	require.Equal(t, *snapshot.SnapshotId, *attached.Volumes[0].SnapshotId)
	_, err = client.DeleteVolume(ctx, &ec2.DeleteVolumeInput{VolumeId: attached.Volumes[0].VolumeId})
	require.Equal(t, "VolumeInUse", code(t, err))
	_, err = client.DeleteVolume(ctx, &ec2.DeleteVolumeInput{VolumeId: root})
	require.NoError(t, err)
	_, err = client.DeleteSnapshot(ctx, &ec2.DeleteSnapshotInput{SnapshotId: snapshot.SnapshotId})
	require.NoError(t, err)
	images, err := client.DescribeImages(ctx, &ec2.DescribeImagesInput{Filters: []types.Filter{filter("name", "web-2.3")}})
	require.NoError(t, err)
	require.Len(t, images.Images, 1)
}
