package services_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
)

// What scripts around patching and terraform's provider read of Systems Manager.
func TestToolsReadSystemsManager(t *testing.T) {
	a := staging(t, "healthy")
	client, id := ssm.NewFromConfig(a.config), instanceIDs(t, a)[0]
	connection := func(target string) types.ConnectionStatus {
		out, err := client.GetConnectionStatus(ctx, &ssm.GetConnectionStatusInput{Target: &target})
		require.NoError(t, err)
		return out.Status
	}
	require.Equal(t, types.ConnectionStatusConnected, connection(id))
	require.Equal(t, types.ConnectionStatusNotConnected, connection("i-00000000000000000"))

	for _, name := range []string{"/app/a", "/app/b/c", "/other"} {
		_, err := client.PutParameter(ctx, &ssm.PutParameterInput{Name: &name, Value: aws.String("x"), Type: "String"})
		require.NoError(t, err)
	}
	for _, c := range []struct {
		key, option string
		values      []string
		want        int
		code        string
	}{
		{"Name", "", []string{"/app/a"}, 1, ""},
		{"Name", "BeginsWith", []string{"/app"}, 2, ""},
		{"Name", "Contains", []string{"the"}, 1, ""},
		{"Path", "OneLevel", []string{"/app"}, 1, ""},
		{"Path", "Recursive", []string{"/app"}, 2, ""},
		{"Colour", "", []string{"x"}, 0, "ValidationException"},
		{"KeyId", "", []string{"x"}, 0, "NotModelled"},
	} {
		filter := types.ParameterStringFilter{Key: &c.key, Values: c.values}
		if c.option != "" {
			filter.Option = &c.option
		}
		out, err := client.DescribeParameters(ctx, &ssm.DescribeParametersInput{
			ParameterFilters: []types.ParameterStringFilter{filter},
		})
		refusedOr(t, c.code, err)
		if c.code == "" {
			require.Len(t, out.Parameters, c.want, "%s %s", c.key, c.option)
		}
	}

	sent, err := client.SendCommand(ctx, &ssm.SendCommandInput{
		DocumentName: aws.String("AWS-RunPatchBaseline"), InstanceIds: []string{id},
		Parameters: map[string][]string{"Operation": {"Scan"}},
	})
	require.NoError(t, err)
	require.NotEmpty(t, *sent.Command.CommandId)
	a.pass(5 * time.Minute)
	states, err := client.DescribeInstancePatchStates(
		ctx, &ssm.DescribeInstancePatchStatesInput{InstanceIds: []string{id}},
	)
	require.NoError(t, err)
	state := states.InstancePatchStates[0]
	grouped, err := client.DescribeInstancePatchStatesForPatchGroup(
		ctx, &ssm.DescribeInstancePatchStatesForPatchGroupInput{PatchGroup: state.PatchGroup},
	)
	require.NoError(t, err)
	require.Equal(t, id, *grouped.InstancePatchStates[0].InstanceId)
	items, err := client.ListComplianceItems(ctx, &ssm.ListComplianceItemsInput{
		ResourceIds: []string{id}, ResourceTypes: []string{"ManagedInstance"}, Filters: []types.ComplianceStringFilter{
			{Key: aws.String("Status"), Values: []string{"NON_COMPLIANT"}, Type: types.ComplianceQueryOperatorTypeEqual},
		},
	})
	require.NoError(t, err)
	require.Len(t, items.ComplianceItems, int(state.MissingCount))
	require.Equal(t, "Missing", items.ComplianceItems[0].Details["PatchState"])
	_, err = client.ListComplianceItems(ctx, &ssm.ListComplianceItemsInput{ResourceTypes: []string{"Instance"}})
	require.Equal(t, "InvalidResourceType", code(t, err))

	a.sim.Inspect(func(w *world.World) {
		region := w.Account("222233334444").Region("ap-northeast-1")
		region.AddAssociation(world.AssociationsSpec{Document: "AWS-RunPatchBaseline", Name: "patching"})
		region.AddAssociation(world.AssociationsSpec{Document: "AWS-UpdateSSMAgent"})
	})
	for _, c := range []struct {
		key  types.AssociationFilterKey
		code string
	}{{types.AssociationFilterKeyName, ""}, {types.AssociationFilterKeyResourceGroupName, "NotModelled"}} {
		found, err := client.ListAssociations(ctx, &ssm.ListAssociationsInput{
			AssociationFilterList: []types.AssociationFilter{{Key: c.key, Value: aws.String("AWS-RunPatchBaseline")}},
		})
		refusedOr(t, c.code, err)
		if c.code == "" {
			require.Len(t, found.Associations, 1)
		}
	}
	_, err = client.CreateAssociation(ctx, &ssm.CreateAssociationInput{Name: aws.String("AWS-RunPatchBaseline")})
	require.Equal(t, "NotModelled", code(t, err), "nothing here would run it")
}

