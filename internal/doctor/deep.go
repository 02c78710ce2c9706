package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	paws "github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/cloud"
)

// deepLooks ask AWS in one place what Patchtide believes of it, as far as reading tells: each question that AWS's texts
// leave open, or that regions answer differently. docs/first-account.md has those which take a change.
var deepLooks = []func(place, context.Context, *cloud.Clients) []Result{
	place.documents, place.steps, place.pages, place.enabled, place.endpoints, place.encryption,
}

// deep looks deeper at a place.
func (p place) deep(ctx context.Context, clients *cloud.Clients) []Result {
	var results []Result
	for _, look := range deepLooks {
		results = append(results, look(p, ctx, clients)...)
	}
	return results
}

// sentTo are the documents of AWS's that are sent, with a value of each parameter that is given.
var sentTo = map[string]map[string][]string{
	paws.PatchDocument: {
		"Operation": {"Scan", "Install"}, "SnapshotId": {"0b1c2d3e-0000-4000-8000-000000000000"},
		"RebootOption":       {"RebootIfNeeded", "NoReboot"},
		"StepTimeoutSeconds": {fmt.Sprint(paws.LeastInstall), fmt.Sprint(paws.MostInstall)},
	},
	"AWS-RunShellScript":      {"commands": {"true"}, "executionTimeout": {"300"}},
	"AWS-RunPowerShellScript": {"commands": {"exit"}, "executionTimeout": {"300"}},
}

// parameterRule is what a Command document says of a parameter.
type parameterRule struct {
	Pattern string   `json:"allowedPattern"`
	Values  []string `json:"allowedValues"`
}

// takes reports whether a parameter may have the value.
func (r parameterRule) takes(value string) bool {
	if len(r.Values) > 0 && !slices.Contains(r.Values, value) {
		return false
	}
	pattern, err := regexp.Compile("^(?:" + r.Pattern + ")$")
	return err != nil || r.Pattern == "" || pattern.MatchString(value) // what Go cannot read is not judged
}

// documents asks whether the region's documents take what they are sent: regions get versions at different times.
func (p place) documents(ctx context.Context, clients *cloud.Clients) []Result {
	var results []Result
	for _, name := range slices.Sorted(maps.Keys(sentTo)) {
		where := p.String() + " " + name
		out, err := clients.SSM.GetDocument(ctx, &ssm.GetDocumentInput{
			Name: &name, DocumentFormat: ssmtypes.DocumentFormatJson,
		})
		if err != nil {
			results = append(results, p.unread("document", where, err))
			continue
		}
		var content struct {
			Parameters map[string]parameterRule `json:"parameters"`
		}
		if err := json.Unmarshal([]byte(aws.ToString(out.Content)), &content); err != nil {
			results = append(results, Result{
				"document", where, Unknown, "its content cannot be read: " + err.Error(), "read it: `aws ssm get-document --name " +
					name + " --region " + p.region + "`",
			})
			continue
		}
		var wrong []string
		for _, parameter := range slices.Sorted(maps.Keys(sentTo[name])) {
			rule, declared := content.Parameters[parameter]
			if !declared {
				wrong = append(wrong, "it has no parameter "+parameter)
				continue
			}
			for _, value := range sentTo[name][parameter] {
				if !rule.takes(value) {
					wrong = append(wrong, fmt.Sprintf("its %s does not take %s", parameter, value))
				}
			}
		}
		if len(wrong) > 0 {
			results = append(results, Result{
				"document", where, Problem, strings.Join(wrong, "; "),
				"every command with it is refused: leave the region's groups out of the plans until AWS has renewed the " +
					"document there",
			})
			continue
		}
		results = append(results, Result{Check: "document", Where: where, State: OK, Says: "takes all that it is sent"})
	}
	return results
}

