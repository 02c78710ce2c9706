package services

import (
	"reflect"
	"slices"
	"strings"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// Needs lists what IAM is asked before a call: its action on each resource that it is about, and the actions that the
// call implies, passing a role and tagging what it creates. Actions that know no resources ask for "*".
func Needs(w *world.World, call api.Call, input any) []world.Ask {
	q := questions{w: w, call: call, region: regionOf(w, call), input: reflect.ValueOf(input).Elem()}
	action := ActionOf(call.Service, call.Operation)
	if action == "sts:GetCallerIdentity" {
		return nil // needs no permission
	}
	resources := q.resources()
	if len(resources) == 0 {
		resources = []resource{{arn: "*"}}
	}
	var asks []world.Ask
	for _, each := range resources {
		asks = append(asks, q.ask(action, each, nil))
	}
	return append(asks, q.implied()...)
}

// ActionOf is IAM's name of an operation, for example cloudwatch:DescribeAlarms or s3:GetObject for HeadObject.
func ActionOf(service, operation string) string {
	prefix := map[string]string{"monitoring": "cloudwatch"}[service]
	if prefix == "" {
		prefix = service
	}
	switch service {
	case "lambda":
		if operation == "Invoke" {
			operation = "InvokeFunction"
		}
	case "s3":
		if other := s3Actions[operation]; other != "" {
			operation = other
		}
	case "sqs": // a batch needs the permission for one (SQS guide, "API permissions")
		operation = strings.TrimSuffix(operation, "Batch")
	}
	return prefix + ":" + operation
}

// s3Actions are S3's operations whose action has another name.
var s3Actions = map[string]string{
	"HeadObject": "GetObject", "HeadBucket": "ListBucket", "ListObjectsV2": "ListBucket", "DeleteObjects": "DeleteObject",
	"ListObjects": "ListBucket", "GetBucketEncryption": "GetEncryptionConfiguration",
	"PutBucketEncryption": "PutEncryptionConfiguration", "DeleteBucketEncryption": "PutEncryptionConfiguration",
	"GetPublicAccessBlock": "GetBucketPublicAccessBlock", "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
	"DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
	"ListBuckets":             "ListAllMyBuckets", "CreateMultipartUpload": "PutObject", "UploadPart": "PutObject",
	"CompleteMultipartUpload": "PutObject", "ListParts": "ListMultipartUploadParts", "CopyObject": "PutObject",
	"UploadPartCopy": "PutObject", "ListMultipartUploads": "ListBucketMultipartUploads",
}

type resource struct {
	arn  string
	tags world.Tags
}

type questions struct {
	w      *world.World
	call   api.Call
	region *world.Region
	input  reflect.Value
}

func (q questions) ask(action string, about resource, more map[string][]string) world.Ask {
	context := map[string][]string{
		"aws:RequestedRegion": {q.call.Region}, "aws:PrincipalAccount": {q.call.Account}, "aws:PrincipalArn": {q.call.Caller},
		"aws:SecureTransport": {"true"},
	}
	for key, value := range about.tags {
		for _, prefix := range []string{"aws", "ec2", "autoscaling", "elasticloadbalancing"} {
			context[prefix+":ResourceTag/"+key] = []string{value}
		}
		context["ssm:resourceTag/"+key] = []string{value}
	}
	for key, value := range q.requestTags() {
		context["aws:RequestTag/"+key] = []string{value}
		context["aws:TagKeys"] = append(context["aws:TagKeys"], key)
	}
	slices.Sort(context["aws:TagKeys"])
	for key, values := range more {
		context[key] = values
	}
	return world.Ask{Action: action, Resource: about.arn, Context: context}
}

// implied are the further actions that AWS checks: passing an Automation its role, and tags given at creation.
func (q questions) implied() []world.Ask {
	var asks []world.Ask
	if parameters := q.input.FieldByName("Parameters"); q.call.Operation == "StartAutomationExecution" &&
		parameters.IsValid() {
		if byName, ok := parameters.Interface().(map[string][]string); ok {
			for _, role := range byName["AutomationAssumeRole"] {
				if role != "" {
					asks = append(
						asks,
						q.ask("iam:PassRole", resource{arn: role}, map[string][]string{"iam:PassedToService": {"ssm.amazonaws.com"}}),
					)
				}
			}
		}
	}
	if source := textField(q.input, "CopySource"); source != "" { // the API reference of CopyObject: what it reads
		if bucket, key, err := copySource(source); err == nil {
			asks = append(asks, q.ask("s3:GetObject", resource{arn: "arn:aws:s3:::" + bucket + "/" + key}, nil))
		}
	}
	tagged := len(q.requestTags()) > 0
	switch {
	case q.call.Service == "ec2" && tagged && q.input.FieldByName("TagSpecifications").IsValid():
		kind := q.input.FieldByName("TagSpecifications").Index(0).FieldByName("ResourceType").String()
		asks = append(
			asks,
			q.ask(
				"ec2:CreateTags", resource{arn: q.ec2ARN(kind, "*")}, map[string][]string{"ec2:CreateAction": {q.call.Operation}},
			),
		)
	case q.call.Operation == "StartAutomationExecution" && tagged:
		asks = append(asks, q.ask("ssm:AddTagsToResource", resource{arn: q.region.ARN("ssm", "automation-execution/*")}, nil))
	}
	return asks
}

// requestTags are the tags that a call brings, wherever its input keeps them.
func (q questions) requestTags() world.Tags {
	tags := world.Tags{}
	collect := func(list reflect.Value) {
		if !list.IsValid() || list.Kind() != reflect.Slice {
			return
		}
		for n := range list.Len() {
			pair := reflect.Indirect(list.Index(n))
			if pair.Kind() != reflect.Struct {
				return
			}
			if key := textField(pair, "Key"); key != "" {
				tags[key] = textField(pair, "Value")
			}
		}
	}
	collect(q.input.FieldByName("Tags"))
	if specifications := q.input.FieldByName("TagSpecifications"); specifications.IsValid() {
		for n := range specifications.Len() {
			collect(specifications.Index(n).FieldByName("Tags"))
		}
	}
	return tags
}

func textField(v reflect.Value, name string) string {
	field := reflect.Indirect(v.FieldByName(name))
	if !field.IsValid() || field.Kind() != reflect.String {
		return ""
	}
	return field.String()
}

// list reads a field that is one text or several.
func (q questions) list(name string) []string {
	field := q.input.FieldByName(name)
	if !field.IsValid() {
		return nil
	}
	if texts, ok := field.Interface().([]string); ok {
		return texts
	}
	if text := textField(q.input, name); text != "" {
		return []string{text}
	}
	return nil
}

func (q questions) ec2ARN(kind, id string) string {
	if kind == "snapshot" || kind == "image" { // these have no account in their ARN
		return "arn:aws:ec2:" + q.call.Region + "::" + kind + "/" + id
	}
	return q.region.ARN("ec2", kind+"/"+id)
}

func (q questions) reads() bool {
	return strings.HasPrefix(q.call.Operation, "Describe") || strings.HasPrefix(q.call.Operation, "List")
}
