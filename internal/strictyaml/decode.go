package strictyaml

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// Decode fills the struct that into points to, records every mistake, and gives absent keys their defaults.
func (d *Document) Decode(into any) {
	target := reflect.ValueOf(into).Elem()
	if d.root == nil {
		d.defaults("", target)
		return
	}
	d.value("", Field{}, d.root, target)
}

func (d *Document) value(path string, f Field, node ast.Node, target reflect.Value) {
	switch n := node.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		d.Problem(path, "anchors, aliases and merge keys are not supported; write the values out")
		return
	case *ast.TagNode:
		d.Problem(path, "YAML tags such as %s are not supported; %s", n.Start.Value, f.like())
		return
	case *ast.NullNode:
		d.Problem(path, "has no value; %s, or remove the key", f.like())
		return
	}
	if target.Kind() == reflect.Pointer {
		target.Set(reflect.New(target.Type().Elem()))
		target = target.Elem()
	}
	if _, ok := target.Addr().Interface().(encoding.TextUnmarshaler); ok {
		d.text(path, f, node, target)
		return
	}
	switch target.Kind() {
	case reflect.Struct:
		if short, ok := target.Interface().(Short); ok && isScalar(node) {
			d.short(path, f, node, target, short.Short())
			return
		}
		d.mapping(path, f, node, target)
	case reflect.Slice:
		d.sequence(path, f, node, target)
	case reflect.Map:
		d.stringMap(path, f, node, target)
	default:
		d.scalar(path, f, node, target)
	}
}

func (d *Document) mapping(path string, f Field, node ast.Node, target reflect.Value) {
	mapping, ok := node.(*ast.MappingNode)
	if !ok {
		d.Problem(path, "is %s, not a set of keys; %s", kind(node), f.like())
		d.defaults(path, target)
		return
	}
	fields := Fields(target.Type())
	known := make(map[string]Field, len(fields))
	for _, field := range fields {
		known[field.Key] = field
	}
	seen := map[string]bool{}
	for _, entry := range mapping.Values {
		key := keyText(entry)
		inner := join(path, key)
		if seen[key] {
			d.at(line(entry.Key), inner, "is given twice; keep one")
			continue
		}
		seen[key] = true
		d.place(inner, line(entry.Key))
		if field, ok := known[key]; ok {
			d.value(inner, field, entry.Value, target.FieldByIndex(field.index))
			continue
		}
		message, meant := d.unknown(key, fields)
		d.at(line(entry.Key), inner, "%s", message)
		if field, ok := known[meant]; ok && field.Required {
			seen[meant] = true // that it is missing, too, would say the same mistake twice
		}
	}
	for _, field := range fields {
		if !seen[field.Key] {
			d.absent(path, field, target.FieldByIndex(field.index))
		}
	}
}

// Short is a set of keys that may be written as the value of one of them alone; the others have their defaults then.
type Short interface{ Short() (key string) }

// short decodes a set of keys that is written as the value of one.
func (d *Document) short(path string, f Field, node ast.Node, target reflect.Value, key string) {
	for _, field := range Fields(target.Type()) {
		if field.Key != key {
			d.absent(path, field, target.FieldByIndex(field.index))
			continue
		}
		field.Key, field.Example = f.Key, f.Example
		d.value(path, field, node, target.FieldByIndex(field.index))
	}
}

// isScalar reports whether a value is neither a list nor a set of keys.
func isScalar(node ast.Node) bool {
	_, is := node.(ast.ScalarNode)
	return is
}

// unknown says what to do about a key that no field has, and which key was probably meant.
func (d *Document) unknown(key string, fields []Field) (message, meant string) {
	if key == "<<" {
		return "anchors, aliases and merge keys are not supported; write the values out", ""
	}
	if d.UnknownKey != nil {
		if message := d.UnknownKey(key); message != "" {
			return message, ""
		}
	}
	if likely := nearest(key, fields); likely.Key != "" {
		return fmt.Sprintf("unknown key; did you mean %s? %s", likely.Key, likely.like()), likely.Key
	}
	names := make([]string, len(fields))
	for i, field := range fields {
		names[i] = field.Key
	}
	return "unknown key; known here: " + strings.Join(names, ", "), ""
}

func (d *Document) sequence(path string, f Field, node ast.Node, target reflect.Value) {
	list, ok := node.(*ast.SequenceNode)
	if !ok {
		d.Problem(path, "is %s, not a list; %s", kind(node), f.like())
		return
	}
	target.Set(reflect.MakeSlice(target.Type(), len(list.Values), len(list.Values)))
	for i, entry := range list.Values {
		inner := fmt.Sprintf("%s[%d]", path, i)
		d.place(inner, line(entry))
		d.value(inner, f, entry, target.Index(i))
	}
}

// stringMap decodes a map whose keys are the reader's own words, kept in their case.
func (d *Document) stringMap(path string, f Field, node ast.Node, target reflect.Value) {
	mapping, ok := node.(*ast.MappingNode)
	if !ok {
		d.Problem(path, "is %s, not a set of keys; %s", kind(node), f.like())
		return
	}
	target.Set(reflect.MakeMap(target.Type()))
	for _, entry := range mapping.Values {
		key := keyText(entry)
		inner := join(path, key)
		if d.Has(inner) && !d.silent {
			d.at(line(entry.Key), inner, "is given twice; keep one")
			continue
		}
		d.place(inner, line(entry.Key))
		value := reflect.New(target.Type().Elem()).Elem()
		d.value(inner, f, entry.Value, value)
		target.SetMapIndex(reflect.ValueOf(key), value)
	}
}

// absent gives a key that the file does not have its default, or says that it is missing.
func (d *Document) absent(path string, f Field, target reflect.Value) {
	switch {
	case f.Required:
		d.at(d.Line(path), join(path, f.Key), "is missing; %s", f.like())
	case f.Default != "":
		node, failure := parseText(f.Default)
		if failure != nil || node == nil {
			// a mistake in our own tags, shown by any test
			panic(fmt.Sprintf("strictyaml: the default of %s is not YAML", f.Key))
		}
		before := d.silent
		d.silent = true
		d.value(join(path, f.Key), f, node, target)
		d.silent = before
	case target.Kind() == reflect.Struct:
		d.defaults(join(path, f.Key), target)
	}
}

// defaults fills a struct as if the file had left every key out, without complaining about required ones.
func (d *Document) defaults(path string, target reflect.Value) {
	for _, field := range Fields(target.Type()) {
		if !field.Required {
			d.absent(path, field, target.FieldByIndex(field.index))
		}
	}
}

// place remembers where a key is written.
func (d *Document) place(path string, line int) {
	if !d.silent {
		d.lines[path] = line
	}
}

func (d *Document) at(line int, path, format string, args ...any) {
	d.add(line, path, fmt.Sprintf(format, args...))
}

// keyText returns a key as it is written. Keys that are not plain words are nobody's field, so they end as unknown
// keys.
func keyText(entry *ast.MappingValueNode) string {
	if tk := entry.Key.GetToken(); tk != nil {
		return tk.Value
	}
	return entry.Key.String()
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
