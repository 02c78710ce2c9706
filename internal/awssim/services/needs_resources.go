package services

import (
	"strings"

	"github.com/patchtide/patchtide/internal/awssim/world"
)

// resources are what a call is about, with their tags; none for actions that know no resources, which most reads are.
func (q questions) resources() []resource {
	switch q.call.Service {
	case "ec2":
		return q.ec2Resources()
	case "autoscaling":
		return q.scalingResources()
	case "elasticloadbalancing":
		return q.balancingResources()
	case "ssm":
		return q.ssmResources()
	case "s3":
		return q.s3Resources()
	case "monitoring":
		names := q.list("AlarmName")
		if !q.reads() || q.call.Operation == "DescribeAlarms" {
			names = append(names, q.list("AlarmNames")...)
		}
		if q.call.Operation == "DescribeAlarms" && len(names) == 0 {
			names = []string{"*"}
		}
		var alarms []resource
		for _, name := range names {
			alarms = append(alarms, resource{arn: q.region.ARN("cloudwatch", "alarm:"+name)})
		}
		return alarms
	case "sns":
		if q.call.Operation == "CreateTopic" {
			return arns([]string{q.region.ARN("sns", textField(q.input, "Name"))})
		}
		return arns(append(q.list("TopicArn"), q.list("ResourceArn")...))
	case "sqs":
		if q.call.Operation == "CreateQueue" {
			return arns([]string{q.region.ARN("sqs", textField(q.input, "QueueName"))})
		}
		if parts := strings.Split(textField(q.input, "QueueUrl"), "/"); len(parts) > 1 {
			owner, name := parts[len(parts)-2], parts[len(parts)-1]
			return []resource{{arn: "arn:aws:sqs:" + q.call.Region + ":" + owner + ":" + name}}
		}
	case "kms":
		return arns(q.list("KeyId"))
	case "lambda":
		name := functionName(textField(q.input, "FunctionName"), textField(q.input, "Qualifier"))
		if !strings.HasPrefix(name, "arn:") {
			name = q.region.ARN("lambda", "function:"+name)
		}
		return arns([]string{name})
	case "iam":
		return arns(q.list("PolicySourceArn"))
	case "sts":
		return arns(q.list("RoleArn"))
	}
	return nil
}

func arns(list []string) []resource {
	resources := make([]resource, 0, len(list))
	for _, arn := range list {
		resources = append(resources, resource{arn: arn})
	}
	return resources
}

// ec2Resources are named by id; what a call creates is there as the kind's wildcard.
func (q questions) ec2Resources() []resource {
	if q.reads() {
		return nil
	}
	var found []resource
	for _, field := range []string{
		"InstanceIds", "InstanceId", "VolumeId", "SnapshotId", "GroupId", "Groups", "Resources", "ImageId",
		"LaunchTemplateId", "NetworkInterfaceId", "SourceImageId",
	} {
		for _, id := range q.list(field) {
			tags, kind, err := q.region.ResourceTags(id)
			if err != nil {
				kind = "*"
			}
			found = append(found, resource{q.ec2ARN(kind, id), tags})
		}
	}
	for operation, kinds := range map[string][]string{
		"CreateSnapshot": {"snapshot"}, "CreateSnapshots": {"snapshot", "volume"},
		"CreateReplaceRootVolumeTask": {"volume", "replace-root-volume-task"},
		"CreateImage":                 {"image", "snapshot"}, "CopyImage": {"image", "snapshot"},
		"CreateSecurityGroup":  {"security-group"},
		"CreateLaunchTemplate": {"launch-template"},
	} {
		if operation != q.call.Operation {
			continue
		}
		for _, kind := range kinds {
			found = append(found, resource{arn: q.ec2ARN(kind, "*")})
		}
	}
	return found
}

func (q questions) scalingResources() []resource {
	if q.reads() {
		return nil
	}
	var groups []*world.ScalingGroup
	var found []resource
	names := q.list("AutoScalingGroupName")
	if tags := q.input.FieldByName("Tags"); tags.IsValid() {
		for n := range tags.Len() {
			names = append(names, textField(tags.Index(n), "ResourceId"))
		}
	}
	for _, name := range names {
		if group, err := q.region.ScalingGroup(name); err == nil {
			groups = append(groups, group)
			continue
		}
		// One that is to be made, or is not there: IAM judges it by its name.
		found = append(found, resource{arn: q.region.ARN("autoscaling", "autoScalingGroup:*:autoScalingGroupName/"+name)})
	}
	if member := q.region.MemberOf(textField(q.input, "InstanceId")); len(names) == 0 && member != nil {
		groups = append(groups, member.Group)
	}
	for _, group := range groups {
		tags := world.Tags{}
		for _, tag := range group.Tags {
			tags[tag.Key] = tag.Value
		}
		found = append(found, resource{group.ARN, tags})
	}
	return found
}