// Source: Systems Manager guide, "Understanding command output" in a bucket.
func TestACommandWritesItsOutputToABucket(t *testing.T) {
	a, objects := withBucket(t)
	client, id := ssm.NewFromConfig(a.config), instanceIDs(t, a)[0]
	sent, err := client.SendCommand(ctx, &ssm.SendCommandInput{
		DocumentName: aws.String("AWS-RunShellScript"), InstanceIds: []string{id},
		Parameters: map[string][]string{"commands": {"echo hi"}}, OutputS3BucketName: aws.String("evidence"),
		OutputS3KeyPrefix: aws.String("runs"),
	})
	require.NoError(t, err)
	a.pass(time.Minute)
	got, err := client.GetCommandInvocation(
		ctx, &ssm.GetCommandInvocationInput{CommandId: sent.Command.CommandId, InstanceId: &id},
	)
	require.NoError(t, err)
	require.Equal(t, "hi\n", *got.StandardOutputContent)
	key := "runs/" + *sent.Command.CommandId + "/" + id + "/awsrunShellScript/0.awsrunShellScript/stdout"
	require.True(t, strings.HasSuffix(*got.StandardOutputUrl, "/evidence/"+key), *got.StandardOutputUrl)
	stored, err := objects.HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String("evidence"), Key: &key})
	require.NoError(t, err)
	require.EqualValues(t, 3, *stored.ContentLength)
}

func TestToolsReadStacksDeploymentsAndRoles(t *testing.T) {
	a := staging(t, "healthy")
	a.sim.Inspect(func(w *world.World) {
		region := w.Account("222233334444").Region("ap-northeast-1")
		region.PutStack(world.Stack{Name: "web", Status: "UPDATE_COMPLETE", Resources: []world.StackResource{
			{Logical: "Group", Physical: "web", Type: "AWS::AutoScaling::AutoScalingGroup"},
		}})
		region.PutStack(world.Stack{Name: "old", Status: "DELETE_COMPLETE"})
		region.PutDeployment(world.Deployment{ID: "d-ABCDEF111", Status: "InProgress"})
	})
	stacks := cloudformation.NewFromConfig(a.config)
	listed, err := stacks.ListStacks(ctx, &cloudformation.ListStacksInput{
		StackStatusFilter: []cftypes.StackStatus{cftypes.StackStatusUpdateComplete},
	})
	require.NoError(t, err)
	require.Len(t, listed.StackSummaries, 1)
	for _, c := range []struct {
		in   cloudformation.DescribeStackResourcesInput
		code string
	}{
		{cloudformation.DescribeStackResourcesInput{StackName: aws.String("web")}, ""},
		{cloudformation.DescribeStackResourcesInput{PhysicalResourceId: aws.String("web")}, ""},
		{cloudformation.DescribeStackResourcesInput{PhysicalResourceId: aws.String("none")}, "ValidationError"},
		{cloudformation.DescribeStackResourcesInput{StackName: aws.String("none")}, "ValidationError"},
		{cloudformation.DescribeStackResourcesInput{}, "ValidationError"},
	} {
		found, err := stacks.DescribeStackResources(ctx, &c.in)
		refusedOr(t, c.code, err)
		if c.code == "" {
			require.Equal(t, "Group", *found.StackResources[0].LogicalResourceId)
		}
	}
	deployments := codedeploy.NewFromConfig(a.config)
	for id, want := range map[string]string{
		"d-ABCDEF111": "", "d-ABCDEF999": "DeploymentDoesNotExistException", "x": "InvalidDeploymentIdException",
	} {
		_, err := deployments.GetDeployment(ctx, &codedeploy.GetDeploymentInput{DeploymentId: &id})
		refusedOr(t, want, err)
	}
	roles := iam.NewFromConfig(a.config)
	role, err := roles.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("patchtide")})
	require.NoError(t, err)
	require.Equal(t, "arn:aws:iam::222233334444:role/patchtide", *role.Role.Arn)
	require.EqualValues(t, 43200, *role.Role.MaxSessionDuration)
	_, err = roles.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("nobody")})
	require.Equal(t, "NoSuchEntity", code(t, err))
}

