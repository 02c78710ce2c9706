package aws

import (
	"maps"
	"slices"
	"strings"

	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// operators are the tags by which services that run their own instances mark them; a key that ends in "/" is a prefix.
var operators = []struct{ key, service string }{
	{"eks:cluster-name", "Amazon EKS"},
	{"kubernetes.io/cluster/", "Kubernetes"},
	{"AmazonECSManaged", "Amazon ECS"},
	{"elasticbeanstalk:environment-name", "Elastic Beanstalk"},
}

// OperatedBy names the service whose tag is among the keys; "" when there is none.
func OperatedBy(keys []string) string {
	for _, key := range keys {
		for _, operator := range operators {
			if key == operator.key || strings.HasSuffix(operator.key, "/") && strings.HasPrefix(key, operator.key) {
				return operator.service + " (tag " + key + ")"
			}
		}
	}
	return ""
}

// operatorOf names the service that operates a group, by the group's own word, its tags or those of its instances; ""
// when nobody claims it. group is nil for instances chosen by tags.
func operatorOf(group *astypes.AutoScalingGroup, instances map[string]ec2types.Instance) string {
	var keys []string
	if group != nil {
		if group.Operator != nil {
			return Deref(group.Operator.Principal)
		}
		keys = groupTagKeys(group)
	}
	for _, id := range slices.Sorted(maps.Keys(instances)) {
		if operator := instances[id].Operator; operator != nil && Deref(operator.Managed) {
			return Deref(operator.Principal)
		}
		keys = append(keys, TagKeys(instances[id].Tags)...)
	}
	return OperatedBy(keys)
}
