package wire

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// namer gives the wire name of a struct's field.
type namer func(owner reflect.Type, field reflect.StructField) string

// plainName is the rule of every protocol but EC2's: the SDK keeps the model's names.
func plainName(_ reflect.Type, field reflect.StructField) string { return field.Name }

var (
	timeType   = reflect.TypeFor[time.Time]()
	readerType = reflect.TypeFor[io.Reader]()
)

// members lists the fields of an SDK struct that go over the wire.
func members(t reflect.Type) []reflect.StructField {
	fields := make([]reflect.StructField, 0, t.NumField())
	for i := range t.NumField() {
		field := t.Field(i)
		if field.IsExported() && field.Name != "ResultMetadata" {
			fields = append(fields, field)
		}
	}
	return fields
}

// assigner writes a decoded tree (map[string]any, []any, string, json.Number, float64, int64, bool, []byte, time.Time)
// into an SDK type.
type assigner struct{ name namer }

func (a assigner) assign(dst reflect.Value, node any, path string) error {
	if node == nil {
		return nil
	}
	switch {
	case dst.Type() == timeType:
		return assignTime(dst, node, path)
	case dst.Kind() == reflect.Pointer:
		dst.Set(reflect.New(dst.Type().Elem()))
		return a.assign(dst.Elem(), node, path)
	case dst.Kind() == reflect.Struct:
		return a.assignStruct(dst, node, path)
	case dst.Kind() == reflect.Slice && dst.Type().Elem().Kind() == reflect.Uint8:
		return assignBytes(dst, node, path)
	case dst.Kind() == reflect.Slice:
		return a.assignList(dst, node, path)
	case dst.Kind() == reflect.Map:
		return a.assignMap(dst, node, path)
	}
	return assignScalar(dst, node, path)
}

func (a assigner) assignStruct(dst reflect.Value, node any, path string) error {
	tree, ok := node.(map[string]any)
	if !ok {
		return malformed(path, "a structure", node)
	}
	known := map[string]reflect.StructField{}
	for _, field := range members(dst.Type()) {
		known[a.name(dst.Type(), field)] = field
	}
	for _, key := range sortedKeys(tree) {
		field, ok := known[key]
		if !ok {
			return api.NotModelled("parameter %s", join(path, key))
		}
		if err := a.assign(dst.FieldByIndex(field.Index), tree[key], join(path, key)); err != nil {
			return err
		}
	}
	return nil
}

func (a assigner) assignList(dst reflect.Value, node any, path string) error {
	items, err := listOf(node, path)
	if err != nil {
		return err
	}
	list := reflect.MakeSlice(dst.Type(), len(items), len(items))
	for i, item := range items {
		if err := a.assign(list.Index(i), item, path+"."+strconv.Itoa(i+1)); err != nil {
			return err
		}
	}
	dst.Set(list)
	return nil
}

// listOf accepts a list, or how the query protocols spell one: {"1": ..., "2": ...}, under "member" or not; "" is
// empty.
func listOf(node any, path string) ([]any, error) {
	switch node := node.(type) {
	case []any:
		return node, nil
	case string:
		if node == "" {
			return nil, nil
		}
	case map[string]any:
		if inner, ok := node["member"]; ok && len(node) == 1 {
			return listOf(inner, path)
		}
		return numbered(node, path)
	}
	return nil, malformed(path, "a list", node)
}

func numbered(node map[string]any, path string) ([]any, error) {
	keys := sortedKeys(node)
	positions := make([]int, len(keys))
	for i, key := range keys {
		position, err := strconv.Atoi(key)
		if err != nil {
			return nil, api.NotModelled("parameter %s", join(path, key))
		}
		positions[i] = position
	}
	slices.Sort(positions)
	items := make([]any, len(positions))
	for i, position := range positions {
		items[i] = node[strconv.Itoa(position)]
	}
	return items, nil
}

