// Command limits writes ../limits.txt: what AWS's descriptions of its APIs ask of the members of requests, for the
// operations that the simulator models. A line is "service type.member rule value"; [] after a member means its
// elements, {} the keys of a map and {}= its values. Run `go generate ./internal/awssim/wire` after a change of the
// operations.
package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/contract/shapes"
	"github.com/patchtide/patchtide/internal/awssim/services"
	"github.com/patchtide/patchtide/internal/awssim/wire"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

type description struct {
	Operations map[string]struct {
		Input struct{ Shape string }
	}
	Shapes map[string]shape
}

type shape struct {
	Type               string
	Members            map[string]ref
	Required           []string
	Member, Key, Value ref
	Pattern            string
	Min, Max           *float64
}

type ref struct{ Shape string }

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "limits:", err)
		os.Exit(1)
	}
}

func run() error {
	models, err := shapes.Default()
	if err != nil {
		return err
	}
	registry := api.NewRegistry()
	services.Register(registry, &world.World{})
	lines := map[string]bool{}
	for _, name := range registry.Operations() {
		service, operation, _ := strings.Cut(name, ":")
		if !wire.Limited(service) {
			continue
		}
		text, err := models.Description(shapes.ServiceIDs[service])
		if err != nil {
			return err
		}
		var found description
		if err := json.Unmarshal(text, &found); err != nil {
			return fmt.Errorf("API description of %s: %w", service, err)
		}
		known, err := registry.Lookup(service, operation)
		if err != nil {
			return err
		}
		w := walk{description: found, service: service, lines: lines, seen: map[reflect.Type]bool{}}
		w.structure(known.Input, found.Shapes[found.Operations[operation].Input.Shape])
	}
	return os.WriteFile("limits.txt", []byte(strings.Join(slices.Sorted(maps.Keys(lines)), "")), 0o644)
}

type walk struct {
	description
	service string
	lines   map[string]bool
	seen    map[reflect.Type]bool
}

func (w walk) add(at, rule string, value any) {
	w.lines[fmt.Sprintf("%s %s %s %v\n", w.service, at, rule, value)] = true
}

func (w walk) structure(t reflect.Type, s shape) {
	if w.seen[t] {
		return
	}
	w.seen[t] = true
	for _, name := range slices.Sorted(maps.Keys(s.Members)) {
		field, ok := t.FieldByName(name)
		if !ok {
			continue
		}
		at := t.Name() + "." + name
		if slices.Contains(s.Required, name) {
			w.add(at, "required", "yes")
		}
		w.member(at, field.Type, w.Shapes[s.Members[name].Shape])
	}
}

func (w walk) member(at string, t reflect.Type, s shape) {
	if s.Min != nil {
		w.add(at, "min", *s.Min)
	}
	if s.Max != nil {
		w.add(at, "max", *s.Max)
	}
	if s.Pattern != "" {
		w.add(at, "pattern", s.Pattern)
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch s.Type {
	case "structure":
		w.structure(t, s)
	case "list":
		w.member(at+"[]", t.Elem(), w.Shapes[s.Member.Shape])
	case "map":
		w.member(at+"{}", t.Key(), w.Shapes[s.Key.Shape])
		w.member(at+"{}=", t.Elem(), w.Shapes[s.Value.Shape])
	}
}