// Sources: API references of PutCompositeAlarm, DescribeAlarmHistory and TagResource; CloudWatch guide, "Create a
// composite alarm".
func TestCompositeAlarmsHistoriesAndTags(t *testing.T) {
	a := staging(t, "healthy")
	watch := cloudwatch.NewFromConfig(a.config)
	for _, name := range []string{"one", "two"} {
		_, err := watch.PutMetricAlarm(ctx, &cloudwatch.PutMetricAlarmInput{
			AlarmName: &name, MetricName: aws.String("m"), Namespace: aws.String("n"), Threshold: aws.Float64(1),
			Statistic: cwtypes.StatisticSum, ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanThreshold,
			EvaluationPeriods: aws.Int32(1), Period: aws.Int32(60),
			Tags: []cwtypes.Tag{{Key: aws.String("team"), Value: &name}},
		})
		require.NoError(t, err)
	}
	set := func(name string, state cwtypes.StateValue) {
		_, err := watch.SetAlarmState(ctx, &cloudwatch.SetAlarmStateInput{
			AlarmName: &name, StateValue: state, StateReason: aws.String("by hand"),
		})
		require.NoError(t, err)
	}
	for rule, want := range map[string]string{
		`ALARM(one) AND NOT OK("two")`: "", `ALARM("arn:aws:cloudwatch:ap-northeast-1:222233334444:alarm:one")`: "",
		`TRUE OR (FALSE)`: "", `ALARM(one`: "ValidationError", `ALARM(none)`: "ValidationError", `one`: "ValidationError",
		`ALARM(both)`: "ValidationError",
	} {
		_, err := watch.PutCompositeAlarm(ctx, &cloudwatch.PutCompositeAlarmInput{
			AlarmName: aws.String("both"), AlarmRule: &rule,
		})
		refusedOr(t, want, err)
	}
	_, err := watch.PutCompositeAlarm(ctx, &cloudwatch.PutCompositeAlarmInput{
		AlarmName: aws.String("both"), AlarmRule: aws.String(`ALARM(one) AND ALARM(two)`),
	})
	require.NoError(t, err)
	state := func() cwtypes.CompositeAlarm {
		out, err := watch.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{
			AlarmNames: []string{"both"}, AlarmTypes: []cwtypes.AlarmType{cwtypes.AlarmTypeCompositeAlarm},
		})
		require.NoError(t, err)
		return out.CompositeAlarms[0]
	}
	set("one", cwtypes.StateValueAlarm)
	require.Equal(t, cwtypes.StateValueOk, state().StateValue)
	set("two", cwtypes.StateValueAlarm)
	require.Equal(t, cwtypes.StateValueAlarm, state().StateValue)
	set("one", cwtypes.StateValueOk)
	require.Equal(t, cwtypes.StateValueOk, state().StateValue)
	history, err := watch.DescribeAlarmHistory(ctx, &cloudwatch.DescribeAlarmHistoryInput{
		AlarmName: aws.String("one"), HistoryItemType: cwtypes.HistoryItemTypeStateUpdate,
	})
	require.NoError(t, err)
	require.Len(t, history.AlarmHistoryItems, 2)
	require.Equal(t, "Alarm updated from INSUFFICIENT_DATA to ALARM", *history.AlarmHistoryItems[1].HistorySummary)
	tags, err := watch.ListTagsForResource(ctx, &cloudwatch.ListTagsForResourceInput{ResourceARN: state().AlarmArn})
	require.NoError(t, err)
	require.Empty(t, tags.Tags)
	_, err = watch.ListTagsForResource(ctx, &cloudwatch.ListTagsForResourceInput{ResourceARN: aws.String("arn:none")})
	require.Equal(t, "ResourceNotFoundException", code(t, err))
}

