// Package ec2rule holds the regular part of the EC2 query protocol's naming, so that the table of exceptions stays
// small.
package ec2rule

import (
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Request is the usual name of a request parameter: the field's, in the singular for a list.
func Request(field string, t reflect.Type) string {
	if isList(t) {
		return singular(field)
	}
	return field
}

// Reply is the usual name of a reply's element: lower camel case, and "Set" after the singular for a list.
func Reply(field string, t reflect.Type) string {
	if isList(t) {
		return lowerFirst(singular(field)) + "Set"
	}
	return lowerFirst(field)
}

func isList(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8
}

func singular(name string) string {
	if strings.HasSuffix(name, "ies") {
		return strings.TrimSuffix(name, "ies") + "y"
	}
	return strings.TrimSuffix(name, "s")
}

func lowerFirst(name string) string {
	first, size := utf8.DecodeRuneInString(name)
	return string(unicode.ToLower(first)) + name[size:]
}
