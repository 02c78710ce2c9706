package activities

import (
	"reflect"
	"runtime"
	"strings"
)

// NameOf is an activity's name, as Temporal shows it, of the method that workflows refer to it by.
func NameOf(activity any) string {
	name := runtime.FuncForPC(reflect.ValueOf(activity).Pointer()).Name()
	return strings.TrimSuffix(name[strings.LastIndex(name, ".")+1:], "-fm")
}
