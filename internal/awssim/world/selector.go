package world

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// selector is the part of JSONPath that runbooks use on replies: $.a.b, $..a, [0], [-1], [*] and ['a'].
type selector []selectorStep

type selectorStep struct {
	deep  bool   // any depth below
	every bool   // every element
	name  string // a member; "" when index counts
	index int
}

var selectorToken = regexp.MustCompile(`^(?:(\.\.?)([A-Za-z0-9_:-]+)|\[(\*)\]|\[(-?\d+)\]|\[['"]([^'"]+)['"]\])`)

// parseSelector reads a selector; other JSONPath (filters, slices, unions) is an error.
func parseSelector(text string) (selector, error) {
	rest, ok := strings.CutPrefix(text, "$")
	if !ok {
		return nil, fmt.Errorf("selector %q does not begin with $", text)
	}
	var path selector
	for rest != "" {
		match := selectorToken.FindStringSubmatch(rest)
		if match == nil {
			return nil, fmt.Errorf(
				"selector %q: %q is not modelled; modelled are .name, ..name, [0], [*] and ['name']", text, rest,
			)
		}
		step := selectorStep{deep: match[1] == "..", name: match[2], every: match[3] != ""}
		if match[5] != "" {
			step.name = match[5]
		}
		if match[4] != "" {
			n, err := strconv.Atoi(match[4])
			if err != nil {
				return nil, fmt.Errorf("selector %q: %w", text, err)
			}
			step.index = n
		}
		path = append(path, step)
		rest = rest[len(match[0]):]
	}
	return path, nil
}

// pick lists what the selector finds, in document order, members sorted by name where any may match.
func (s selector) pick(tree any) []any {
	found := []any{tree}
	for _, step := range s {
		var next []any
		for _, node := range found {
			next = append(next, step.of(node)...)
		}
		found = next
	}
	return found
}

func (s selectorStep) of(node any) []any {
	switch {
	case s.deep:
		return s.below(node)
	case s.name != "":
		if value, ok := member(node, s.name); ok {
			return []any{value}
		}
		return nil
	}
	list, _ := node.([]any)
	if s.every {
		return list
	}
	n := s.index
	if n < 0 {
		n += len(list)
	}
	if n < 0 || n >= len(list) {
		return nil
	}
	return []any{list[n]}
}

func (s selectorStep) below(node any) []any {
	var found []any
	if value, ok := member(node, s.name); ok {
		found = append(found, value)
	}
	switch v := node.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			found = append(found, s.below(v[key])...)
		}
	case []any:
		for _, item := range v {
			found = append(found, s.below(item)...)
		}
	}
	return found
}

func member(node any, name string) (any, bool) {
	members, _ := node.(map[string]any)
	value, ok := members[name]
	return value, ok
}
