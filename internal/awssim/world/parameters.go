package world

import (
	"maps"
	"slices"
	"time"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// Parameter is one entry of Parameter Store.
type Parameter struct {
	Name     string
	Type     string // String, StringList or SecureString
	Value    string
	Version  int64
	Modified time.Time
	Tags     Tags
}

type parameterStore struct {
	all shelf[*Parameter]
}

func (r *Region) buildParameters(spec RegionSpec) {
	for _, name := range slices.Sorted(maps.Keys(spec.Parameters)) {
		r.store.all.put(name, &Parameter{
			Name: name, Type: "String", Value: spec.Parameters[name], Version: 1, Modified: r.World.start, Tags: Tags{},
		})
	}
}

// Parameter returns the parameter with that name; the error is ParameterNotFound.
func (r *Region) Parameter(name string) (*Parameter, error) {
	parameter, ok := r.store.all.get(name)
	if !ok {
		return nil, api.Errorf("ParameterNotFound", "Parameter %s not found.", name)
	}
	return parameter, nil
}

// PutParameter writes a parameter; one that exists is replaced only with overwrite.
func (r *Region) PutParameter(name, kind, value string, overwrite bool, tags Tags) (*Parameter, error) {
	old, exists := r.store.all.get(name)
	switch {
	case exists && !overwrite:
		return nil, api.Errorf(
			"ParameterAlreadyExists",
			"The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
		)
	case exists:
		old.Value, old.Modified = value, r.World.now
		old.Version++
		return old, nil
	case kind == "":
		return nil, api.Errorf("ValidationException", "A parameter type is required when you create a parameter.")
	}
	parameter := &Parameter{Name: name, Type: kind, Value: value, Version: 1, Modified: r.World.now, Tags: tags.Clone()}
	r.store.all.put(name, parameter)
	return parameter, nil
}
