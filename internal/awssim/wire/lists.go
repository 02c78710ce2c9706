package wire

import "reflect"

var leftOut = map[string]bool{
	"GetDocumentOutput.Requires": true, "TerminateInstanceInAutoScalingGroupOutput.Activities": true,
}

// fillLists gives a reply an empty list where its operation answers with a list and there is nothing to list. AWS
// always spells them, as [] in JSON and as an empty element in XML: clients in languages that see what was sent (boto3,
// the CLI and jq) read the key without asking whether it is there. Lists further inside are left as they are: of an
// untagged instance AWS leaves the tags out. SQS is the exception that its callers know: a receive without messages has
// no Messages.
//
// Two members of other services are left out as well: a document without Requires needs none, and Activities stand
// only where several instances are terminated at once.
func fillLists(output any) {
	v := reflect.ValueOf(output).Elem()
	for _, field := range members(v.Type()) {
		member := v.FieldByIndex(field.Index)
		if leftOut[v.Type().Name()+"."+field.Name] {
			continue
		}
		if member.Kind() == reflect.Slice && member.IsNil() && field.Type.Elem().Kind() != reflect.Uint8 {
			member.Set(reflect.MakeSlice(field.Type, 0, 0))
		}
	}
}
