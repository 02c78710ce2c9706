package services_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/stretchr/testify/require"
)

// What AWS's API references and error code pages exclude is refused, each with the code that clients branch on.
func TestWhatAWSRefusesIsRefused(t *testing.T) {
	a := inAccount(t, "healthy", "111122223333")
	s, e, g, l := ssm.NewFromConfig(a.config), ec2.NewFromConfig(a.config), autoscaling.NewFromConfig(a.config),
		elb.NewFromConfig(a.config)
	id := instanceIDs(t, a)[0]
	baseline := func(os types.OperatingSystem, key types.PatchFilterKey, value string, days *int32, until *string) error {
		_, err := s.CreatePatchBaseline(ctx, &ssm.CreatePatchBaselineInput{
			Name: aws.String("a-baseline"), OperatingSystem: os,
			ApprovalRules: &types.PatchRuleGroup{PatchRules: []types.PatchRule{{
				ApproveAfterDays: days, ApproveUntilDate: until,
				PatchFilterGroup: &types.PatchFilterGroup{PatchFilters: []types.PatchFilter{{Key: key, Values: []string{value}}}},
			}}},
		})
		return err
	}
	document := func(name, content string) error {
		_, err := s.CreateDocument(ctx, &ssm.CreateDocumentInput{
			Name: &name, Content: &content, DocumentType: types.DocumentTypeAutomation, DocumentFormat: types.DocumentFormatYaml,
		})
		return err
	}
	put := func(name, value string, kind types.ParameterType) error {
		_, err := s.PutParameter(ctx, &ssm.PutParameterInput{Name: &name, Value: &value, Type: kind})
		return err
	}
	send := func(parameters map[string][]string, ids ...string) error {
		_, err := s.SendCommand(ctx, &ssm.SendCommandInput{
			DocumentName: aws.String("AWS-RunPatchBaseline"), InstanceIds: ids, Parameters: parameters,
		})
		return err
	}
	run := func(change func(*ec2.RunInstancesInput)) error {
		in := &ec2.RunInstancesInput{
			ImageId: aws.String("ami-0a1b2c3d4e5f60023"), MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		}
		change(in)
		_, err := e.RunInstances(ctx, in)
		return err
	}
	update := func(change func(*autoscaling.UpdateAutoScalingGroupInput)) error {
		in := &autoscaling.UpdateAutoScalingGroupInput{AutoScalingGroupName: aws.String("web")}
		change(in)
		_, err := g.UpdateAutoScalingGroup(ctx, in)
		return err
	}
	scan := map[string][]string{"Operation": {"Scan"}}
	ubuntu, al2023 := types.OperatingSystemUbuntu, types.OperatingSystemAmazonLinux2023
	for name, tc := range map[string]struct {
		err  error
		want string // empty: it is taken
	}{
		"ubuntu with 0 days":        {baseline(ubuntu, "PRIORITY", "Required", aws.Int32(0), nil), ""},
		"ubuntu without days":       {baseline(ubuntu, "PRIORITY", "Required", nil, nil), "ValidationException"},
		"rule without days":         {baseline(al2023, "SEVERITY", "Critical", nil, nil), "ValidationException"},
		"days and a date":           {baseline(al2023, "SEVERITY", "Low", aws.Int32(1), aws.String("2026-01-01")), "ValidationException"},
		"product of another system": {baseline(al2023, "PRODUCT", "Ubuntu22.04", aws.Int32(1), nil), "ValidationException"},
		"product that is none":      {baseline(ubuntu, "PRODUCT", "All", aws.Int32(0), nil), "ValidationException"},
		"severity that is none":     {baseline(al2023, "SEVERITY", "Bad", aws.Int32(1), nil), "ValidationException"},
		"key of another system":     {baseline(ubuntu, "SEVERITY", "Critical", aws.Int32(0), nil), "ValidationException"},

		"reserved name of a document": {document("AWS-Foo", "schemaVersion: '0.3'"), "ValidationException"},
		"short name of a document":    {document("ab", "schemaVersion: '0.3'"), "ValidationException"},
		"large document":              {document("large", strings.Repeat("#", 65<<10)), "MaxDocumentSizeExceeded"},

		"reserved name of a parameter": {put("/aws/x", "v", types.ParameterTypeString), "ValidationException"},
		"odd name of a parameter":      {put("/a b", "v", types.ParameterTypeString), "ValidationException"},
		"empty value":                  {put("/a", "", types.ParameterTypeString), "ValidationException"},
		"long value":                   {put("/a", strings.Repeat("x", 4097), types.ParameterTypeString), "ValidationException"},
		"type that is none":            {put("/a", "v", "Text"), "ValidationException"},

		"an instance twice": {send(scan, id, id), "DuplicateInstanceId"},
		"time-out that is none": {
			send(map[string][]string{"Operation": {"Scan"}, "StepTimeoutSeconds": {"soon"}}, id), "InvalidParameters",
		},

		"type of instance": {
			run(func(in *ec2.RunInstancesInput) { in.InstanceType = "foo.bar" }), "InvalidParameterValue",
		},
		"zone elsewhere": {run(func(in *ec2.RunInstancesInput) {
			in.Placement = &ec2types.Placement{AvailabilityZone: aws.String("us-east-1a")}
		}), "InvalidParameterValue"},
		"image by name": {run(func(in *ec2.RunInstancesInput) { in.ImageId = aws.String("al2023") }), "InvalidAMIID.Malformed"},
		"instance as a group": {
			run(func(in *ec2.RunInstancesInput) { in.SecurityGroupIds = []string{id} }), "InvalidGroupId.Malformed",
		},

		"health check": {update(func(in *autoscaling.UpdateAutoScalingGroupInput) {
			in.HealthCheckType = aws.String("FOO")
		}), "ValidationError"},
		"zones of a group": {update(func(in *autoscaling.UpdateAutoScalingGroupInput) {
			in.AvailabilityZones = []string{"us-east-1a"}
		}), "ValidationError"},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.want == "" {
				require.NoError(t, tc.err)
				return
			}
			require.Error(t, tc.err)
			require.Equal(t, tc.want, code(t, tc.err))
		})
	}
	t.Run("pages", func(t *testing.T) {
		ids := make([]string, 51)
		for n := range ids {
			ids[n] = fmt.Sprintf("i-%017x", n)
		}
		_, err := g.DescribeAutoScalingInstances(ctx, &autoscaling.DescribeAutoScalingInstancesInput{InstanceIds: ids})
		require.Equal(t, "ValidationError", code(t, err))
		_, err = g.DescribeAutoScalingGroups(
			ctx, &autoscaling.DescribeAutoScalingGroupsInput{MaxRecords: aws.Int32(101)},
		)
		require.Equal(t, "ValidationError", code(t, err))
		_, err = e.DescribeInstanceStatus(
			ctx, &ec2.DescribeInstanceStatusInput{InstanceIds: ids[:1], MaxResults: aws.Int32(5)},
		)
		require.Equal(t, "InvalidParameterCombination", code(t, err))
		_, err = s.ListCommands(ctx, &ssm.ListCommandsInput{MaxResults: aws.Int32(51)})
		require.Equal(t, "ValidationException", code(t, err))
	})
	t.Run("tags of a group", func(t *testing.T) {
		for key, kind := range map[string]string{"aws:x": "auto-scaling-group", "x": "instance"} {
			_, err := g.CreateOrUpdateTags(ctx, &autoscaling.CreateOrUpdateTagsInput{Tags: []astypes.Tag{{
				Key: &key, Value: aws.String("v"), ResourceId: aws.String("web"), ResourceType: &kind,
			}}})
			require.Equal(t, "ValidationError", code(t, err))
		}
	})
	t.Run("a target that still starts", func(t *testing.T) {
		made, err := l.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
			Name: aws.String("fresh"), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(80),
			VpcId: aws.String("vpc-01111222233330000"),
			Tags:  []elbtypes.Tag{{Key: aws.String("a"), Value: aws.String("b")}},
		})
		require.NoError(t, err)
		out, err := e.RunInstances(ctx, &ec2.RunInstancesInput{
			ImageId: aws.String("ami-0a1b2c3d4e5f60023"), MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		})
		require.NoError(t, err)
		register := func() error {
			_, err := l.RegisterTargets(ctx, &elb.RegisterTargetsInput{
				TargetGroupArn: made.TargetGroups[0].TargetGroupArn,
				Targets:        []elbtypes.TargetDescription{{Id: out.Instances[0].InstanceId}},
			})
			return err
		}
		require.Equal(t, "InvalidTarget", code(t, register()))
		a.pass(time.Minute)
		require.NoError(t, register())
	})
}

func TestSnapshotsOfOneVolumeArePaced(t *testing.T) {
	a := inAccount(t, "healthy", "111122223333")
	client := ec2.NewFromConfig(a.config)
	volumes, err := client.DescribeVolumes(ctx, &ec2.DescribeVolumesInput{})
	require.NoError(t, err)
	take := func() error {
		_, err := client.CreateSnapshot(ctx, &ec2.CreateSnapshotInput{VolumeId: volumes.Volumes[0].VolumeId})
		return err
	}
	require.NoError(t, take())
	require.Equal(t, "SnapshotCreationPerVolumeRateExceeded", code(t, take()))
	a.pass(15 * time.Second)
	require.NoError(t, take())
}
