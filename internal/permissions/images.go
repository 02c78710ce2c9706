package permissions

import (
	"reflect"
	"slices"

	"github.com/patchtide/patchtide/internal/aws"
)

// RunService is to whom the role of an instance profile is passed, where a trial of an image is launched.
const RunService = "ec2.amazonaws.com"

// ImageActions are those that renewing images needs beside Actions, sorted: read from the interfaces as those are.
func ImageActions() []string {
	var actions []string
	for prefix, api := range map[string]reflect.Type{
		"ec2": reflect.TypeFor[aws.ImageAPI](), "ssm": reflect.TypeFor[aws.ParameterAPI](),
	} {
		for n := range api.NumMethod() {
			actions = append(actions, prefix+":"+api.Method(n).Name)
		}
	}
	slices.Sort(actions)
	return actions
}
