package services_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/awssimtest"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// withNodes is staging with two managed nodes behind a target group of addresses.
func withNodes(t *testing.T) *account {
	t.Helper()
	return begin(t, awssimtest.Options{Change: func(s *world.Scenario) {
		region := &s.Accounts[0].Regions[0]
		region.TargetGroups = append(region.TargetGroups, world.TargetGroupSpec{
			Name: "tills", Port: 80, HealthPath: "/healthz", TargetType: "ip", LoadBalancer: "tills",
			HealthInterval: world.Duration(10 * time.Second), HealthyThreshold: 2, UnhealthyThreshold: 2,
		})
		region.Nodes = append(region.Nodes, world.NodeSpec{
			Name: "till", Count: 2, Image: s.Images[0].Name, TargetGroups: []string{"tills"},
			Tags: map[string]string{"Role": "till", "PatchGroup": "amazon-linux-2023"},
		})
	}}, "222233334444")
}

func informationFilter(key string, values ...string) types.InstanceInformationStringFilter {
	return types.InstanceInformationStringFilter{Key: aws.String(key), Values: values}
}

func nodesBy(
	t *testing.T, client *ssm.Client, filters ...types.InstanceInformationStringFilter,
) []types.InstanceInformation {
	t.Helper()
	out, err := client.DescribeInstanceInformation(ctx, &ssm.DescribeInstanceInformationInput{
		Filters: filters, MaxResults: aws.Int32(50),
	})
	require.NoError(t, err)
	return out.InstanceInformationList
}

func TestManagedNodesAreSystemsManagersAlone(t *testing.T) {
	a := withNodes(t)
	client := ssm.NewFromConfig(a.config)
	require.Len(t, instanceIDs(t, a), 2, "EC2 knows none of them")
	for _, filter := range []types.InstanceInformationStringFilter{
		informationFilter("ResourceType", "ManagedInstance"), informationFilter("tag:Role", "till"),
		informationFilter("SourceTypes", "AWS::SSM::ManagedInstance"),
	} {
		require.Len(t, nodesBy(t, client, filter), 2, *filter.Key)
	}
	require.Empty(t, nodesBy(t, client, informationFilter("ResourceType", "EC2Instance"),
		informationFilter("tag:Role", "till")), "all filters have to match")
	node := nodesBy(t, client, informationFilter("tag:Role", "till"))[0]
	id := *node.InstanceId
	require.Regexp(t, "^mi-[0-9a-f]{17}$", id)
	require.Equal(t, types.ResourceTypeManagedInstance, node.ResourceType)
	require.Equal(t, "192.168.0.10", *node.IPAddress)
	require.Equal(t, "till-1", *node.Name)
	require.NotNil(t, node.RegistrationDate)

	_, err := ec2.NewFromConfig(a.config).CreateTags(ctx, &ec2.CreateTagsInput{
		Resources: []string{id},
	})
	require.Error(t, err)
	status, err := ec2.NewFromConfig(a.config).DescribeInstanceStatus(ctx, &ec2.DescribeInstanceStatusInput{
		InstanceIds: []string{id},
	})
	require.Error(t, err, "%v", status)
}

