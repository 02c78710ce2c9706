package awssim

import (
	"reflect"
	"strings"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// forget takes out of a list's answer what an eventually consistent list may not know yet, or not any more: all of it,
// or the last of what it lists. A call that lists nothing cannot: asking for it is a mistake in a test, and is told so.
func forget(kind string, output any) error {
	v := reflect.ValueOf(output).Elem()
	lists := 0
	for i := range v.NumField() {
		field, name := v.Field(i), v.Type().Field(i).Name
		if strings.HasPrefix(name, "NextToken") || strings.HasPrefix(name, "NextMarker") {
			field.SetZero() // what is not listed has no other page
			continue
		}
		if field.Kind() != reflect.Slice || field.Type().Elem().Kind() == reflect.Uint8 {
			continue
		}
		lists++
		if kind == FaultEmpty {
			field.SetZero()
			continue
		}
		dropLast(field)
	}
	if lists == 0 {
		return api.NotModelled("fault %s for a call that lists nothing", kind)
	}
	return nil
}

// dropLast drops the last instance of each group or reservation in a list; of any other list its last entry.
func dropLast(list reflect.Value) {
	dropped := false
	for i := range list.Len() {
		if list.Index(i).Kind() != reflect.Struct {
			break
		}
		inner := list.Index(i).FieldByName("Instances")
		if inner.IsValid() && inner.Kind() == reflect.Slice && inner.Len() > 0 {
			inner.Set(inner.Slice(0, inner.Len()-1))
			dropped = true
		}
	}
	if !dropped && list.Len() > 0 {
		list.Set(list.Slice(0, list.Len()-1))
	}
}
