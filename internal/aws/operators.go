package aws

import (
	"maps"
	"slices"
	"strings"

	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// operators are the tags by which services that run their own instances mark them; a key that ends in "/" or ":" is a
// prefix.
var operators = []struct{ key, service string }{
	{"eks:cluster-name", "Amazon EKS"},
	{"eks:eks-cluster-name", "Amazon EKS"},
	{"aws:eks:cluster-name", "Amazon EKS"},
	{"karpenter.sh/", "Karpenter"},
	{"karpenter.k8s.aws/", "Karpenter"},
	{"kubernetes.io/cluster/", "Kubernetes"},
	{"aws:elasticmapreduce:", "Amazon EMR"},
	{"AWSBatchServiceTag", "AWS Batch"},
	{"AmazonECSManaged", "Amazon ECS"},
	{"elasticbeanstalk:environment-name", "Elastic Beanstalk"},
}

// OperatedBy names the service whose tag is among the keys; "" when there is none.
func OperatedBy(keys []string) string {
	for _, key := range keys {
		for _, operator := range operators {
			prefix := strings.HasSuffix(operator.key, "/") || strings.HasSuffix(operator.key, ":")
			if key == operator.key || prefix && strings.HasPrefix(key, operator.key) {
				return operator.service + " (tag " + key + ")"
			}
		}
	}
	return ""
}

// operatorOf names the service that operates an Auto Scaling group, by its own word, its tags or those of its
// instances; "" when nobody claims it.
func operatorOf(group *astypes.AutoScalingGroup, instances map[string]ec2types.Instance) string {
	if group.Operator != nil {
		return Deref(group.Operator.Principal)
	}
	if operator := OperatedBy(groupTagKeys(group)); operator != "" {
		return operator
	}
	for _, id := range slices.Sorted(maps.Keys(instances)) {
		if operator := operatorOfInstance(instances[id]); operator != "" {
			return operator
		}
	}
	return ""
}

// operatorOfInstance names the service that operates an instance, by EC2's word or its tags; "" when nobody claims it.
func operatorOfInstance(instance ec2types.Instance) string {
	if operator := instance.Operator; operator != nil && Deref(operator.Managed) {
		return Deref(operator.Principal)
	}
	return OperatedBy(slices.Sorted(slices.Values(TagKeys(instance.Tags))))
}