// Sources: API references of PutScalingPolicy and ExecutePolicy; user guide, "Step and simple scaling policies".
func TestSimpleScalingPolicies(t *testing.T) {
	a := inAccount(t, "healthy", "111122223333")
	client, web := autoscaling.NewFromConfig(a.config), aws.String("web")
	desired := func() int32 {
		out, err := client.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{
			AutoScalingGroupNames: []string{"web"},
		})
		require.NoError(t, err)
		return *out.AutoScalingGroups[0].DesiredCapacity
	}
	put := func(kind, adjustment string, by int32) error {
		_, err := client.PutScalingPolicy(ctx, &autoscaling.PutScalingPolicyInput{
			AutoScalingGroupName: web, PolicyName: aws.String("p"), PolicyType: &kind, AdjustmentType: &adjustment,
			ScalingAdjustment: &by,
		})
		return err
	}
	require.Equal(t, "NotModelled", code(t, put("TargetTrackingScaling", "ChangeInCapacity", 1)))
	require.Equal(t, "ValidationError", code(t, put("SimpleScaling", "Double", 1)))
	require.NoError(t, put("SimpleScaling", "ChangeInCapacity", -1))
	before := desired()
	execute := func(honour bool) error {
		_, err := client.ExecutePolicy(ctx, &autoscaling.ExecutePolicyInput{
			AutoScalingGroupName: web, PolicyName: aws.String("p"), HonorCooldown: &honour,
		})
		return err
	}
	require.NoError(t, execute(true))
	require.Equal(t, before-1, desired())
	require.Equal(t, "ScalingActivityInProgress", code(t, execute(true)), "it cools down")
	policies, err := client.DescribePolicies(ctx, &autoscaling.DescribePoliciesInput{AutoScalingGroupName: web})
	require.NoError(t, err)
	require.EqualValues(t, -1, *policies.ScalingPolicies[0].ScalingAdjustment)
	_, err = client.DeletePolicy(ctx, &autoscaling.DeletePolicyInput{AutoScalingGroupName: web, PolicyName: aws.String("p")})
	require.NoError(t, err)
	require.Equal(t, "ValidationError", code(t, execute(false)))
	sources, err := client.DescribeTrafficSources(ctx, &autoscaling.DescribeTrafficSourcesInput{AutoScalingGroupName: web})
	require.NoError(t, err)
	require.Equal(t, "elbv2", *sources.TrafficSources[0].Type)
	classic, err := client.DescribeLoadBalancers(ctx, &autoscaling.DescribeLoadBalancersInput{AutoScalingGroupName: web})
	require.NoError(t, err)
	require.Empty(t, classic.LoadBalancers)
	balancers := elb.NewFromConfig(a.config)
	all, err := balancers.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{})
	require.NoError(t, err)
	listeners, err := balancers.DescribeListeners(
		ctx, &elb.DescribeListenersInput{LoadBalancerArn: all.LoadBalancers[0].LoadBalancerArn},
	)
	require.NoError(t, err)
	require.Equal(t, *sources.TrafficSources[0].Identifier, *listeners.Listeners[0].DefaultActions[0].TargetGroupArn)
}
