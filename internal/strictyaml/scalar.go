package strictyaml

import (
	"encoding"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// scalar decodes text, numbers and truth values, each only from itself: what is quoted is text, what is not may
// be something else, and guessing turned the account id 011122223333 into an octal number in other programs.
func (d *Document) scalar(path string, f Field, node ast.Node, target reflect.Value) {
	switch target.Kind() {
	case reflect.String:
		text, ok := d.stringValue(path, f, node)
		if !ok {
			return
		}
		if len(f.Enum) > 0 && !slices.Contains(f.Enum, text) {
			d.Problem(path, "%s is not known; write one of %s", strconv.Quote(text), strings.Join(f.Enum, ", "))
			return
		}
		if !f.Matches(text) {
			d.Problem(path, "does not have the right form; %s", f.like()) // the value may be a secret in the wrong place
			return
		}
		target.SetString(text)
	case reflect.Bool:
		truth, ok := node.(*ast.BoolNode)
		if !ok {
			d.Problem(path, "is %s, not true or false; %s", kind(node), f.like())
			return
		}
		target.SetBool(truth.Value)
	case reflect.Int, reflect.Int32:
		number, ok := wholeNumber(node)
		if !ok {
			d.Problem(path, "is %s, not a whole number; %s", kind(node), f.like())
			return
		}
		if low, err := strconv.ParseInt(f.Min, 10, 32); err == nil && number < low {
			d.Problem(path, "%d is less than %d, the smallest allowed; %s", number, low, f.like())
			return
		}
		high, err := strconv.ParseInt(f.Max, 10, 32)
		if err != nil {
			high = 1<<31 - 1
		}
		if number > high {
			d.Problem(path, "%d is more than %d, the largest allowed; %s", number, high, f.like())
			return
		}
		target.SetInt(number)
	case reflect.Float64:
		number, ok := anyNumber(node)
		if !ok {
			d.Problem(path, "is %s, not a number; %s", kind(node), f.like())
			return
		}
		if low, err := strconv.ParseFloat(f.Min, 64); err == nil && number < low {
			d.Problem(path, "%v is less than %v, the smallest allowed; %s", number, low, f.like())
			return
		}
		target.SetFloat(number)
	default:
		panic("strictyaml: no decoder for " + target.Type().String()) // a mistake in our own types, shown by any test
	}
}

// text decodes what reads itself from text, such as a duration.
func (d *Document) text(path string, f Field, node ast.Node, target reflect.Value) {
	ranged, isRanged := target.Addr().Interface().(Ranged)
	var text string
	switch n := node.(type) {
	case *ast.IntegerNode:
		if !isRanged {
			d.Problem(path, "is %s; %s", kind(node), f.like())
			return
		}
		text = n.Token.Value
	case *ast.StringNode, *ast.LiteralNode:
	default: // quoting a bare 5 would not make it a duration, so that is not what we advise
		d.Problem(path, "is %s; %s", kind(node), f.like())
		return
	}
	if text == "" {
		var ok bool
		if text, ok = d.stringValue(path, f, node); !ok {
			return
		}
	}
	if isRanged && node.Type() == ast.StringType && text != "" && strings.Trim(text, "0123456789") == "" {
		d.Problem(path, "is text; write the number without quotes; %s", f.like())
		return
	}
	value := reflect.New(target.Type())
	if err := value.Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text)); err != nil {
		d.Problem(path, "%v", err)
		return
	}
	if target.Kind() == reflect.Int64 { // a duration
		if low, err := time.ParseDuration(f.Min); err == nil && value.Elem().Int() < int64(low) {
			d.Problem(path, "%s is less than %s, the shortest allowed; %s", text, low, f.like())
			return
		}
		if high, err := time.ParseDuration(f.Max); err == nil && value.Elem().Int() > int64(high) {
			d.Problem(path, "%s is more than %s, the longest allowed; %s", text, high, f.like())
			return
		}
	}
	target.Set(value.Elem())
	if !isRanged {
		return
	}
	if err := ranged.Within(f.Min, f.Max); err != nil {
		d.Problem(path, "%v; %s", err, f.like())
	}
}

// Ranged is a text that may be written as a bare number, too, and that knows whether it is within a field's bounds.
type Ranged interface {
	Within(low, high string) error
}

func (d *Document) stringValue(path string, f Field, node ast.Node) (string, bool) {
	var text string
	switch n := node.(type) {
	case *ast.StringNode:
		text = n.Value
		// 081122223333 is no octal number, so YAML calls it text; another program may not.
		if n.Token.Type == token.StringType && text != "" && strings.Trim(text, "0123456789") == "" {
			d.Problem(path, "is a number; quote it to make it text: \"%s\"", text)
			return "", false
		}
	case *ast.LiteralNode:
		text = n.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		if tk := node.GetToken(); tk != nil && len(tk.Value) <= 20 {
			d.Problem(path, "is %s; quote it to make it text: \"%s\"", kind(node), tk.Value)
		} else {
			d.Problem(path, "is %s; quote it to make it text", kind(node))
		}
		return "", false
	default:
		d.Problem(path, "is %s, not text; %s", kind(node), f.like())
		return "", false
	}
	if strings.TrimSpace(text) == "" {
		d.Problem(path, "is empty; %s, or remove the key", f.like())
		return "", false
	}
	return text, true
}

func wholeNumber(node ast.Node) (int64, bool) {
	integer, ok := node.(*ast.IntegerNode)
	if !ok {
		return 0, false
	}
	switch v := integer.Value.(type) {
	case int64:
		return v, true
	case uint64:
		return int64(min(v, 1<<62)), true
	}
	return 0, false
}

// anyNumber reads a number with or without a fraction; infinity and what is no number at all are none.
func anyNumber(node ast.Node) (float64, bool) {
	if whole, ok := wholeNumber(node); ok {
		return float64(whole), true
	}
	fraction, ok := node.(*ast.FloatNode)
	if !ok || math.IsInf(fraction.Value, 0) || math.IsNaN(fraction.Value) {
		return 0, false
	}
	return fraction.Value, true
}

// kind names what a value is, for a reader who does not know the parser's words.
func kind(node ast.Node) string {
	switch node.(type) {
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number"
	case *ast.BoolNode:
		return "a truth value"
	case *ast.StringNode, *ast.LiteralNode:
		return "text"
	case *ast.SequenceNode:
		return "a list"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a set of keys"
	case *ast.NullNode:
		return "nothing"
	}
	return "something else"
}
