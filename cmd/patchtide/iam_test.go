package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/permissions"
)

func TestIAMPrintsThePolicies(t *testing.T) {
	const role, worker = "arn:aws:iam::111122223333:role/patchtide", "arn:aws:iam::999900001111:role/worker"
	for _, c := range []struct {
		name string
		args []string
		want permissions.Document
	}{
		{"the role", []string{"policy"}, permissions.Role{}.Policy()},
		{
			"the role, with all it has to do with",
			[]string{
				"policy", "--role", role, "--automation-role", role + "-automation", "--topic",
				"arn:aws:sns:ap-northeast-1:111122223333:patching",
			},
			permissions.Role{
				ARN: role, AutomationRole: role + "-automation", Topic: "arn:aws:sns:ap-northeast-1:111122223333:patching",
			}.Policy(),
		},
		{
			"the role of a plan whose hooks invoke functions",
			[]string{
				"policy", "--function", "arn:aws:lambda:eu-west-1:111122223333:function:a",
				"--function", "arn:aws:lambda:eu-west-1:111122223333:function:b:live",
			},
			permissions.Role{Functions: []string{
				"arn:aws:lambda:eu-west-1:111122223333:function:a", "arn:aws:lambda:eu-west-1:111122223333:function:b:live",
			}}.Policy(),
		},
		{
			"the role of a plan that renews images",
			[]string{"policy", "--instance-role", role + "-web"},
			permissions.Role{InstanceRoles: []string{role + "-web"}}.Policy(),
		},
		{"Automation's", []string{"policy", "--automation"}, permissions.AutomationPolicy()},
		{
			"the worker's, of lists of packages",
			[]string{"policy", "--lists", "s3://bucket/lists"},
			permissions.ListsPolicy("s3://bucket/lists", false),
		},
		{
			"an instance's, of lists of packages",
			[]string{"policy", "--lists", "s3://bucket/lists", "--instances"},
			permissions.ListsPolicy("s3://bucket/lists", true),
		},
		{"trust", []string{"trust", "--worker", worker, "--external-id", "abc"}, permissions.Trust(worker, "abc")},
		{"Automation's trust", []string{"trust", "--automation"}, permissions.AutomationTrust()},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, stdout, stderr := call(t, append([]string{"iam"}, c.args...)...)
			require.Equal(t, exitDone, code, stderr)
			want, err := json.Marshal(c.want)
			require.NoError(t, err)
			require.JSONEq(t, string(want), stdout)
		})
	}
}

func TestIAMRefusesWhatIsNoRole(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		says string
	}{
		{"no worker", []string{"trust", "--external-id", "abc"}, "--worker is missing"},
		{"no bucket", []string{"policy", "--instances"}, "--lists : write it like s3://patchtide-manifests/lists"},
		{"a bucket by another name", []string{"policy", "--lists", "https://bucket"}, "--lists https://bucket: write it like s3://"},
		{
			"a session",
			[]string{"trust", "--worker", "arn:aws:sts::999900001111:assumed-role/worker/i-1"},
			"name the role: arn:aws:iam::999900001111:role/worker",
		},
		{"a user", []string{"policy", "--role", "arn:aws:iam::111122223333:user/x"}, "write it like arn:aws:iam::"},
		{"no function", []string{"policy", "--function", "drain"}, "write it like arn:aws:lambda:"},
		{"no topic", []string{"policy", "--topic", "patching"}, "write it like arn:aws:sns:"},
		{
			"no external id",
			[]string{"trust", "--worker", "arn:aws:iam::999900001111:role/w", "--external-id", "a b"},
			"AWS takes 2 to 1224",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, stdout, stderr := call(t, append([]string{"iam"}, c.args...)...)
			require.Equal(t, exitUsage, code)
			require.Contains(t, stderr, c.says)
			require.Empty(t, stdout)
		})
	}
}
