// Package plain takes out of other people's text what a terminal, a page or a chat would obey rather than show: control
// characters, and those that change the direction of what follows or are not seen at all.
package plain

import (
	"reflect"
	"strings"
	"unicode"
)

// Text is the text without them. Lines and tabs stay; a carriage return, by which a line is written over, ends one.
func Text(text string) string {
	if !strings.ContainsFunc(text, obeyed) && strings.ToValidUTF8(text, "") == text {
		return text
	}
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "?"), "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\r', r == '\u2028', r == '\u2029':
			return '\n'
		case obeyed(r):
			return -1
		}
		return r
	}, text)
}

// Line is a Text on one line: where it had others, or tabs, is a space.
func Line(text string) string {
	return strings.Join(strings.FieldsFunc(Text(text), func(r rune) bool { return r == '\n' || r == '\t' }), " ")
}

// obeyed reports whether a character is not shown: Cc holds the escape and its 8-bit kin, Cf the marks of direction,
// joiners and spaces of no width.
func obeyed(r rune) bool {
	if r >= ' ' && r <= '~' { // most characters of any text: no table need be asked
		return false
	}
	return r != '\n' && r != '\t' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

// Strings makes every text plain that a pointer leads to: fields, elements, values of maps, however deep. Bytes and
// keys of maps stay as they are.
func Strings(into any) { cleaned(into, Text) }

// Lines is Strings, with each text on one line.
func Lines(into any) { cleaned(into, Line) }

func cleaned(into any, clean func(string) string) {
	if value := reflect.ValueOf(into); value.Kind() == reflect.Pointer && !value.IsNil() {
		walk(value.Elem(), clean, 0)
	}
}

// deepest bounds the way into a value; no answer of AWS's and no request of ours is nearly as deep.
const deepest = 32

func walk(value reflect.Value, clean func(string) string, depth int) {
	if depth > deepest {
		return
	}
	switch value.Kind() {
	case reflect.String:
		if value.CanSet() {
			value.SetString(clean(value.String()))
		}
	case reflect.Pointer:
		if !value.IsNil() {
			walk(value.Elem(), clean, depth+1)
		}
	case reflect.Struct:
		for i := range value.NumField() {
			if field := value.Field(i); field.CanSet() {
				walk(field, clean, depth+1)
			}
		}
	case reflect.Slice, reflect.Array:
		if value.Type().Elem().Kind() == reflect.Uint8 {
			return
		}
		for i := range value.Len() {
			walk(value.Index(i), clean, depth+1)
		}
	case reflect.Map:
		for _, key := range value.MapKeys() {
			fresh := reflect.New(value.Type().Elem()).Elem()
			fresh.Set(value.MapIndex(key))
			walk(fresh, clean, depth+1)
			value.SetMapIndex(key, fresh)
		}
	}
}
