package contract_test

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// cli is the AWS CLI, pointed at the simulator over a socket. It waits by letting simulated time pass.
type cli struct {
	t    *testing.T
	path string
	env  []string
	url  string
}

// run calls the CLI and decodes what it prints into a tree.
func (c cli) run(args ...string) map[string]any {
	c.t.Helper()
	out, failed := c.try(args...)
	require.Empty(c.t, failed, "aws %v", args)
	if len(out) == 0 {
		return nil
	}
	var tree map[string]any
	require.NoError(c.t, json.Unmarshal(out, &tree), "aws %v", args)
	return tree
}

func (c cli) try(args ...string) (out []byte, failed string) {
	c.t.Helper()
	command := exec.Command(c.path, append([]string{"--endpoint-url", c.url, "--output", "json"}, args...)...)
	command.Env = c.env
	out, err := command.Output()
	if err != nil {
		var exit *exec.ExitError
		require.ErrorAs(c.t, err, &exit)
		return out, string(exit.Stderr)
	}
	return out, ""
}

// get walks into a tree by member names and list positions.
func get(t *testing.T, tree any, path ...any) any {
	t.Helper()
	for _, step := range path {
		switch step := step.(type) {
		case string:
			node, ok := tree.(map[string]any)
			require.True(t, ok, "%v: %v is no structure", path, tree)
			tree = node[step]
		case int:
			node, ok := tree.([]any)
			require.True(t, ok && len(node) > step, "%v: %v is no list or too short", path, tree)
			tree = node[step]
		}
	}
	return tree
}

