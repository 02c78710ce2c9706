package activities_test

import (
	"reflect"
	"testing"

	"go.temporal.io/sdk/testsuite"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/patch"
)

// Every activity gives errors of AWS the form in which Temporal keeps their type: without it a workflow would retry
// what is final.
func TestEveryActivityTypesItsErrors(t *testing.T) {
	methods := reflect.TypeFor[*activities.AWS]()
	for i := range methods.NumMethod() {
		method := methods.Method(i)
		if method.Name == "CallHook" { // it asks a webhook, and AWS for nothing
			continue
		}
		t.Run(method.Name, func(t *testing.T) {
			f := newFleet(t)
			f.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
				if call.Operation == "GetCallerIdentity" || call.Operation == "AssumeRole" {
					return awssim.Fault{}
				}
				return awssim.Fault{Kind: awssim.FaultError, Code: "AccessDenied", Status: 403}
			})
			in := reflect.New(method.Type.In(2)).Elem()
			fill(in)
			var suite testsuite.WorkflowTestSuite
			env := suite.NewTestActivityEnvironment()
			env.RegisterActivity(f.aws)
			_, err := env.ExecuteActivity(method.Name, in.Interface())
			requireType(t, err, activities.ErrAccessDenied)
		})
	}
}

// fill makes an input that no activity refuses to begin with.
func fill(value reflect.Value) {
	switch value.Type() {
	case reflect.TypeFor[patch.HealthCheck]():
		value.Set(reflect.ValueOf(patch.HealthCheck{Alarm: "x"})) // a check is of one kind
		return
	case reflect.TypeFor[patch.Group]():
		value.Set(reflect.ValueOf(production))
		return
	case reflect.TypeFor[patch.Place]():
		value.Set(reflect.ValueOf(patch.Place{Account: production.Account, Region: production.Region}))
		return
	}
	switch value.Kind() {
	case reflect.String:
		value.SetString("x")
	case reflect.Slice:
		value.Set(reflect.MakeSlice(value.Type(), 1, 1))
		fill(value.Index(0))
	case reflect.Struct:
		for i := range value.NumField() {
			if field := value.Type().Field(i); field.Name == "Baseline" {
				value.Field(i).SetString("amazon-linux-2023")
			} else if field.IsExported() {
				fill(value.Field(i))
			}
		}
	}
}
