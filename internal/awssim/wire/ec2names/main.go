// Command ec2names writes ../ec2_names.go: the EC2 query protocol's wire names that do not follow from the Go field's
// name. EC2's names are irregular, and the SDK keeps them only inside its serializers; this reads them there, for the
// types that the operations below reach. Add an operation's input and output here, then run `go generate
// ./internal/awssim/wire`.
package main

import (
	"bytes"
	"fmt"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/patchtide/patchtide/internal/awssim/wire/ec2rule"
)

var operations = []any{
	ec2.AttachVolumeInput{},
	ec2.AttachVolumeOutput{},
	ec2.AuthorizeSecurityGroupEgressInput{},
	ec2.AuthorizeSecurityGroupEgressOutput{},
	ec2.AuthorizeSecurityGroupIngressInput{},
	ec2.AuthorizeSecurityGroupIngressOutput{},
	ec2.CopyImageInput{},
	ec2.CopyImageOutput{},
	ec2.CreateImageInput{},
	ec2.CreateImageOutput{},
	ec2.CreateLaunchTemplateInput{},
	ec2.CreateLaunchTemplateOutput{},
	ec2.CreateLaunchTemplateVersionInput{},
	ec2.CreateLaunchTemplateVersionOutput{},
	ec2.CreateReplaceRootVolumeTaskInput{},
	ec2.CreateReplaceRootVolumeTaskOutput{},
	ec2.CreateSecurityGroupInput{},
	ec2.CreateSecurityGroupOutput{},
	ec2.CreateSnapshotInput{},
	ec2.CreateSnapshotOutput{},
	ec2.CreateSnapshotsInput{},
	ec2.CreateSnapshotsOutput{},
	ec2.CreateTagsInput{},
	ec2.CreateTagsOutput{},
	ec2.CreateVolumeInput{},
	ec2.CreateVolumeOutput{},
	ec2.DeleteLaunchTemplateInput{},
	ec2.DeleteLaunchTemplateOutput{},
	ec2.DeleteSecurityGroupInput{},
	ec2.DeleteSecurityGroupOutput{},
	ec2.DeleteSnapshotInput{},
	ec2.DeleteSnapshotOutput{},
	ec2.DeleteTagsInput{},
	ec2.DeleteTagsOutput{},
	ec2.DeleteVolumeInput{},
	ec2.DeleteVolumeOutput{},
	ec2.DeregisterImageInput{},
	ec2.DeregisterImageOutput{},
	ec2.DescribeInstanceAttributeInput{},
	ec2.DescribeInstanceAttributeOutput{},
	ec2.DetachVolumeInput{},
	ec2.DetachVolumeOutput{},
	ec2.DescribeAvailabilityZonesInput{},
	ec2.DescribeAvailabilityZonesOutput{},
	ec2.DescribeImagesInput{},
	ec2.DescribeImagesOutput{},
	ec2.DescribeInstanceAttributeInput{},
	ec2.DescribeInstanceAttributeOutput{},
	ec2.DescribeInstanceStatusInput{},
	ec2.DescribeInstanceStatusOutput{},
	ec2.DescribeInstanceTypeOfferingsInput{},
	ec2.DescribeInstanceTypeOfferingsOutput{},
	ec2.DescribeInstanceTypesInput{},
	ec2.DescribeInstanceTypesOutput{},
	ec2.DescribeInstancesInput{},
	ec2.DescribeInstancesOutput{},
	ec2.DescribeLaunchTemplateVersionsInput{},
	ec2.DescribeLaunchTemplateVersionsOutput{},
	ec2.DescribeLaunchTemplatesInput{},
	ec2.DescribeLaunchTemplatesOutput{},
	ec2.DescribeRegionsInput{},
	ec2.DescribeRegionsOutput{},
	ec2.DescribeReplaceRootVolumeTasksInput{},
	ec2.DescribeReplaceRootVolumeTasksOutput{},
	ec2.DescribeSecurityGroupRulesInput{},
	ec2.DescribeSecurityGroupRulesOutput{},
	ec2.DescribeSecurityGroupsInput{},
	ec2.DescribeSecurityGroupsOutput{},
	ec2.DescribeSnapshotsInput{},
	ec2.DescribeSnapshotsOutput{},
	ec2.DescribeSubnetsInput{},
	ec2.DescribeSubnetsOutput{},
	ec2.DescribeTagsInput{},
	ec2.DescribeTagsOutput{},
	ec2.DescribeVolumesInput{},
	ec2.DescribeVolumesOutput{},
	ec2.DescribeVpcsInput{},
	ec2.DescribeVpcsOutput{},
	ec2.GetEbsDefaultKmsKeyIdInput{},
	ec2.GetEbsDefaultKmsKeyIdOutput{},
	ec2.GetEbsEncryptionByDefaultInput{},
	ec2.GetEbsEncryptionByDefaultOutput{},
	ec2.ModifyImageAttributeInput{},
	ec2.ModifyImageAttributeOutput{},
	ec2.ModifyInstanceAttributeInput{},
	ec2.ModifyInstanceAttributeOutput{},
	ec2.ModifyNetworkInterfaceAttributeInput{},
	ec2.ModifyNetworkInterfaceAttributeOutput{},
	ec2.ModifyLaunchTemplateInput{},
	ec2.ModifyLaunchTemplateOutput{},
	ec2.ModifySnapshotAttributeInput{},
	ec2.ModifySnapshotAttributeOutput{},
	ec2.RebootInstancesInput{},
	ec2.RebootInstancesOutput{},
	ec2.RevokeSecurityGroupEgressInput{},
	ec2.RevokeSecurityGroupEgressOutput{},
	ec2.RevokeSecurityGroupIngressInput{},
	ec2.RevokeSecurityGroupIngressOutput{},
	ec2.RunInstancesInput{},
	ec2.RunInstancesOutput{},
	ec2.StartInstancesInput{},
	ec2.StartInstancesOutput{},
	ec2.StopInstancesInput{},
	ec2.StopInstancesOutput{},
	ec2.TerminateInstancesInput{},
	ec2.TerminateInstancesOutput{},
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "ec2names:", err)
		os.Exit(1)
	}
}

