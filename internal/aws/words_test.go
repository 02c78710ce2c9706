package aws

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

// What people read of an error of AWS is AWS's word, or why it was not reached, and no name of the SDK's layers.
func TestWordsOfAnError(t *testing.T) {
	for name, c := range map[string]struct{ sdk, want string }{
		"AWS is away": {
			"operation error Auto Scaling: DescribeAutoScalingGroups, exceeded maximum number of attempts, 3, https response " +
				"error StatusCode: 0, RequestID: , request send failed, Post \"http://127.0.0.1:4100/\": dial tcp 127.0.0.1:4100: " +
				"connect: connection refused",
			"AWS was not reached: dial tcp 127.0.0.1:4100: connect: connection refused",
		},
		"AWS denies it": {
			"operation error SSM: StartAutomationExecution, https response error StatusCode: 400, RequestID: 7-f, api error " +
				"AccessDeniedException: User: arn:aws:iam::1:user/a is not authorized to perform: ssm:StartAutomationExecution",
			"AccessDeniedException: User: arn:aws:iam::1:user/a is not authorized to perform: ssm:StartAutomationExecution " +
				"(request 7-f)",
		},
		"a host beside the request": {
			"operation error S3: PutObject, https response error StatusCode: 503, RequestID: R, HostID: H=, api error SlowDown: x",
			"SlowDown: x (request R)",
		},
		"no credentials": {
			"operation error EC2: DescribeInstances, get identity: get credentials: failed to refresh cached credentials, " +
				"operation error STS: AssumeRole, https response error StatusCode: 403, RequestID: 9, api error AccessDenied: no",
			"no credentials: AccessDenied: no (request 9)",
		},
		"not the SDK's": {"the attempt is nearly over", "the attempt is nearly over"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, "look (here): "+c.want, Wrap("look", "here", errors.New(c.sdk)).Error())
		})
	}
}
