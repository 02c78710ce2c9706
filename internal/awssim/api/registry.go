package api

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Operation is one registered operation, with its types hidden behind reflection so that the wire can decode into them.
type Operation struct {
	Service  string
	Name     string
	Input    reflect.Type // the SDK's input struct
	Output   reflect.Type // the SDK's output struct
	modelled map[string]bool
	call     func(Call, any) (any, error)
}

// Registry holds every operation that the simulator models.
type Registry struct {
	operations map[string]map[string]*Operation
}

// NewRegistry returns a registry without operations.
func NewRegistry() *Registry {
	return &Registry{operations: map[string]map[string]*Operation{}}
}

// Handle registers f for an operation. Service is the SigV4 scope name; modelled names the input's top-level fields
// that f obeys. A request that sets any other field is refused with NotModelled before f runs. Registering a name
// twice, or a modelled field that the input lacks, is a programming error and panics.
func Handle[In, Out any](r *Registry, service, operation string, modelled []string, f func(Call, *In) (*Out, error)) {
	if _, exists := r.operations[service][operation]; exists {
		panic(fmt.Sprintf("api: %s:%s is registered twice", service, operation))
	}
	input := reflect.TypeFor[In]()
	fields := make(map[string]bool, len(modelled))
	for _, name := range modelled {
		if _, ok := input.FieldByName(name); !ok {
			panic(fmt.Sprintf("api: %s:%s models field %s, which %s lacks", service, operation, name, input))
		}
		fields[name] = true
	}
	if r.operations[service] == nil {
		r.operations[service] = map[string]*Operation{}
	}
	r.operations[service][operation] = &Operation{
		Service: service, Name: operation, Input: input, Output: reflect.TypeFor[Out](), modelled: fields,
		call: func(c Call, in any) (any, error) {
			out, err := f(c, in.(*In))
			if err != nil {
				return nil, err
			}
			if out == nil {
				out = new(Out)
			}
			return out, nil
		},
	}
}

// NewInput returns a pointer to a zero input.
func (o *Operation) NewInput() any { return reflect.New(o.Input).Interface() }

// Lookup finds an operation; the error is a NotModelled that names it.
func (r *Registry) Lookup(service, operation string) (*Operation, error) {
	if found := r.operations[service][operation]; found != nil {
		return found, nil
	}
	return nil, NotModelled("operation %s:%s", service, operation)
}

// Operations lists what is registered as "service:operation", sorted.
func (r *Registry) Operations() []string {
	var all []string
	for service, operations := range r.operations {
		for name := range operations {
			all = append(all, service+":"+name)
		}
	}
	slices.Sort(all)
	return all
}

// Call refuses inputs that set what is not modelled, then runs the handler. Input is a pointer to the operation's Input
// type; the answer is a pointer to its Output type.
func (o *Operation) Call(c Call, input any) (any, error) {
	if unknown := o.unmodelled(input); len(unknown) > 0 {
		return nil, NotModelled("parameter %s of %s:%s", strings.Join(unknown, ", "), o.Service, o.Name)
	}
	return o.call(c, input)
}

func (o *Operation) unmodelled(input any) []string {
	var unknown []string
	value := reflect.ValueOf(input).Elem()
	for i := range value.NumField() {
		field := value.Type().Field(i)
		if field.IsExported() && !o.modelled[field.Name] && !value.Field(i).IsZero() {
			unknown = append(unknown, field.Name)
		}
	}
	return unknown
}

// IsRead reports whether an operation's name promises that it changes nothing, by AWS's habit of naming.
func IsRead(operation string) bool {
	for _, prefix := range []string{"Describe", "Get", "List", "Head", "Simulate", "Lookup"} {
		if strings.HasPrefix(operation, prefix) {
			return true
		}
	}
	return false
}
