package workflows_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/workflows"
)

const module = "github.com/patchtide/patchtide/"

// own are the packages whose types may stand in histories: plain data that we alone change.
var own = []string{module + "internal/patch", module + "baselines", module + "activities", module + "workflows"}

// Types of other modules in a signature would put their shape into histories: a new version of theirs could break a replay
// of ours.
func TestSignaturesHoldOnlyOurOwnTypes(t *testing.T) {
	signatures := map[string]reflect.Type{
		"PatchWave": reflect.TypeOf(workflows.PatchWave), "PatchGroup": reflect.TypeOf(workflows.PatchGroup),
		"PatchInstance": reflect.TypeOf(workflows.PatchInstance), "ScanFleet": reflect.TypeOf(workflows.ScanFleet),
		"Reconcile":    reflect.TypeOf(workflows.Reconcile),
		"RollBackWave": reflect.TypeOf(workflows.RollBackWave), "Notify": reflect.TypeOf(workflows.Notify),
		"update verb": reflect.TypeOf(func(workflows.VerbRequest) workflows.VerbAccepted { return workflows.VerbAccepted{} }),
		"order":       reflect.TypeOf(func(workflows.GroupOrder) {}), "record": reflect.TypeOf(func(journal.Record) {}),
		"Quarantine": reflect.TypeOf(workflows.Quarantine),
	}
	for _, host := range []reflect.Type{reflect.TypeOf(&activities.AWS{}), reflect.TypeOf(&activities.Control{})} {
		for i := range host.NumMethod() {
			signatures[host.Elem().Name()+"."+host.Method(i).Name] = host.Method(i).Type
		}
	}
	require.Greater(t, len(signatures), 30, "the activities were not found")
	for name, signature := range signatures {
		t.Run(name, func(t *testing.T) {
			seen := map[reflect.Type]bool{}
			for i := range signature.NumIn() {
				in := signature.In(i)
				if i == 0 && (in == reflect.TypeOf(&activities.AWS{}) || in == reflect.TypeOf(&activities.Control{})) {
					continue // the receiver is no data
				}
				require.Empty(t, foreign(in, seen), "input %d, %s", i, in)
			}
			for i := range signature.NumOut() {
				require.Empty(t, foreign(signature.Out(i), seen), "output %d, %s", i, signature.Out(i))
			}
		})
	}
}

// foreign names what a type holds from elsewhere, by the way to it.
func foreign(t reflect.Type, seen map[reflect.Type]bool) []string {
	if seen[t] {
		return nil
	}
	seen[t] = true
	if from := t.PkgPath(); from != "" && !slices.Contains(own, from) {
		if t == reflect.TypeFor[workflow.Context]() || standard(from) {
			return nil
		}
		return []string{t.String()}
	}
	var found []string
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array:
		found = foreign(t.Elem(), seen)
	case reflect.Map:
		found = append(foreign(t.Key(), seen), foreign(t.Elem(), seen)...)
	case reflect.Struct:
		for i := range t.NumField() {
			for _, way := range foreign(t.Field(i).Type, seen) {
				found = append(found, t.Name()+"."+t.Field(i).Name+": "+way)
			}
		}
	case reflect.Interface:
		if t.Name() != "error" {
			found = append(found, t.String()+" is an interface: what it holds is not known")
		}
	case reflect.Func, reflect.Chan:
		found = append(found, t.String()+" is no data")
	}
	return found
}

// standard tells the standard library: its import paths have no dot in their first part.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}