// steps asks whether the output of a patch run can be read, of the newest that the region remembers.
func (p place) steps(ctx context.Context, clients *cloud.Clients) []Result {
	out, err := clients.SSM.ListCommands(ctx, &ssm.ListCommandsInput{
		Filters: []ssmtypes.CommandFilter{
			{Key: ssmtypes.CommandFilterKeyDocumentName, Value: aws.String(paws.PatchDocument)},
		},
		MaxResults: aws.Int32(paws.CommandsPage),
	})
	if err != nil {
		return []Result{p.unread("patch run", p.String(), err)}
	}
	services := clients.Services()
	for _, command := range out.Commands {
		invocations, err := paws.ReadInvocations(ctx, services, p.String(), aws.ToString(command.CommandId))
		if err != nil {
			return []Result{p.unread("patch run", p.String(), err)}
		}
		for _, id := range slices.Sorted(maps.Keys(invocations)) {
			invocation := invocations[id]
			if !invocation.Over() || invocation.Step == "" {
				continue
			}
			where := p.String() + " " + id
			if err := invocation.ReadOutput(ctx, services, p.String()); err != nil {
				return []Result{p.unread("patch run", where, err)}
			}
			return []Result{{
				Check: "patch run", Where: where, State: OK,
				Says: fmt.Sprintf("the output of its step %s can be read: %s", invocation.Step, invocation.DescribeEnd()),
			}}
		}
	}
	return []Result{{
		"patch run", p.String(), Unknown, "Systems Manager remembers none that has ended, and keeps them for 30 days",
		"`patchtide scan` runs one that changes nothing; then look again",
	}}
}

// pages asks for as much at a time as waves do.
func (p place) pages(ctx context.Context, clients *cloud.Clients) []Result {
	var refused []string
	calls := []struct {
		name string
		size int32
		ask  func(size int32) error
	}{
		{"ssm DescribeInstanceInformation", paws.AgentsPage, func(size int32) error {
			_, err := clients.SSM.DescribeInstanceInformation(ctx, &ssm.DescribeInstanceInformationInput{MaxResults: &size})
			return err
		}},
		{"ssm ListCommands", paws.CommandsPage, func(size int32) error {
			_, err := clients.SSM.ListCommands(ctx, &ssm.ListCommandsInput{MaxResults: &size})
			return err
		}},
		{"ssm ListCommandInvocations", paws.CommandsPage, func(size int32) error {
			_, err := clients.SSM.ListCommandInvocations(ctx, &ssm.ListCommandInvocationsInput{MaxResults: &size})
			return err
		}},
		{"ssm ListAssociations", paws.AssociationsPage, func(size int32) error {
			_, err := clients.SSM.ListAssociations(ctx, &ssm.ListAssociationsInput{MaxResults: &size})
			return err
		}},
		{"cloudwatch DescribeAlarms", paws.AlarmsPage, func(size int32) error {
			_, err := clients.CloudWatch.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{MaxRecords: &size})
			return err
		}},
		{"autoscaling DescribeScalingActivities", paws.ActivitiesPage, func(size int32) error {
			_, err := clients.AutoScaling.DescribeScalingActivities(
				ctx, &autoscaling.DescribeScalingActivitiesInput{MaxRecords: &size},
			)
			return err
		}},
	}
	for _, call := range calls {
		switch err := call.ask(call.size); {
		case isDenied(err): // the look at permissions tells it
		case err != nil:
			refused = append(refused, fmt.Sprintf("%s, %d at a time: %s", call.name, call.size, reason(err)))
		}
	}
	if len(refused) > 0 {
		return []Result{{
			"page sizes", p.String(), Problem, strings.Join(refused, "; "),
			"this is a mistake of Patchtide's: please report it with the region",
		}}
	}
	return []Result{{
		Check: "page sizes", Where: p.String(), State: OK, Says: fmt.Sprintf("all %d are taken", len(calls)),
	}}
}

