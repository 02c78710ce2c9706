package wire

import (
	"reflect"
	"slices"
	"strings"
)

// jsonName is a member's name in AWS JSON. Systems Manager's older filters are the only inputs whose model spells members in
// lower case: their type has "key", where others have "Key".
func jsonName(t reflect.Type, field reflect.StructField) string {
	older := []string{
		"AssociationFilter", "CommandFilter", "DocumentFilter", "InstanceInformationFilter", "InstancePropertyFilter", "SessionFilter",
	}
	if strings.HasSuffix(t.PkgPath(), "/service/ssm/types") && slices.Contains(older, t.Name()) {
		return strings.ToLower(field.Name[:1]) + field.Name[1:]
	}
	return field.Name
}
