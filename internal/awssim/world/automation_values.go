package world

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// lookUp finds the value of a reference: a parameter, a step's output or a pseudo parameter.
func (e *Execution) lookUp(name string) ([]string, bool) {
	if values, ok := e.Parameters[name]; ok {
		return values, true
	}
	now := e.Region.World.now.UTC()
	switch name {
	case "automation:EXECUTION_ID":
		return []string{e.ID}, true
	case "global:DATE":
		return []string{now.Format(time.DateOnly)}, true
	case "global:DATE_TIME":
		return []string{now.Format("2006-01-02_15.04.05")}, true
	case "global:ACCOUNT_ID":
		return []string{e.Region.Account.ID}, true
	case "global:REGION":
		return []string{e.Region.Name}, true
	}
	step, output, _ := strings.Cut(name, ".")
	if n := e.book.index(step); n >= 0 {
		values, ok := e.Steps[n].Outputs[output]
		return values, ok
	}
	return nil, false
}

// resolve replaces the references in a step's inputs. A text that is one reference to a list becomes the list; such a
// reference inside a longer text or inside a list is refused, since what AWS makes of it is not known.
func (e *Execution) resolve(value any) (any, error) {
	switch v := value.(type) {
	case string:
		return e.resolveText(v)
	case []any:
		list := make([]any, 0, len(v))
		for _, item := range v {
			resolved, err := e.resolve(item)
			if err != nil {
				return nil, err
			}
			if _, nested := resolved.([]any); nested {
				return nil, fmt.Errorf("%v is a list inside a list: pass the StringList itself, without brackets around it", item)
			}
			list = append(list, resolved)
		}
		return list, nil
	case map[string]any:
		resolved := map[string]any{}
		for key, item := range v {
			each, err := e.resolve(item)
			if err != nil {
				return nil, err
			}
			resolved[key] = each
		}
		return resolved, nil
	case nil:
		return map[string]any{}, nil
	}
	return value, nil
}

func (e *Execution) resolveText(text string) (any, error) {
	matches := reference.FindAllStringSubmatchIndex(text, -1)
	if len(matches) == 1 && matches[0][0] == 0 && matches[0][1] == len(text) {
		name := text[matches[0][2]:matches[0][3]]
		values, ok := e.lookUp(name)
		if !ok {
			return nil, fmt.Errorf("{{ %s }} has no value", name)
		}
		if e.book.isList(name) || len(values) != 1 {
			list := make([]any, 0, len(values))
			for _, each := range values {
				list = append(list, each)
			}
			return list, nil
		}
		return values[0], nil
	}
	var problem error
	replaced := reference.ReplaceAllStringFunc(text, func(match string) string {
		name := reference.FindStringSubmatch(match)[1]
		values, ok := e.lookUp(name)
		switch {
		case !ok:
			problem = fmt.Errorf("{{ %s }} has no value", name)
			return ""
		case len(values) != 1 || e.book.isList(name):
			problem = fmt.Errorf("{{ %s }} is a list inside a text", name)
			return ""
		}
		return values[0]
	})
	return replaced, problem
}

func inputText(value any) string {
	switch v := value.(type) {
	case string:
		return strconv.Quote(v)
	case []any:
		parts := make([]string, 0, len(v))
		for _, item := range v {
			parts = append(parts, inputText(item))
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	return fmt.Sprint(value)
}

// assumeRole finds the role that a runbook acts as, which must be one of this account's; "" without one: it then acts
// with its caller's permissions.
func (r *Region) assumeRole(book *runbook, parameters map[string][]string) (string, error) {
	role := book.AssumeRole
	if match := reference.FindStringSubmatch(role); match != nil {
		role = strings.Join(parameters[match[1]], "")
	}
	if role == "" {
		return "", nil
	}
	for _, known := range r.Account.Spec.Roles {
		if role == "arn:aws:iam::"+r.Account.ID+":role/"+known.Name {
			return known.Name, nil
		}
	}
	return "", api.Errorf(
		"InvalidAutomationExecutionParametersException", "The defined assume role is unable to be assumed: %s.", role,
	)
}
