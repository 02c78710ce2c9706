package config

import (
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/strictyaml"
)

// Every key that may stand in the file is in a table of the reference.
func TestTheReferenceHasEveryKey(t *testing.T) {
	var told []reflect.Type
	for _, part := range parts() {
		told = append(told, part.of)
	}
	seen := map[reflect.Type]bool{}
	var walk func(of reflect.Type)
	walk = func(of reflect.Type) {
		for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
			of = of.Elem()
		}
		if of.Kind() != reflect.Struct || of.PkgPath() != reflect.TypeFor[Plan]().PkgPath() || seen[of] {
			return
		}
		seen[of] = true
		fields := strictyaml.Fields(of)
		if len(fields) > 0 {
			if !slices.Contains(told, of) {
				t.Errorf("%s is in no table", of)
			}
		}
		for _, field := range fields {
			walk(field.Type)
		}
	}
	for _, field := range strictyaml.Fields(reflect.TypeFor[Plan]()) {
		walk(field.Type)
	}
	walk(reflect.TypeFor[Account]())
	require.NotEmpty(t, seen)
}
