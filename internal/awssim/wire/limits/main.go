// Command limits writes ../limits.txt: what AWS's descriptions of its APIs ask of the members of requests, for the
// operations that the simulator models. A line is "service type.member rule value"; [] after a member means its
// elements, {} the keys of a map and {}= its values. Patterns are rewritten for Go's engine, and one that cannot be is
// an error. Run `go generate ./internal/awssim/wire` after a change of the operations.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
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
	found, err := lines()
	if err == nil {
		err = os.WriteFile("limits.txt", []byte(found), 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "limits:", err)
		os.Exit(1)
	}
}

// lines is the text of limits.txt.
func lines() (string, error) {
	models, err := shapes.Default()
	if err != nil {
		return "", err
	}
	registry := api.NewRegistry()
	services.Register(registry, &world.World{Scenario: &world.Scenario{}})
	all := map[string]bool{}
	for _, name := range registry.Operations() {
		service, operation, _ := strings.Cut(name, ":")
		if !wire.Limited(service) {
			continue
		}
		text, err := models.Description(shapes.ServiceIDs[service])
		if err != nil {
			return "", err
		}
		var found description
		if err := json.Unmarshal(text, &found); err != nil {
			return "", fmt.Errorf("API description of %s: %w", service, err)
		}
		known, err := registry.Lookup(service, operation)
		if err != nil {
			return "", err
		}
		w := walk{description: found, service: service, lines: all, seen: map[reflect.Type]bool{}}
		w.structure(known.Input, found.Shapes[found.Operations[operation].Input.Shape])
		if w.err != nil {
			return "", fmt.Errorf("%s: %w", name, w.err)
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(all)), ""), nil
}

var (
	// escape is how the descriptions, which are written for Java, name a character.
	escape = regexp.MustCompile(`\\u([0-9A-Fa-f]{4})`)
	// rewritten are the parts of patterns that Go's engine says in another way: pairs of surrogates, and looking ahead.
	rewritten = strings.NewReplacer(
		`\uD800\uDC00-\uDBFF\uDFFF`, `\x{10000}-\x{10FFFF}`,
		`^(?!\s*$).+`, `.*\S.*`,
	)
)

// pattern returns a description's pattern as Go's engine takes it.
func pattern(text string) (string, error) {
	text = escape.ReplaceAllString(rewritten.Replace(text), `\x{$1}`)
	_, err := regexp.Compile(text)
	return text, err
}

type walk struct {
	description
	service string
	lines   map[string]bool
	seen    map[reflect.Type]bool
	err     error
}

func (w *walk) add(at, rule string, value any) {
	w.lines[fmt.Sprintf("%s %s %s %v\n", w.service, at, rule, value)] = true
}

func (w *walk) structure(t reflect.Type, s shape) {
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

func (w *walk) member(at string, t reflect.Type, s shape) {
	if s.Min != nil {
		w.add(at, "min", *s.Min)
	}
	if s.Max != nil {
		w.add(at, "max", *s.Max)
	}
	if s.Pattern != "" {
		text, err := pattern(s.Pattern)
		w.err = errors.Join(w.err, err)
		w.add(at, "pattern", text)
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
