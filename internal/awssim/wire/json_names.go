package wire

import (
	"reflect"
	"slices"
	"strings"
)

// jsonName is a member's name in AWS JSON. Only CodeDeploy and Systems Manager's older filters spell members in lower
// case: their types have "key", where others have "Key".
func jsonName(t reflect.Type, field reflect.StructField) string {
	older := []string{
		"AssociationFilter", "CommandFilter", "DocumentFilter", "InstanceInformationFilter", "InstancePropertyFilter",
		"SessionFilter",
	}
	if lowerCase(t) || strings.HasSuffix(t.PkgPath(), "/service/ssm/types") && slices.Contains(older, t.Name()) {
		return strings.ToLower(field.Name[:1]) + field.Name[1:]
	}
	return field.Name
}

// replyName is jsonName for replies.
func replyName(t reflect.Type, field reflect.StructField) string {
	if lowerCase(t) {
		return strings.ToLower(field.Name[:1]) + field.Name[1:]
	}
	return field.Name
}

func lowerCase(t reflect.Type) bool { return strings.Contains(t.PkgPath(), "/service/codedeploy") }
