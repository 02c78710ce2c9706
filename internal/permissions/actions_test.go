package permissions_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/permissions"
)

func TestTheActionsAreThoseOfTheInterfaces(t *testing.T) {
	actions := permissions.Actions()
	require.True(t, slices.IsSorted(actions))
	for _, want := range []string{
		"autoscaling:EnterStandby", "autoscaling:DescribeAutoScalingGroups", "ec2:CreateReplaceRootVolumeTask",
		"elasticloadbalancing:DeregisterTargets",
		"ssm:StartAutomationExecution", "ssm:GetCalendarState", "cloudwatch:DescribeAlarms", "cloudformation:DescribeStacks",
		"codedeploy:ListDeployments",
	} {
		require.Contains(t, actions, want)
	}
	for _, action := range actions {
		require.NotContains(t, action, "kms:")
		require.Regexp(t, `^[a-z0-9]+:[A-Z][A-Za-z0-9]+$`, action)
	}
}
