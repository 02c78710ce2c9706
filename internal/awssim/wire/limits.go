package wire

import (
	_ "embed"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// invalid are the services that check requests against their description before anything else, each with the code it
// says so with. EC2's, S3's and SNS's descriptions hold no limits, and what they refuse has codes of its own.
var invalid = map[string]string{
	"autoscaling": "ValidationError", "elasticloadbalancing": "ValidationError", "monitoring": "ValidationError",
	"ssm": "ValidationException",
}

// Limited reports whether a service checks requests against its description.
func Limited(service string) bool { return invalid[service] != "" }

//go:embed limits.txt
var limitLines string

// documentedLines are limits that only the text of AWS's API references tells.
//
//go:embed documented.txt
var documentedLines string

// limit is what a description asks of one member; a nil bound is none.
type limit struct {
	required bool
	min, max *float64
	pattern  *regexp.Regexp // nil: any text
}

var limits = sync.OnceValue(func() map[string]*limit {
	all := map[string]*limit{}
	for line := range strings.Lines(limitLines + documentedLines) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 4)
		at := parts[0] + " " + parts[1]
		if all[at] == nil {
			all[at] = &limit{}
		}
		switch bound, err := strconv.ParseFloat(parts[3], 64); parts[2] {
		case "required":
			all[at].required = true
		case "pattern":
			all[at].pattern = regexp.MustCompile(`^(?s:` + parts[3] + `)$`)
		case "min":
			if err == nil {
				all[at].min = &bound
			}
		case "max":
			if err == nil {
				all[at].max = &bound
			}
		}
	}
	return all
})

// Validate checks a pointer to an operation's input against AWS's description of the API: lengths, ranges, patterns and
// enumerations. The services with such a check make it before they look at anything else, and say it in these words.
func Validate(service string, input any) error {
	code := invalid[service]
	if code == "" {
		return nil
	}
	c := limitChecker{service: service, limits: limits()}
	c.structure(reflect.ValueOf(input).Elem(), "")
	if len(c.found) == 0 {
		return nil
	}
	plural := ""
	if len(c.found) > 1 {
		plural = "s"
	}
	return api.Errorf(
		code, "%d validation error%s detected: %s", len(c.found), plural, strings.Join(c.found, "; "),
	)
}

type limitChecker struct {
	service string
	limits  map[string]*limit
	found   []string
}

func (c *limitChecker) complain(v reflect.Value, path, format string, args ...any) {
	shown := fmt.Sprint(v)
	c.found = append(c.found, fmt.Sprintf(
		"Value '%s' at '%s' failed to satisfy constraint: Member must ", shown[:min(len(shown), 100)], path,
	)+fmt.Sprintf(format, args...))
}

func (c *limitChecker) structure(v reflect.Value, path string) {
	for _, field := range members(v.Type()) {
		at := v.Type().Name() + "." + field.Name
		name := strings.TrimPrefix(path+"."+strings.ToLower(field.Name[:1])+field.Name[1:], ".")
		member := v.FieldByIndex(field.Index)
		if member.IsZero() { // numbers that are no pointers have no other way to be absent
			if l := c.limits[c.service+" "+at]; l != nil && l.required && absent(member) {
				c.found = append(c.found, fmt.Sprintf(
					"Value null at '%s' failed to satisfy constraint: Member must not be null", name,
				))
			}
			continue
		}
		c.member(at, member, name)
	}
}

func (c *limitChecker) member(at string, v reflect.Value, path string) {
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	l := c.limits[c.service+" "+at]
	if l == nil {
		l = &limit{}
	}
	switch {
	case v.Type() == timeType || v.Kind() == reflect.Interface:
	case v.Kind() == reflect.Struct:
		c.structure(v, path)
	case v.Kind() == reflect.Slice || v.Kind() == reflect.Map:
		c.size(l, v, float64(v.Len()), path, "have length")
		c.elements(at, v, path)
	case v.Kind() == reflect.String:
		c.text(l, v, path)
	case v.CanInt():
		c.size(l, v, float64(v.Int()), path, "have value")
	}
}

func (c *limitChecker) elements(at string, v reflect.Value, path string) {
	if v.Kind() == reflect.Slice {
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return
		}
		for i := range v.Len() {
			c.member(at+"[]", v.Index(i), path+"."+strconv.Itoa(i+1)+".member")
		}
		return
	}
	for _, key := range v.MapKeys() {
		c.member(at+"{}", key, path)
		c.member(at+"{}=", v.MapIndex(key), path+"."+key.String()+".member")
	}
}

func (c *limitChecker) text(l *limit, v reflect.Value, path string) {
	if values := v.MethodByName("Values"); values.IsValid() && v.Len() > 0 {
		known := values.Call(nil)[0]
		for i := range known.Len() {
			if known.Index(i).String() == v.String() {
				return
			}
		}
		c.complain(v, path, "satisfy enum value set: %v", known)
		return
	}
	c.size(l, v, float64(utf8.RuneCountInString(v.String())), path, "have length")
	if l.pattern != nil && !l.pattern.MatchString(v.String()) {
		c.complain(v, path, "satisfy regular expression pattern: %s", strings.TrimSuffix(
			strings.TrimPrefix(l.pattern.String(), `^(?s:`), `)$`,
		))
	}
}

func (c *limitChecker) size(l *limit, v reflect.Value, n float64, path, what string) {
	if l.min != nil && n < *l.min {
		c.complain(v, path, "%s greater than or equal to %v", what, *l.min)
	}
	if l.max != nil && n > *l.max {
		c.complain(v, path, "%s less than or equal to %v", what, *l.max)
	}
}
