package activities

import (
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// deref reads a value of the SDK, whose fields are pointers; what AWS left out is the zero value.
func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

func ptr[T any](value T) *T { return &value }

func filter(name string, values ...string) ec2types.Filter {
	return ec2types.Filter{Name: ptr(name), Values: values}
}

func stateOf(instance ec2types.Instance) string {
	if instance.State == nil {
		return ""
	}
	return string(instance.State.Name)
}

func tagOf(tags []ec2types.Tag, key string) string {
	for _, tag := range tags {
		if deref(tag.Key) == key {
			return deref(tag.Value)
		}
	}
	return ""
}

func ec2TagKeys(tags []ec2types.Tag) []string {
	keys := make([]string, len(tags))
	for i, tag := range tags {
		keys[i] = deref(tag.Key)
	}
	return keys
}
