package strictyaml

import (
	"reflect"
	"regexp"
	"strings"
)

// Field is what a struct's tags say about one key.
type Field struct {
	Key      string
	Doc      string
	Example  string // a right value as it is written in YAML
	Default  string // as it is written in YAML; empty: none
	Computed string // a default that depends on something else, in words
	Required bool
	Enum     []string
	Min, Max string // of numbers and durations; empty: no bound
	Pattern  string // a regular expression that the whole text must match; empty: any text
	Type     reflect.Type

	index []int
}

// Fields lists the keys of struct type t in the order of the source; embedded structs tagged ",inline" are part of it.
func Fields(t reflect.Type) []Field {
	var all []Field
	for i := range t.NumField() {
		f := t.Field(i)
		tag, ok := f.Tag.Lookup("yaml")
		if !ok || tag == "-" {
			continue
		}
		if tag == ",inline" {
			for _, inner := range Fields(f.Type) {
				inner.index = append([]int{i}, inner.index...)
				all = append(all, inner)
			}
			continue
		}
		field := Field{
			Key: tag, Type: f.Type, index: []int{i},
			Doc: f.Tag.Get("doc"), Example: f.Tag.Get("example"), Default: f.Tag.Get("default"), Computed: f.Tag.Get("computed"),
			Required: f.Tag.Get("required") == "true", Min: f.Tag.Get("min"), Max: f.Tag.Get("max"),
			Pattern: f.Tag.Get("pattern"),
		}
		if enum := f.Tag.Get("enum"); enum != "" {
			field.Enum = strings.Split(enum, ",")
		}
		all = append(all, field)
	}
	return all
}

// Indirect returns the type a pointer points to, or t itself.
func Indirect(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

// like shows how the key is written rightly.
func (f Field) like() string {
	switch {
	case f.Key == "": // the file itself
		return "write it as lines of key: value"
	case f.Example != "":
		return "write it like " + f.Key + ": " + f.Example
	case len(f.Enum) > 0:
		return "write one of " + strings.Join(f.Enum, ", ")
	}
	return "see the reference for " + f.Key
}

// nearest returns the known key that key is probably a misspelling of, "" when none is close.
func nearest(key string, fields []Field) Field {
	var best Field
	distance := 3 // more than two edits away is another word
	for _, f := range fields {
		if d := edits(strings.ToLower(key), f.Key); d < distance && d < len(f.Key) {
			best, distance = f, d
		}
	}
	return best
}

// edits is the Levenshtein distance between a and b.
func edits(a, b string) int {
	if len(a) > 64 {
		return len(a)
	}
	previous := make([]int, len(b)+1)
	for j := range previous {
		previous[j] = j
	}
	for i := range len(a) {
		current := make([]int, len(b)+1)
		current[0] = i + 1
		for j := range len(b) {
			substitute := previous[j]
			if a[i] != b[j] {
				substitute++
			}
			current[j+1] = min(substitute, previous[j+1]+1, current[j]+1)
		}
		previous = current
	}
	return previous[len(b)]
}

// Matches reports whether text has the form that the field asks for.
func (f Field) Matches(text string) bool {
	return f.Pattern == "" || regexp.MustCompile(f.Pattern).MatchString(text)
}