func (q questions) balancingResources() []resource {
	if q.reads() {
		return nil
	}
	var found []resource
	for _, arn := range q.list("TargetGroupArn") {
		about := resource{arn: arn}
		if group, err := q.region.TargetGroup(arn); err == nil {
			about.tags = group.Tags
		}
		found = append(found, about)
	}
	return found
}

func (q questions) ssmResources() []resource {
	one := func(kind string, field string) []resource {
		var found []resource
		for _, name := range q.list(field) {
			found = append(found, resource{arn: q.region.ARN("ssm", kind+"/"+strings.TrimPrefix(name, "/"))})
		}
		return found
	}
	switch q.call.Operation {
	case "SendCommand":
		return append([]resource{q.document()}, q.managed(q.list("InstanceIds"))...)
	case "StartAutomationExecution": // automation-definition is deprecated (guide, IAM and Automation)
		return []resource{q.document(), {arn: q.region.ARN("ssm", "automation-execution/*")}}
	case "GetAutomationExecution", "StopAutomationExecution", "SendAutomationSignal", "DescribeAutomationStepExecutions":
		found := one("automation-execution", "AutomationExecutionId")
		for n, id := range q.list("AutomationExecutionId") {
			if execution, err := q.region.Execution(id); err == nil {
				found[n].tags = execution.Tags
			}
		}
		return found
	case "CreateDocument", "DeleteDocument", "UpdateDocument", "UpdateDocumentDefaultVersion",
		"DescribeDocument", "GetDocument":
		return []resource{q.document()}
	case "AddTagsToResource", "RemoveTagsFromResource", "ListTagsForResource":
		if textField(q.input, "ResourceType") == "ManagedInstance" {
			return q.managed(q.list("ResourceId"))
		}
	case "GetParameter", "PutParameter", "DeleteParameter":
		return one("parameter", "Name")
	case "GetParameters":
		return one("parameter", "Names")
	case "GetPatchBaseline",
		"UpdatePatchBaseline",
		"DeletePatchBaseline",
		"RegisterPatchBaselineForPatchGroup",
		"DeregisterPatchBaselineForPatchGroup":
		return one("patchbaseline", "BaselineId")
	}
	return nil
}

// managed are instances as Run Command's conditions see them.
func (q questions) managed(ids []string) []resource {
	var found []resource
	for _, id := range ids {
		about := resource{arn: q.ec2ARN("instance", id)}
		if strings.HasPrefix(id, "mi-") {
			about.arn = q.region.ARN("ssm", "managed-instance/"+id)
		}
		if instance := q.region.Machine(id); instance != nil {
			about.tags = instance.Tags
		}
		found = append(found, about)
	}
	return found
}

func (q questions) document() resource {
	name := textField(q.input, "Name")
	if name == "" {
		name = textField(q.input, "DocumentName")
	}
	about := resource{arn: q.documentARN("document")}
	if document, err := q.region.Document(name); err == nil {
		about.tags = document.Tags
	}
	return about
}

// documentARN leaves the account out of AWS's own documents.
func (q questions) documentARN(kind string) string {
	name := textField(q.input, "Name")
	if name == "" {
		name = textField(q.input, "DocumentName")
	}
	if document, err := q.region.Document(name); err == nil && document.Owner == "Amazon" {
		return "arn:aws:ssm:" + q.call.Region + "::" + kind + "/" + name
	}
	return q.region.ARN("ssm", kind+"/"+name)
}

func (q questions) s3Resources() []resource {
	bucket, key := textField(q.input, "Bucket"), textField(q.input, "Key")
	switch {
	case bucket == "":
		return nil
	case key != "":
		bucket += "/" + key
	case q.call.Operation == "DeleteObjects":
		bucket += "/*"
	}
	return []resource{{arn: "arn:aws:s3:::" + bucket}}
}