func (a assigner) assignMap(dst reflect.Value, node any, path string) error {
	tree, ok := node.(map[string]any)
	if !ok {
		return malformed(path, "a map", node)
	}
	if entries, ok := tree["entry"].(map[string]any); ok { // how the query protocol spells a map
		items, err := numbered(entries, path)
		if err != nil {
			return err
		}
		tree = map[string]any{}
		for _, item := range items {
			pair, _ := item.(map[string]any)
			key, _ := pair["key"].(string)
			if key == "" {
				key, _ = pair["Name"].(string)
			}
			value := pair["value"]
			if value == nil {
				value = pair["Value"]
			}
			tree[key] = value
		}
	}
	dst.Set(reflect.MakeMap(dst.Type()))
	for _, key := range sortedKeys(tree) {
		value := reflect.New(dst.Type().Elem()).Elem()
		if err := a.assign(value, tree[key], join(path, key)); err != nil {
			return err
		}
		dst.SetMapIndex(reflect.ValueOf(key).Convert(dst.Type().Key()), value)
	}
	return nil
}

func assignScalar(dst reflect.Value, node any, path string) error {
	text, isText := node.(string)
	if number, ok := node.(json.Number); ok {
		text, isText = number.String(), dst.Kind() != reflect.String
	}
	switch dst.Kind() {
	case reflect.String:
		if isText {
			dst.SetString(text)
			return nil
		}
	case reflect.Bool:
		if flag, ok := node.(bool); ok {
			dst.SetBool(flag)
			return nil
		}
		if flag, err := strconv.ParseBool(text); isText && err == nil {
			dst.SetBool(flag)
			return nil
		}
	case reflect.Int32, reflect.Int64:
		number, ok := node.(int64)
		if parsed, err := strconv.ParseInt(text, 10, 64); isText && err == nil {
			number, ok = parsed, true
		}
		if ok && !dst.OverflowInt(number) {
			dst.SetInt(number)
			return nil
		}
	case reflect.Float32, reflect.Float64:
		switch number := node.(type) {
		case float64:
			dst.SetFloat(number)
			return nil
		case int64:
			dst.SetFloat(float64(number))
			return nil
		}
		if parsed, err := strconv.ParseFloat(text, 64); isText && err == nil {
			dst.SetFloat(parsed)
			return nil
		}
	default:
		return api.NotModelled("the type of parameter %s", path)
	}
	return malformed(path, dst.Kind().String(), node)
}

func assignBytes(dst reflect.Value, node any, path string) error {
	switch data := node.(type) {
	case []byte:
		dst.SetBytes(data)
		return nil
	case string:
		if decoded, err := base64.StdEncoding.DecodeString(data); err == nil {
			dst.SetBytes(decoded)
			return nil
		}
	}
	return malformed(path, "base64", node)
}

func assignTime(dst reflect.Value, node any, path string) error {
	var parsed time.Time
	err := errors.New("not a time")
	switch value := node.(type) {
	case time.Time:
		parsed, err = value, nil
	case json.Number:
		var seconds float64
		if seconds, err = value.Float64(); err == nil {
			parsed = epoch(seconds)
		}
	case string:
		parsed, err = time.Parse(time.RFC3339Nano, value)
	}
	if err != nil {
		return malformed(path, "a time", node)
	}
	dst.Set(reflect.ValueOf(parsed.UTC()))
	return nil
}

// epoch turns seconds since 1970 into a time, to the millisecond that AWS keeps.
func epoch(seconds float64) time.Time {
	return time.UnixMilli(int64(math.Round(seconds * 1000))).UTC()
}

func malformed(path, want string, got any) *api.Error {
	return api.Errorf("SerializationException", "parameter %s: want %s, got %v", path, want, fmt.Sprintf("%.80v", got))
}

func join(path, key string) string { return strings.TrimPrefix(path+"."+key, ".") }

func sortedKeys(tree map[string]any) []string {
	keys := make([]string, 0, len(tree))
	for key := range tree {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// absent reports whether a field is left out of a reply: nil, or an enumeration without a value.
func absent(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
		return v.IsNil()
	case reflect.String:
		return v.Len() == 0
	}
	return false
}

func timeOf(v reflect.Value) time.Time { return v.Interface().(time.Time).UTC() }