func TestTagsOfManagedNodes(t *testing.T) {
	a := withNodes(t)
	client := ssm.NewFromConfig(a.config)
	id := *nodesBy(t, client, informationFilter("tag:Role", "till"))[0].InstanceId
	tags := func() map[string]string {
		out, err := client.ListTagsForResource(ctx, &ssm.ListTagsForResourceInput{
			ResourceType: types.ResourceTypeForTaggingManagedInstance, ResourceId: &id,
		})
		require.NoError(t, err)
		found := map[string]string{}
		for _, tag := range out.TagList {
			found[*tag.Key] = *tag.Value
		}
		return found
	}
	require.Equal(t, map[string]string{"Name": "till-1", "Role": "till", "PatchGroup": "amazon-linux-2023"}, tags())
	_, err := client.AddTagsToResource(ctx, &ssm.AddTagsToResourceInput{
		ResourceType: types.ResourceTypeForTaggingManagedInstance, ResourceId: &id,
		Tags: []types.Tag{{Key: aws.String("patchtide:journal"), Value: aws.String("a wave/1")}},
	})
	require.NoError(t, err)
	require.Equal(t, "a wave/1", tags()["patchtide:journal"])
	require.Len(t, nodesBy(t, client, informationFilter("tag-key", "patchtide:journal")), 1)
	_, err = client.RemoveTagsFromResource(ctx, &ssm.RemoveTagsFromResourceInput{
		ResourceType: types.ResourceTypeForTaggingManagedInstance, ResourceId: &id, TagKeys: []string{"patchtide:journal"},
	})
	require.NoError(t, err)
	require.NotContains(t, tags(), "patchtide:journal")

	instance := instanceIDs(t, a)[0]
	_, err = client.AddTagsToResource(ctx, &ssm.AddTagsToResourceInput{
		ResourceType: types.ResourceTypeForTaggingManagedInstance, ResourceId: &instance,
		Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}},
	})
	require.Equal(t, "InvalidResourceId", code(t, err), "an instance of EC2 has EC2's tags")
}

func TestAManagedNodeThatIsDeregistered(t *testing.T) {
	a := withNodes(t)
	client := ssm.NewFromConfig(a.config)
	id := nodesBy(t, client, informationFilter("tag:Role", "till"))[0].InstanceId
	run := func() error {
		_, err := client.SendCommand(ctx, &ssm.SendCommandInput{
			DocumentName: aws.String("AWS-RunShellScript"), InstanceIds: []string{*id},
			Parameters: map[string][]string{"commands": {"true"}},
		})
		return err
	}
	require.NoError(t, run())
	a.sim.Inspect(func(w *world.World) {
		require.NoError(t, w.Account("222233334444").Region("ap-northeast-1").Deregister(*id))
	})
	require.Len(t, nodesBy(t, client, informationFilter("ResourceType", "ManagedInstance")), 1)
	require.Equal(t, "InvalidInstanceId", code(t, run()))
	_, err := client.ListTagsForResource(ctx, &ssm.ListTagsForResourceInput{
		ResourceType: types.ResourceTypeForTaggingManagedInstance, ResourceId: id,
	})
	require.Equal(t, "InvalidResourceId", code(t, err))
}

func TestManagedNodesAsTargets(t *testing.T) {
	a := withNodes(t)
	client := elb.NewFromConfig(a.config)
	groups, err := client.DescribeTargetGroups(ctx, &elb.DescribeTargetGroupsInput{Names: []string{"tills"}})
	require.NoError(t, err)
	arn := groups.TargetGroups[0].TargetGroupArn
	health := func() []elbtypes.TargetHealthDescription {
		out, err := client.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: arn})
		require.NoError(t, err)
		return out.TargetHealthDescriptions
	}
	require.Len(t, health(), 2)
	require.Equal(t, "all", *health()[0].Target.AvailabilityZone, "it is outside the target group's network")
	till := elbtypes.TargetDescription{Id: health()[0].Target.Id, Port: aws.Int32(80)}
	_, err = client.DeregisterTargets(ctx, &elb.DeregisterTargetsInput{
		TargetGroupArn: arn, Targets: []elbtypes.TargetDescription{till},
	})
	require.NoError(t, err)
	a.pass(10 * time.Minute)
	require.Len(t, health(), 1)
	back := func() error {
		_, err := client.RegisterTargets(ctx, &elb.RegisterTargetsInput{
			TargetGroupArn: arn, Targets: []elbtypes.TargetDescription{till},
		})
		return err
	}
	require.Equal(t, "ValidationError", code(t, back()), "its zone has to be told")
	till.AvailabilityZone = aws.String("all")
	require.NoError(t, back())
	a.pass(time.Minute)
	for _, target := range health() {
		require.Equal(t, elbtypes.TargetHealthStateEnumHealthy, target.TargetHealth.State)
	}
}
