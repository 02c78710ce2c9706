package services_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/stretchr/testify/require"
)

// Sources: API references of CreateLoadBalancer, CreateListener and DeleteLoadBalancer.
func TestTargetsBecomeHealthyBehindAListener(t *testing.T) {
	a := inAccount(t, "healthy", "111122223333")
	client, id := elb.NewFromConfig(a.config), instanceIDs(t, a)[0]
	existing, err := client.DescribeTargetGroups(ctx, &elb.DescribeTargetGroupsInput{Names: []string{"web"}})
	require.NoError(t, err)
	web := existing.TargetGroups[0]
	made, err := client.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
		Name: aws.String("own"), Protocol: types.ProtocolEnumHttp, Port: web.Port, HealthCheckPath: web.HealthCheckPath,
		VpcId: aws.String("vpc-01111222233330000"),
	})
	require.NoError(t, err)
	group := made.TargetGroups[0].TargetGroupArn
	_, err = client.RegisterTargets(ctx, &elb.RegisterTargetsInput{
		TargetGroupArn: group, Targets: []types.TargetDescription{{Id: &id}},
	})
	require.NoError(t, err)
	health := func() types.TargetHealthStateEnum {
		out, err := client.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: group})
		require.NoError(t, err)
		return out.TargetHealthDescriptions[0].TargetHealth.State
	}
	a.pass(10 * time.Minute)
	require.Equal(t, types.TargetHealthStateEnumUnused, health(), "no load balancer asks it")
	create := func(name, scheme string, subnets ...string) (*string, error) {
		out, err := client.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{
			Name: &name, Scheme: types.LoadBalancerSchemeEnum(scheme), Subnets: subnets,
		})
		if err != nil {
			return nil, err
		}
		return out.LoadBalancers[0].LoadBalancerArn, nil
	}
	const one, other = "subnet-0111122223333000a", "subnet-0111122223333000c"
	_, err = create("own", "", one)
	require.Equal(t, "ValidationError", code(t, err), "of one zone")
	_, err = create("own", "", one, "subnet-00000000000000000")
	require.Equal(t, "SubnetNotFound", code(t, err))
	_, err = create("a_b", "", one, other)
	require.Equal(t, "ValidationError", code(t, err))
	balancer, err := create("own", "", one, other)
	require.NoError(t, err)
	again, err := create("own", "", one, other)
	require.NoError(t, err)
	require.Equal(t, *balancer, *again)
	_, err = create("own", "internal", one, other)
	require.Equal(t, "DuplicateLoadBalancerName", code(t, err))
	listen := func(port int32, arn *string) (*string, error) {
		out, err := client.CreateListener(ctx, &elb.CreateListenerInput{
			LoadBalancerArn: balancer, Port: &port, Protocol: types.ProtocolEnumHttp,
			DefaultActions: []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: arn}},
		})
		if err != nil {
			return nil, err
		}
		return out.Listeners[0].ListenerArn, nil
	}
	_, err = listen(80, web.TargetGroupArn)
	require.Equal(t, "TargetGroupAssociationLimit", code(t, err), "another load balancer has it")
	listener, err := listen(80, group)
	require.NoError(t, err)
	_, err = listen(80, group)
	require.Equal(t, "DuplicateListener", code(t, err))
	require.Equal(t, types.TargetHealthStateEnumInitial, health())
	a.pass(10 * time.Minute)
	require.Equal(t, types.TargetHealthStateEnumHealthy, health())
	_, err = client.DeleteTargetGroup(ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: group})
	require.Equal(t, "ResourceInUse", code(t, err))
	found, err := client.DescribeListeners(ctx, &elb.DescribeListenersInput{LoadBalancerArn: balancer})
	require.NoError(t, err)
	require.Equal(t, *listener, *found.Listeners[0].ListenerArn)
	_, err = client.DeleteListener(ctx, &elb.DeleteListenerInput{ListenerArn: listener})
	require.NoError(t, err)
	require.Equal(t, types.TargetHealthStateEnumUnused, health())
	for range 2 {
		_, err = client.DeleteLoadBalancer(ctx, &elb.DeleteLoadBalancerInput{LoadBalancerArn: balancer})
		require.NoError(t, err, "also when it is gone")
	}
	_, err = client.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{Names: []string{"own"}})
	require.Equal(t, "LoadBalancerNotFound", code(t, err))
}
