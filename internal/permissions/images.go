package permissions

import (
	"reflect"
	"slices"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/names"
)

// RunService is to whom the role of an instance profile is passed, where a trial of an image is launched.
const RunService = "ec2.amazonaws.com"

// ofOurs is a tag that each image of ours has from its creation on, and each snapshot of one: nothing else is shared.
const ofOurs = "aws:ResourceTag/" + names.TagImage

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

// CopyAction is what an account needs that gets copies of images.
const CopyAction = "ec2:CopyImage"

// ShareActions are those that an account needs of whose images another account gets copies, sorted.
func ShareActions() []string {
	return []string{"ec2:ModifyImageAttribute", "ec2:ModifySnapshotAttribute"}
}
