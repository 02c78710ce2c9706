// Package permissions is the one table of what Patchtide's roles in a target account must be allowed to do. doctor asks
// IAM for it, `patchtide iam` prints it, and docs/installing.md lists it.
package permissions

import (
	"reflect"
	"slices"

	"github.com/patchtide/patchtide/internal/aws"
)

// servicePrefixes are IAM's names of the services, by the fields of aws.Services. What has none is not asked for: who
// am I needs no permission; keys of KMS are granted by their own policies as well, which a wave asks for each instance;
// of Lambda only the functions that hooks name are; CloudTrail only tells a person more; and images are renewed, or
// copied, where a plan says so.
var servicePrefixes = map[string]string{
	"AutoScaling": "autoscaling", "EC2": "ec2", "ELB": "elasticloadbalancing", "SSM": "ssm", "CloudWatch": "cloudwatch",
	"CloudFormation": "cloudformation", "CodeDeploy": "codedeploy", "STS": "", "KMS": "", "Lambda": "",
	"CloudTrail": "", "Images": "", "Copies": "", "Parameters": "",
}

// Actions lists the IAM actions that a role in a target account needs, sorted. They are read from the interfaces
// through which Patchtide sees AWS, where each operation is spelt as its action: what a wave may call, and nothing
// else.
func Actions() []string {
	actions := []string{
		"ssm:AddTagsToResource", // an Automation execution is tagged when it is started
	}
	services := reflect.TypeFor[aws.Services]()
	for i := range services.NumField() {
		field := services.Field(i)
		if prefix := servicePrefixes[field.Name]; prefix != "" {
			for n := range field.Type.NumMethod() {
				actions = append(actions, prefix+":"+field.Type.Method(n).Name)
			}
		}
	}
	slices.Sort(actions)
	return slices.Compact(actions)
}

// Publish is what an sns target under notify: needs of the account that its topic is in.
const Publish = "sns:Publish"

// WhoChanged is what tells who has changed a patch baseline in Systems Manager.
const WhoChanged = "cloudtrail:LookupEvents"

// Invoke is what a hook that is a function of Lambda needs, on that function.
const Invoke = "lambda:InvokeFunction"

// PassRole lets the role hand Automation its own.
const PassRole = "iam:PassRole"

// AutomationService is who assumes the role that is passed.
const AutomationService = "ssm.amazonaws.com"

// AutomationActions are those that Automation's own role needs: our runbook sends commands, looks how they end, and
// cancels them where its execution is stopped (guide on aws:runCommand).
func AutomationActions() []string {
	return []string{
		"ssm:CancelCommand", "ssm:DescribeInstanceInformation", "ssm:GetCommandInvocation", "ssm:ListCommandInvocations",
		"ssm:ListCommands", "ssm:SendCommand",
	}
}