func TestAWSCommandLine(t *testing.T) {
	path, err := exec.LookPath("aws")
	if err != nil {
		t.Skip("the AWS CLI is not on PATH (Debian package awscli)")
	}
	s := newSimulator(t)
	server := httptest.NewServer(s.Sim)
	defer server.Close()
	home := s.region.World.Scenario.Home
	c := cli{t: t, path: path, url: server.URL, env: []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "AWS_EC2_METADATA_DISABLED=true", "AWS_REGION=" + tokyo,
		"AWS_DEFAULT_REGION=" + tokyo,
		"AWS_MAX_ATTEMPTS=1", "AWS_PAGER=", "AWS_ACCESS_KEY_ID=" + home.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY=" + home.SecretAccessKey,
	}}
	const production = "111122223333"
	keys := c.run(
		"sts", "assume-role", "--role-arn", "arn:aws:iam::"+production+":role/patchtide", "--role-session-name", "person",
		"--external-id", secret,
	)
	for name, variable := range map[string]string{"AccessKeyId": "AWS_ACCESS_KEY_ID", "SecretAccessKey": "AWS_SECRET_ACCESS_KEY", "SessionToken": "AWS_SESSION_TOKEN"} {
		c.env = append(c.env, variable+"="+get(t, keys, "Credentials", name).(string))
	}
	require.Equal(t, production, get(t, c.run("sts", "get-caller-identity"), "Account"))

	group := get(
		t, c.run("autoscaling", "describe-auto-scaling-groups", "--auto-scaling-group-names", "web"), "AutoScalingGroups", 0,
	)
	id := get(t, group, "Instances", 0, "InstanceId").(string)
	state := func() string {
		return get(
			t, c.run("autoscaling", "describe-auto-scaling-instances", "--instance-ids", id), "AutoScalingInstances", 0,
			"LifecycleState",
		).(string)
	}
	t.Run("standby", func(t *testing.T) {
		c.run(
			"autoscaling", "enter-standby", "--instance-ids", id, "--auto-scaling-group-name", "web",
			"--should-decrement-desired-capacity",
		)
		require.Equal(t, "EnteringStandby", state())
		s.clock.pass(2 * time.Minute)
		require.Equal(t, "Standby", state())
		_, failed := c.try(
			"autoscaling", "enter-standby", "--instance-ids", id, "--auto-scaling-group-name", "web",
			"--should-decrement-desired-capacity",
		)
		require.Contains(t, failed, "(ValidationError)")
		arn := get(
			t, c.run("elbv2", "describe-target-groups", "--names", "web"), "TargetGroups", 0, "TargetGroupArn",
		).(string)
		health := get(
			t, c.run("elbv2", "describe-target-health", "--target-group-arn", arn), "TargetHealthDescriptions",
		).([]any)
		require.Len(t, health, 3, "one of four stands by")
	})
	t.Run("scan", func(t *testing.T) {
		sent := c.run(
			"ssm", "send-command", "--document-name", "AWS-RunPatchBaseline", "--instance-ids", id, "--parameters",
			"Operation=Scan",
		)
		command := get(t, sent, "Command", "CommandId").(string)
		s.clock.pass(2 * time.Minute)
		_, failed := c.try("ssm", "get-command-invocation", "--command-id", command, "--instance-id", id)
		require.Contains(t, failed, "(InvalidPluginName)", "the document has a step for each system")
		invocation := c.run(
			"ssm", "get-command-invocation", "--command-id", command, "--instance-id", id, "--plugin-name", "PatchLinux",
		)
		require.Equal(t, "Success", get(t, invocation, "Status"))
		states := c.run("ssm", "describe-instance-patch-states", "--instance-ids", id)
		require.Equal(t, "Scan", get(t, states, "InstancePatchStates", 0, "Operation"))
		missing := get(t, states, "InstancePatchStates", 0, "MissingCount").(float64)
		require.Positive(t, missing)
		patches := c.run("ssm", "describe-instance-patches", "--instance-id", id, "--filters", "Key=State,Values=Missing")
		require.Len(t, get(t, patches, "Patches"), int(missing))
	})
	t.Run("automation", func(t *testing.T) {
		content := `{"schemaVersion":"0.3","parameters":{"InstanceId":{"type":"String"}},"mainSteps":[{"name":"install","action":"aws:runCommand",` +
			`"inputs":{"DocumentName":"AWS-RunPatchBaseline","InstanceIds":["{{ InstanceId }}"],"Parameters":{"Operation":"Install"}},"isEnd":true}]}`
		c.run(
			"ssm", "create-document", "--name", "By-Hand", "--document-type", "Automation", "--document-format", "JSON",
			"--content", content,
		)
		execution := get(
			t, c.run("ssm", "start-automation-execution", "--document-name", "By-Hand", "--parameters", "InstanceId="+id),
			"AutomationExecutionId",
		).(string)
		s.clock.pass(10 * time.Minute)
		ended := c.run("ssm", "get-automation-execution", "--automation-execution-id", execution)
		require.Equal(t, "Success", get(t, ended, "AutomationExecution", "AutomationExecutionStatus"))
		patched := c.run("ssm", "describe-instance-patch-states", "--instance-ids", id)
		require.Positive(t, get(t, patched, "InstancePatchStates", 0, "InstalledCount").(float64))
	})
	t.Run("back in service", func(t *testing.T) {
		c.run("autoscaling", "exit-standby", "--instance-ids", id, "--auto-scaling-group-name", "web")
		s.clock.pass(5 * time.Minute)
		require.Equal(t, "InService", state())
		require.Equal(
			t, "OK", get(t, c.run("cloudwatch", "describe-alarms", "--alarm-names", "web-5xx"), "MetricAlarms", 0, "StateValue"),
		)
		instance := c.run("ec2", "describe-instances", "--instance-ids", id)
		require.Equal(t, "running", get(t, instance, "Reservations", 0, "Instances", 0, "State", "Name"))
	})
	t.Run("objects", func(t *testing.T) {
		c.run("s3api", "create-bucket", "--bucket", "evidence", "--create-bucket-configuration", "LocationConstraint="+tokyo)
		file := t.TempDir() + "/wave.json"
		require.NoError(t, os.WriteFile(file, []byte("{}"), 0o600))
		c.run("s3api", "put-object", "--bucket", "evidence", "--key", "wave.json", "--body", file)
		require.Equal(t, "wave.json", get(t, c.run("s3api", "list-objects-v2", "--bucket", "evidence"), "Contents", 0, "Key"))
	})
}
