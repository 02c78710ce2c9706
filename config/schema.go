package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"

	yaml "github.com/goccy/go-yaml"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/strictyaml"
)

// durationPattern is the notation of time.ParseDuration without its fractions and signs, and days before it.
const durationPattern = `^([0-9]+(h|m|s|ms))+$|^[0-9]+d([0-9]+(h|m|s|ms))*$|^0$`

// Schema returns the JSON Schema (draft 2020-12) of patchtide.yaml, made from the types' tags: config/schema.json.
// Editors complete and check with it; Load remains stricter, for a schema cannot tell whether an account exists.
func Schema() ([]byte, error) {
	root, err := schemaOf(reflect.TypeFor[file](), strictyaml.Field{})
	if err != nil {
		return nil, err
	}
	hook := map[string]any{}
	if err := objectSchema(reflect.TypeFor[Hook](), hook); err != nil {
		return nil, err
	}
	root["$defs"] = map[string]any{"hook": hook} // it stands at twelve places
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "Patchtide's configuration"
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(root); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func schemaOf(t reflect.Type, f strictyaml.Field) (map[string]any, error) {
	t = strictyaml.Indirect(t)
	schema := map[string]any{}
	if f.Doc != "" {
		schema["description"] = f.Doc
	}
	if f.Default != "" {
		var value any
		if err := yaml.Unmarshal([]byte(f.Default), &value); err != nil {
			return nil, fmt.Errorf("the default of %s is not YAML: %w", f.Key, err)
		}
		schema["default"] = value
	}
	var err error
	switch {
	case t == reflect.TypeFor[patch.Duration]():
		schema["type"], schema["pattern"] = "string", durationPattern
	case t == reflect.TypeFor[patch.Share]():
		number := map[string]any{"type": "integer"}
		bound(number, "minimum", f.Min)
		bound(number, "maximum", f.Max)
		schema["oneOf"] = []any{number, map[string]any{"type": "string", "pattern": sharePattern}}
	case t == reflect.TypeFor[map[string]patch.Duration]():
		schema["type"], schema["additionalProperties"] = "object", false
		schema["properties"] = timingSchema()
	case t.Kind() == reflect.Map:
		schema["type"], schema["minProperties"] = "object", 1
		schema["additionalProperties"] = map[string]any{"type": "string"}
	case t.Kind() == reflect.Slice:
		schema["type"] = "array"
		schema["items"], err = schemaOf(t.Elem(), strictyaml.Field{Key: f.Key, Pattern: f.Pattern, Enum: f.Enum})
		if f.Required {
			schema["minItems"] = 1
		}
	case t == reflect.TypeFor[Hook]():
		schema["$ref"] = "#/$defs/hook"
	case t.Kind() == reflect.Struct:
		err = objectSchema(t, schema)
		if short, ok := reflect.Zero(t).Interface().(strictyaml.Short); ok && err == nil {
			err = shortSchema(t, schema, short.Short())
		}
	case t.Kind() == reflect.Bool:
		schema["type"] = "boolean"
	case t.Kind() == reflect.Int:
		schema["type"] = "integer"
		bound(schema, "minimum", f.Min)
		bound(schema, "maximum", f.Max)
	case t.Kind() == reflect.Float64:
		schema["type"] = "number"
		bound(schema, "minimum", f.Min)
	case t.Kind() == reflect.String:
		schema["type"], schema["minLength"] = "string", 1
		if len(f.Enum) > 0 {
			schema["enum"] = f.Enum
		}
		if f.Pattern != "" {
			schema["pattern"] = f.Pattern
		}
	default:
		return nil, fmt.Errorf("no schema for %s of %s", t, f.Key)
	}
	return schema, err
}

// sharePattern is a percentage as patch.Share reads it.
const sharePattern = "^([1-9][0-9]?|100)%$"

func bound(schema map[string]any, key, value string) {
	if value != "" {
		schema[key] = json.Number(value)
	}
}

func objectSchema(t reflect.Type, schema map[string]any) error {
	properties := map[string]any{}
	var required []string
	for _, f := range strictyaml.Fields(t) {
		property, err := schemaOf(f.Type, f)
		if err != nil {
			return err
		}
		properties[f.Key] = property
		if f.Required {
			required = append(required, f.Key)
		}
	}
	schema["type"], schema["additionalProperties"], schema["properties"] = "object", false, properties
	if len(required) > 0 {
		schema["required"] = required
	}
	switch t {
	case reflect.TypeFor[HealthCheck](), reflect.TypeFor[Notify]():
		schema["minProperties"], schema["maxProperties"] = 1, 1
	case reflect.TypeFor[Hook](), reflect.TypeFor[HookCall]():
		var one []any
		for _, key := range hookKinds {
			one = append(one, map[string]any{"required": []string{key}})
		}
		schema["oneOf"] = one
	case reflect.TypeFor[Group]():
		schema["oneOf"] = []any{
			map[string]any{"required": []string{"auto_scaling_group"}},
			map[string]any{"required": []string{"tags"}},
			map[string]any{"required": []string{"managed_nodes"}},
		}
	}
	return nil
}

// shortSchema lets a set of keys be written as the value of one of them alone.
func shortSchema(t reflect.Type, schema map[string]any, key string) error {
	whole := map[string]any{}
	for _, word := range []string{"type", "additionalProperties", "properties", "required"} {
		if value, has := schema[word]; has {
			whole[word] = value
			delete(schema, word)
		}
	}
	for _, f := range strictyaml.Fields(t) {
		if f.Key != key {
			continue
		}
		alone, err := schemaOf(f.Type, strictyaml.Field{Key: f.Key, Pattern: f.Pattern, Enum: f.Enum})
		if err != nil {
			return err
		}
		schema["oneOf"] = []any{alone, whole}
	}
	return nil
}

func timingSchema() map[string]any {
	properties := map[string]any{}
	for _, t := range TimingTable() {
		properties[t.Key] = map[string]any{
			"type": "string", "pattern": durationPattern, "description": t.Doc, "default": shortDuration(t.Default),
		}
	}
	return properties
}
