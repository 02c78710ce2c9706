package workflows_test

import (
	"fmt"
	"maps"
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

// own are the packages whose types may stand in histories, with those below them: plain data that we alone change.
var own = []string{
	module + "internal/patch", module + "internal/journal", module + "internal/aws", module + "internal/once",
	module + "baselines",
	module + "activities",
	module + "workflows",
}

// isOwn reports whether a package is one of ours whose types may stand in histories.
func isOwn(path string) bool {
	return slices.ContainsFunc(own, func(ours string) bool { return path == ours || strings.HasPrefix(path, ours+"/") })
}

// hosts are what a worker registers activities of: each exported method is one.
var hosts = []reflect.Type{reflect.TypeFor[*activities.AWS](), reflect.TypeFor[*activities.Control]()}

// messages stand in histories as well, and are neither registered nor activities: updates, signals and the journal's
// records.
var messages = map[string]reflect.Type{
	"update verb": reflect.TypeFor[func(workflows.VerbRequest) workflows.VerbAccepted](),
	"order":       reflect.TypeFor[func(workflows.GroupOrder)](),
	"record":      reflect.TypeFor[func(journal.Record)](),
}

// registered is the signature of each workflow that Register registers, by its name.
type registered map[string]reflect.Type

// RegisterWorkflow has no name that would survive a renamed function.
func (r registered) RegisterWorkflow(w any) { panic(fmt.Sprintf("%T is registered without a name", w)) }

// RegisterWorkflowWithOptions notes a workflow.
func (r registered) RegisterWorkflowWithOptions(w any, options workflow.RegisterOptions) {
	r[options.Name] = reflect.TypeOf(w)
}

// RegisterDynamicWorkflow would take what nobody knows.
func (r registered) RegisterDynamicWorkflow(w any, _ workflow.DynamicRegisterOptions) {
	panic(fmt.Sprintf("%T takes any input", w))
}

// Types of other modules in a signature would put their shape into histories: a new version of theirs could break a
// replay of ours.
func TestSignaturesHoldOnlyOurOwnTypes(t *testing.T) {
	signatures := maps.Clone(messages)
	known := registered{}
	workflows.Register(known)
	require.NotEmpty(t, known, "Register registers workflows")
	maps.Copy(signatures, known)
	for _, host := range hosts {
		require.NotZero(t, host.NumMethod(), "%s has activities", host)
		for i := range host.NumMethod() {
			signatures[host.Elem().Name()+"."+host.Method(i).Name] = host.Method(i).Type
		}
	}
	for name, signature := range signatures {
		t.Run(name, func(t *testing.T) {
			seen := map[reflect.Type]bool{}
			for i := range signature.NumIn() {
				in := signature.In(i)
				if i == 0 && slices.Contains(hosts, in) {
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
	if from := t.PkgPath(); from != "" && !isOwn(from) {
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

// standard reports whether a package is of the standard library: its import paths have no dot in their first part.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}