func run() error {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-sdk-go-v2/service/ec2").Output()
	if err != nil {
		return fmt.Errorf("find the SDK's ec2 module: %w", err)
	}
	dir := strings.TrimSpace(string(out))
	requests, err := names(filepath.Join(dir, "serializers.go"),
		regexp.MustCompile(`^func awsEc2query_serialize(?:Op)?Document\w+\(v \*(?:types\.)?(\w+), value`),
		regexp.MustCompile(`object\.(?:Flat)?Key\("(\w+)"\)`), regexp.MustCompile(`if v\.(\w+) `), true)
	if err != nil {
		return err
	}
	replies, err := names(filepath.Join(dir, "deserializers.go"),
		regexp.MustCompile(`^func awsEc2query_deserialize(?:Op)?Document\w+\(v \*\*(?:types\.)?(\w+), decoder`),
		regexp.MustCompile(`case strings\.EqualFold\("(\w+)"`), regexp.MustCompile(`\bsv\.(\w+)`), false)
	if err != nil {
		return err
	}
	reached := map[string]reflect.Type{}
	for _, operation := range operations {
		reach(reflect.TypeOf(operation), reached)
	}
	var text bytes.Buffer
	text.WriteString("// Code generated by ec2names. DO NOT EDIT.\n\npackage wire\n\n")
	table(
		&text, "ec2RequestNames", "are the request parameters that ec2rule.Request does not give.", requests, reached,
		ec2rule.Request,
	)
	table(
		&text, "ec2ReplyNames", "are the reply elements that ec2rule.Reply does not give.", replies, reached, ec2rule.Reply,
	)
	source, err := format.Source(text.Bytes())
	if err != nil {
		return err
	}
	return os.WriteFile("ec2_names.go", source, 0o644)
}

// names reads "Type.Field" -> wire name from one of the SDK's generated files.
func names(path string, function, wire, field *regexp.Regexp, fieldFirst bool) (map[string]string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	var current, pending string
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(line, "func ") {
			current, pending = "", ""
			if match := function.FindStringSubmatch(line); match != nil {
				current = match[1]
			}
			continue
		}
		first, second := wire, field
		if fieldFirst {
			first, second = field, wire
		}
		if match := first.FindStringSubmatch(line); match != nil {
			pending = match[1]
		} else if match := second.FindStringSubmatch(line); match != nil && current != "" && pending != "" {
			if fieldFirst {
				found[current+"."+pending] = match[1]
			} else {
				found[current+"."+match[1]] = pending
			}
			pending = ""
		}
	}
	return found, nil
}

func reach(t reflect.Type, into map[string]reflect.Type) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		reach(t.Elem(), into)
	case reflect.Struct:
		if into[t.Name()] != nil || t.PkgPath() == "time" || t.Name() == "Metadata" {
			return
		}
		into[t.Name()] = t
		for i := range t.NumField() {
			reach(t.Field(i).Type, into)
		}
	}
}

func table(
	text *bytes.Buffer, name, what string, found map[string]string, reached map[string]reflect.Type,
	rule func(string, reflect.Type) string,
) {
	var lines []string
	for typeName, t := range reached {
		for i := range t.NumField() {
			field := t.Field(i)
			key := typeName + "." + field.Name
			if wire := found[key]; wire != "" && wire != rule(field.Name, field.Type) {
				lines = append(lines, fmt.Sprintf("\t%q: %q,\n", key, wire))
			}
		}
	}
	slices.Sort(lines)
	fmt.Fprintf(text, "// %s %s\nvar %s = map[string]string{\n%s}\n\n", name, what, name, strings.Join(lines, ""))
}
