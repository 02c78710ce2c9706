package aws

import (
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go/middleware"
)

// TimeOf is when AWS answered, by AWS's own clock: the only one its times may be compared with.
func TimeOf(metadata middleware.Metadata, where string) (time.Time, error) {
	at, ok := awsmiddleware.GetServerTime(metadata)
	if !ok || at.IsZero() {
		return at, MayPass(
			"%s: AWS's answer carries no Date, so nothing can be dated by AWS's clock; look for a proxy that removes the header",
			where,
		)
	}
	return at.UTC(), nil
}

// Deref reads a value of the SDK, whose fields are pointers; what AWS left out is the zero value.
func Deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// Ptr is a value as the SDK's inputs take it.
func Ptr[T any](value T) *T { return &value }

// Filter is a filter of EC2's lists: any of the values lets through.
func Filter(name string, values ...string) ec2types.Filter {
	return ec2types.Filter{Name: Ptr(name), Values: values}
}

// StateOf is EC2's word for an instance's state; "" when it says none.
func StateOf(instance ec2types.Instance) string {
	if instance.State == nil {
		return ""
	}
	return string(instance.State.Name)
}

// TagOf is the value of a tag; "" when there is none.
func TagOf(tags []ec2types.Tag, key string) string {
	for _, tag := range tags {
		if Deref(tag.Key) == key {
			return Deref(tag.Value)
		}
	}
	return ""
}

// TagKeys are the keys of tags, in their order.
func TagKeys(tags []ec2types.Tag) []string {
	keys := make([]string, len(tags))
	for i, tag := range tags {
		keys[i] = Deref(tag.Key)
	}
	return keys
}