// enabled asks whether the account has the region.
func (p place) enabled(ctx context.Context, clients *cloud.Clients) []Result {
	out, err := clients.EC2.DescribeRegions(
		ctx, &ec2.DescribeRegionsInput{RegionNames: []string{p.region}, AllRegions: aws.Bool(true)},
	)
	switch {
	case err != nil:
		return []Result{p.unread("region", p.String(), err)}
	case len(out.Regions) != 1:
		return []Result{{
			"region", p.String(), Unknown, "EC2 does not name it", "see whether the partition of the account has the region",
		}}
	case aws.ToString(out.Regions[0].OptInStatus) == "not-opted-in":
		return []Result{{
			"region", p.String(), Problem, "the account has not enabled it",
			fmt.Sprintf("aws account enable-region --region-name %s, or leave it out of the plan", p.region),
		}}
	}
	return []Result{{
		Check: "region", Where: p.String(), State: OK, Says: "is " + aws.ToString(out.Regions[0].OptInStatus),
	}}
}

// endpoints asks each service whether it is in the region at all. Waves do without CodeDeploy where it is not.
func (p place) endpoints(ctx context.Context, clients *cloud.Clients) []Result {
	services := []struct {
		name     string
		optional string // what a wave does without it; "" where it cannot
		ask      func() error
	}{
		{"autoscaling", "", func() error {
			_, err := clients.AutoScaling.DescribeAutoScalingGroups(
				ctx, &autoscaling.DescribeAutoScalingGroupsInput{MaxRecords: aws.Int32(1)},
			)
			return err
		}},
		{"elasticloadbalancing", "", func() error {
			_, err := clients.ELB.DescribeTargetGroups(ctx, &elb.DescribeTargetGroupsInput{PageSize: aws.Int32(1)})
			return err
		}},
		{"cloudwatch", "", func() error {
			_, err := clients.CloudWatch.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{MaxRecords: aws.Int32(1)})
			return err
		}},
		{"kms", "", func() error {
			_, err := clients.KMS.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String("alias/aws/ebs")})
			return err
		}},
		{"cloudformation", "", func() error {
			_, err := clients.CloudFormation.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{})
			return err
		}},
		{"codedeploy", "nobody is asked whether a deployment runs, which each wave tells", func() error {
			_, err := clients.CodeDeploy.ListDeployments(ctx, &codedeploy.ListDeploymentsInput{})
			return err
		}},
	}
	var results []Result
	for _, service := range services {
		if err := service.ask(); !paws.HasNoEndpoint(err) { // any answer is one, a denial too
			continue
		}
		result := Result{
			"endpoint", p.String() + " " + service.name, Unknown, "it is not in this region: " + service.optional,
			"nothing, where nothing of the kind is deployed there",
		}
		if service.optional == "" {
			result.State, result.Says = Problem, "its name does not resolve"
			result.Mend = "see whether this machine resolves names of " + p.region + "; without the service no wave runs there"
		}
		results = append(results, result)
	}
	if len(results) == 0 {
		return []Result{{
			Check: "endpoint", Where: p.String(), State: OK, Says: fmt.Sprintf("all %d services are there", len(services)),
		}}
	}
	return results
}

// encryption asks whether a root volume could be made again where EBS encrypts by default.
func (p place) encryption(ctx context.Context, clients *cloud.Clients) []Result {
	why, unproven, err := paws.DefaultKeyTrouble(ctx, clients.Services(), p.String())
	switch {
	case err != nil:
		return []Result{p.unread("encryption", p.String(), err)}
	case unproven:
		return []Result{{
			"encryption", p.String(), Unknown, why,
			"restore one root volume in this account by hand before you trust a wave to; docs/runbook.md has the command",
		}}
	case why != "":
		return []Result{{
			"encryption", p.String(), Problem, why,
			"enable the key or choose another (aws ec2 modify-ebs-default-kms-key-id), or `restore: none` in the plans",
		}}
	}
	return []Result{{
		Check: "encryption", Where: p.String(), State: OK, Says: "EBS's default key, where there is one, can be used",
	}}
}
