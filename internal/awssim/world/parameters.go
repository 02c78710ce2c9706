package world

import (
	"maps"
	"slices"
	"strconv"
	"strings"
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
	Selector string // ":2", of one that was asked for by its version

	past []Parameter // the versions before this one
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

// parameterVersions are kept of one parameter.
const parameterVersions = 100

// ParameterAt is a parameter as it was in a version.
func (r *Region) ParameterAt(name, version string) (*Parameter, error) {
	parameter, err := r.Parameter(name)
	if err != nil {
		return nil, err
	}
	for _, each := range append(slices.Clone(parameter.past), *parameter) {
		if strconv.FormatInt(each.Version, 10) == version {
			each.Selector = ":" + version
			return &each, nil
		}
	}
	return nil, api.Errorf("ParameterVersionNotFound", "Version %s of parameter %s is not found.", version, name)
}

// Parameters lists the region's parameters by name.
func (r *Region) Parameters() []*Parameter {
	all := slices.Clone(r.store.all.all())
	slices.SortFunc(all, func(a, b *Parameter) int { return strings.Compare(a.Name, b.Name) })
	return all
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
		if kind != "" && kind != old.Type {
			return nil, api.Errorf(
				"HierarchyTypeMismatchException", "Parameter %s is of type %s; a type is not changed.", name, old.Type,
			)
		}
		old.past = append(old.past, Parameter{
			Name: old.Name, Type: old.Type, Value: old.Value, Version: old.Version, Modified: old.Modified, Tags: old.Tags,
		})
		if len(old.past) >= parameterVersions {
			old.past = slices.Delete(old.past, 0, 1)
		}
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
